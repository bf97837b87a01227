//! The last good configuration on disk, for a start while the sources are down.

use crate::{
    codec::{self, Decoder, Tree, plain_scalars},
    engine::{AnyLayer, Engine, LayerContent, Schema},
    observe,
    problem::Seg,
    schema::{self, Field, Place},
};
use flux_syntax::Format;
use serde::{
    Serialize, Serializer,
    ser::{Error as _, SerializeMap, SerializeSeq},
};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    task::{Context, Poll},
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::task::JoinHandle;

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
    pub(crate) path: PathBuf,
    pub(crate) secrets: Secrets,
}

/// What a file of before holds.
pub(crate) struct KeptFile {
    pub(crate) written: SystemTime,
    /// By origin.
    layers: Vec<(String, Tree)>,
}

impl KeptFile {
    /// What a layer contributed then; none where it contributed nothing.
    pub(super) fn layer(
        &self,
        schema: &Schema,
        origin: &str,
        decoder: Option<&Decoder>,
    ) -> Result<Option<AnyLayer>, String> {
        let found = self.layers.iter().find(|(known, _)| known == origin);
        let Some((_, document)) = found else {
            return Ok(None);
        };
        let decoded = catch_unwind(AssertUnwindSafe(|| {
            (schema.decode_tree)(document, decoder.is_some_and(plain_scalars))
        }));
        match decoded {
            Ok((Some(layer), problems)) if problems.is_empty() => Ok(Some(layer)),
            _ => Err(format!(
                "what was kept of {origin} does not fit the configuration any more; it is not used"
            )),
        }
    }
}

impl KeepOnDisk {
    /// Reads the file of the config type `config`; none where there is none.
    pub(crate) fn read(&self, config: &str) -> Result<Option<KeptFile>, String> {
        let bytes = match fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                return Err(format!(
                    "{}: the last known good configuration cannot be read: {error}",
                    self.path.display()
                ));
            }
        };
        let unusable = || {
            format!(
                "{}: is not a last known good configuration of {config}; it is not used",
                self.path.display()
            )
        };
        let text = std::str::from_utf8(&bytes).map_err(|_| unusable())?;
        let root = codec::tree(&Decoder::from(Format::Json), text).map_err(|_| unusable())?;
        let part = |name: &str| match &root {
            Tree::Map(entries) => entries.iter().find(|(key, _)| key == name).map(|(_, v)| v),
            _ => None,
        };
        match (
            part("version"),
            part("config"),
            part("written"),
            part("layers"),
        ) {
            (
                Some(Tree::U64(1)),
                Some(Tree::Str(name)),
                Some(Tree::U64(written)),
                Some(Tree::Map(layers)),
            ) if name == config => Ok(Some(KeptFile {
                written: UNIX_EPOCH
                    .checked_add(Duration::from_secs(*written))
                    .ok_or_else(unusable)?,
                layers: layers.clone(),
            })),
            _ => Err(unusable()),
        }
    }

    /// The file's content for what readers see now, or why there is none.
    fn content(&self, engine: &Engine) -> Result<Vec<u8>, String> {
        let schema = engine.layers.schema;
        let mut layers = Vec::new();
        for state in &engine.layers.states {
            let (LayerContent::Document(bytes), Some(decoder)) = (state.content(), &state.decoder)
            else {
                continue;
            };
            let mut tree = tree_of(decoder, &bytes)
                .ok_or_else(|| format!("{} cannot be read a second time", state.origin))?;
            let omitted = omit_secrets((schema.fields)(), &mut tree, &mut Vec::new());
            if omitted && self.secrets == Secrets::Refuse {
                return Err(format!(
                    "{} holds secrets, and `Secrets::Refuse` was chosen",
                    state.origin
                ));
            }
            layers.push((state.origin.clone(), tree));
        }
        let written = SystemTime::now().duration_since(UNIX_EPOCH);
        let root = Tree::Map(vec![
            ("version".to_owned(), Tree::U64(1)),
            ("config".to_owned(), Tree::Str(schema.name.to_owned())),
            (
                "written".to_owned(),
                Tree::U64(written.map_or(0, |since| since.as_secs())),
            ),
            ("generation".to_owned(), Tree::U64(engine.generation())),
            ("layers".to_owned(), Tree::Map(layers)),
        ]);
        serde_json::to_vec_pretty(&Json(&root)).map_err(|error| error.to_string())
    }
}

/// The document as a tree; a codec of the user's own may panic.
fn tree_of(decoder: &Decoder, bytes: &[u8]) -> Option<Tree> {
    let text = codec::text_of(bytes).ok()?;
    catch_unwind(AssertUnwindSafe(|| codec::tree(decoder, text)))
        .ok()?
        .ok()
}

/// Takes every secret out; answers whether there was one.
fn omit_secrets(fields: &'static [Field], tree: &mut Tree, path: &mut Vec<Seg>) -> bool {
    let mut omitted = false;
    match tree {
        Tree::Map(entries) => entries.retain_mut(|(key, value)| {
            path.push(Seg::Key(key.clone().into()));
            let keep = !is_secret(fields, path, value);
            omitted |= !keep || omit_secrets(fields, value, path);
            path.pop();
            keep
        }),
        Tree::Seq(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                path.push(Seg::Index(index));
                omitted |= omit_secrets(fields, item, path);
                path.pop();
            }
        }
        _ => {}
    }
    omitted
}

/// A leaf that is secret, or something that may be one; of a section the parts are asked one by one.
fn is_secret(fields: &'static [Field], path: &[Seg], value: &Tree) -> bool {
    let parts = matches!(value, Tree::Map(_) | Tree::Seq(_));
    match schema::place(fields, path) {
        Place::Structure if parts => false,
        _ => schema::is_secret(fields, path),
    }
}

/// A tree as JSON.
struct Json<'a>(&'a Tree);

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Tree::Null => serializer.serialize_unit(),
            Tree::Bool(value) => serializer.serialize_bool(*value),
            Tree::I64(value) => serializer.serialize_i64(*value),
            Tree::U64(value) => serializer.serialize_u64(*value),
            Tree::F64(value) if !value.is_finite() => Err(S::Error::custom(
                "it holds an infinity or a NaN, which JSON does not have",
            )),
            Tree::F64(value) => serializer.serialize_f64(*value),
            Tree::Str(text) | Tree::Raw(text) => serializer.serialize_str(text),
            Tree::Seq(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    list.serialize_element(&Json(item))?;
                }
                list.end()
            }
            Tree::Map(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                for (key, value) in entries {
                    map.serialize_entry(key, &Json(value))?;
                }
                map.end()
            }
        }
    }
}

/// Keeps the last good configuration of one run.
pub(super) struct LastGoodKeeper {
    pub(super) keep: Option<KeepOnDisk>,
    saver: Saver,
    /// The documents that were last kept, by the engine's count.
    kept: u64,
}

impl LastGoodKeeper {
    pub(super) fn new(keep: Option<KeepOnDisk>) -> Self {
        LastGoodKeeper {
            keep,
            saver: Saver::default(),
            kept: 0,
        }
    }

    /// Keeps what readers see now, unless it is kept already, may still be taken back, or is itself from a file of before.
    pub(super) fn save(&mut self, engine: &Engine) {
        let Some(keep) = &self.keep else {
            return;
        };
        let from_sources = engine.layers.contents().is_some();
        if self.kept == engine.adoptions() || engine.on_probation() || !from_sources {
            return;
        }
        self.kept = engine.adoptions();
        match keep.content(engine) {
            Ok(content) => self.saver.save(&keep.path, content),
            Err(problem) => {
                let text = format!("the last known good configuration is not kept: {problem}");
                observe::warning(engine.name(), &text);
            }
        }
    }

    /// Ready once everything is on disk.
    pub(super) fn poll(&mut self, capacitor: &str, cx: &mut Context<'_>) -> Poll<()> {
        while let Some(error) = std::task::ready!(self.saver.poll(cx)) {
            let path = self.keep.as_ref().map(|keep| keep.path.display());
            let path = path.map(|path| path.to_string()).unwrap_or_default();
            let text = format!("{path}: the last known good configuration cannot be kept: {error}");
            observe::warning(capacitor, &text);
        }
        Poll::Ready(())
    }
}

/// Writes the newest content, one after the other, off the task.
#[derive(Default)]
struct Saver {
    pending: Option<(PathBuf, Vec<u8>)>,
    running: Option<JoinHandle<io::Result<()>>>,
}

impl Saver {
    fn save(&mut self, path: &Path, content: Vec<u8>) {
        self.pending = Some((path.to_owned(), content));
    }

    /// Ready once everything is written; an error is the reason why something could not be.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<String>> {
        loop {
            if let Some(running) = &mut self.running {
                let done = std::task::ready!(std::pin::Pin::new(running).poll(cx));
                self.running = None;
                let failed = match done {
                    Ok(Ok(())) => None,
                    Ok(Err(error)) => Some(error.to_string()),
                    Err(error) => Some(error.to_string()),
                };
                if failed.is_some() {
                    return Poll::Ready(failed);
                }
            }
            let Some((path, content)) = self.pending.take() else {
                return Poll::Ready(None);
            };
            self.running = Some(tokio::task::spawn_blocking(move || write(&path, &content)));
        }
    }
}

/// Puts the whole file in place at once, readable by its owner alone, and on the disk before it counts.
fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = path.with_file_name(format!(".{name}.{}.new", std::process::id()));
    // One that was left behind may be readable by others.
    let _ = fs::remove_file(&beside);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&beside).and_then(|mut file| {
        file.write_all(content)?;
        file.sync_all()
    });
    let placed = written.and_then(|()| fs::rename(&beside, path));
    if placed.is_err() {
        // What could not be put in place is of no use; the first error is reported.
        let _ = fs::remove_file(&beside);
        return placed;
    }
    match path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        Some(folder) => File::open(folder)?.sync_all(),
        None => File::open(".")?.sync_all(),
    }
}
