//! Whether a redacted layer is judged like the original: what is wrong with each, alone and together with the others.

use crate::{
    codec::{self, Decoder, Unknown},
    engine::{self, AnyLayer, Schema},
    problem::Flaw,
    record::paths::cut,
};
use std::collections::BTreeSet;

/// A decoded layer, and the paths of its problems.
pub(super) struct Read {
    pub(super) layer: Option<AnyLayer>,
    pub(super) problems: BTreeSet<String>,
}

/// Decodes a document; marks beside the paths are what else became of it.
pub(super) fn decoded(schema: &Schema, decoder: &Decoder, bytes: &[u8]) -> Read {
    let paths = |found: Vec<codec::Found>| {
        let paths = found.iter();
        let paths = paths.map(|one| cut((schema.fields)(), &one.problem.path));
        paths.collect::<BTreeSet<_>>()
    };
    let decoded = engine::decode(schema, decoder, bytes, Unknown::Warn);
    let (layer, mut problems, mark) = match decoded {
        Ok(Ok(decoded)) if decoded.empty => (None, BTreeSet::new(), Some("!empty")),
        Ok(Ok(decoded)) => (Some(decoded.layer), paths(decoded.warnings), None),
        Ok(Err(failed)) => (failed.partial, paths(failed.found), Some("!refused")),
        Err(_) => (None, BTreeSet::new(), Some("!panicked")),
    };
    problems.extend(mark.map(str::to_owned));
    Read { layer, problems }
}

/// The problems of a layer, those of the rules over all layers included.
pub(super) struct Judged {
    /// Where they are, and in which view.
    pub(super) problems: BTreeSet<(View, String)>,
    /// Nothing required is missing, so that the rules were seen.
    pub(super) whole: bool,
}

/// How a layer is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum View {
    Alone,
    InItsPlace,
    /// What is hidden by a layer above today may be seen tomorrow.
    AboveAll,
}

pub(super) fn judge(
    schema: &Schema,
    layers: &[Option<AnyLayer>],
    at: usize,
    read: &Read,
) -> Judged {
    let alone = read.problems.iter();
    let mut judged = Judged {
        problems: alone.map(|path| (View::Alone, path.clone())).collect(),
        whole: false,
    };
    for view in [View::InItsPlace, View::AboveAll] {
        let (paths, whole) = ruled(schema, layers, at, read, view);
        judged.whole |= whole;
        judged
            .problems
            .extend(paths.into_iter().map(|path| (view, path)));
    }
    judged
}

/// What the rules find in all layers together, and whether they could be asked.
fn ruled(
    schema: &Schema,
    layers: &[Option<AnyLayer>],
    at: usize,
    read: &Read,
    view: View,
) -> (Vec<String>, bool) {
    let in_its_place =
        layers
            .iter()
            .enumerate()
            .filter_map(|(index, known)| match (index == at, view) {
                (false, _) => known.as_ref(),
                (true, View::AboveAll) => None,
                (true, _) => read.layer.as_ref(),
            });
    let above = read.layer.as_ref().filter(|_| view == View::AboveAll);
    match engine::broken_rules(schema, in_its_place.chain(above)) {
        Ok((found, whole)) => {
            let path = |problem: &Flaw| cut((schema.fields)(), &problem.path);
            (found.iter().map(path).collect(), whole)
        }
        Err(_) => (vec!["!panicked".to_owned()], true),
    }
}
