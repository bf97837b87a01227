//! The last known good file: its format, whether it can be read, which layer's document is in it, and what it lacks.

mod alone;
mod layout;

use super::{
    disk,
    file_place::{self, LinkedPath},
    kept_document,
    process::ProcessId,
    trial_file,
};
use crate::{
    codec::{self, Decoder, Tree},
    engine::{
        AnyLayer, Engine, Fingerprint, FingerprintKey, Fingerprints, LayerContent, Schema,
        TrialRules,
    },
    schema,
};
use alone::WholeLayer;
use flux_syntax::Format;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// More than this is neither written nor read.
const LARGEST: u64 = 64 << 20;

/// The version that is written. The first one, with the layers as trees, is still read.
const VERSION: u64 = 2;

/// What is done with secrets when a last known good configuration is written to disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Secrets {
    /// They are left out; a start from the file needs them from another layer, such as the environment.
    Omit,
    /// A configuration whose documents hold secrets is not written at all.
    Refuse,
}

/// Where it is kept, and how.
#[derive(Debug, Clone)]
pub(crate) struct KeepOnDisk {
    /// From the root: the program may change its folder while it runs.
    path: PathBuf,
    /// As it is declared.
    shown: String,
    pub(crate) secrets: Secrets,
    /// Changes are on trial, also across the death of the process.
    pub(crate) trials: Option<TrialRules>,
}

/// The entries of a folder that are links: a folder that a source reads may lead to files elsewhere. None of what is no folder.
fn entries(folder: &Path) -> impl Iterator<Item = LinkedPath> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let links = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_symlink()));
    links.map(|entry| LinkedPath::of(&entry.path()))
}

/// A document that is not there.
pub(super) static NO_ENTRIES: Tree = Tree::Map(Vec::new());

/// What a file of before holds.
pub(crate) struct KeptFile {
    written: SystemTime,
    pub(super) key: Option<FingerprintKey>,
    layers: Vec<KeptLayer>,
}

/// What it holds of one layer.
struct KeptLayer {
    /// By [`Layers::keys`](crate::engine::Layers::keys).
    key: String,
    /// The name of its format; none in a file of the first version, whose layers are trees.
    format: Option<String>,
    fingerprint: Option<Fingerprint>,
    /// None where the source held nothing.
    content: Option<Tree>,
}

impl KeptFile {
    /// What reports and messages call it, where it is declared as `path`.
    pub(super) fn name(&self, path: &str) -> String {
        let age = self.written.elapsed().unwrap_or_default().as_secs();
        let path = crate::problem::escaped(path);
        format!("the last known good configuration, {age}s old, from {path}")
    }

    /// What a layer contained then, and what of it has no place any more; none where it contained nothing.
    pub(super) fn layer(
        &self,
        schema: &Schema,
        key: &str,
        decoder: Option<&Decoder>,
    ) -> Result<Option<(AnyLayer, Vec<String>)>, String> {
        let Some(layer) = self.layers.iter().find(|layer| layer.key == key) else {
            return Ok(None);
        };
        let Some(content) = &layer.content else {
            return Ok(None);
        };
        let decoded = match &layer.format {
            Some(format) => kept_document::decode(schema, format, decoder, content),
            None => kept_document::decode_tree(schema, decoder, content),
        };
        match decoded {
            Ok(decoded) => Ok(Some(decoded)),
            Err(why) => Err(format!("what was kept of {key} {why}; it is not used")),
        }
    }

    /// What a layer contained, as a document, and the decoder for it; none where it contained nothing.
    #[cfg(feature = "cli")]
    pub(super) fn document(&self, key: &str) -> Result<Option<(Decoder, Vec<u8>)>, String> {
        let layer = self.layers.iter().find(|layer| layer.key == key);
        let Some((layer, content)) = layer.and_then(|one| Some((one, one.content.as_ref()?)))
        else {
            return Ok(None);
        };
        let document = match &layer.format {
            Some(format) => kept_document::document(format, content),
            None => Err("is of an earlier version".to_owned()),
        };
        match document {
            Ok((decoder, text)) => Ok(Some((decoder, text.into_bytes()))),
            Err(why) => Err(format!("what was kept of {key} {why}")),
        }
    }

    /// What each layer contained. A file of the first version, or one that was written without trials, has no fingerprints: then
    /// whatever the sources hold differs from it, is on trial, and replaces the file by one with fingerprints once it has passed.
    pub(super) fn fingerprints(&self) -> Fingerprints {
        let known = self.key.is_some();
        let fingerprint = |layer: &KeptLayer| {
            let fingerprint = layer.fingerprint.filter(|_| known);
            (layer.key.clone(), fingerprint.unwrap_or(Fingerprint(0)))
        };
        let mut all: Fingerprints = self.layers.iter().map(fingerprint).collect();
        all.sort_by(|one, other| one.0.cmp(&other.0));
        all
    }

    /// The layers of which it has a document.
    pub(super) fn with_content(&self) -> Vec<&str> {
        let layers = self.layers.iter().filter(|layer| layer.content.is_some());
        layers.map(|layer| &*layer.key).collect()
    }

    /// What was kept of a layer, as it is in the file; without entries where the layer had no document. None of the first version,
    /// whose values are written in another way.
    pub(super) fn content(&self, key: &str) -> Option<&Tree> {
        if self.layers.iter().any(|layer| layer.format.is_none()) {
            return None;
        }
        let layer = self.layers.iter().find(|layer| layer.key == key);
        let content = layer.and_then(|layer| layer.content.as_ref());
        Some(content.unwrap_or(&NO_ENTRIES))
    }
}

impl KeepOnDisk {
    /// A relative path is taken from the current folder of this moment. Refuses one that names no file.
    pub(super) fn new(
        declared: String,
        secrets: Secrets,
        trials: Option<TrialRules>,
    ) -> Result<Self, String> {
        let path = Path::new(&declared);
        if path.file_name().is_none() || declared.ends_with(std::path::is_separator) {
            return Err(format!(
                "the last known good configuration needs the path of a file, such as /var/lib/app/last.json, and `{declared}` names none"
            ));
        }
        Ok(KeepOnDisk {
            path: std::path::absolute(path).unwrap_or_else(|_| path.to_owned()),
            shown: declared,
            secrets,
            trials,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The path as it is declared, for a report.
    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    /// The files that are written.
    pub(super) fn places(&self) -> Vec<PathBuf> {
        let record = self
            .trials
            .is_some()
            .then(|| trial_file::beside(&self.path));
        let paths = std::iter::once(&self.path).chain(&record);
        paths.map(|path| file_place::written(path)).collect()
    }

    /// Refuses a file that a source reads: it would be written over.
    pub(super) fn beside_sources<'p>(
        &self,
        sources: impl Iterator<Item = &'p Path>,
    ) -> Result<(), String> {
        self.beside(sources, "", "")
    }

    /// The same; with the words behind the name of either that say whose it is.
    pub(super) fn beside<'p>(
        &self,
        sources: impl Iterator<Item = &'p Path>,
        of_keep: &str,
        of_source: &str,
    ) -> Result<(), String> {
        let mut sources = sources.peekable();
        if sources.peek().is_none() {
            return Ok(());
        }
        let record = trial_file::beside(&self.path);
        let shown_record = record.display().to_string();
        let own = [
            ("the last known good configuration", &self.path, &self.shown),
            ("the record of trials", &record, &shown_record),
        ];
        // What is written, and what is read at a start.
        let own = own.map(|(what, path, shown)| {
            (
                what,
                shown,
                file_place::written(path),
                LinkedPath::of(path).end,
            )
        });
        for source in sources {
            let read = LinkedPath::of(source);
            let is_read =
                |file: &Path| file == read.end || file.parent() == Some(read.end.as_path());
            let source = source.display();
            for (what, shown, written, found) in &own {
                if is_read(written)
                    || read.leads_over(written)
                    || entries(&read.end).any(|entry| entry.leads_over(written))
                {
                    return Err(format!(
                        "{what}{of_keep} would be written to {}, which the source {source}{of_source} reads; give it a file of its own, in another folder",
                        written.display()
                    ));
                }
                if is_read(found) {
                    return Err(format!(
                        "{what}{of_keep} would be read from {} (by the link {shown}), which the source {source}{of_source} reads; give it a file of its own",
                        found.display()
                    ));
                }
            }
        }
        Ok(())
    }

    /// Reads the file of the config type `config`; none where there is none.
    pub(crate) fn read(&self, config: &str) -> Result<Option<KeptFile>, String> {
        let cannot = |why: String| format!("the last known good configuration: {why}");
        let Some(bytes) = disk::read(&self.path, LARGEST).map_err(cannot)? else {
            return Ok(None);
        };
        let parsed = std::str::from_utf8(&bytes).ok().and_then(|text| {
            let root = codec::tree(&Decoder::from(Format::Json), text).ok()?;
            parse(&root, config)
        });
        match parsed {
            Some(file) => Ok(Some(file)),
            None => Err(format!(
                "{}: is not a last known good configuration of {config}; it is not used",
                self.shown
            )),
        }
    }
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

/// Another process that lives and wrote this file last; an unreadable one is nobody's.
pub(super) fn other_writer(path: &Path) -> Option<u32> {
    let bytes = disk::read(path, LARGEST).ok()??;
    let root: serde_json::Value = serde_json::from_slice(&bytes).ok()?;
    let process = trial_file::process(root.get("process")?)?;
    process.is_another_that_lives().then_some(process.id)
}

fn part<'t>(tree: &'t Tree, name: &str) -> Option<&'t Tree> {
    match tree {
        Tree::Map(entries) => {
            let found = entries.iter().find(|(key, _)| key == name);
            found.map(|(_, value)| value)
        }
        _ => None,
    }
}

fn text<'t>(tree: &'t Tree, name: &str) -> Option<&'t str> {
    match part(tree, name)? {
        Tree::Str(text) => Some(text),
        _ => None,
    }
}

fn parse(root: &Tree, config: &str) -> Option<KeptFile> {
    if text(root, "config")? != config {
        return None;
    }
    let Tree::U64(written) = part(root, "written")? else {
        return None;
    };
    let written = UNIX_EPOCH.checked_add(Duration::from_secs(*written))?;
    let layers = match (part(root, "version")?, part(root, "layers")?) {
        (Tree::U64(1), Tree::Map(layers)) => (layers.iter())
            .map(|(origin, content)| KeptLayer {
                key: origin.clone(),
                format: None,
                fingerprint: None,
                content: Some(content.clone()),
            })
            .collect(),
        (Tree::U64(VERSION), Tree::Seq(layers)) => {
            let layer = |layer: &Tree| {
                Some(KeptLayer {
                    key: text(layer, "layer")?.to_owned(),
                    format: Some(text(layer, "format")?.to_owned()),
                    fingerprint: text(layer, "fingerprint").and_then(trial_file::fingerprint),
                    content: part(layer, "content").cloned(),
                })
            };
            layers.iter().map(layer).collect::<Option<_>>()?
        }
        _ => return None,
    };
    Some(KeptFile {
        written,
        key: text(root, "key").and_then(trial_file::key),
        layers,
    })
}

/// What is to be written, taken from the engine on its task. The rest of the work is done elsewhere.
pub(super) struct KeptSnapshot {
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
    pub(super) fn of(engine: &Engine, secrets: Secrets) -> Self {
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
    pub(super) fn content(&self) -> Result<(Vec<u8>, Option<String>), String> {
        let (mut layers, mut missing, mut more) = (Vec::new(), Vec::new(), 0);
        let (mut again, mut is_whole) = (Vec::with_capacity(self.layers.len()), true);
        for (key, decoder, content) in &self.layers {
            let kept = match content {
                LayerContent::Document(bytes) => {
                    let kept = self.document(key, decoder, bytes)?;
                    let of_layer = kept.omitted.alike.iter();
                    missing.extend(of_layer.map(|path| format!("`{path}` of {key}")));
                    more += kept.omitted.more;
                    is_whole &= !kept.omitted.any;
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
            "the last known good configuration lacks {shown}{more}: the name is that of a secret field, or nearly, and a start from \
             the file would be without the value; give the entry another name, or put it into a field that is `secret`"
        )
    })
}

#[cfg(test)]
mod tests;
