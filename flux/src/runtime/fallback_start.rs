//! For which layers the last known good file serves at a start, while sources do not answer or hold a refused document.

use super::{
    clock::now,
    last_known_good::{KeepOnDisk, KeptFile},
};
use crate::{
    engine::{AnyLayer, Engine, FillReason, KeptContent, KeptDocument, LayerState, Schema},
    observe,
    problem::{ProblemKind, What},
    report::outgoing::{SafeText, SecretBook},
    source::Health,
};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

/// How long silent sources are waited for where no startup timeout limits it.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// A layer, its key, and what was kept of it with warnings, or why that cannot serve.
type KeptOfLayer = (
    usize,
    String,
    Result<(Option<AnyLayer>, Vec<String>), String>,
);

/// Lets what is kept on disk serve for layers of which nothing could be read yet, or whose content the program refuses. Answers what
/// reports call it, where the layers are to be taken up again. What of it cannot serve is added to `unfit`.
pub(super) fn fill(
    engine: &mut Engine,
    keep: &KeepOnDisk,
    unfit: &mut Vec<SafeText>,
) -> Option<String> {
    let schema = engine.layers().schema;
    let name = engine.name().to_owned();
    let found = match keep.read(schema.name) {
        Ok(Some(found)) => found,
        Ok(None) => return None,
        Err(problem) => {
            let problem = engine.secret_book().safe(&problem);
            observe::warning(&name, &problem);
            unfit.push(problem);
            return None;
        }
    };
    let path = keep.shown();
    engine.expect_files(&found.with_content(), now());
    // Where every layer can take part, it is a rule that refuses what they contain together.
    let breaks_a_rule = engine.layers().states.iter().all(LayerState::is_usable);
    let kept = FoundFile {
        name: found.name(path),
        found: &found,
        with_content: found.with_content().into_iter().collect(),
        folders: files_by_folder(engine, &found),
        is_denied: engine.is_denied() || breaks_a_rule,
    };
    let (mut filled, mut lacking) = (false, false);
    let secrets = engine.secret_book();
    let keys = engine.layers().keys();
    let states = keys.into_iter().zip(&engine.layers().states).enumerate();
    // The environment and arguments are what they are, and not in the file. What is new since, or absent as it was, serves beside it.
    let (with_content, is_denied) = (kept.with_content.clone(), kept.is_denied);
    let own = own_layers(engine);
    let serves = |key: &str, state: &LayerState| {
        let is_new = || !is_denied && !with_content.contains(key);
        state.is_usable() && (state.decoder.is_none() || is_new())
    };
    // What a source has just answered, the file need not have.
    let comes = |key: &str, state: &LayerState| state.has_newer() && !with_content.contains(key);
    let pending = states.filter(|(_, (key, state))| {
        !state.is_accepted() && !serves(key, state) && !comes(key, state)
    });
    let of_layers = pending.map(|(layer, (key, state))| {
        let own = own[layer].map(|own| &engine.layers().states[own]);
        let found = kept.of_layer(schema, (state, own), &key);
        // The environment has nothing in the file, and is what it is.
        let is_part = !kept.is_denied || state.decoder.is_some() || found.is_ok();
        is_part.then_some((layer, key, found))
    });
    let of_layers: Vec<KeptOfLayer> = of_layers.flatten().collect();
    if kept.is_denied && of_layers.iter().any(|(.., found)| found.is_err()) {
        // Beside content that is refused, the rest of the file would make what nobody wrote.
        for (layer, _, found) in of_layers {
            if let Err(problem) = found {
                let text = format!("{path}: {problem}; it does not serve");
                observe::warning(&name, &secrets.safe_of(layer, &text));
            }
        }
        return None;
    }
    let broken = broken_folders(engine, &secrets, &of_layers);
    for (layer, key, found) in of_layers {
        let state = &engine.layers().states[layer];
        match found {
            // Without one of its files a folder would be what it never was.
            Ok(_) if broken.contains_key(&state.source) => {
                let problem = &broken[&state.source];
                let why = format!("{}, does not serve: {problem}", kept.name);
                lacking |= engine.cannot_fill(layer, why);
            }
            // It counts as absent, which it was.
            Ok((None, _)) if state.stands_in => {}
            Ok((found, warnings)) => {
                for warning in warnings {
                    let text = format!("{path}: what was kept of {key}: {warning}");
                    observe::warning(&name, &secrets.safe_of(layer, &text));
                }
                filled |= found.is_some();
                let content = kept.content(&key, found);
                let reason = FillReason {
                    why: why(state),
                    kept: kept.name.clone(),
                };
                engine.fill(layer, content, reason, path);
            }
            Err(problem) => {
                let text = secrets.safe_of(layer, &format!("{path}: {problem}"));
                observe::warning(&name, &text);
                unfit.push(text);
                let why = format!("{}, does not serve: {problem}", kept.name);
                lacking |= engine.cannot_fill(layer, why);
            }
        }
    }
    let mut states = engine.layers().states.iter();
    // What is missing in it is reported, once there is nothing to wait for.
    // The files of a source are not waited for by themselves.
    let answered = |state: &LayerState| state.drop_in.is_some() || state.answered();
    let report = lacking && states.clone().all(answered);
    let again = report || filled && states.all(|state| state.is_usable() || state.stands_in);
    again.then_some(kept.name)
}

/// Of each layer that is one of several files, the one of its source.
fn own_layers(engine: &Engine) -> Vec<Option<usize>> {
    let mut own = None;
    let of = |(number, state): (usize, &LayerState)| match state.drop_in {
        Some(_) => own,
        None => {
            own = Some(number);
            None
        }
    };
    engine.layers().states.iter().enumerate().map(of).collect()
}

/// The sources of several files of which something that was kept cannot serve, each with the first reason.
fn broken_folders(
    engine: &Engine,
    secrets: &SecretBook,
    of_layers: &[KeptOfLayer],
) -> HashMap<usize, SafeText> {
    let mut broken = HashMap::new();
    for (layer, _, found) in of_layers {
        let state = &engine.layers().states[*layer];
        if let (true, Err(problem)) = (state.is_of_files(), found) {
            let known = broken.entry(state.source);
            known.or_insert_with(|| secrets.safe_of(*layer, problem));
        }
    }
    broken
}

/// The sources of several files of which there are any in what was kept.
fn files_by_folder(engine: &Engine, found: &KeptFile) -> HashSet<usize> {
    let (layers, known) = (engine.layers(), found.with_content());
    let names = layers.declared_names();
    let folders = layers.folders().into_iter().enumerate();
    let has = |folder| known.iter().any(|key| names.file(folder, key).is_some());
    let folders = folders.filter(|(folder, _)| has(*folder));
    folders
        .map(|(_, number)| layers.states[number].source)
        .collect()
}

/// Why what a layer holds is not what serves; none where its refusal is a reason already.
fn why(state: &LayerState) -> Option<What> {
    match (&state.health, state.quarantine_reason()) {
        (_, Some(why)) => Some(What::plain(ProblemKind::TakenBack, why)),
        _ if state.answered() => None,
        (Health::Stale { error, .. }, None) => {
            let why = format!("cannot be reached ({error})");
            Some(What::message(ProblemKind::Source, why))
        }
        _ => Some(What::plain(ProblemKind::Source, "has not answered yet")),
    }
}

/// The file as it was found.
struct FoundFile<'f> {
    /// What reports call it.
    name: String,
    found: &'f KeptFile,
    with_content: HashSet<&'f str>,
    /// The sources of several files of which it has any.
    folders: HashSet<usize>,
    /// A rule or the program refuses what the layers contain.
    is_denied: bool,
}

impl FoundFile<'_> {
    /// What serves in the place of a layer, with what explains it.
    fn content(&self, key: &str, layer: Option<AnyLayer>) -> KeptContent {
        let document = layer
            .as_ref()
            .and_then(|_| self.found.document(key, false).ok()?);
        let document = document.map(|(decoder, text)| KeptDocument {
            decoder,
            bytes: text.into(),
        });
        let secrets = match layer {
            Some(_) => self.found.secrets(key).to_vec(),
            None => Vec::new(),
        };
        KeptContent {
            layer,
            document: document.map(Arc::new),
            secrets,
        }
    }

    /// Whether it has files of a source of several, or of the one that this is a file of.
    fn has_files_of(&self, state: &LayerState) -> bool {
        self.folders.contains(&state.source)
    }

    /// What it has of a layer, with warnings; or why that cannot serve.
    fn of_layer(
        &self,
        schema: &Schema,
        (state, own): (&LayerState, Option<&LayerState>),
        key: &str,
    ) -> Result<(Option<AnyLayer>, Vec<String>), String> {
        let is_denied = self.is_denied && state.decoder.is_some();
        let may_lack = || is_denied || !state.answered() || state.quarantine_reason().is_some();
        match self.found.layer(schema, key, state.decoder.as_ref())? {
            Some((layer, warnings)) => Ok((Some(layer), warnings)),
            // It had no document then, or it is new since.
            None if state.optional && may_lack() => Ok((None, Vec::new())),
            // What it has is that of its files.
            None if self.has_files_of(state) => Ok((None, Vec::new())),
            // A file was not there then, as its folder was not.
            None if own.is_some_and(|own| own.optional) => Ok((None, Vec::new())),
            None => {
                let known = self.found.with_content();
                let others = match known.is_empty() {
                    true => String::new(),
                    false => format!(" (it has {})", known.join(", ")),
                };
                Err(format!("it contains nothing of {key}{others}"))
            }
        }
    }
}

#[cfg(test)]
#[cfg(all(feature = "derive", feature = "file", feature = "yaml"))]
mod tests;
