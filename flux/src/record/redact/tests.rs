//! What the placeholders of one layer tell of another one, and of the size of a number.

#![allow(clippy::unwrap_used)] // In helpers too.

use super::*;
use crate::Format;

#[derive(Debug, flux_derive::Flux)]
#[flux(crate = crate)]
#[allow(dead_code, reason = "nothing reads it")]
struct Guessed {
    #[flux(secret)]
    pin: Option<u32>,
    #[flux(secret, range = 1000..=9999)]
    code: Option<i16>,
    #[flux(secret)]
    small: Option<u8>,
    #[flux(secret)]
    password: Option<String>,
}

fn redactor() -> Redactor {
    Redactor::new(Schema::of::<Guessed>(), 2)
}

fn redacted(redactor: &mut Redactor, layer: usize, document: &str) -> serde_json::Value {
    let decoder = Decoder::from(Format::Json);
    let redacted = redactor.document(layer, &decoder, document.as_bytes());
    assert_eq!(redacted.note, None, "{document}");
    serde_json::from_str(&redacted.text).unwrap()
}

#[test]
fn a_guess_in_one_layer_does_not_have_the_placeholder_of_the_secret_of_another() {
    let guesses: Vec<String> = (0..1000).map(|guess| guess.to_string()).collect();
    let guesses = format!(
        r#"{{"zz": [{}, "hunter2hunter2"], "password": "hunter2hunter2"}}"#,
        guesses.join(", ")
    );
    let secrets = r#"{"pin": 471, "password": "hunter2hunter2"}"#;
    for lower_first in [true, false] {
        let mut redactor = redactor();
        let upper = (!lower_first).then(|| redacted(&mut redactor, 1, secrets));
        let lower = redacted(&mut redactor, 0, &guesses);
        let upper = upper.unwrap_or_else(|| redacted(&mut redactor, 1, secrets));
        let tried = lower["zz"].as_array().unwrap();
        assert!(!tried.contains(&upper["pin"]), "{upper}");
        assert!(!tried.contains(&upper["password"]), "{upper}");
        assert_ne!(lower["password"], upper["password"]);
    }
}

#[test]
fn a_secret_keeps_its_placeholder_within_its_layer() {
    let mut redactor = redactor();
    let document = r#"{"pin": 471, "password": "hunter2hunter2", "zz": [471, "hunter2hunter2"]}"#;
    let first = redacted(&mut redactor, 1, document);
    redacted(&mut redactor, 0, document);
    redacted(&mut redactor, 1, r#"{"pin": 472}"#);
    assert_eq!(first, redacted(&mut redactor, 1, document));
    assert_eq!(first["zz"][0], first["pin"]);
    assert_eq!(first["zz"][1], first["password"]);
}

#[test]
fn the_placeholder_of_a_number_has_as_many_digits_as_the_secret_only_where_its_type_needs_it() {
    for pin in ["7", "47", "4711", "471147"] {
        let document = format!(r#"{{"pin": {pin}, "code": 4712, "small": 46, "zz": {pin}}}"#);
        let made = redacted(&mut redactor(), 0, &document);
        let digits = |key: &str| made[key].to_string().len();
        let all = ["pin", "zz", "code", "small"].map(digits);
        assert_eq!(all, [9, 9, 4, 2], "{made}");
        assert_ne!(made["code"], 4712);
    }
}
