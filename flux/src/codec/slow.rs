//! The slow pass: run only after a decode failed or met something that must be looked at, to find every problem and its place.

use super::{
    Decoder, Failed, Found, Syntax, Unknown,
    locate::{Way, span_at},
    plain_scalars, tree,
    walk::{Spot, walk},
};
#[cfg(feature = "toml")]
use crate::codec::duplicate_keys;
use crate::{
    document::{
        node::{Node, with_plain_scalars},
        tree::Tree,
    },
    layer::{Config, decode::Section},
    problem::{DATE, Problem, Seg, What, collect_errors::tolerant, what_of},
    report::secrets::share_a_piece,
    schema,
};
use serde::Deserialize;
use std::borrow::Cow;

/// More problems than this are counted, not told.
pub(super) const MOST: usize = 100;

/// Each place is a pass over the document: in a large one, fewer are looked for. In bytes.
const PASSES: usize = 16 << 20;

/// How many places are looked for in a document of this many bytes.
pub(crate) fn most_places(length: usize) -> usize {
    (PASSES / length.max(1)).clamp(4, MOST)
}

/// What a closer look at a document found that can otherwise be decoded.
#[derive(Default)]
pub(super) struct Closer {
    pub(super) found: Vec<Found>,
    /// It must not be applied.
    pub(super) refuses: bool,
}

/// A document read as a tree.
pub(super) struct Read<'t> {
    /// The text that `tree` was read from: the document's, with other keys in the place of those that stand there twice where
    /// the format's decoder refuses such a document.
    pub(super) text: Cow<'t, str>,
    pub(super) tree: Tree,
    /// In the order in which it was done.
    pub(super) renamed: Vec<Renamed>,
    /// Where the entries of merge keys are.
    #[cfg(feature = "yaml")]
    pub(super) moved: super::yaml::Moved,
}

/// A key that was put in the place of another.
pub(super) struct Renamed {
    pub(super) key: String,
    /// The key that stands in the document.
    pub(super) written: String,
    /// Line and column.
    pub(super) place: (usize, usize),
    /// By how many characters what follows in the line was moved.
    pub(super) longer: isize,
}

impl Read<'_> {
    /// The numbers by which the document has what `numbers` lead to in the tree.
    fn in_document(&self, numbers: &[usize]) -> Vec<usize> {
        #[cfg(feature = "yaml")]
        return self.moved.in_document(numbers);
        #[cfg(not(feature = "yaml"))]
        numbers.to_vec()
    }

    /// A place in `text` as one in the document.
    fn place(&self, (line, column): (usize, usize)) -> (usize, usize) {
        let moved = |column: usize, renamed: &Renamed| match renamed.place {
            (moved, from) if moved == line && from < column => {
                column.saturating_add_signed(-renamed.longer)
            }
            _ => column,
        };
        (line, self.renamed.iter().rev().fold(column, moved))
    }
}

fn read<'t>(decoder: &Decoder, text: &'t str) -> Result<Read<'t>, Syntax> {
    #[cfg(feature = "toml")]
    if matches!(decoder, Decoder::Toml) {
        return duplicate_keys::read(text, MOST);
    }
    #[cfg(feature = "yaml")]
    if matches!(decoder, Decoder::Yaml) && super::yaml::may_merge(text) {
        let (tree, moved) = super::yaml::tree(text)?;
        return Ok(Read {
            text: Cow::Borrowed(text),
            tree,
            renamed: Vec::new(),
            moved,
        });
    }
    Ok(Read {
        text: Cow::Borrowed(text),
        tree: tree(decoder, text)?,
        renamed: Vec::new(),
        #[cfg(feature = "yaml")]
        moved: Default::default(),
    })
}

/// Looks at a document that can be decoded, but has keys that no field has, or a section that is null.
#[cold]
pub(super) fn look_closer<C: Config>(decoder: &Decoder, text: &str, unknown: Unknown) -> Closer {
    // toml's decoder takes a date in the place of a section for a map with an unknown key.
    let matters = schema::any_strict(C::fields()) || hands_dates_over_as_maps(decoder);
    if unknown == Unknown::Ignore && !matters {
        return Closer::default();
    }
    let read = match read(decoder, text) {
        Ok(read) => read,
        Err(syntax) => {
            let sentence = sentence::<C>(syntax.message, text, syntax.quotes);
            let text = format!("has unknown keys that cannot be told: {sentence}");
            return Closer {
                found: vec![Found::whole(text, syntax.at)],
                refuses: unknown == Unknown::Deny,
            };
        }
    };
    let mut spots = walk(C::fields(), &read, false);
    if unknown == Unknown::Ignore {
        spots.retain(|spot| spot.strict || !spot.is_unknown());
    }
    let refuses = (unknown == Unknown::Deny && !spots.is_empty())
        || spots.iter().any(|spot| spot.strict || !spot.is_unknown());
    Closer {
        found: located(decoder, &read, spots),
        refuses,
    }
}

fn hands_dates_over_as_maps(decoder: &Decoder) -> bool {
    match decoder {
        #[cfg(feature = "toml")]
        Decoder::Toml => true,
        _ => false,
    }
}

/// Every problem of a document that cannot be decoded.
#[cold]
pub(super) fn problems<C: Config>(
    decoder: &Decoder,
    text: &str,
    first: Syntax,
) -> Failed<C::Layer> {
    let whole = |syntax: Syntax| {
        Found::whole(
            sentence::<C>(syntax.message, text, syntax.quotes),
            syntax.at,
        )
    };
    let read = match read(decoder, text) {
        Ok(read) => read,
        Err(syntax) => {
            return Failed {
                found: vec![whole(syntax)],
                partial: None,
            };
        }
    };
    let (partial, problems) = decode_tree::<C>(&read.tree, plain_scalars(decoder));
    let walked = walk(C::fields(), &read, true);
    let mut spots: Vec<Spot> = problems
        .into_iter()
        .filter(|problem| !is_told_by(problem, &walked, &read))
        .map(|problem| Spot::at_path(problem, &read.tree))
        .collect();
    // Where the two passes disagree, what the format's own decoder said stands.
    let disagree = spots.is_empty() && walked.iter().all(Spot::is_unknown);
    spots.extend(walked);
    let mut found = located(decoder, &read, spots);
    if disagree {
        found.insert(0, whole(first));
    }
    Failed { found, partial }
}

/// Whether the walk tells the same problem better: keys that stand there twice, with their own place.
fn is_told_by(problem: &Problem, walked: &[Spot], read: &Read<'_>) -> bool {
    let twice = || {
        let mut twice = walked
            .iter()
            .filter(|spot| spot.problem.what == What::Twice);
        twice.any(|spot| spot.problem.path.starts_with(&problem.path))
    };
    match &problem.what {
        What::Twice => twice(),
        What::Message(text) => {
            text.starts_with("duplicate field `") && twice()
                || read
                    .renamed
                    .iter()
                    .any(|renamed| text.contains(&renamed.key))
        }
        _ => false,
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
    let layer = match layer {
        Ok(section) => Some(section.0),
        Err(error) => {
            let path = Vec::new();
            let what = match what_of(&error) {
                What::Message(_) if schema::any_secret(C::fields()) => {
                    What::Plain(WITHHELD.to_owned())
                }
                what => what,
            };
            problems.push(Problem { path, what });
            None
        }
    };
    for problem in &mut problems {
        name_date(problem, document);
    }
    (layer, problems)
}

/// The date that a map of toml's decoder stands for.
pub(super) fn date(tree: &Tree) -> Option<&str> {
    match tree {
        Tree::Map(entries) => match entries.as_slice() {
            [(key, Tree::Str(text) | Tree::Raw(text))] if key == DATE => Some(text),
            _ => None,
        },
        _ => None,
    }
}

/// People wrote a date, and not the map that toml's decoder makes of it.
fn name_date(problem: &mut Problem, document: &Tree) {
    if matches!(problem.path.last(), Some(Seg::Key(key)) if key == DATE) {
        problem.path.pop();
    }
    if let What::Type { found, .. } = &mut problem.what
        && let Some(date) = document.at(&problem.path).and_then(date)
    {
        *found = format!("date-time `{date}`");
    }
}

/// Stands for a message that may quote a secret.
pub(crate) const WITHHELD: &str = "cannot be read; the reason may quote a secret and is not shown";

/// A message about the whole document: of a type with secrets, nothing that the document holds is in it.
fn sentence<C: Config>(message: String, text: &str, quotes: bool) -> String {
    let withheld = quotes && schema::any_secret(C::fields()) && share_a_piece(&message, text);
    if withheld {
        WITHHELD.to_owned()
    } else {
        message
    }
}

fn located(decoder: &Decoder, read: &Read<'_>, mut spots: Vec<Spot>) -> Vec<Found> {
    let more = spots.len().saturating_sub(MOST);
    spots.truncate(MOST);
    let places = most_places(read.text.len());
    let at = |number: usize, spot: &Spot| {
        if number >= places {
            return None;
        }
        let numbers = read.in_document(&spot.numbers);
        let span = span_at(decoder, &read.text, Way::Nth(&numbers))?;
        Some(read.place(span.start))
    };
    let mut found: Vec<Found> = spots
        .into_iter()
        .enumerate()
        .map(|(number, spot)| Found {
            at: at(number, &spot),
            problem: spot.problem,
        })
        .collect();
    found.sort_by_key(|found| (found.at.is_none(), found.at));
    if more > 0 {
        found.push(Found::whole(format!("has {more} more problems"), None));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_larger_a_document_the_fewer_places_are_looked_for() {
        assert_eq!(most_places(0), MOST);
        assert_eq!(most_places(1 << 16), MOST);
        assert_eq!(most_places(1 << 20), 16);
        assert_eq!(most_places(1 << 30), 4);
    }
}
