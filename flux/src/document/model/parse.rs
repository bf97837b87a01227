//! Makes a document of a text by the parser of its format, or of a tree.

use super::{Dialect, Document, NodeId, Unfollowed};
#[cfg(feature = "json5")]
use crate::document::JsonRefusal;
#[cfg(feature = "dotenv")]
use crate::document::build::VariablePlaces;
#[cfg(feature = "json")]
use crate::document::json;
#[cfg(feature = "json5")]
use crate::document::json5;
#[cfg(feature = "jsonc")]
use crate::document::jsonc;
#[cfg(feature = "toml")]
use crate::document::toml;
use crate::document::{build::NodeBuilder, tree::Tree};
#[cfg(feature = "yaml")]
use crate::document::{unplaced, yaml};
use std::cell::OnceCell;

impl<'t> Document<'t> {
    /// Reads a text.
    pub(crate) fn parse(dialect: Dialect, text: &'t str) -> Result<Self, Unfollowed> {
        match dialect {
            #[cfg(feature = "json")]
            Dialect::Json => json::parse(text),
            #[cfg(feature = "jsonc")]
            Dialect::Jsonc => jsonc::parse(text),
            #[cfg(feature = "json5")]
            Dialect::Json5 => json5::parse(text).map_err(|refusal| Unfollowed::from(&refusal)),
            #[cfg(feature = "yaml")]
            Dialect::Yaml => yaml::parse(text),
            #[cfg(feature = "toml")]
            Dialect::Toml => toml::parse(text),
            Dialect::Tree => {
                let _ = text;
                Err(Unfollowed::Syntax(0))
            }
        }
    }

    /// Why a text is no JSON5; none where it is.
    #[cfg(feature = "json5")]
    pub(crate) fn json5_refusal(text: &str) -> Option<JsonRefusal> {
        json5::parse(text).err()
    }

    /// What a tree contains.
    pub(crate) fn of_tree(tree: &Tree) -> Document<'static> {
        let mut builder = NodeBuilder::default();
        builder.tree(tree);
        Document {
            text: "",
            dialect: Dialect::Tree,
            root: NodeId(0),
            nodes: builder.nodes,
            comments: Vec::new(),
            lines: OnceCell::new(),
        }
    }

    /// What the tree of a text of variables contains: each value has the place of its assignment, which `places` has by its path. What
    /// contains several begins with the first of them. None where an assignment is of no value in the tree.
    #[cfg(feature = "dotenv")]
    pub(crate) fn of_variables(
        text: &'t str,
        tree: &Tree,
        mut places: VariablePlaces,
    ) -> Option<Self> {
        let mut builder = NodeBuilder::default();
        builder.variables(tree, &mut places, 0..0, &mut Vec::new());
        places.is_empty().then_some(Document {
            text,
            dialect: Dialect::Tree,
            root: NodeId(0),
            nodes: builder.nodes,
            comments: Vec::new(),
            lines: OnceCell::new(),
        })
    }

    /// Reads a text of YAML as the fast decoder does, without places.
    #[cfg(feature = "yaml")]
    pub(crate) fn unplaced(text: &str) -> Result<Document<'static>, serde_yaml::Error> {
        unplaced::read(text)
    }
}
