//! How Firestore's values become JSON.

use googleapis_tonic_google_firestore_v1::google::firestore::v1::{Value, value::ValueType};
use serde_json::{Map, Value as Json};
use std::collections::HashMap;

/// All fields of a document.
///
/// # Errors
/// The field that JSON cannot hold, and why.
pub(super) fn json_of(fields: &HashMap<String, Value>) -> Result<String, String> {
    Ok(Json::Object(object(fields, "")?).to_string())
}

/// What the field `name` holds that is a document of its own; none where it holds null.
///
/// # Errors
/// As of [`json_of`].
pub(super) fn content_of(name: &str, value: &Value) -> Result<Option<Vec<u8>>, String> {
    Ok(match &value.value_type {
        None | Some(ValueType::NullValue(_)) => None,
        Some(ValueType::StringValue(text)) => Some(text.clone().into_bytes()),
        Some(ValueType::BytesValue(bytes)) => Some(bytes.clone()),
        Some(_) => Some(json(value, name)?.to_string().into_bytes()),
    })
}

/// In the order of their names: the wire has none.
fn object(fields: &HashMap<String, Value>, section: &str) -> Result<Map<String, Json>, String> {
    let mut names: Vec<&String> = fields.keys().collect();
    names.sort_unstable();
    let one = |name: &String| {
        let path = match section {
            "" => name.clone(),
            section => format!("{section}.{name}"),
        };
        Ok((name.clone(), json(&fields[name], &path)?))
    };
    names.into_iter().map(one).collect()
}

fn json(value: &Value, path: &str) -> Result<Json, String> {
    Ok(match &value.value_type {
        Some(ValueType::BooleanValue(value)) => Json::from(*value),
        Some(ValueType::IntegerValue(number)) => Json::from(*number),
        Some(ValueType::DoubleValue(number)) if !number.is_finite() => {
            return Err(format!(
                "the field `{path}` holds {number}, which JSON cannot hold; write a finite number"
            ));
        }
        Some(ValueType::DoubleValue(number)) => Json::from(*number),
        Some(ValueType::StringValue(text) | ValueType::ReferenceValue(text)) => {
            Json::from(text.as_str())
        }
        Some(ValueType::BytesValue(bytes)) => match std::str::from_utf8(bytes) {
            Ok(text) => Json::from(text),
            Err(_) => {
                return Err(format!(
                    "the field `{path}` holds bytes that are not UTF-8, which JSON cannot hold; write them as text, in base64 for example"
                ));
            }
        },
        Some(ValueType::ArrayValue(list)) => {
            let values = list.values.iter().enumerate();
            let values = values.map(|(at, value)| json(value, &format!("{path}[{at}]")));
            Json::Array(values.collect::<Result<_, _>>()?)
        }
        Some(ValueType::MapValue(map)) => Json::Object(object(&map.fields, path)?),
        // Seconds since 1970; a text field holds what is to be read in another form.
        Some(ValueType::TimestampValue(at)) => Json::from(at.seconds),
        _ => Json::Null,
    })
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
            json_of(&fields).as_deref(),
            Ok(r#"{"hosts":[1,"a"],"none":null,"pool":{"on":true},"rate":0.5}"#)
        );
        let content_of = |value| content_of("f", value).expect("JSON");
        assert_eq!(content_of(&fields["pool"]), Some(b"{\"on\":true}".to_vec()));
        assert_eq!(content_of(&fields["none"]), None);
        assert_eq!(content_of(&text()), Some(b"a".to_vec()));
    }
    #[test]
    fn what_json_cannot_hold_is_refused_by_the_name_of_its_field() {
        let bytes = |bytes: &[u8]| value(ValueType::BytesValue(bytes.to_vec()));
        let list = ValueType::ArrayValue(ArrayValue {
            values: vec![bytes(b"good"), bytes(&[0xff])],
        });
        let inner = MapValue {
            fields: HashMap::from([("hosts".to_owned(), value(list))]),
        };
        let map = value(ValueType::MapValue(inner));
        let refused = json_of(&HashMap::from([("pool".to_owned(), map.clone())])).unwrap_err();
        assert!(refused.contains("`pool.hosts[1]` holds bytes"), "{refused}");
        let refused = content_of("data", &map).unwrap_err();
        assert!(refused.contains("`data.hosts[1]`"), "{refused}");
        for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let field = value(ValueType::DoubleValue(number));
            let refused = json_of(&HashMap::from([("rate".to_owned(), field)])).unwrap_err();
            assert!(refused.contains("`rate` holds"), "{refused}");
        }
        // The document as it is may be in any format.
        assert_eq!(content_of("data", &bytes(&[0xff])), Ok(Some(vec![0xff])));
    }
}
