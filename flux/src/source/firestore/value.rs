//! Firestore's values as JSON.

use googleapis_tonic_google_firestore_v1::google::firestore::v1::{Value, value::ValueType};
use serde_json::{Map, Value as Json};
use std::collections::HashMap;

/// All fields of a document.
pub(super) fn json_of(fields: &HashMap<String, Value>) -> String {
    Json::Object(object(fields)).to_string()
}

/// What a field holds that is a document of its own; none where it holds null.
pub(super) fn content_of(value: &Value) -> Option<Vec<u8>> {
    match value.value_type.as_ref()? {
        ValueType::NullValue(_) => None,
        ValueType::StringValue(text) => Some(text.clone().into_bytes()),
        ValueType::BytesValue(bytes) => Some(bytes.clone()),
        _ => Some(json(value).to_string().into_bytes()),
    }
}

/// In the order of their names: the wire has none.
fn object(fields: &HashMap<String, Value>) -> Map<String, Json> {
    let mut names: Vec<&String> = fields.keys().collect();
    names.sort_unstable();
    let one = |name: &String| (name.clone(), json(&fields[name]));
    names.into_iter().map(one).collect()
}

fn json(value: &Value) -> Json {
    match &value.value_type {
        Some(ValueType::BooleanValue(value)) => Json::from(*value),
        Some(ValueType::IntegerValue(number)) => Json::from(*number),
        Some(ValueType::DoubleValue(number)) => Json::from(*number),
        Some(ValueType::StringValue(text) | ValueType::ReferenceValue(text)) => {
            Json::from(text.as_str())
        }
        Some(ValueType::BytesValue(bytes)) => {
            Json::from(String::from_utf8_lossy(bytes).into_owned())
        }
        Some(ValueType::ArrayValue(list)) => list.values.iter().map(json).collect(),
        Some(ValueType::MapValue(map)) => Json::Object(object(&map.fields)),
        // Seconds since 1970; a text field holds what is to be read in another form.
        Some(ValueType::TimestampValue(at)) => Json::from(at.seconds),
        _ => Json::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use googleapis_tonic_google_firestore_v1::google::firestore::v1::{ArrayValue, MapValue};

    fn value(value: ValueType) -> Value {
        Value {
            value_type: Some(value),
        }
    }

    #[test]
    fn a_document_is_json_with_its_fields_by_name() {
        let text = || value(ValueType::StringValue("a".to_owned()));
        let list = ValueType::ArrayValue(ArrayValue {
            values: vec![value(ValueType::IntegerValue(1)), text()],
        });
        let map = ValueType::MapValue(MapValue {
            fields: HashMap::from([("on".to_owned(), value(ValueType::BooleanValue(true)))]),
        });
        let fields = HashMap::from([
            ("pool".to_owned(), value(map)),
            ("hosts".to_owned(), value(list)),
            ("rate".to_owned(), value(ValueType::DoubleValue(0.5))),
            ("none".to_owned(), value(ValueType::NullValue(0))),
        ]);
        assert_eq!(
            json_of(&fields),
            r#"{"hosts":[1,"a"],"none":null,"pool":{"on":true},"rate":0.5}"#
        );
        assert_eq!(content_of(&fields["pool"]), Some(b"{\"on\":true}".to_vec()));
        assert_eq!(content_of(&fields["none"]), None);
        assert_eq!(content_of(&text()), Some(b"a".to_vec()));
    }
}
