//! Documents in every format, and capacitors over them.

use flux::{
    Capacitor, Config, Error, Format, Source, Unknown,
    source::{Channel, ChannelSender},
};
use serde_json::Value;

pub(crate) const FORMATS: [Format; 5] = [
    Format::Json,
    Format::Jsonc,
    Format::Json5,
    Format::Yaml,
    Format::Toml,
];

/// The document in this format; none where it cannot be written in it.
pub(crate) fn written(format: Format, document: &Value) -> Option<String> {
    match format {
        Format::Json => Some(serde_json::to_string_pretty(document).unwrap()),
        Format::Jsonc => Some(with_comments(document)),
        Format::Json5 => Some(json5(document)),
        Format::Yaml => Some(serde_yaml::to_string(document).unwrap()),
        _ => toml(document),
    }
}

/// JSON with a comment behind each line.
fn with_comments(document: &Value) -> String {
    let text = serde_json::to_string_pretty(document).unwrap();
    text.replace('\n', " // ,]} \"é\n")
}

/// JSON5 with single quotes, and a comma behind every item.
fn json5(document: &Value) -> String {
    let quoted = |text: &str| {
        let json = Value::from(text).to_string();
        let inside = json[1..json.len() - 1].replace('\'', "\\'");
        format!("'{inside}'")
    };
    match document {
        Value::Object(entries) => {
            let entry =
                |(key, value): (&String, &Value)| format!("{}: {},", quoted(key), json5(value));
            format!("{{{}}}", entries.iter().map(entry).collect::<String>())
        }
        Value::Array(items) => {
            let items = items.iter().map(|item| json5(item) + ",");
            format!("[{}]", items.collect::<String>())
        }
        Value::String(text) => quoted(text),
        scalar => scalar.to_string(),
    }
}

/// A capacitor over layers with these documents, the lowest first, and with these variables.
pub(crate) async fn over<C: Config>(
    format: Format,
    documents: &[Value],
    variables: &[(&str, &str)],
    unknown: Unknown,
) -> (Capacitor<C>, Vec<ChannelSender>, Result<(), String>) {
    let mut builder = Capacitor::<C>::builder().manual().unknown(unknown);
    let mut senders = Vec::new();
    for (number, document) in documents.iter().enumerate() {
        let (sender, channel) = Channel::buffered(format!("layer {number}"), 8);
        let text = written(format, document).expect("a document that every format can have");
        sender.send(text.as_bytes()).await.unwrap();
        senders.push(sender);
        builder = builder.source(Source::watcher(channel).format(format));
    }
    let variables = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let capacitor = builder
        .override_with(Source::env("APP_").variables(variables))
        .build()
        .expect("layers that work");
    let outcome = match capacitor.start().await {
        Ok(()) => Ok(()),
        Err(Error::Refused(report)) => Err(report.to_string()),
        Err(other) => panic!("{other}"),
    };
    (capacitor, senders, outcome)
}

/// What the layers give.
pub(crate) async fn read<C: Config + Clone>(
    format: Format,
    documents: &[Value],
    variables: &[(&str, &str)],
) -> Result<C, String> {
    let (capacitor, _senders, outcome) =
        over::<C>(format, documents, variables, Unknown::Deny).await;
    outcome.map(|()| C::clone(&capacitor.get()))
}

/// What a text gives, as the only layer.
pub(crate) async fn read_text<C: Config + Clone>(format: Format, text: &str) -> Result<C, String> {
    let (sender, channel) = Channel::buffered("layer", 1);
    sender.send(text.as_bytes()).await.unwrap();
    let source = Source::watcher(channel).format(format);
    let capacitor = Capacitor::<C>::builder().manual().source(source);
    let capacitor = capacitor.build().expect("a layer that works");
    match capacitor.start().await {
        Ok(()) => Ok(C::clone(&capacitor.get())),
        Err(error) => Err(error.to_string()),
    }
}

/// The top level of a document in TOML, everything below inline. TOML has no null.
fn toml(document: &Value) -> Option<String> {
    let mut text = String::new();
    for (key, value) in document.as_object()? {
        text += &format!("{} = {}\n", Value::from(key.as_str()), inline(value)?);
    }
    Some(text)
}

fn inline(value: &Value) -> Option<String> {
    let entry = |(key, value): (&String, &Value)| {
        let key = Value::from(key.as_str());
        Some(format!("{key} = {}", inline(value)?))
    };
    Some(match value {
        Value::Null => return None,
        Value::Array(items) => {
            let items: Option<Vec<_>> = items.iter().map(inline).collect();
            format!("[{}]", items?.join(", "))
        }
        Value::Object(entries) => {
            let entries: Option<Vec<_>> = entries.iter().map(entry).collect();
            format!("{{{}}}", entries?.join(", "))
        }
        scalar => scalar.to_string(),
    })
}
