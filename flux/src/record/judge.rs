//! What is wrong with a layer, alone and together with the others.

use crate::record::paths::cut;
use crate::{
    Config,
    codec::{self, Decoder, Unknown},
    layer::Layer,
    problem::{Cx, Problem},
};
use std::{
    collections::BTreeSet,
    panic::{AssertUnwindSafe, catch_unwind},
};

/// A decoded layer, and the paths of its problems.
pub(super) struct Read<L> {
    pub(super) layer: Option<L>,
    pub(super) problems: BTreeSet<String>,
}

/// Decodes a document; marks beside the paths say what else became of it.
pub(super) fn decoded<C: Config>(decoder: &Decoder, bytes: &[u8]) -> Read<C::Layer> {
    let decode = AssertUnwindSafe(|| codec::decode::<C>(decoder, bytes, Unknown::Warn));
    let paths = |found: Vec<codec::Found>| {
        let paths = found.iter().map(|one| cut(C::fields(), &one.problem.path));
        paths.collect::<BTreeSet<_>>()
    };
    let (layer, mut problems, mark) = match catch_unwind(decode) {
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

pub(super) fn judge<C: Config>(
    layers: &[Option<C::Layer>],
    at: usize,
    read: &Read<C::Layer>,
) -> Judged {
    let alone = read.problems.iter();
    let mut judged = Judged {
        problems: alone.map(|path| (View::Alone, path.clone())).collect(),
        whole: false,
    };
    for view in [View::InItsPlace, View::AboveAll] {
        let (paths, whole) = ruled::<C>(layers, at, read, view);
        judged.whole |= whole;
        judged
            .problems
            .extend(paths.into_iter().map(|path| (view, path)));
    }
    judged
}

/// What the rules say of all layers together, and whether they could be asked.
fn ruled<C: Config>(
    layers: &[Option<C::Layer>],
    at: usize,
    read: &Read<C::Layer>,
    view: View,
) -> (Vec<String>, bool) {
    let judged = catch_unwind(AssertUnwindSafe(|| {
        let mut base = C::Layer::default();
        for (index, known) in layers.iter().enumerate() {
            let said = match (index == at, view) {
                (false, _) => known.as_ref(),
                (true, View::AboveAll) => None,
                (true, _) => read.layer.as_ref(),
            };
            if let Some(layer) = said {
                base.over(layer);
            }
        }
        if let (Some(layer), View::AboveAll) = (&read.layer, view) {
            base.over(layer);
        }
        let mut cx = Cx::default();
        let value = C::finish(base, &mut cx);
        if let Some(value) = &value {
            value.validate(&mut cx);
        }
        (cx.into_problems(), value.is_some())
    }));
    match judged {
        Ok((found, whole)) => {
            let path = |problem: &Problem| cut(C::fields(), &problem.path);
            (found.iter().map(path).collect(), whole)
        }
        Err(_) => (vec!["!panicked".to_owned()], true),
    }
}
