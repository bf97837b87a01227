//! The sentence of a problem, and when the value that was found is withheld from it.

use super::{Entry, secrets::KnownSecrets};
use crate::{
    problem::{ALIKE_KEYS, Fix, Flaw, ProblemKind, Seg, What, shortened},
    schema::{self, Field, Place},
};

/// What is written of a problem.
#[derive(Default)]
pub(super) struct ProblemWords {
    pub(super) sentence: String,
    pub(super) expected: Option<String>,
    pub(super) found: Option<String>,
    /// What the problem itself suggests.
    pub(super) fix: Option<Fix>,
}

impl From<String> for ProblemWords {
    fn from(sentence: String) -> Self {
        ProblemWords {
            sentence,
            ..ProblemWords::default()
        }
    }
}

/// Whether what was found must be left out by its path.
fn may_not_show(fields: &'static [Field], problem: &Flaw) -> bool {
    match (&problem.what, schema::place(fields, &problem.path)) {
        (_, Place::Leaf { secret }) => secret,
        (What::Type { found, .. }, Place::Structure) if is_last_key(found, &problem.path) => false,
        // What is in the place of a section may be a secret; a rule of a section speaks of all its fields.
        (
            What::Message(_)
            | What::OfSource(_)
            | What::Told { .. }
            | What::Panic(_)
            | What::Rule { .. },
            Place::Structure,
        ) => false,
        (_, Place::Structure | Place::Unknown) => schema::any_secret(fields),
    }
}

/// Whether what was found is the key of a map, which the path shows as well.
fn is_last_key(found: &str, path: &[Seg]) -> bool {
    let Some(Seg::Key(key)) = path.last() else {
        return false;
    };
    let spelled = [
        "string",
        "integer",
        "floating point",
        "boolean",
        "character",
        "",
    ];
    let text = spelled.iter().find_map(|kind| found.strip_prefix(kind));
    let text = text.unwrap_or(found).trim_start();
    text == format!("{key:?}") || text == format!("`{key}`")
}

/// The words of a problem; nothing of a secret's value is in them.
pub(super) fn words(
    fields: &'static [Field],
    entry: &Entry,
    secrets: &KnownSecrets,
) -> ProblemWords {
    let problem = &entry.problem;
    let hidden = may_not_show(fields, problem);
    // What is found is from the layer; what the program's code says of it may be from anywhere. Only what is shown is looked at.
    let hides_found = |text: &str| hidden || secrets.of_layer_are_in(entry.layer, &shortened(text));
    let hides_value =
        |value: &str| hidden || secrets.of_layer_are_in_value(entry.layer, &shortened(value));
    let hides = |text: &str| hidden || secrets.are_in(&shortened(text));
    match &problem.what {
        What::Plain(text) => in_one_line(text).into(),
        What::Told {
            text,
            quotes: false,
            kind,
        } => ProblemWords {
            sentence: in_one_line(text),
            fix: (*kind == ProblemKind::DuplicateKey).then_some(Fix::Remove),
            ..ProblemWords::default()
        },
        What::Type { expected, .. } if secrets.have_a_piece_in(&shortened(expected)) => {
            let sentence = "is not what was expected; what was found is secret";
            sentence.to_owned().into()
        }
        What::Type { found, expected } if hides_found(found) => ProblemWords {
            sentence: match schema::place(fields, &problem.path) {
                Place::Leaf { .. } => format!("expected {expected}; what was found is secret"),
                // It may have been put there by mistake.
                _ => format!("expected {expected}; what was found may be a secret"),
            },
            expected: Some(expected.clone()),
            ..ProblemWords::default()
        },
        What::Type { found, expected } => {
            let (found, expected) = (&of_people(found), &of_people(expected));
            let near = nearest_variant(found, expected);
            let ask = near.map_or(String::new(), |near| format!(", did you mean `{near}`?"));
            ProblemWords {
                sentence: format!("expected {expected}, found {found}{ask}"),
                expected: Some(expected.clone()),
                found: Some(found.clone()),
                fix: near.map(|near| Fix::Replace {
                    with: near.to_owned(),
                }),
            }
        }
        // A decoder and a source know nothing but their layer.
        What::Message(text) | What::OfSource(text) if hides_found(text) => withheld(),
        What::Told { text, .. } | What::Panic(text) if hides(text) => withheld(),
        What::Message(text)
        | What::OfSource(text)
        | What::Told { text, .. }
        | What::Panic(text) => in_one_line(text).into(),
        What::Rule {
            must,
            found: Some(found),
            ..
        } if !hides_value(found) => ProblemWords {
            sentence: format!("{must}, found {found}"),
            expected: Some(must.clone()),
            found: Some(found.clone()),
            fix: None,
        },
        What::Rule { must, .. } => ProblemWords {
            sentence: must.clone(),
            expected: Some(must.clone()),
            ..ProblemWords::default()
        },
        What::Missing => "is required, and no layer sets it".to_owned().into(),
        What::Unknown(Some(known)) => ProblemWords {
            sentence: format!("unknown key, did you mean `{known}`?"),
            fix: Some(Fix::Rename {
                to: (*known).to_owned(),
            }),
            ..ProblemWords::default()
        },
        What::Unknown(None) => "unknown key".to_owned().into(),
        What::Outdated { text, to, .. } => ProblemWords {
            sentence: in_one_line(text),
            fix: to.clone().map(|to| Fix::Rename { to }),
            ..ProblemWords::default()
        },
        What::More(count) => format!("has {count} more problems").into(),
        // Without a fix: the path is that of the map.
        What::AlikeKeys => format!("{ALIKE_KEYS}; remove one").into(),
        What::Twice => ProblemWords {
            sentence: "this key occurs twice; remove one".to_owned(),
            fix: Some(Fix::Remove),
            ..ProblemWords::default()
        },
    }
}

/// What decoders call a list, as people do.
fn of_people(form: &str) -> String {
    match form {
        "sequence" => "list".to_owned(),
        "a sequence" => "a list".to_owned(),
        form => form.to_owned(),
    }
}

fn withheld() -> ProblemWords {
    WITHHELD.to_owned().into()
}

pub(super) const WITHHELD: &str = "is not valid; the reason may quote the secret and is not shown";

/// A message of another crate may have several lines, some of which only point at the one above. A break inside of quotes is part
/// of a value, and stays to be written out.
fn in_one_line(text: &str) -> String {
    let text = text.trim_end();
    if !text.contains(['\n', '\r']) {
        return text.to_owned();
    }
    let mut open = None;
    let breaks = |c: char| {
        if matches!(c, '`' | '"') && open.is_none_or(|quote| quote == c) {
            open = if open.is_some() { None } else { Some(c) };
        }
        open.is_none() && matches!(c, '\n' | '\r')
    };
    let points = |line: &str| line.chars().all(|c| "^~-=| ".contains(c));
    let lines: Vec<&str> = text.split(breaks).collect();
    let mut whole = String::new();
    for line in lines
        .into_iter()
        .map(str::trim)
        .filter(|line| !points(line))
    {
        match whole.chars().next_back() {
            None => {}
            Some(':' | ';' | ',' | '.') => whole.push(' '),
            Some(_) => whole.push_str("; "),
        }
        whole.push_str(line);
    }
    whole
}

/// The variant of an enum that was probably meant: serde lists them in backticks.
fn nearest_variant<'a>(found: &str, expected: &'a str) -> Option<&'a str> {
    let found = found.strip_prefix('`')?.strip_suffix('`')?;
    let variants = expected.split('`').skip(1).step_by(2);
    flux_syntax::nearest(found, variants)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_of_several_lines_becomes_one() {
        for (text, line) in [
            ("plain", "plain"),
            ("no such host\n", "no such host"),
            ("invalid key\nexpected `=`", "invalid key; expected `=`"),
            (
                "regex parse error:\n    [a\n    ^\nerror: unclosed character class",
                "regex parse error: [a; error: unclosed character class",
            ),
            ("first.\r\n\r\nsecond", "first. second"),
            ("`a\nb` is\nbad", "`a\nb` is; bad"),
            ("\n^\n", ""),
        ] {
            assert_eq!(in_one_line(text), line);
        }
    }
}

#[cfg(test)]
#[cfg(all(feature = "derive", feature = "file", feature = "yaml"))]
mod reasons {
    use crate::{Capacitor, Format, Source, source::Channel};
    use std::collections::{BTreeMap, HashMap};

    #[derive(Debug, Clone, flux_derive::Flux)]
    #[flux(crate = crate)]
    struct ReasonsPool {
        #[flux(default = 1)]
        size: u8,
    }

    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum LowHigh {
        Low,
        High,
    }

    #[derive(Debug, Clone, flux_derive::Flux)]
    #[flux(crate = crate)]
    struct ReasonsApp {
        #[flux(secret, default)]
        password: String,
        #[flux(secret, default)]
        pins: Vec<u32>,
        #[flux(default)]
        by_number: BTreeMap<u16, String>,
        #[flux(default)]
        by_level: HashMap<LowHigh, u32>,
        #[flux(nested, default)]
        pools: BTreeMap<u16, ReasonsPool>,
        #[flux(nested, default)]
        named: BTreeMap<String, ReasonsPool>,
        #[flux(nested, default)]
        list: Vec<ReasonsPool>,
        #[flux(nested)]
        pool: ReasonsPool,
        #[serde(flatten)]
        rest: BTreeMap<String, u32>,
    }

    async fn report(format: Format, document: &str) -> String {
        let (sender, channel) = Channel::buffered("app", 4);
        let source = Source::watcher(channel).format(format);
        let capacitor = Capacitor::<ReasonsApp>::builder()
            .source(source)
            .build()
            .unwrap();
        sender.send(document.as_bytes().to_vec()).await.unwrap();
        capacitor.start().await.unwrap_err().to_string()
    }

    /// What is found is shown; the key of a map is in the path as well.
    #[tokio::test]
    async fn a_reason_is_withheld_only_where_it_could_hold_a_secret() {
        for (format, document, shown) in [
            (
                Format::Yaml,
                "by_number: {x: a}",
                "expected u16, found string \"x\"",
            ),
            (
                Format::Yaml,
                "by_number: {70000: a}",
                "expected u16, found integer `70000`",
            ),
            (
                Format::Yaml,
                "by_level: {medium: 1}",
                "expected `low` or `high`, found `medium`",
            ),
            (
                Format::Yaml,
                "pools: {x: {size: 1}}",
                "pools.x: expected u16, found string \"x\"",
            ),
            (
                Format::Yaml,
                "pools: {70000: {size: 1}}",
                "pools.70000: expected u16, found integer `70000`",
            ),
            (
                Format::Json,
                "{\"pools\": {\"x\": {\"size\": 1}}}",
                "pools.x: expected u16, found string \"x\"",
            ),
            (
                Format::Toml,
                "[pools.x]\nsize = 1",
                "pools.x: expected u16, found string \"x\"",
            ),
            (
                Format::Yaml,
                "{password: a, pool: {size: x}}",
                "expected u8, found string \"x\"",
            ),
            (
                Format::Yaml,
                "{password: '4', pool: {size: 400}}",
                "expected u8, found integer `400`",
            ),
            (
                Format::Yaml,
                "{password: u8, pool: {size: q}}",
                "expected u8, found string \"q\"",
            ),
            (
                Format::Yaml,
                "{password: low, by_level: {medium: 1}}",
                "expected `low` or `high`, found `medium`",
            ),
        ] {
            let report = report(format, document).await;
            assert!(report.contains(shown), "{document}:\n{report}");
        }
    }

    #[tokio::test]
    async fn what_could_be_a_secret_is_withheld() {
        for document in [
            "pool: hunter22",
            "named: {a: hunter22}",
            "list: hunter22",
            "list: [hunter22]",
            "hunter22",
            "[hunter22]",
            "{password: hunter22, pool: {size: hunter22}}",
            "{password: '@', pool: {size: '@'}}",
            "{password: '@@', pool: {size: '@@'}}",
            "{pins: [7], pool: {size: '7'}}",
        ] {
            let report = report(Format::Yaml, document).await;
            assert!(
                report.contains("what was found is secret")
                    || report.contains("what was found may be a secret"),
                "{document}:\n{report}"
            );
            let is_shown = ["hunter", "@", "`7`", "\"7\""]
                .iter()
                .any(|one| report.contains(one));
            assert!(!is_shown, "{document}:\n{report}");
        }
    }
}
