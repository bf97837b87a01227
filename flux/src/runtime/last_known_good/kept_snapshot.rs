//! What is written as the last known good file, and whether a start from it would lack anything.

use super::{
    LARGEST, Secrets,
    alone::{self, WholeLayer},
    kept_defaults::KeptDefaults,
    kept_file::VERSION,
    layout,
};
use crate::{
    codec::{Decoder, Tree},
    engine::{AnyLayer, Engine, FingerprintKey, Fingerprints, LayerContent, Schema},
    problem::KeyPath,
    runtime::{kept_document, process::ProcessId},
    schema,
};
use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

/// What is to be written, taken from the engine on its task. The rest of the work is done elsewhere.
pub(in crate::runtime) struct KeptSnapshot {
    schema: &'static Schema,
    generation: u64,
    layers: Vec<(String, Decoder, LayerContent)>,
    /// Where changes are on trial.
    fingerprints: Option<(FingerprintKey, Fingerprints)>,
    secrets: Secrets,
    /// Every layer, lowest first. None where nothing is a secret, or where the program's reducer decides.
    whole: Vec<WholeLayer>,
}

impl KeptSnapshot {
    /// What readers see now.
    pub(in crate::runtime) fn of(engine: &Engine, secrets: Secrets) -> Self {
        let states = engine.layers().states.iter().zip(engine.layers().keys());
        let layers = states.filter_map(|(state, key)| {
            let decoder = state.decoder.clone()?;
            Some((key, decoder, state.content()))
        });
        let key = engine.trials().map(|trials| trials.record().0.key);
        let schema = engine.layers().schema;
        let whole = match schema::any_secret((schema.fields)()) && !engine.layers().is_reduced() {
            true => (engine.layers().states.iter())
                .map(|state| match state.decoder {
                    Some(_) => WholeLayer::Document,
                    None => WholeLayer::Given(state.given_layer(schema)),
                })
                .collect(),
            false => Vec::new(),
        };
        KeptSnapshot {
            schema,
            generation: engine.generation(),
            layers: layers.collect(),
            fingerprints: key.zip(engine.fingerprints()),
            secrets,
            whole,
        }
    }

    /// The file's content, and why a start from it would fail or be without something that is no secret; or why there is no content.
    /// It is decoded once more, so that what cannot be served is known now.
    pub(in crate::runtime) fn content(&self) -> Result<(Vec<u8>, Option<String>), String> {
        let (mut layers, mut missing, mut more) = (Vec::new(), Vec::new(), 0);
        let (mut again, mut is_whole) = (Vec::with_capacity(self.layers.len()), true);
        for (key, decoder, content) in &self.layers {
            let mut secrets = Vec::new();
            let kept = match content {
                LayerContent::Document(bytes, _) => {
                    let kept = self.document(key, decoder, bytes)?;
                    let of_layer = kept.omitted.alike.iter();
                    missing.extend(of_layer.map(|path| format!("`{path}` of {key}")));
                    more += kept.omitted.more;
                    is_whole &= !kept.omitted.any;
                    let paths = kept.omitted.paths.iter();
                    let paths = paths.map(|path| Tree::Str(KeyPath::new(path).to_string()));
                    secrets.extend(paths);
                    again.push(Some(kept.again));
                    Some(kept.tree)
                }
                _ => {
                    again.push(None);
                    None
                }
            };
            let fingerprints = self.fingerprints.iter().flat_map(|(_, all)| all);
            let fingerprint = fingerprints.into_iter().find(|(known, _)| known == key);
            if kept.is_none() && fingerprint.is_none() {
                continue;
            }
            let mut entry = vec![
                ("layer".to_owned(), Tree::Str(key.clone())),
                (
                    "format".to_owned(),
                    Tree::Str(kept_document::format_name(decoder).to_owned()),
                ),
            ];
            if let Some((_, fingerprint)) = fingerprint {
                let text = Tree::Str(format!("{fingerprint:?}"));
                entry.push(("fingerprint".to_owned(), text));
            }
            if !secrets.is_empty() {
                entry.push(("secrets".to_owned(), Tree::Seq(secrets)));
            }
            entry.extend(kept.map(|kept| ("content".to_owned(), kept)));
            layers.push(Tree::Map(entry));
        }
        let written = SystemTime::now().duration_since(UNIX_EPOCH);
        let mut root = vec![
            ("version".to_owned(), Tree::U64(VERSION)),
            ("config".to_owned(), Tree::Str(self.schema.name.to_owned())),
            (
                "written".to_owned(),
                Tree::U64(written.map_or(0, |since| since.as_secs())),
            ),
            ("generation".to_owned(), Tree::U64(self.generation)),
            ("process".to_owned(), owner()),
        ];
        if let Some((key, _)) = &self.fingerprints {
            let key = Tree::Str(format!("{:016x}{:016x}", key.0, key.1));
            root.push(("key".to_owned(), key));
        }
        root.push(("layers".to_owned(), Tree::Seq(layers)));
        let defaults = KeptDefaults::written((self.schema.fields)());
        root.push(("defaults".to_owned(), defaults));
        let content = layout::text(&Tree::Map(root))?;
        match content.len() as u64 > LARGEST {
            true => Err(format!("it has more than {} MiB", LARGEST >> 20)),
            false => {
                let refused = match is_whole {
                    true => None,
                    false => alone::refusal(self.schema, &self.whole, &again),
                };
                let texts = refused.into_iter().chain(missing_text(&missing, more));
                let texts: Vec<String> = texts.collect();
                Ok((content, (!texts.is_empty()).then(|| texts.join("; "))))
            }
        }
    }

    fn document(
        &self,
        key: &str,
        decoder: &Decoder,
        bytes: &Arc<[u8]>,
    ) -> Result<KeptAgain, String> {
        let cannot = |why: String| format!("{key} cannot be kept: {why}");
        let (kept, omitted) = kept_document::keep(self.schema, decoder, bytes).map_err(cannot)?;
        if omitted.any && self.secrets == Secrets::Refuse {
            return Err(format!(
                "{key} holds secrets, and `Secrets::Refuse` was chosen"
            ));
        }
        let format = kept_document::format_name(decoder);
        let again = kept_document::decode(self.schema, format, Some(decoder), &kept);
        match again {
            Ok((again, _)) => Ok(KeptAgain {
                tree: kept,
                omitted,
                again,
            }),
            Err(_) => Err(cannot(
                "it cannot be read from what would be written".to_owned(),
            )),
        }
    }
}

/// A document that is kept.
struct KeptAgain {
    tree: Tree,
    omitted: kept_document::Omitted,
    /// The layer that a start from the file would have.
    again: AnyLayer,
}

/// More than this are not listed.
const MOST_MISSING: usize = 8;

fn missing_text(missing: &[String], more: usize) -> Option<String> {
    let shown = missing.get(..MOST_MISSING).unwrap_or(missing).join(", ");
    let more = match more + missing.len().saturating_sub(MOST_MISSING) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    (!missing.is_empty()).then(|| {
        format!(
            "the last known good configuration lacks {shown}{more}; the name is that of a secret field, or nearly, and a start from \
             the file would be without the value; give the entry another name, or put it into a field that is `secret`"
        )
    })
}

/// This process, so that another one notices whose file it replaces.
fn owner() -> Tree {
    let process = ProcessId::own();
    let text = |name: &str, text: String| (name.to_owned(), Tree::Str(text));
    Tree::Map(vec![
        ("id".to_owned(), Tree::U64(process.id.into())),
        text("began", process.began),
        text("token", process.token),
    ])
}
