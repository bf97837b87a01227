//! Documents of JSONC and JSON5 with a secret in every other comment: a comment may hold what was the password yesterday.

use crate::places::Markers;
use serde_json::Value;

pub(crate) fn printed(value: &Value, is_json5: bool, markers: &mut Markers) -> String {
    let mut text = String::new();
    write(&mut text, value, is_json5, markers);
    text
}

fn write(text: &mut String, value: &Value, is_json5: bool, markers: &mut Markers) {
    comment(text, markers);
    match value {
        Value::Object(entries) => {
            text.push('{');
            for (key, value) in entries {
                comment(text, markers);
                match is_json5 && is_name(key) && markers.one_in(2) {
                    true => *text += &format!("{key} "),
                    false => string(text, key, is_json5, markers),
                }
                text.push(':');
                write(text, value, is_json5, markers);
                text.push(',');
            }
            comment(text, markers);
            text.push('}');
        }
        Value::Array(items) => {
            text.push('[');
            for item in items {
                write(text, item, is_json5, markers);
                text.push(',');
            }
            text.push(']');
        }
        Value::String(value) => string(text, value, is_json5, markers),
        scalar => *text += &scalar.to_string(),
    }
}

fn comment(text: &mut String, markers: &mut Markers) {
    match markers.below(10) {
        0 => *text += &format!("/* {} */", markers.name()),
        1 => *text += &format!(" // was {}\n", markers.name()),
        2 => *text += &format!("/* of\n{}\n*/", markers.name()),
        3 => text.push('\n'),
        _ => {}
    }
}

fn string(text: &mut String, value: &str, is_json5: bool, markers: &mut Markers) {
    let json = Value::from(value).to_string();
    if !is_json5 || markers.one_in(2) {
        *text += &json;
        return;
    }
    let inside = json[1..json.len() - 1].replace("\\\"", "\"");
    *text += &format!("'{}'", inside.replace('\'', "\\'"));
}

fn is_name(key: &str) -> bool {
    key.starts_with(|c: char| c.is_ascii_alphabetic())
        && key.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_')
}
