//! What `effective` prints of the configuration that readers see: every value, secrets left out, with origins where they are asked
//! for.

use super::{
    answers::{Answers, WITHHELD},
    explanation::{Explanation, ValueOrigin},
    item::{Effect, ExplainedItem, ItemOutcome, PartsForm, each_leaf},
    print::{PrintedContent, PrintedEntry, print, value},
    value::ConfigValue,
};
use crate::{engine::Status, problem::Seg};
use flux_syntax::Format;
use serde::{Serialize, Serializer};
use std::fmt;

/// The whole configuration that readers see, without its secrets: made of the layers and of the defaults that are written as values, so
/// that the config types need no `Serialize`. Where it has no secrets, a document that it is printed as decodes to the same
/// configuration.
///
/// A default that is an expression, and what only the program knows, such as a value that a stage changed, are comments in YAML and
/// TOML, and left out in JSON and in `Serialize`. In the place of a secret is the text `<secret>`. `Display` prints YAML.
///
/// ```
/// # use flux::{Capacitor, Flux, Format, Source, source::Channel};
/// #[derive(Flux)]
/// struct App {
///     #[flux(default = 8080)]
///     port: u16,
///     #[flux(default = "info")]
///     level: String,
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (document, channel) = Channel::latest("app.json");
/// # let capacitor = Capacitor::<App>::builder()
/// #     .source(Source::watcher(channel).format(Format::Json)).build()?;
/// # document.try_send(&b"{ \"port\": 9090 }"[..])?;
/// # capacitor.start().await?;
/// let effective = capacitor.effective()?;
/// assert_eq!(effective.print(Format::Toml), "port = 9090\nlevel = \"info\"\n");
/// let shown = effective.with_origins().to_string();
/// assert!(shown.starts_with("port: 9090  # app.json:1:11\n"));
/// # capacitor.stop().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Effective {
    entries: Vec<PrintedEntry>,
    pending: Vec<String>,
    with_origins: bool,
}

impl Effective {
    pub(super) fn new(answers: &Answers, status: &Status) -> Self {
        let mut path = Vec::new();
        let entries = entries(answers, status, answers.items(), &mut path);
        let mut pending = Vec::new();
        each_leaf(answers.items(), &mut |path, item| {
            if answers.running(path).is_some() {
                let one = answers.explanation(path, item, status);
                let note = one.notes.first().map_or("", |note| note);
                pending.push(format!("{}: {note}", one.path));
            }
        });
        Effective {
            entries,
            pending,
            with_origins: false,
        }
    }

    /// With a comment behind each line that names where its value comes from. JSON has no comments.
    #[must_use]
    pub fn with_origins(mut self) -> Self {
        self.with_origins = true;
        self
    }

    /// What waits for a restart of the program, a line for each setting: its path, the value that runs and the one that waits. In the
    /// document is the value that runs; YAML and TOML have this line as a comment above it.
    pub fn pending(&self) -> &[String] {
        &self.pending
    }

    /// The configuration as a document of this format.
    pub fn print(&self, format: Format) -> String {
        match self.with_origins {
            true => print(format, &self.entries),
            false => print(format, &without_origins(&self.entries)),
        }
    }

    /// The configuration as one value, a map.
    pub fn value(&self) -> ConfigValue {
        value(&PrintedContent::Map(self.entries.clone()))
    }
}

impl fmt::Display for Effective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.print(Format::Yaml))
    }
}

impl Serialize for Effective {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value().serialize(serializer)
    }
}

/// The value that readers see at a path, a section with all that is in it; none where it is not set or known to the program alone.
pub(super) fn value_at(answers: &Answers, status: &Status, path: &[Seg]) -> Option<ConfigValue> {
    if let Some((running, status)) = answers.running(path) {
        return value_at(running, status, path);
    }
    let item = answers.find(path)?;
    let one = answers.explanation(path, item, status);
    let is_secret = item.field.is_secret() && one.value.is_some();
    if is_secret {
        return Some(ConfigValue::Secret);
    }
    let content = content(answers, status, item, &one, &mut path.to_vec())?;
    Some(value(&content))
}

/// Without comments on values that are written, and without what is not set.
fn without_origins(entries: &[PrintedEntry]) -> Vec<PrintedEntry> {
    let is_told = |one: &&PrintedEntry| !one.is_comment || one.behind.is_some();
    let bare = |one: &PrintedEntry| PrintedEntry {
        behind: one.behind.clone().filter(|_| one.is_comment),
        content: without(&one.content),
        ..one.clone()
    };
    entries.iter().filter(is_told).map(bare).collect()
}

fn without(content: &PrintedContent) -> PrintedContent {
    match content {
        PrintedContent::Map(inner) => PrintedContent::Map(without_origins(inner)),
        PrintedContent::List(items) => PrintedContent::List(items.iter().map(without).collect()),
        content => content.clone(),
    }
}

fn entries(
    answers: &Answers,
    status: &Status,
    items: &[ExplainedItem],
    path: &mut Vec<Seg>,
) -> Vec<PrintedEntry> {
    let mut all = Vec::with_capacity(items.len());
    for item in items {
        path.push(item.step.clone());
        let key = match &item.step {
            Seg::Key(key) => key.to_string(),
            Seg::Index(index) => index.to_string(),
        };
        let one = answers.explanation(path, item, status);
        let content = content(answers, status, item, &one, path);
        let waits = answers.running(path).is_some();
        let running = answers.running_explanation(path);
        path.pop();
        let (content, is_comment) = match content {
            Some(content) => (content, false),
            None => (PrintedContent::Open, true),
        };
        let above = one.notes.iter().enumerate().filter(|(number, note)| {
            let is_told = match waits {
                true => *number == 0,
                false => note.starts_with(WITHHELD),
            };
            is_told && !is_comment
        });
        let above = above.map(|(_, note)| note.clone()).collect();
        let behind = match running.filter(|_| !is_comment) {
            Some(running) => origin(&running, false).map(|origin| match running.from {
                ValueOrigin::Layers => format!("{origin}, as it was then"),
                _ => origin,
            }),
            None => origin(&one, is_comment),
        };
        all.push(PrintedEntry {
            key,
            above,
            behind,
            content,
            is_comment,
        });
    }
    all
}

/// What is behind a key; none where it is no part of the document, or known to the program alone.
fn content(
    answers: &Answers,
    status: &Status,
    item: &ExplainedItem,
    one: &Explanation,
    path: &mut Vec<Seg>,
) -> Option<PrintedContent> {
    if let Some((running, status)) = answers.running(path) {
        let item = running.find(path)?;
        let one = running.explanation(path, item, status);
        return content(running, status, item, &one, path);
    }
    match &item.outcome {
        ItemOutcome::Parts(PartsForm::Map) => Some(PrintedContent::Map(entries(
            answers,
            status,
            &item.parts,
            path,
        ))),
        ItemOutcome::Parts(PartsForm::List) => {
            let mut items = Vec::with_capacity(item.parts.len());
            for part in &item.parts {
                path.push(part.step.clone());
                let one = answers.explanation(path, part, status);
                let inner = content(answers, status, part, &one, path);
                path.pop();
                items.push(inner.unwrap_or(PrintedContent::Open));
            }
            Some(PrintedContent::List(items))
        }
        // Text of the program's own that is a secret decodes to another one.
        ItemOutcome::Default if item.field.is_secret() => None,
        _ => one.value.clone().map(PrintedContent::Value),
    }
}

/// Where a value comes from, in a few words.
fn origin(one: &Explanation, is_comment: bool) -> Option<String> {
    if let Some(note) = one.notes.first().filter(|_| is_comment) {
        return Some(note.clone());
    }
    match one.from {
        ValueOrigin::Default => one.default.as_ref().map(|default| match is_comment {
            true => format!("default: {default}"),
            false => format!("default at {}:{}", default.file, default.line),
        }),
        ValueOrigin::Parts | ValueOrigin::Nothing => None,
        ValueOrigin::Stage | ValueOrigin::Reducer => one.notes.first().cloned(),
        ValueOrigin::Missing => Some("not set by any layer that can be read".to_owned()),
        ValueOrigin::Layers => {
            let set = one
                .settings
                .iter()
                .filter(|one| one.effect != Effect::Shadowed);
            let set: Vec<String> = set.map(ToString::to_string).collect();
            (!set.is_empty()).then(|| set.join(", "))
        }
    }
}
