//! One row, tried.

use crate::page::Case;
use flux::{Capacitor, Config, Format, Source, source::Channel};
use serde_json::Value;

/// Tries everything that the row says.
pub(crate) fn check<C: Config>(case: &Case<'_>, options: &str, show: impl Fn(&C) -> String) {
    let bare = |text: &str| text.split_whitespace().collect::<String>();
    if bare(options) != bare(&case.options) {
        case.wrong(format!(
            "the test's options are `{options}`, the page's `{}`",
            case.options
        ));
    }
    let read = |documents: &[(Format, String)], variable: Option<&str>| {
        read::<C>(documents, variable).map(|capacitor| show(&capacitor.get()))
    };
    let expect = |what: &str, outcome: Result<String, String>, value: &str| match outcome {
        Ok(read) if read == value => {}
        Ok(read) => case.wrong(format!("{what} gives `{read}`, not `{value}`")),
        Err(error) => case.wrong(format!("{what} is refused: {error}")),
    };
    let refuse = |what: &str, outcome: Result<String, String>| {
        if let Ok(read) = outcome {
            case.wrong(format!("{what} is not refused, but gives `{read}`"));
        }
    };
    for document in &case.document.read {
        for (format, text) in forms(document) {
            let what = format!("{format}: {text}");
            expect(&what, read(&[(format, text)], None), case.value);
        }
    }
    for document in &case.document.refused {
        for (format, text) in forms(document) {
            refuse(&format!("{format}: {text}"), read(&[(format, text)], None));
        }
    }
    for variable in &case.variable.read {
        expect(
            &format!("APP_V={variable}"),
            read(&[], Some(variable)),
            case.value,
        );
    }
    for variable in &case.variable.refused {
        refuse(&format!("APP_V={variable}"), read(&[], Some(variable)));
    }
    if let (Some((top, value)), Some(below)) = (case.merge, case.document.read.first()) {
        let layers = [below, top].map(|one| (Format::Json, format!("{{\"v\": {one}}}")));
        expect(&format!("{top} over {below}"), read(&layers, None), value);
    }
    let nothing = read(&[], None);
    if options.starts_with("default =") {
        expect("no layer", nothing, case.value);
    } else if case.name.starts_with("Option") {
        expect("no layer", nothing, "None");
    } else if !options.contains("default") && !options.contains("nested") {
        refuse("no layer", nothing);
    }
    case.tried();
}

/// `v` with this value in each format that can hold it.
fn forms(json: &str) -> Vec<(Format, String)> {
    let value: Value = serde_json::from_str(json).unwrap_or_else(|error| panic!("{json}: {error}"));
    let yaml = serde_yaml::to_string(&serde_json::json!({ "v": value })).expect("YAML");
    let mut forms = vec![
        (Format::Json, format!("{{\"v\": {json}}}")),
        (Format::Jsonc, format!("{{\"v\": {json}, /* a comment */}}")),
        (Format::Json5, format!("{{v: {json},}}")),
        (Format::Yaml, yaml),
    ];
    if let Some(value) = toml(&value) {
        forms.push((Format::Toml, format!("v = {value}")));
    }
    forms
}

/// TOML has no null.
fn toml(value: &Value) -> Option<String> {
    Some(match value {
        Value::Null => return None,
        Value::Array(items) => {
            let items: Option<Vec<_>> = items.iter().map(toml).collect();
            format!("[{}]", items?.join(", "))
        }
        Value::Object(entries) => {
            let entries: Option<Vec<_>> = entries
                .iter()
                .map(|(key, value)| {
                    Some(format!("{} = {}", Value::from(key.as_str()), toml(value)?))
                })
                .collect();
            format!("{{{}}}", entries?.join(", "))
        }
        scalar => scalar.to_string(),
    })
}

fn read<C: Config>(
    documents: &[(Format, String)],
    variable: Option<&str>,
) -> Result<Capacitor<C>, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let variables = variable.map(|text| ("APP_V", text));
        let mut builder = Capacitor::<C>::builder()
            .override_with(Source::env("APP_").variables(variables))
            .manual();
        for (format, text) in documents {
            let (sender, channel) = Channel::buffered("document", 1);
            sender.send(text.as_bytes()).await.expect("a receiver");
            builder = builder.source(Source::watcher(channel).format(*format));
        }
        let capacitor = builder.build().map_err(|error| error.to_string())?;
        capacitor.start().await.map_err(|error| error.to_string())?;
        Ok(capacitor)
    })
}
