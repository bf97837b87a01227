//! Which entries of maps are null where null is no value, in a document that can be decoded.

use super::{
    Found, LazyModel,
    partial_layer::FillLayer,
    slow::{dialect, located},
    walk::Spot,
};
use crate::{
    document::{Document, NodeDecoder},
    layer::decode::recording_empty,
    problem::{
        ProblemKind, Seg,
        collect_errors::{Caught, collect_errors},
    },
    schema::{self, Field},
};
use std::collections::HashMap;

/// The entries of maps that are null where null is no value, of a document that can be decoded.
#[cold]
pub(super) fn emptied(
    fields: &'static [Field],
    model: &LazyModel<'_, '_>,
    into: &mut dyn FillLayer,
) -> Vec<Found> {
    let (document, all) = match dialect(model.decoder) {
        Some(_) => {
            // What cannot be followed has no places.
            let Ok(document) = model.placed() else {
                return Vec::new();
            };
            let (left, parts) = (NodeDecoder::budget(document), HashMap::new());
            let decode = || into.fill_from_nodes(NodeDecoder::new(document, &parts, &left));
            let (_, all) = collect_errors(|| recording_empty(decode));
            (Some(document), all)
        }
        None => {
            let Ok(tree) = model.tree() else {
                return Vec::new();
            };
            let (_, all) = collect_errors(|| recording_empty(|| into.fill_from_tree(&tree)));
            (None, all)
        }
    };
    let is_one = |caught: &Caught| caught.problem.what.kind() == ProblemKind::NoEffect;
    let spots = all.caught.into_iter().filter(is_one).map(|mut caught| {
        if document.is_some_and(|document| may_be_a_lost_secret(fields, document, &caught)) {
            caught.problem.path.pop();
            caught.problem.path.push(Seg::WITHHELD);
        }
        let step = caught.steps.last().filter(|_| document.is_some());
        let node = step.and_then(|step| Some(document?.id(step.node)));
        Spot {
            node,
            problem: caught.problem,
            strict: false,
            twice: false,
        }
    });
    let spots = spots.collect();
    located(document, spots, all.more)
}

/// Whether the entry of a map of sections is written as a key alone, `{secret}`, in a type with secrets.
fn may_be_a_lost_secret(
    fields: &'static [Field],
    document: &Document<'_>,
    caught: &Caught,
) -> bool {
    let Some((last, before)) = caught.steps.split_last() else {
        return false;
    };
    let map = before
        .last()
        .map_or(document.root(), |step| document.id(step.node));
    let Some((_, above)) = caught.problem.path.split_last() else {
        return false;
    };
    let is_structure = || schema::place(fields, above) == schema::Place::Structure;
    let entry = document.entries(map).get(last.index);
    schema::any_secret(fields)
        && entry.is_some_and(|entry| document.is_key_alone(entry))
        && is_structure()
}
