//! YAML tags put at random on scalars, lists, maps and keys: what readers get, what the effective configuration shows and what the last
//! known good file keeps are one value, or the document is refused, by a check as by a start.

use crate::{
    Wrong,
    compare::through_flux,
    kept::{self, Kept, KeptLayer},
    random::Random,
    seeds,
};
use flux::{Capacitor, Config, Flux, Format, inspect::Inputs};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Flux, Debug)]
struct Tags {
    #[flux(default)]
    text: String,
    #[flux(default)]
    number: u32,
    #[flux(default)]
    ratio: f64,
    #[flux(default)]
    on: bool,
    maybe: Option<u8>,
    #[flux(default)]
    list: Vec<String>,
    #[flux(default)]
    map: BTreeMap<String, u8>,
    #[flux(default)]
    numbers: BTreeMap<u8, String>,
    #[flux(nested)]
    section: TaggedSection,
    #[flux(default = TaggedMode::Keep)]
    mode: TaggedMode,
    any: Option<serde_json::Value>,
}

#[derive(Flux, Debug)]
struct TaggedSection {
    #[flux(default)]
    a: String,
    b: Option<u16>,
}

#[derive(Deserialize, Debug, Clone, PartialEq)]
#[serde(rename_all = "lowercase")]
enum TaggedMode {
    Keep,
    Remove(String),
    Range {
        #[serde(default)]
        from: u8,
    },
    Maybe(Option<u8>),
}

const CORE: [&str; 8] = [
    "!!str ",
    "!!int ",
    "!!float ",
    "!!bool ",
    "!!null ",
    "!!seq ",
    "!!map ",
    "!!binary ",
];
const LOCAL: [&str; 6] = ["!keep ", "!remove ", "!range ", "!maybe ", "!abc ", "!x "];

/// Writes a document; it counts the tags that no field may have.
struct TagWriter<'r> {
    random: &'r mut Random,
    refused: usize,
}

impl TagWriter<'_> {
    fn tag(&mut self, is_enum: bool) -> &'static str {
        match self.random.below(12) {
            0..4 => self.random.pick(&CORE),
            4 => {
                let tag = self.random.pick(&LOCAL);
                self.refused += usize::from(!is_enum);
                tag
            }
            _ => "",
        }
    }

    fn scalar(&mut self, is_enum: bool) -> String {
        let tag = self.tag(is_enum);
        let texts = [
            "7", "'7'", "\"7\"", "0x1F", "1.5", "true", "'true'", "null", "~", "", "abc", "keep",
            "''", "1.10", "-3",
        ];
        format!("{tag}{}", self.random.pick(&texts))
    }

    fn list(&mut self) -> String {
        let tag = self.tag(false);
        let items: Vec<String> = (0..self.random.below(3))
            .map(|_| self.scalar(false))
            .collect();
        format!("{tag}[{}]", items.join(", "))
    }

    fn map(&mut self, keys: &[&str]) -> String {
        let tag = self.tag(false);
        let mut entries = Vec::new();
        for key in keys {
            if self.random.one_in(2) {
                let key = format!("{}{key}", self.tag(false));
                entries.push(format!("{key} : {}", self.scalar(false)));
            }
        }
        format!("{tag}{{{}}}", entries.join(", "))
    }

    fn value(&mut self, field: &str) -> String {
        match field {
            "list" => self.list(),
            "map" => self.map(&["a", "b", "1"]),
            "numbers" => self.map(&["1", "2"]),
            "section" => self.map(&["a", "b"]),
            "any" if self.random.one_in(2) => match self.random.one_in(2) {
                true => self.list(),
                false => self.map(&["a", "1"]),
            },
            "mode" => match self.random.below(4) {
                0 => format!("{}{{from : {}}}", self.tag(true), self.scalar(false)),
                1 => format!("{{maybe : {}}}", self.scalar(false)),
                _ => self.scalar(true),
            },
            _ => self.scalar(false),
        }
    }
}

fn checked<C: Config + std::fmt::Debug>(text: &str) -> Option<String> {
    let inputs = Inputs::new()
        .document("document", Format::Yaml, text)
        .only_given();
    let checked = Capacitor::<C>::builder().check(inputs).ok()?;
    Some(checked.effective().print(Format::Json))
}

/// A variant with nothing behind its tag is shown by its name, and JSON takes the name alone of a variant without content.
fn with_content(effective: &str) -> String {
    let mut shown: serde_json::Value = serde_json::from_str(effective).expect("JSON");
    let content = match shown["mode"].as_str() {
        Some("maybe") => serde_json::json!({ "maybe": null }),
        Some("range") => serde_json::json!({ "range": {} }),
        _ => return effective.to_owned(),
    };
    shown["mode"] = content;
    shown.to_string()
}

#[test]
fn a_value_with_a_tag_is_one_value_everywhere_or_refused() {
    const FIELDS: [&str; 11] = [
        "text", "number", "ratio", "on", "maybe", "list", "map", "numbers", "section", "mode",
        "any",
    ];
    let (mut wrong, mut accepted, mut tagged, mut refused) = (Wrong::default(), 0, 0, 0);
    for seed in seeds() {
        let mut random = Random::new(seed);
        let mut writer = TagWriter {
            random: &mut random,
            refused: 0,
        };
        let mut text = String::new();
        for _ in 0..writer.random.within(1, 2) {
            let field = writer.random.pick(&FIELDS);
            if !text.contains(&format!("{field}:")) {
                text += &format!("{field}: {}\n", writer.value(field));
            }
        }
        let may_be_read = writer.refused == 0;
        let got = through_flux::<Tags>(&[(Format::Yaml, text.clone())], &[]);
        let effective = checked::<Tags>(&text);
        let mut add = |kind: &str, found: String| {
            wrong.add(kind.to_owned(), || {
                format!("FLUX_RANDOM_SEED={seed}:\n{text}\n  {got:?}\n  {found}\n")
            });
        };
        match (&got, &effective) {
            (Err(_), None) => refused += 1,
            (Ok(got), Some(effective)) => {
                accepted += 1;
                tagged += usize::from(text.contains('!'));
                if !may_be_read {
                    add("a tag of the document's own is passed over", String::new());
                }
                let json = with_content(effective);
                let shown = through_flux::<Tags>(&[(Format::Json, json)], &[]);
                if shown.as_ref() != Ok(got) {
                    add(
                        "the effective configuration",
                        format!("{effective}\n  {shown:?}"),
                    );
                }
                let layer = KeptLayer::Document((Format::Yaml, text.clone()));
                match kept::twice::<Tags>(&[layer], &[]) {
                    Kept::Values(before, after) if before == *got && after == *got => {}
                    Kept::Values(_, after) => add("what was kept", after),
                    Kept::Reported(why) | Kept::Failed(why) => add("not kept", why),
                    Kept::Refused => add("refused by another start", String::new()),
                }
            }
            _ => add("check and start", format!("{effective:?}")),
        }
    }
    println!("{accepted} accepted, {tagged} of them with tags; {refused} refused");
    wrong.check();
    assert!(accepted == 1 || tagged > 0);
}

#[derive(Flux, Debug)]
#[allow(dead_code)]
struct TaggedSecrets {
    #[flux(secret, default)]
    password: String,
    #[flux(secret, default)]
    tokens: Vec<String>,
    #[flux(secret)]
    mode: Option<SecretMode>,
    #[flux(default)]
    port: u16,
}

#[derive(Deserialize, Debug, Clone, PartialEq)]
enum SecretMode {
    Keep,
}

#[test]
fn nothing_of_a_tag_in_the_place_of_a_secret_is_shown() {
    for document in [
        "password: !hunter2",
        "password: !!hunter2",
        "password: !hunter2 x",
        "password: !!int hunter2",
        "password: !!null hunter2",
        "password:\n  !hunter2\n  x",
        "password: !hunter2 [a]",
        "password: !hunter2\n  a: b",
        "tokens: [a, !hunter2 b]",
        "tokens:\n- a\n- !hunter2\n  b",
        "tokens: !hunter2 [a]",
        "mode: !hunter2",
        "mode: !hunter2 x",
        "!hunter2 password: x",
        "password: &a !hunter2 x\ntokens: [*a]",
    ] {
        for other in ["", "port: x\n", "zz: [?\"a\"]\n"] {
            let text = format!("{document}\n{other}");
            let read = through_flux::<TaggedSecrets>(&[(Format::Yaml, text.clone())], &[]);
            let report = read.expect_err(&text);
            assert!(!report.contains("hunter2"), "{text}{report}");
        }
    }
}
