//! One document, read by serde alone and by Flux.

use flux::{Capacitor, Config, Error, Format, Snapshot, Source, source::Channel};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::{ffi::OsString, fmt::Debug, sync::Arc};

/// What a settings struct has to be.
pub(crate) trait Port: Config + DeserializeOwned + PartialEq + Debug {}
impl<C: Config + DeserializeOwned + PartialEq + Debug> Port for C {}

/// A document in the format that its program uses.
pub(crate) struct Document<'a>(pub(crate) Format, pub(crate) &'a str);

impl Document<'_> {
    /// The document as a tree.
    pub(crate) fn tree(&self) -> Value {
        plain(self.0, self.1).unwrap_or_else(|error| panic!("{error}\n{}", self.1))
    }

    /// The text itself, and what it is in the other formats. TOML has no null, so that there may be none.
    fn forms(&self) -> Vec<(Format, String)> {
        let tree = self.tree();
        let mut forms = vec![(self.0, self.1.to_owned())];
        let others = [
            (Format::Json, Some(tree.to_string())),
            (Format::Jsonc, Some(tree.to_string())),
            (Format::Json5, Some(tree.to_string())),
            (
                Format::Yaml,
                Some(serde_yaml::to_string(&tree).expect("YAML")),
            ),
            (Format::Toml, toml(&tree)),
        ];
        for (format, text) in others {
            if let Some(text) = text
                && format != self.0
            {
                forms.push((format, text));
            }
        }
        forms
    }
}

/// The top level of a document in TOML, everything below inline. An empty map would be an empty file, which is not the same to Flux.
fn toml(tree: &Value) -> Option<String> {
    let mut text = String::new();
    for (key, value) in tree.as_object().filter(|entries| !entries.is_empty())? {
        text += &format!("{} = {}\n", Value::from(key.as_str()), inline(value)?);
    }
    Some(text)
}

fn inline(value: &Value) -> Option<String> {
    Some(match value {
        Value::Null => return None,
        Value::Array(items) => {
            let items: Option<Vec<_>> = items.iter().map(inline).collect();
            format!("[{}]", items?.join(", "))
        }
        Value::Object(entries) => {
            let entries: Option<Vec<_>> = entries
                .iter()
                .map(|(key, value)| {
                    Some(format!(
                        "{} = {}",
                        Value::from(key.as_str()),
                        inline(value)?
                    ))
                })
                .collect();
            format!("{{{}}}", entries?.join(", "))
        }
        scalar => scalar.to_string(),
    })
}

/// What serde alone makes of a document.
pub(crate) fn plain<T: DeserializeOwned>(format: Format, text: &str) -> Result<T, String> {
    match format {
        Format::Json | Format::Jsonc | Format::Json5 => {
            serde_json::from_str(text).map_err(|error| error.to_string())
        }
        Format::Yaml => serde_yaml::from_str(text).map_err(|error| error.to_string()),
        Format::Toml => toml::from_str(text).map_err(|error| error.to_string()),
    }
}

/// What Flux makes of a document and variables under `APP_`.
pub(crate) async fn flux<C: Config>(
    format: Format,
    text: &str,
    variables: &[(&str, &str)],
) -> Result<Arc<Snapshot<C>>, Error> {
    let variables = variables.iter().map(|(name, value)| (*name, value.into()));
    with_variables(format, text, variables.collect()).await
}

async fn with_variables<C: Config>(
    format: Format,
    text: &str,
    variables: Vec<(&str, OsString)>,
) -> Result<Arc<Snapshot<C>>, Error> {
    let (sender, channel) = Channel::buffered("document", 1);
    sender.send(text.as_bytes()).await.expect("a receiver");
    let capacitor = Capacitor::<C>::builder()
        .source(Source::watcher(channel).format(format))
        .override_with(Source::env("APP_").variables(variables))
        .manual()
        .build()?;
    capacitor.start().await?;
    Ok(capacitor.snapshot())
}

/// Flux reads the document as serde does, in every format that has it. Answers with the value.
pub(crate) async fn same<C: Port>(document: Document<'_>) -> C {
    let expected: C = plain(document.0, document.1).unwrap_or_else(|error| panic!("{error}"));
    for (format, text) in document.forms() {
        match plain::<C>(format, &text) {
            Ok(read) => assert_eq!(read, expected, "serde alone, {format}:\n{text}"),
            Err(error) => panic!("serde alone, {format}: {error}\n{text}"),
        }
        match flux::<C>(format, &text, &[]).await {
            Ok(read) => assert_eq!(**read, expected, "{format}:\n{text}"),
            Err(error) => panic!("{format}: {error}\n{text}"),
        }
    }
    expected
}

/// A variable, and what it means in the document: where, and the value there.
pub(crate) struct Variable<'a>(
    pub(crate) &'a str,
    pub(crate) &'a str,
    pub(crate) &'a str,
    pub(crate) Value,
);

/// Each variable alone, and all of them together, give what serde makes of the document with these values in it.
pub(crate) async fn same_from_variables<C: Port>(
    document: Document<'_>,
    variables: &[Variable<'_>],
) {
    for one in variables {
        check::<C>(&document, std::slice::from_ref(one)).await;
    }
    check::<C>(&document, variables).await;
}

async fn check<C: Port>(document: &Document<'_>, variables: &[Variable<'_>]) {
    let mut tree = document.tree();
    for Variable(_, _, pointer, value) in variables {
        put(&mut tree, pointer, value.clone());
    }
    let expected: C = serde_json::from_value(tree.clone())
        .unwrap_or_else(|error| panic!("serde alone: {error}\n{tree:#}"));
    let pairs: Vec<_> = variables.iter().map(|one| (one.0, one.1)).collect();
    match flux::<C>(document.0, document.1, &pairs).await {
        Ok(read) => assert_eq!(**read, expected, "{pairs:?}"),
        Err(error) => panic!("{pairs:?}: {error}"),
    }
}

/// Sets a value, with the maps on the way to it.
fn put(tree: &mut Value, pointer: &str, value: Value) {
    let mut at = tree;
    for key in pointer.split('/').skip(1) {
        if !at.is_object() {
            *at = Value::Object(serde_json::Map::new());
        }
        at = &mut at[key];
    }
    *at = value;
}

/// Each value that has a variable is taken out of the document and given by the variable, as JSON: nothing changes.
pub(crate) async fn same_with_each_value_in_its_variable<C: Port>(document: Document<'_>) {
    let expected: C = plain(document.0, document.1).unwrap_or_else(|error| panic!("{error}"));
    let tree = document.tree();
    let mut sections = vec![("APP_".to_owned(), String::new())];
    let (mut tried, mut wrong) = (0, Vec::new());
    while let Some((prefix, section)) = sections.pop() {
        let entries = tree.pointer(&section).and_then(Value::as_object);
        for (key, value) in entries.into_iter().flatten() {
            let name = format!("{prefix}{}", flux_syntax::env_segment(key));
            if !is_a_variable::<C>(&document, &name).await {
                sections.push((format!("{name}_"), format!("{section}/{key}")));
                continue;
            }
            if holds_a_map(value) {
                continue;
            }
            let mut rest = tree.clone();
            if let Some(Value::Object(section)) = rest.pointer_mut(&section) {
                section.remove(key);
            }
            let text = match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            tried += 1;
            match flux::<C>(Format::Json, &rest.to_string(), &[(&name, &text)]).await {
                Ok(read) if **read == expected => {}
                Ok(_) => wrong.push(format!("{name}={text}: another value")),
                Err(error) => wrong.push(format!("{name}={text}: {error}")),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(tried > 0, "no value of the document has a variable");
}

fn holds_a_map(value: &Value) -> bool {
    match value {
        Value::Object(_) => true,
        Value::Array(items) => items.iter().any(holds_a_map),
        _ => false,
    }
}

/// Whether a field has this variable: then a value that is not Unicode is refused.
async fn is_a_variable<C: Config>(document: &Document<'_>, name: &str) -> bool {
    let no_text = std::os::unix::ffi::OsStringExt::from_vec(vec![0xff]);
    let read = with_variables::<C>(document.0, document.1, vec![(name, no_text)]).await;
    read.is_err_and(|error| error.to_string().contains("not valid Unicode"))
}
