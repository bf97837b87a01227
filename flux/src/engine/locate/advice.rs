//! Where a value that is missing can be set: by which argument, variable, file of a variable, or key of a document. A secret is not to be
//! written into a document where it can come from elsewhere.

#[cfg(feature = "dotenv")]
use crate::codec::Decoder;
use crate::{
    engine::{layer_state::LayerState, schema::Schema},
    problem::{Fix, Flaw, KeyPath, Seg, What},
    schema::{self, Field, Place},
    source::{Health, arguments, environment},
};

/// The variable, and the key in the topmost document that there is, or the lowest that may be. Of a secret the file of a variable as well,
/// and a document only where it is a file of variables, or nothing else is there.
pub(super) fn fix<'s>(
    schema: &Schema,
    states: &'s [LayerState],
    problem: &Flaw,
    found_in: Option<usize>,
    kept_in: &dyn Fn(usize) -> Option<&'s str>,
) -> Option<Fix> {
    if problem.what != What::Missing {
        return None;
    }
    let fields = (schema.fields)();
    let is_secret = is_secret(fields, problem);
    let mut prefixes = states.iter().filter_map(|state| state.prefix.as_deref());
    let named =
        prefixes.rfind(|prefix| environment::name_of(fields, prefix, &problem.path).is_some());
    let variable = named.and_then(|prefix| environment::name_of(fields, prefix, &problem.path));
    let file_variable = named
        .filter(|_| is_secret)
        .and_then(|prefix| environment::file_name_of(fields, prefix, &problem.path));
    let reads_arguments = states.iter().any(|state| state.arguments.is_some());
    let argument = match reads_arguments {
        true => arguments::name_of(fields, &problem.path),
        false => None,
    };
    let is_document = |state: &&LayerState| state.decoder.is_some();
    // An upper document's list would replace the one in which the item is.
    let is_item = |seg: &Seg| matches!(seg, Seg::Index(_));
    let below = found_in.filter(|_| problem.path.iter().any(is_item));
    let below = below.and_then(|number| states.get(number).filter(is_document));
    // What serves in the place of a document is not to be edited, and the document may have the value.
    let is_read = |(number, _): &(usize, &LayerState)| kept_in(*number).is_none();
    let read = || {
        let states = states.iter().enumerate().filter(is_read);
        states.map(|(_, state)| state).filter(is_document)
    };
    let of_variables = || {
        read()
            .rfind(|state| has_variable_of(state, &problem.path))
            .filter(|_| is_secret)
    };
    let is_elsewhere = is_secret && (argument.is_some() || variable.is_some());
    // One that is there, rather than an optional one that nobody has made yet.
    let there = || read().rfind(|state| state.is_present()).or(read().next());
    let document = below.or_else(of_variables).or_else(|| match is_elsewhere {
        true => None,
        false => there(),
    });
    let path = &problem.path[..schema::shown_steps(fields, &problem.path)];
    let key = document.map(|_| KeyPath::new(path));
    // In a file of variables, a value is found by the name of its variable.
    #[cfg(feature = "dotenv")]
    let key = match document.and_then(|state| state.decoder.as_ref()) {
        Some(Decoder::Variables(reader)) => {
            let name = reader.name_of(&problem.path);
            name.map(|name| KeyPath::new(&[Seg::Key(name.into())]))
        }
        _ => key,
    };
    let document = document.filter(|_| key.is_some());
    let document_lacks = document
        .filter(|state| is_secret && has_variables(state))
        .and_then(lacks);
    (argument.is_some() || variable.is_some() || key.is_some()).then(|| Fix::Set {
        argument,
        variable,
        file_variable,
        key,
        document: document.map(|state| state.origin.to_string()),
        document_lacks,
    })
}

fn is_secret(fields: &'static [Field], problem: &Flaw) -> bool {
    matches!(
        schema::place(fields, &problem.path),
        Place::Leaf { secret: true }
    )
}

/// That a source has no document, or one that sets nothing.
fn lacks(state: &LayerState) -> Option<&'static str> {
    // One that was not heard of in time counts as absent, whatever there is.
    if state.stands_in || matches!(state.health, Health::Stale { .. }) {
        return Some("was not read");
    }
    if !state.is_present() {
        return Some("does not exist");
    }
    let content = state.candidate.as_ref().or(state.accepted.as_ref())?;
    content.is_silent().then_some("sets nothing")
}

/// Whether it is a file of variables, of which one would set the value.
fn has_variable_of(state: &LayerState, path: &[Seg]) -> bool {
    match &state.decoder {
        #[cfg(feature = "dotenv")]
        Some(Decoder::Variables(reader)) => reader.name_of(path).is_some(),
        _ => {
            let _ = path;
            false
        }
    }
}

fn has_variables(state: &LayerState) -> bool {
    match &state.decoder {
        #[cfg(feature = "dotenv")]
        Some(Decoder::Variables(_)) => true,
        _ => false,
    }
}

/// Whether a secret that is missing is to be set elsewhere than in the document of this layer, which has what contains it; or is one of
/// many variables of a file. What is in a list or a map of a document is looked for there all the same.
pub(super) fn is_of_elsewhere(
    fields: &'static [Field],
    problem: &Flaw,
    fix: &Fix,
    state: &LayerState,
) -> bool {
    let Fix::Set { document, .. } = fix else {
        return false;
    };
    let is_field = |(end, seg): (usize, &Seg)| match seg {
        Seg::Key(key) => schema::find(schema::table(fields, &problem.path[..end]), key).is_some(),
        Seg::Index(_) => false,
    };
    is_secret(fields, problem)
        && (document.as_deref() != Some(&*state.origin) || has_variables(state))
        && problem.path.iter().enumerate().all(is_field)
}
