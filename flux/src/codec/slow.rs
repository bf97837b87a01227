//! The slow pass, after a decode failed: every problem of a document with its place, which of two at one place is reported, and
//! what is left out of a decoder's message.

#[cfg(feature = "dotenv")]
use super::variables::{Refuses, VariableFlaw, VariablesRead};
use super::{
    Decoder, Found, LazyModel, Syntax, Unknown,
    alike_keys::name_alike_keys,
    as_written::word_as_written,
    every_part::every_part,
    item_rules::LeftOut,
    opened::opened,
    partial_layer::{FillLayer, PartialLayer},
    walk::{MoreHarmless, Spot, walk},
};
#[cfg(feature = "yaml")]
use crate::document::bad_merge;
#[cfg(feature = "dotenv")]
use crate::document::{Lines, items_by_number};
use crate::{
    document::{
        Dialect, Document, NodeDecoder, Unfollowed,
        tree::{Tree, TreeError},
        with_parts, with_plain_scalars, with_texts_read_once,
    },
    layer::Config,
    problem::{
        self, Flaw, ProblemKind, Seg, What,
        collect_errors::{AllCaught, Caught, MOST, collect_errors},
        what_of,
    },
    schema::{self, Field},
};

/// The dialect of a format that has a parser with spans.
pub(crate) fn dialect(decoder: &Decoder) -> Option<Dialect> {
    match decoder {
        #[cfg(feature = "json")]
        Decoder::Json => Some(Dialect::Json),
        #[cfg(feature = "jsonc")]
        Decoder::Jsonc => Some(Dialect::Jsonc),
        #[cfg(feature = "json5")]
        Decoder::Json5 => Some(Dialect::Json5),
        #[cfg(feature = "yaml")]
        Decoder::Yaml => Some(Dialect::Yaml),
        #[cfg(feature = "toml")]
        Decoder::Toml => Some(Dialect::Toml),
        #[cfg(feature = "dotenv")]
        Decoder::Variables(_) => None,
        Decoder::Off(_) | Decoder::Custom(_) => None,
    }
}

/// Every problem of a document that cannot be decoded.
#[cold]
pub(super) fn problems(
    fields: &'static [Field],
    model: &LazyModel<'_, '_>,
    first: Syntax,
    unknown: Unknown,
    into: &mut dyn FillLayer,
) -> Vec<Found> {
    let text = model.text;
    let whole = |syntax: Syntax| {
        Found::whole(
            sentence(fields, syntax.message, text, syntax.quotes),
            syntax.at,
        )
    };
    #[cfg(feature = "dotenv")]
    if let Decoder::Variables(reader) = model.decoder {
        let read = model.variables(&**reader);
        let all = items_by_number(|| from_tree(fields, &read.tree, into));
        let mut found = reported(read, text, unknown);
        // A reader that decodes has reported what is wrong, with its places.
        if read.problems.is_empty() {
            let caught = all.caught.into_iter().map(|caught| Found {
                problem: caught.problem,
                at: None,
                is_warning: false,
            });
            found.extend(caught);
        }
        if found.iter().all(|found| found.is_warning) {
            found.insert(0, whole(first));
        }
        return found;
    }
    let alone = |found| vec![found];
    #[cfg_attr(
        not(feature = "yaml"),
        allow(unused_variables, reason = "YAML alone has merge keys")
    )]
    let Some(dialect) = dialect(model.decoder) else {
        let tree = match model.tree() {
            Ok(tree) => tree,
            Err(syntax) => return alone(whole(syntax)),
        };
        let all = from_tree(fields, &tree, into);
        let document = Document::of_tree(&opened(fields, &tree));
        return every(fields, &document, all, whole(first), (unknown, false));
    };
    if first.too_much {
        return alone(whole(first));
    }
    match model.placed() {
        #[cfg(feature = "yaml")]
        Ok(document) if dialect == Dialect::Yaml && bad_merge(document).is_some() => {
            alone(whole(first))
        }
        Ok(document) => {
            let all = from_document(fields, document, into);
            every(fields, document, all, whole(first), (unknown, true))
        }
        Err(Unfollowed::Another(at)) => alone(Found::whole(
            "contains more than one document; a source is one document, so remove what follows `---`",
            Some(crate::document::Lines::of(text).place(text, *at)),
        )),
        // The format's own decoder is right, also where nobody can follow it. It may have failed at a value before its parser
        // fails: then what the parser reports counts, which quotes nothing.
        Err(_) => {
            let parsed = || super::fast::<serde::de::IgnoredAny>(model).err();
            let syntax = first.quotes.then(parsed).flatten();
            alone(whole(syntax.unwrap_or(first)))
        }
    }
}

/// What is wrong with a text of variables, and what is not read, in the order of the lines.
#[cfg(feature = "dotenv")]
pub(super) fn reported(read: &VariablesRead, text: &str, unknown: Unknown) -> Vec<Found> {
    let lines = Lines::of(text);
    let refuses = |one: &VariableFlaw| match one.refuses {
        Refuses::Always => true,
        Refuses::AsUnknown => unknown == Unknown::Deny,
        Refuses::Never | Refuses::Warns => false,
    };
    let is_told = |one: &VariableFlaw| one.refuses == Refuses::Warns || unknown != Unknown::Ignore;
    let all = read.problems.iter().chain(&read.unread);
    let all = all.filter(|one| refuses(one) || is_told(one));
    let found = all.map(|one| Found {
        problem: one.flaw.clone(),
        at: one.at.map(|at| lines.place(text, at)),
        is_warning: !refuses(one),
    });
    let mut found: Vec<Found> = found.collect();
    found.sort_by_key(|found| (found.at.is_none(), found.at));
    found
}

/// So many unknown keys are reported of a document that is refused for something else.
pub(super) const MOST_WARNINGS: usize = 8;

/// The problems of a document with their places: those of decoding, and those that the walk finds.
fn every(
    fields: &'static [Field],
    document: &Document<'_>,
    all: AllCaught,
    first: Found,
    (unknown, has_places): (Unknown, bool),
) -> Vec<Found> {
    let mut walked = walk(fields, document, true, unknown);
    // What is only warned of is not what refuses the document: some of it is reported, since a misspelt key may be why.
    if unknown == Unknown::Ignore {
        walked.pass_over_unknown();
    }
    walked.keep_harmless(MOST_WARNINGS, MOST_WARNINGS);
    let mut spots: Vec<Spot> = all
        .caught
        .into_iter()
        .filter(|caught| !is_told_by(&caught.problem, &walked.spots))
        .map(|caught| Spot {
            node: caught.steps.last().map(|step| document.id(step.node)),
            problem: caught.problem,
            strict: false,
            twice: false,
        })
        .collect();
    for spot in &mut spots {
        if let Some(node) = spot.node {
            word_as_written(&mut spot.problem, document, node);
        }
    }
    withhold_lost_keys(fields, spots.iter_mut().map(|spot| &mut spot.problem));
    // Where the two passes disagree, the format's own decoder decides.
    let disagree = spots.is_empty() && walked.spots.iter().all(Spot::is_of_key);
    spots.extend(walked.spots);
    let places = has_places.then_some(document);
    let mut found = located(places, spots, all.more + walked.more);
    found.extend(more_harmless(walked.more_harmless));
    if disagree {
        found.insert(0, first);
    }
    found
}

/// The warnings of so many keys that are not listed.
pub(super) fn more_harmless(untold: MoreHarmless) -> impl Iterator<Item = Found> {
    let more = [
        (untold.unknown, "unknown keys"),
        (untold.outdated, "keys of earlier versions"),
    ];
    let more = more.into_iter().filter(|(count, _)| *count > 0);
    more.map(|(count, keys)| Found {
        is_warning: true,
        ..Found::more(format!("has {count} more {keys}"))
    })
}

/// Whether the walk reports the same problem better: keys that occur twice, with their own place.
fn is_told_by(problem: &Flaw, walked: &[Spot]) -> bool {
    let twice = || {
        let mut twice = walked.iter().filter(|spot| spot.twice);
        twice.any(|spot| spot.problem.path.starts_with(&problem.path))
    };
    match &problem.what {
        What::Twice | What::AlikeKeys => twice(),
        What::Message(text) => text.starts_with("duplicate field `") && twice(),
        _ => false,
    }
}

/// Decodes a document and collects the errors: what of it could be read, and everything that could not.
fn from_document(
    fields: &'static [Field],
    document: &Document<'_>,
    into: &mut dyn FillLayer,
) -> AllCaught {
    let left = NodeDecoder::budget(document);
    let container = |caught: &Caught, depth: usize| {
        let step = depth.checked_sub(1).and_then(|at| caught.steps.get(at));
        let node = step.map_or(document.root(), |step| document.id(step.node));
        document.resolved(node)
    };
    let (result, mut all) = every_part(container, |parts| {
        collect_errors(|| into.fill_from_nodes(NodeDecoder::new(document, parts, &left)))
    });
    if let Some(left_out) = LeftOut::of(fields, Some(document), &all, &container) {
        let left = NodeDecoder::budget(document);
        let decoder = NodeDecoder::new(document, &left_out.parts, &left);
        let _ = collect_errors(|| into.fill_from_nodes(decoder));
        left_out.ask(Some(document), into, &mut all);
    }
    name_alike_keys(fields, document, into, &mut all);
    finished(fields, result, all)
}

/// Decodes a tree likewise. Its lists and maps are known by their paths.
fn from_tree(fields: &'static [Field], tree: &Tree, into: &mut dyn FillLayer) -> AllCaught {
    let container = |caught: &Caught, depth: usize| {
        let path = &caught.problem.path;
        path[..depth.min(path.len())].to_vec()
    };
    let decode = |parts: &_, into: &mut dyn FillLayer| {
        with_parts(parts, || collect_errors(|| into.fill_from_tree(tree)))
    };
    let (result, mut all) = with_texts_read_once(|| {
        let (result, mut all) = every_part(container, |parts| decode(parts, into));
        if let Some(left_out) = LeftOut::of(fields, None, &all, &container) {
            let _ = decode(&left_out.parts, into);
            left_out.ask(None, into, &mut all);
        }
        (result, all)
    });
    // In the order of the tree, whatever pass found them. The nodes are those of no document.
    let order = |caught: &Caught| {
        caught
            .steps
            .iter()
            .map(|step| step.index)
            .collect::<Vec<_>>()
    };
    all.caught.sort_by_cached_key(order);
    for caught in &mut all.caught {
        caught.steps.clear();
    }
    finished(fields, result, all)
}

/// Leaves out the keys of entries that cannot be sections and may contain a secret, as `password 'a: b'` does, a colon too few, in a
/// type with secrets.
fn withhold_lost_keys<'a>(
    fields: &'static [Field],
    problems: impl IntoIterator<Item = &'a mut Flaw>,
) {
    if !schema::any_secret(fields) {
        return;
    }
    for problem in problems {
        let Some((Seg::Key(key), above)) = problem.path.split_last() else {
            continue;
        };
        if schema::separates(key)
            && matches!(schema::follow(fields, above), schema::Reached::Collection)
        {
            problem.path.pop();
            problem.path.push(Seg::WITHHELD);
        }
    }
}

fn finished(
    fields: &'static [Field],
    result: Result<(), TreeError>,
    mut all: AllCaught,
) -> AllCaught {
    if let Err(error) = result {
        let what = match what_of(&error) {
            What::Message(_) if schema::any_secret(fields) => {
                What::plain(ProblemKind::InvalidValue, WITHHELD)
            }
            what => what,
        };
        all.caught.push(Caught {
            problem: Flaw {
                path: Vec::new(),
                what,
            },
            steps: Vec::new(),
            leaf: 0,
        });
    }
    all
}

/// Decodes a tree and collects the errors: what of it could be read, and everything that could not.
/// Numbers and bools are texts too where plain scalars of its format are.
pub(crate) fn decode_tree<C: Config>(
    document: &Tree,
    plain_scalars: bool,
) -> (Option<C::Layer>, Vec<Flaw>) {
    let mut partial = PartialLayer::<C>::new();
    let problems = tree_problems(C::fields(), document, plain_scalars, &mut partial);
    (partial.layer, problems)
}

fn tree_problems(
    fields: &'static [Field],
    document: &Tree,
    plain_scalars: bool,
    into: &mut dyn FillLayer,
) -> Vec<Flaw> {
    let all = with_plain_scalars(plain_scalars, || from_tree(fields, document, into));
    let problems = all.caught.into_iter().map(|caught| caught.problem);
    let mut problems: Vec<Flaw> = problems.collect();
    withhold_lost_keys(fields, &mut problems);
    problems
}

/// Stands for a message that may quote a secret.
pub(crate) const WITHHELD: &str = "cannot be read; the reason may quote a secret and is not shown";

/// A message about the whole document: of a type with secrets, nothing that the document holds is in it.
pub(super) fn sentence(
    fields: &'static [Field],
    message: String,
    text: &str,
    quotes: bool,
) -> String {
    let withheld = quotes && schema::any_secret(fields) && problem::share_a_piece(&message, text);
    if withheld {
        WITHHELD.to_owned()
    } else {
        message
    }
}

pub(super) fn located(
    document: Option<&Document<'_>>,
    mut spots: Vec<Spot>,
    more: usize,
) -> Vec<Found> {
    let mut problems = 0;
    spots.retain(|spot| {
        problems += usize::from(!spot.is_harmless());
        spot.is_harmless() || problems <= MOST
    });
    let more = more + problems.saturating_sub(MOST);
    let mut found: Vec<Found> = spots
        .into_iter()
        .map(|spot| {
            let place = |document: &Document<'_>| spot.node.map(|node| document.start(node));
            Found {
                at: document.and_then(place),
                is_warning: spot.is_harmless(),
                problem: spot.problem,
            }
        })
        .collect();
    found.sort_by_key(|found| (found.at.is_none(), found.at));
    if more > 0 {
        found.push(Found::more(format!("has {more} more problems")));
    }
    found
}
