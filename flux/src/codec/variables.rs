//! How what was read of a file of variables is decoded, and where its values are. Its names are computed from the field table, so that
//! whoever knows that reads the text.

use super::{opened::opened, syntax::Syntax};
use crate::{
    document::{Document, TreeDecoder, Unfollowed, items_by_number, tree::Tree},
    layer::seen_keys::saw_unknown,
    problem::{Flaw, Seg},
    schema::Field,
};
use std::ops::Range;

/// Reads a text of variables by the names that a config type has.
pub(crate) trait VariableText: Send + Sync {
    /// The type's fields.
    fn fields(&self) -> &'static [Field];
    /// The variable that sets the value at a path; none where the text has no names.
    fn name_of(&self, path: &[Seg]) -> Option<String>;
    /// Reads a text.
    fn read(&self, text: &str) -> VariablesRead;
}

/// What a text of variables contains.
pub(crate) struct VariablesRead {
    /// The texts of the variables that are read, where their fields are.
    pub(crate) tree: Tree,
    /// The path of each of them, and its assignment in the text.
    pub(crate) set: Vec<(Vec<Seg>, Range<usize>)>,
    /// What refuses the text.
    pub(crate) problems: Vec<VariableFlaw>,
    /// What is not read and may have been meant, and what is of an earlier version.
    pub(crate) unread: Vec<VariableFlaw>,
    /// Every assignment is known whose text may be a secret.
    pub(crate) is_followed: bool,
    /// The text has the assignments, and is not a tree that was printed.
    pub(crate) has_places: bool,
}

/// A problem of a text of variables.
pub(crate) struct VariableFlaw {
    pub(crate) flaw: Flaw,
    /// Where the assignment begins.
    pub(crate) at: Option<usize>,
    pub(crate) refuses: Refuses,
}

/// Whether a problem refuses its text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refuses {
    Always,
    /// Where unknown keys do.
    AsUnknown,
    Never,
    /// And it is reported also where unknown keys are ignored.
    Warns,
}

/// Whether no line of the text is an assignment.
pub(super) fn is_without_content(text: &str) -> bool {
    text.lines().all(is_no_assignment)
}

/// Whether a line is blank or a comment.
pub(crate) fn is_no_assignment(line: &str) -> bool {
    line.trim().is_empty() || line.trim_start().starts_with('#')
}

impl VariablesRead {
    /// Decodes what was read, unless something is wrong with the text.
    pub(super) fn decode<T: serde::de::DeserializeOwned>(&self) -> Result<T, Syntax> {
        if !self.problems.is_empty() {
            return Err(unreadable());
        }
        let decoded = items_by_number(|| T::deserialize(TreeDecoder(&self.tree)));
        if !self.unread.is_empty() {
            saw_unknown();
        }
        decoded.map_err(|error| Syntax::new(&error, None, true))
    }

    /// The nodes with the places of their assignments. There are none where it is not known which of them are secret.
    pub(super) fn placed<'t>(
        &self,
        fields: &'static [Field],
        text: &'t str,
    ) -> Result<Document<'t>, Unfollowed> {
        if !self.is_followed || !self.has_places {
            return Err(Unfollowed::Syntax(0));
        }
        let name = |seg: &Seg| match seg {
            Seg::Key(key) => key.to_string(),
            Seg::Index(index) => index.to_string(),
        };
        let places = self.set.iter().map(|(path, place)| {
            let path = path.iter().map(name).collect();
            (path, place.clone())
        });
        let tree = opened(fields, &self.tree);
        Document::of_variables(text, &tree, places.collect()).ok_or(Unfollowed::Syntax(0))
    }

    /// What was read; none where it is not known which of it is secret.
    pub(super) fn tree(&self) -> Result<Tree, Syntax> {
        match self.is_followed {
            true => Ok(self.tree.clone()),
            false => Err(unreadable()),
        }
    }
}

/// What is wrong is reported line by line.
fn unreadable() -> Syntax {
    Syntax::new(&"cannot be read", None, true)
}
