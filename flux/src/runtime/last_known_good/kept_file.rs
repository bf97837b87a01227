//! What a last known good file contains of each layer, in every version that is read.

use super::kept_defaults::KeptDefaults;
use crate::{
    codec::{Decoder, Tree},
    engine::{AnyLayer, Fingerprint, FingerprintKey, Fingerprints, Schema},
    problem::{KeyPath, Seg},
    runtime::{kept_document, trial_file},
    time::clock_time,
};
use std::{
    collections::HashSet,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// The version that is written. The first one, with the layers as trees, is still read.
pub(super) const VERSION: u64 = 2;

/// A document that is not there.
pub(in crate::runtime) static NO_ENTRIES: Tree = Tree::Map(Vec::new());

/// What a file of before holds.
pub(crate) struct KeptFile {
    written: SystemTime,
    pub(in crate::runtime) key: Option<FingerprintKey>,
    layers: Vec<KeptLayer>,
    /// Of the program that wrote it; none in a file of before these were kept.
    #[cfg_attr(not(feature = "cli"), allow(dead_code, reason = "a command compares"))]
    pub(in crate::runtime) defaults: Option<KeptDefaults>,
}

/// What it holds of one layer.
struct KeptLayer {
    /// By [`Layers::keys`](crate::engine::Layers::keys).
    key: String,
    /// The name of its format; none in a file of the first version, whose layers are trees.
    format: Option<String>,
    fingerprint: Option<Fingerprint>,
    /// None where the source held nothing.
    content: Option<Tree>,
    /// Where secrets were left out of it.
    secrets: Vec<Vec<Seg>>,
}

impl KeptFile {
    /// What reports and messages call it, where it is declared as `path`.
    pub(in crate::runtime) fn name(&self, path: &str) -> String {
        let when = clock_time(self.written);
        // An age would be wrong as soon as the report is read again.
        let written = match self.written.elapsed() {
            Ok(_) => format!("written at {when}"),
            Err(_) => format!("of a time to come ({when})"),
        };
        let path = crate::problem::escaped(path);
        format!("the last known good configuration, {written}, from {path}")
    }

    /// What a layer contained then, and what of it has no place any more; none where it contained nothing.
    pub(in crate::runtime) fn layer(
        &self,
        schema: &Schema,
        key: &str,
        decoder: Option<&Decoder>,
    ) -> Result<Option<(AnyLayer, Vec<String>)>, String> {
        let Some(layer) = self.layers.iter().find(|layer| layer.key == key) else {
            return Ok(None);
        };
        let Some(content) = &layer.content else {
            return Ok(None);
        };
        let decoded = match &layer.format {
            Some(format) => kept_document::decode(schema, format, decoder, content),
            None => kept_document::decode_tree(schema, decoder, content),
        };
        match decoded {
            Ok((read, mut warnings)) => {
                let format = layer.format.as_deref().unwrap_or_default();
                warnings.extend(kept_document::secrets_of_today(schema, format, content));
                Ok(Some((read, warnings)))
            }
            Err(why) => Err(format!("what was kept of {key} {why}; it is not used")),
        }
    }

    /// What a layer contained, as a document, and the decoder for it; none where it contained nothing. With `also_trees` what has no
    /// format that documents have, too.
    pub(in crate::runtime) fn document(
        &self,
        key: &str,
        also_trees: bool,
    ) -> Result<Option<(Decoder, Vec<u8>)>, String> {
        let layer = self.layers.iter().find(|layer| layer.key == key);
        let Some((layer, content)) = layer.and_then(|one| Some((one, one.content.as_ref()?)))
        else {
            return Ok(None);
        };
        let document = match &layer.format {
            Some(format) if also_trees && format == "tree" => kept_document::tree_document(content),
            Some(format) => kept_document::document(format, content),
            None => Err("is of an earlier version".to_owned()),
        };
        match document {
            Ok((decoder, text)) => Ok(Some((decoder, text.into_bytes()))),
            Err(why) => Err(format!("what was kept of {key} {why}")),
        }
    }

    /// Where a layer had secrets, which are not in the file.
    pub(in crate::runtime) fn secrets(&self, key: &str) -> &[Vec<Seg>] {
        let layer = self.layers.iter().find(|layer| layer.key == key);
        layer.map_or(&[], |layer| &layer.secrets)
    }

    /// What each layer contained. A file of the first version, or one that was written without trials, has no fingerprints: then
    /// whatever the sources hold differs from it, is on trial, and replaces the file by one with fingerprints once it has passed.
    pub(in crate::runtime) fn fingerprints(&self) -> Fingerprints {
        let known = self.key.is_some();
        let fingerprint = |layer: &KeptLayer| {
            let fingerprint = layer.fingerprint.filter(|_| known);
            (layer.key.clone(), fingerprint.unwrap_or(Fingerprint(0)))
        };
        let mut all: Fingerprints = self.layers.iter().map(fingerprint).collect();
        all.sort_by(|one, other| one.0.cmp(&other.0));
        all
    }

    /// The layers of which it has a document.
    pub(in crate::runtime) fn with_content(&self) -> Vec<&str> {
        let layers = self.layers.iter().filter(|layer| layer.content.is_some());
        layers.map(|layer| &*layer.key).collect()
    }

    /// What was kept of a layer, as it is in the file; without entries where the layer had no document. None of the first version,
    /// whose values are written in another way.
    pub(in crate::runtime) fn content(&self, key: &str) -> Option<&Tree> {
        if self.layers.iter().any(|layer| layer.format.is_none()) {
            return None;
        }
        let layer = self.layers.iter().find(|layer| layer.key == key);
        let content = layer.and_then(|layer| layer.content.as_ref());
        Some(content.unwrap_or(&NO_ENTRIES))
    }
}

fn part<'t>(tree: &'t Tree, name: &str) -> Option<&'t Tree> {
    match tree {
        Tree::Map(entries) => {
            let found = entries.iter().find(|(key, _)| key == name);
            found.map(|(_, value)| value)
        }
        _ => None,
    }
}

fn text<'t>(tree: &'t Tree, name: &str) -> Option<&'t str> {
    match part(tree, name)? {
        Tree::Str(text) => Some(text),
        _ => None,
    }
}

/// Paths, each a text.
fn paths(all: Option<&Tree>) -> Vec<Vec<Seg>> {
    let Some(Tree::Seq(all)) = all else {
        return Vec::new();
    };
    let path = |one: &Tree| match one {
        Tree::Str(text) => Some(text.parse::<KeyPath>().ok()?.steps().to_vec()),
        _ => None,
    };
    all.iter().filter_map(path).collect()
}

pub(super) fn parse(root: &Tree, config: &str) -> Option<KeptFile> {
    if text(root, "config")? != config {
        return None;
    }
    let Tree::U64(written) = part(root, "written")? else {
        return None;
    };
    let written = UNIX_EPOCH.checked_add(Duration::from_secs(*written))?;
    let layers: Vec<KeptLayer> = match (part(root, "version")?, part(root, "layers")?) {
        (Tree::U64(1), Tree::Map(layers)) => (layers.iter())
            .map(|(origin, content)| KeptLayer {
                key: origin.clone(),
                format: None,
                fingerprint: None,
                content: Some(content.clone()),
                secrets: Vec::new(),
            })
            .collect(),
        (Tree::U64(VERSION), Tree::Seq(layers)) => {
            let layer = |layer: &Tree| {
                Some(KeptLayer {
                    key: text(layer, "layer")?.to_owned(),
                    format: Some(text(layer, "format")?.to_owned()),
                    fingerprint: text(layer, "fingerprint").and_then(trial_file::fingerprint),
                    content: part(layer, "content").cloned(),
                    secrets: paths(part(layer, "secrets")),
                })
            };
            layers.iter().map(layer).collect::<Option<_>>()?
        }
        _ => return None,
    };
    // Of two contents of one layer nobody can say which one served.
    let mut known = HashSet::new();
    if !layers
        .iter()
        .all(|layer: &KeptLayer| known.insert(&layer.key))
    {
        return None;
    }
    Some(KeptFile {
        written,
        key: text(root, "key").and_then(trial_file::key),
        layers,
        defaults: part(root, "defaults").and_then(KeptDefaults::read),
    })
}
