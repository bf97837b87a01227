//! Which layer is named for a problem, where in its document, and which variable, argument or key to set.

mod advice;

use super::{decoded::DecodedContent, layer_state::LayerState, schema::Schema, value::AnyLayer};
use crate::{
    codec::Decoder,
    layer::presence,
    problem::{Flaw, KeyPath, ProblemKind, Seg, What},
    report::{ArgumentPlace, Entry, place_in},
    schema::{self, Field, Place, Reached},
    source::environment,
};
use advice::{fix, is_of_elsewhere};
use std::sync::Arc;

/// The problem with the layer that set its value, of the chosen contents or else of the newest ones, and what to do.
pub(super) fn locate(
    schema: &Schema,
    states: &mut [LayerState],
    problem: Flaw,
    chosen: Option<&[bool]>,
) -> Entry {
    let fields = (schema.fields)();
    let is_whole = problem.what.kind() == ProblemKind::CrossField;
    let mut set = None;
    if is_whole && let Some(text) = problem.what.text() {
        let named = named_fields(fields, &problem.path, text).into_iter();
        let mut found = named.filter_map(|path| find(schema, states, &path, chosen));
        set = found.find(|set| set.is_whole());
    }
    let set = match set {
        None if is_whole && problem.path.is_empty() => only_document(schema, states, chosen),
        None => find(schema, states, &problem.path, chosen),
        set => set,
    };
    let kept_in = |number: usize| {
        let state = states.get(number)?;
        let candidate = chosen.map_or(state.candidate.is_some(), |chosen| chosen[number]);
        state.kept_in(candidate)
    };
    let fix = fix(
        schema,
        states,
        &problem,
        set.as_ref().map(|set| set.layer),
        &kept_in,
    );
    let note = match schema::place(fields, &problem.path) {
        Place::Leaf { secret: true } if problem.what == What::Missing => {
            let file = (0..states.len()).find_map(kept_in);
            file.map(|file| {
                format!(
                    "the last known good configuration in {file} contains no secrets: only with this one from another layer, such as the \
                     environment, it can serve"
                )
            })
        }
        _ => None,
    };
    let depth = set.as_ref().map_or(0, |set| set.depth);
    // The document that has the section is not at fault.
    let set = set.filter(|set| {
        let state = &states[set.layer];
        !fix.as_ref()
            .is_some_and(|fix| is_of_elsewhere(fields, &problem, fix, state))
    });
    let note = note.or_else(|| broken_default(fields, &problem, depth));
    let Some(set) = set else {
        return Entry::new("", problem).fix(fix).note(note);
    };
    let state = &states[set.layer];
    let origin = match chosen {
        Some(chosen) => state.origin_of(chosen[set.layer]),
        None if state.partial.is_some() => &state.origin,
        None => state.newest_origin(),
    };
    let kept = kept_in(set.layer).map(|file| format!("{file}, what was kept of {origin}"));
    let origin = kept.as_deref().unwrap_or(origin);
    entry(origin, problem, set).fix(fix).note(note)
}

/// That a default breaks the rule of its own field, where the layers set so many steps of the path and not the field.
fn broken_default(fields: &'static [Field], problem: &Flaw, depth: usize) -> Option<String> {
    if problem.what.kind() != ProblemKind::Rule {
        return None;
    }
    let default = match schema::follow(fields, &problem.path) {
        Reached::Leaf(field, steps) if depth < steps => field.default()?,
        _ => return None,
    };
    Some(format!(
        "no layer sets it, and the default in the code breaks this rule ({}, line {}): set a value, or change the default or the rule",
        default.file, default.line
    ))
}

/// The problem with the layer whose newest content made it, even where the layer no longer contains the value.
pub(super) fn locate_in(
    schema: &Schema,
    state: &mut LayerState,
    number: usize,
    problem: Flaw,
) -> Entry {
    let origin = state.origin.clone();
    let Some(taken) = taken(schema, state, Some(true)) else {
        return Entry::new(&origin, problem).layer(number);
    };
    let set = set_by(schema, number, taken, &problem.path);
    entry(&origin, problem, set)
}

fn entry(origin: &str, problem: Flaw, set: SetBy) -> Entry {
    let mut entry = Entry::new(origin, problem)
        .layer(set.layer)
        .argument(set.argument.clone())
        .set(set.is_whole());
    entry.variable = set.variable;
    if let Some((bytes, decoder)) = &set.document {
        entry = entry.within(bytes, decoder, &set.path[..set.depth]);
    }
    entry
}

fn set_by(schema: &Schema, layer: usize, taken: TakenContent<'_>, path: &[Seg]) -> SetBy {
    SetBy {
        layer,
        path: path.to_vec(),
        depth: presence::depth((schema.parts)(taken.layer), path),
        variable: environment::variable_of(taken.variables, path),
        argument: environment::variable_of(taken.arguments, path),
        document: taken.document,
    }
}

/// The highest layer that sets the value at `path`, or most of the way to it.
fn find(
    schema: &Schema,
    states: &mut [LayerState],
    path: &[Seg],
    chosen: Option<&[bool]>,
) -> Option<SetBy> {
    let mut best: Option<SetBy> = None;
    for (number, state) in states.iter_mut().enumerate() {
        let Some(taken) = taken(schema, state, chosen.map(|chosen| chosen[number])) else {
            continue;
        };
        let set = set_by(schema, number, taken, path);
        let is_known = || (best.as_ref()).is_some_and(|known| known.depth > set.depth);
        if set.depth > 0 && !is_known() {
            best = Some(set);
        }
    }
    best
}

/// Where the value at `path` comes from, of the chosen contents: a variable, an argument, or a layer with the place in its document;
/// none where no layer sets it.
pub(super) fn set_in(
    schema: &Schema,
    states: &mut [LayerState],
    path: &[Seg],
    chosen: &[bool],
) -> Option<String> {
    let set = find(schema, states, path, Some(chosen)).filter(SetBy::is_whole)?;
    let document = set.document.as_ref();
    let document = document.map(|(bytes, decoder)| (bytes, decoder));
    let place = document.and_then(|document| place_in((schema.fields)(), document, path));
    let origin = || {
        let origin = states[set.layer].origin_of(chosen[set.layer]);
        match place {
            Some((line, column)) => format!("{origin}:{line}:{column}"),
            None => origin.to_string(),
        }
    };
    let argument = set.argument.map(|place| place.name);
    let argument = argument.filter(|name| !name.is_empty());
    Some(set.variable.or(argument).unwrap_or_else(origin))
}

/// The layer that is the only one to contain anything.
fn only_document(
    schema: &Schema,
    states: &mut [LayerState],
    chosen: Option<&[bool]>,
) -> Option<SetBy> {
    let mut only = None;
    for (number, state) in states.iter_mut().enumerate() {
        let Some(taken) = taken(schema, state, chosen.map(|chosen| chosen[number])) else {
            continue;
        };
        if only.is_some() {
            return None;
        }
        only = Some(SetBy {
            layer: number,
            path: Vec::new(),
            depth: 0,
            variable: None,
            argument: None,
            document: taken.document,
        });
    }
    only
}

/// What sets a value.
struct SetBy {
    layer: usize,
    path: Vec<Seg>,
    /// So many steps of the path are there.
    depth: usize,
    variable: Option<String>,
    argument: Option<ArgumentPlace>,
    document: Option<(Arc<[u8]>, Decoder)>,
}

impl SetBy {
    fn is_whole(&self) -> bool {
        self.depth == self.path.len()
    }
}

/// A layer's content that takes part.
struct TakenContent<'a> {
    layer: &'a AnyLayer,
    document: Option<(Arc<[u8]>, Decoder)>,
    variables: &'a [(Vec<Seg>, String)],
    arguments: &'a [(Vec<Seg>, ArgumentPlace)],
}

/// The content of a layer that was chosen: its candidate, or what was accepted. Without a choice, what could be read of the newest.
fn taken<'a>(
    schema: &Schema,
    state: &'a mut LayerState,
    candidate: Option<bool>,
) -> Option<TakenContent<'a>> {
    let decoder = state.decoder.clone();
    if candidate.is_none() && state.partial.is_some() {
        let document = state.document().cloned().zip(decoder);
        let layer = state.partial.as_ref()?;
        return Some(TakenContent {
            layer,
            document,
            variables: &state.partial_variables,
            arguments: state.arguments.as_deref().unwrap_or_default(),
        });
    }
    let candidate = candidate.unwrap_or(state.candidate.is_some());
    let LayerState {
        candidate: newest,
        accepted,
        arguments,
        ..
    } = state;
    let content = if candidate { newest } else { accepted };
    let content = content.as_mut().filter(|content| !content.is_silent())?;
    let document = content.bytes.clone().zip(decoder.clone());
    let (layer, variables) = content.with_variables(schema, decoder.as_ref())?;
    Some(TakenContent {
        layer,
        document,
        variables,
        arguments: arguments.as_deref().unwrap_or_default(),
    })
}

/// The fields below `section` that a message names: in backticks first, then as paths, then as words.
fn named_fields(fields: &'static [Field], section: &[Seg], message: &str) -> Vec<Vec<Seg>> {
    let quoted = message.split('`').skip(1).step_by(2);
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '[' | ']');
    let words = || message.split(move |c| !is_part(c));
    let is_path = |word: &&str| word.trim_matches('.').contains(['.', '_']);
    let named = quoted.chain(words().filter(is_path)).chain(words());
    let mut all = Vec::new();
    for name in named.take(MOST_WORDS) {
        let Ok(path) = name.trim_matches('.').parse::<KeyPath>() else {
            continue;
        };
        let inside = [section, path.steps()].concat();
        let found = [inside, path.steps().to_vec()].into_iter().find(|path| {
            path.len() > section.len()
                && path.starts_with(section)
                && schema::place(fields, path) != Place::Unknown
        });
        all.extend(found);
    }
    all
}

/// So many words of a message are looked at.
const MOST_WORDS: usize = 200;

/// The content of a layer that takes part in an update.
pub(super) fn pick(
    state: &mut LayerState,
    candidate: bool,
) -> (Option<&mut DecodedContent>, Option<&Decoder>) {
    let content = match candidate {
        true => state.candidate.as_mut(),
        false => state.accepted.as_mut(),
    };
    (
        content.filter(|content| !content.is_silent()),
        state.decoder.as_ref(),
    )
}
