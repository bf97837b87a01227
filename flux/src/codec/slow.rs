//! The slow pass: run only after a decode failed or met an unknown key, to find every problem and its place.

use super::{Decoder, Failed, Found, Syntax, locate::position, plain_scalars, tree};
use crate::{
    config::Config,
    describe::{self, Field, Kind},
    layer::{Problem, Seg, decode::Section, path::What, tolerant::tolerant},
    report::{
        node::{Node, with_plain_scalars},
        tree::{Tree, what_of},
        without_quotes,
    },
};
use serde::Deserialize;

/// More problems than this are counted, not told.
const MOST: usize = 100;

/// The unknown keys of a document that can otherwise be decoded.
#[cold]
pub(super) fn unknown_keys<C: Config>(decoder: &Decoder, text: &str) -> Vec<Found> {
    match tree(decoder, text) {
        Ok(document) => located(decoder, text, unknown(C::fields(), &document)),
        Err(syntax) => vec![Found::whole(
            format!(
                "has unknown keys that cannot be told: {}",
                without_quotes(&syntax.message)
            ),
            syntax.at,
        )],
    }
}

/// Every problem of a document that cannot be decoded.
#[cold]
pub(super) fn problems<C: Config>(
    decoder: &Decoder,
    text: &str,
    first: Syntax,
) -> Failed<C::Layer> {
    let secrets = describe::any_secret(C::fields(), 8);
    let whole = |syntax: Syntax| match secrets {
        true => Found::whole(without_quotes(&syntax.message), syntax.at),
        false => Found::whole(syntax.message, syntax.at),
    };
    let document = match tree(decoder, text) {
        Ok(document) => document,
        Err(syntax) => {
            return Failed {
                found: vec![whole(syntax)],
                partial: None,
            };
        }
    };
    let (partial, mut problems) = decode_tree::<C>(&document, plain_scalars(decoder));
    if problems.is_empty() {
        // The two passes disagree: what the format's own decoder said stands.
        let mut found = vec![whole(first)];
        found.extend(located(decoder, text, unknown(C::fields(), &document)));
        return Failed { found, partial };
    }
    problems.extend(unknown(C::fields(), &document));
    Failed {
        found: located(decoder, text, problems),
        partial,
    }
}

/// Decodes a tree tolerantly: what of it could be read, and everything that could not.
pub(crate) fn decode_tree<C: Config>(
    document: &Tree,
    plain_scalars: bool,
) -> (Option<C::Layer>, Vec<Problem>) {
    let (layer, mut problems) = with_plain_scalars(plain_scalars, || {
        tolerant(|| Section::<C::Layer>::deserialize(Node(document)))
    });
    match layer {
        Ok(section) => (Some(section.0), problems),
        Err(error) => {
            problems.push(Problem {
                path: Vec::new(),
                what: what_of(&error),
            });
            (None, problems)
        }
    }
}

fn located(decoder: &Decoder, text: &str, mut problems: Vec<Problem>) -> Vec<Found> {
    let more = problems.len().saturating_sub(MOST);
    problems.truncate(MOST);
    let mut found: Vec<Found> = problems
        .into_iter()
        .map(|problem| Found {
            at: position(decoder, text, &problem.path),
            problem,
        })
        .collect();
    found.sort_by_key(|found| found.at);
    if more > 0 {
        found.push(Found::whole(format!("has {more} more problems"), None));
    }
    found
}

/// The keys that no field has, at any depth.
fn unknown(fields: &'static [Field], document: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    walk(fields, document, &mut Vec::new(), &mut problems);
    problems
}

fn walk(fields: &'static [Field], tree: &Tree, path: &mut Vec<Seg>, problems: &mut Vec<Problem>) {
    let Tree::Map(entries) = tree else { return };
    for (key, value) in entries {
        path.push(Seg::Key(key.clone().into()));
        match (describe::find(fields, key), value) {
            (None, _) => problems.push(Problem {
                path: path.clone(),
                what: What::Unknown(flux_syntax::nearest(key, describe::keys(fields))),
            }),
            (Some(field), value) => match (field.kind, value) {
                (Kind::Section(inner), value) => walk(inner(), value, path, problems),
                (Kind::List(inner), Tree::Seq(items)) => {
                    for (index, item) in items.iter().enumerate() {
                        path.push(Seg::Index(index));
                        walk(inner(), item, path, problems);
                        path.pop();
                    }
                }
                (Kind::Map(inner), Tree::Map(entries)) => {
                    for (key, entry) in entries {
                        path.push(Seg::Key(key.clone().into()));
                        walk(inner(), entry, path, problems);
                        path.pop();
                    }
                }
                _ => {}
            },
        }
        path.pop();
    }
}
