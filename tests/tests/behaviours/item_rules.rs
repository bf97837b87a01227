//! Items and entries that could be read are held to their rules although others of the same list or map could not be read.

use flux::{Capacitor, Error, Flux, Format, Report, Source, report::ProblemKind, source::Channel};
use proptest::prelude::*;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};

#[derive(Flux, Debug)]
struct Listed {
    #[flux(default = [1, 2], each(range = ..=100), length = 2..=3)]
    xs: Vec<u16>,
    #[flux(default, each(range = ..=100))]
    #[serde(alias = "line")]
    queue: VecDeque<u16>,
    #[flux(default, each(range = ..=100))]
    by_name: BTreeMap<String, u16>,
    #[flux(default, each(length = ..=3, each(range = ..=100)))]
    rows: Vec<Vec<u16>>,
    #[flux(default, each(each(range = ..=100)))]
    lists: BTreeMap<String, Vec<u16>>,
    #[flux(default, each(range = ..=100))]
    perhaps: Option<Vec<Option<u16>>>,
    #[flux(default, each(range = ..=100))]
    three: [u16; 3],
    #[flux(default, each(range = ..=100))]
    set: BTreeSet<u16>,
    #[flux(default, each(range = ..=100))]
    hashed: HashSet<u16>,
    #[flux(default, each(validate = ordered), validate = no_two_alike)]
    spans: Vec<Span>,
    #[flux(nested, default)]
    pools: Vec<Pool>,
    #[flux(nested, default)]
    tenants: BTreeMap<String, Pool>,
}

#[derive(Flux, Debug)]
#[flux(validate = whole)]
struct Pool {
    #[flux(each(range = ..=100))]
    weights: Vec<u16>,
    name: String,
}

fn whole(_: &Pool) -> Result<(), String> {
    Err("is not asked where a part of it cannot be read".to_owned())
}

#[derive(Deserialize, Debug, Clone, PartialEq, Default)]
#[serde(default)]
struct Span {
    min: u16,
    max: u16,
}

fn ordered(span: &Span) -> Result<(), String> {
    match span.min <= span.max {
        true => Ok(()),
        false => Err("is upside down".to_owned()),
    }
}

fn no_two_alike(spans: &[Span]) -> Result<(), String> {
    match spans
        .iter()
        .all(|one| spans.iter().filter(|other| one == *other).count() == 1)
    {
        true => Ok(()),
        false => Err("contains one twice".to_owned()),
    }
}

async fn refused(capacitor: Capacitor<Listed>) -> Report {
    match capacitor.start().await {
        Err(Error::Refused(report)) => report,
        other => panic!("{other:?}"),
    }
}

type Told = (String, ProblemKind, Option<usize>);

async fn told(format: Format, text: &str) -> Vec<Told> {
    let (sender, channel) = Channel::latest("app");
    sender.try_send(text.as_bytes()).unwrap();
    let source = Source::watcher(channel).format(format);
    let capacitor = Capacitor::<Listed>::builder()
        .source(source)
        .build()
        .unwrap();
    let report = match capacitor.start().await {
        Ok(()) => return Vec::new(),
        Err(Error::Refused(report)) => report,
        Err(other) => panic!("{other}"),
    };
    let problems = report.problems().iter();
    let mut told: Vec<_> = problems
        .map(|one| (one.path.to_string(), one.kind, one.line))
        .collect();
    told.sort_by_key(|(path, kind, line)| (path.clone(), *line, format!("{kind:?}")));
    told
}

use ProblemKind::{Rule, TypeMismatch};

/// A path, what is wrong there, and its line.
type ExpectedProblem = (&'static str, ProblemKind, usize);

/// Documents of one line for each value, in JSON, which is YAML too; and what is reported of them, with the line.
const CASES: &[(&str, &[ExpectedProblem])] = &[
    (
        "{\"xs\": [\n\"bad\",\n999]}",
        &[("xs[0]", TypeMismatch, 2), ("xs[1]", Rule, 3)],
    ),
    // The rule on the whole list is not asked: nobody knows how many good items it is to have.
    (
        "{\"xs\": [\n\"bad\",\n999,\n7,\n8,\n[]]}",
        &[
            ("xs[0]", TypeMismatch, 2),
            ("xs[1]", Rule, 3),
            ("xs[4]", TypeMismatch, 6),
        ],
    ),
    ("{\"xs\": [\n\"bad\",\n7]}", &[("xs[0]", TypeMismatch, 2)]),
    (
        "{\"line\": [\n101,\nnull,\n102]}",
        &[
            ("line[1]", TypeMismatch, 3),
            ("queue[0]", Rule, 2),
            ("queue[2]", Rule, 4),
        ],
    ),
    (
        "{\"by_name\": {\"a\":\n\"x\", \"b\":\n999, \"c\":\n1}}",
        &[("by_name.a", TypeMismatch, 2), ("by_name.b", Rule, 3)],
    ),
    // Rules on an inner list that is whole are rules of an item.
    (
        "{\"rows\": [[\n\"x\",\n999],\n[1, 2, 3, 4], [1,\n101], [1, 2, 3,\n\"x\"]]}",
        &[
            ("rows[0][0]", TypeMismatch, 2),
            ("rows[0][1]", Rule, 3),
            ("rows[1]", Rule, 4),
            ("rows[2][1]", Rule, 5),
            ("rows[3][3]", TypeMismatch, 6),
        ],
    ),
    (
        "{\"lists\": {\"a\": [\n\"x\",\n101], \"b\":\n7, \"c\": [\n102]}}",
        &[
            ("lists.a[0]", TypeMismatch, 2),
            ("lists.a[1]", Rule, 3),
            ("lists.b", TypeMismatch, 4),
            ("lists.c[0]", Rule, 5),
        ],
    ),
    (
        "{\"perhaps\": [\n\"x\",\n101, null]}",
        &[("perhaps[0]", TypeMismatch, 2), ("perhaps[1]", Rule, 3)],
    ),
    (
        "{\"three\": [\n\"x\",\n101,\n1]}",
        &[("three[0]", TypeMismatch, 2), ("three[1]", Rule, 3)],
    ),
    // The order of a set is not that of the document.
    (
        "{\"set\":\n[999, 5,\n\"x\"], \"hashed\":\n[\n\"x\", 999]}",
        &[
            ("hashed", Rule, 4),
            ("hashed[0]", TypeMismatch, 5),
            ("set", Rule, 2),
            ("set[2]", TypeMismatch, 3),
        ],
    ),
    (
        "{\"set\":\n[999, 5], \"hashed\":\n[5, 101]}",
        &[("hashed", Rule, 3), ("set", Rule, 2)],
    ),
    // Of a struct without its bad field nothing is asked, although the field has a default.
    (
        "{\"spans\": [{\"min\": 5, \"max\":\n\"x\"},\n{\"min\": 5}, {\"max\": 1}, {\"max\": 1}]}",
        &[("spans[0].max", TypeMismatch, 2), ("spans[1]", Rule, 3)],
    ),
    (
        "{\"pools\": [{\"name\": \"a\", \"weights\": [\n\"x\"]}, {\"name\": \"b\", \"weights\": [1,\n101,\n{}]}]}",
        &[
            ("pools[0].weights[0]", TypeMismatch, 2),
            ("pools[1].weights[1]", Rule, 3),
            ("pools[1].weights[2]", TypeMismatch, 4),
        ],
    ),
    // An item of a list of sections that is none.
    (
        "{\"pools\": [\n5, {\"name\":\n1, \"weights\": [\n\"x\",\n101]}]}",
        &[
            ("pools[0]", TypeMismatch, 2),
            ("pools[1].name", TypeMismatch, 3),
            ("pools[1].weights[0]", TypeMismatch, 4),
            ("pools[1].weights[1]", Rule, 5),
        ],
    ),
    (
        "{\"tenants\": {\"a.b\": {\"name\": \"a\", \"weights\": [\n\"x\",\n101]}}}",
        &[
            ("tenants.\"a.b\".weights[0]", TypeMismatch, 2),
            ("tenants.\"a.b\".weights[1]", Rule, 3),
        ],
    ),
    // Nothing in the list can be read.
    (
        "{\"xs\": [\n\"x\",\n\"y\"]}",
        &[("xs[0]", TypeMismatch, 2), ("xs[1]", TypeMismatch, 3)],
    ),
    // It is a list of something else.
    ("{\"xs\":\n\"text\"}", &[("xs", TypeMismatch, 2)]),
];

#[tokio::test]
async fn the_rules_of_items_are_asked_where_others_of_the_list_cannot_be_read() {
    let mut wrong = Vec::new();
    for (text, expected) in CASES {
        for format in [Format::Json, Format::Jsonc, Format::Json5, Format::Yaml] {
            let text = match format {
                // In YAML a bare word is what a text in quotes is in JSON.
                Format::Yaml => text.replace("\"name\":\n1", "\"name\":\n[]"),
                _ => (*text).to_owned(),
            };
            let expected: Vec<Told> = (expected.iter())
                .map(|(path, kind, line)| ((*path).to_owned(), *kind, Some(*line)))
                .collect();
            let told = told(format, &text).await;
            if told != expected {
                wrong.push(format!("{format}: {text}\n  {told:?}\n  {expected:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn the_rules_of_items_are_asked_in_toml_and_in_variables_too() {
    let toml = "xs = [\n'bad',\n999]\n[by_name]\na = 'x'\nb = 101\n[[pools]]\nname = 'a'\nweights = ['x', 101]";
    let place = |path: &str, kind, line| (path.to_owned(), kind, line);
    assert_eq!(
        told(Format::Toml, toml).await,
        [
            place("by_name.a", TypeMismatch, Some(5)),
            place("by_name.b", Rule, Some(6)),
            place("pools[0].weights[0]", TypeMismatch, Some(9)),
            place("pools[0].weights[1]", Rule, Some(9)),
            place("xs[0]", TypeMismatch, Some(2)),
            place("xs[1]", Rule, Some(3)),
        ]
    );

    let variables = [
        ("APP_XS", "bad,999"),
        ("APP_BY_NAME", "{\"a\": \"x\", \"b\": 101}"),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let source = Source::env("APP_").variables(variables.to_vec());
    let capacitor = Capacitor::<Listed>::builder()
        .source(source)
        .build()
        .unwrap();
    let report = refused(capacitor).await.to_string();
    for named in ["xs[0]", "xs[1]", "by_name.a", "by_name.b"] {
        assert!(report.contains(named), "{named} is not in {report}");
    }
    assert_eq!(report.matches("APP_XS").count(), 2, "{report}");
    assert_eq!(report.matches("must be in ..=100").count(), 2, "{report}");
}

#[tokio::test]
async fn the_items_of_a_list_that_an_upper_layer_replaces_break_no_rule() {
    let source = |text: &'static str| {
        let (sender, channel) = Channel::latest("app");
        sender.try_send(text.as_bytes()).unwrap();
        Source::watcher(channel).format(Format::Json)
    };
    let capacitor = Capacitor::<Listed>::builder()
        .source(source(r#"{"xs": ["bad", 999], "queue": ["bad", 999]}"#))
        .source(source(r#"{"xs": [1, 2]}"#))
        .build()
        .unwrap();
    let report = refused(capacitor).await;
    let paths = report.problems().iter().map(|one| one.path.to_string());
    let mut paths: Vec<_> = paths.collect();
    paths.sort();
    assert_eq!(paths, ["queue[0]", "queue[1]", "xs[0]"]);
}

/// An item that is good, one of another type, and one that breaks the rule.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Item {
    Good,
    Unreadable,
    Broken,
}

fn items() -> impl Strategy<Value = Vec<Item>> {
    let item = proptest::sample::select(vec![Item::Good, Item::Unreadable, Item::Broken]);
    proptest::collection::vec(item, 0..6)
}

/// A list or map with an item in each line, and what is to be reported of it.
struct Lines {
    text: String,
    line: usize,
    told: Vec<Told>,
}

impl Lines {
    fn item(&mut self, path: String, item: Item) {
        self.text += match item {
            Item::Good => "7",
            Item::Unreadable => "\"x\"",
            Item::Broken => "999",
        };
        let kind = match item {
            Item::Good => None,
            Item::Unreadable => Some(TypeMismatch),
            Item::Broken => Some(Rule),
        };
        self.told
            .extend(kind.map(|kind| (path, kind, Some(self.line))));
    }

    fn list(&mut self, path: &str, items: &[Item]) {
        self.text += "[";
        for (at, item) in items.iter().enumerate() {
            self.text += if at == 0 { "\n" } else { ",\n" };
            self.line += 1;
            self.item(format!("{path}[{at}]"), *item);
        }
        self.text += "]";
    }
}

/// The document in a format: the text between the key and the value of a field, and between fields.
fn written(
    format: Format,
    queue: &[Item],
    perhaps: &[Item],
    lists: &[Vec<Item>],
    by_name: &[Item],
) -> Lines {
    let toml = format == Format::Toml;
    let (begin, is, and, end) = match toml {
        true => ("", " = ", "\n", ""),
        false => ("{", ": ", ",\n", "}"),
    };
    let mut lines = Lines {
        text: begin.to_owned(),
        line: 1,
        told: Vec::new(),
    };
    for (name, items) in [("queue", queue), ("perhaps", perhaps)] {
        lines.text += &format!("\"{name}\"{is}");
        lines.list(name, items);
        lines.text += and;
        lines.line += 1;
    }
    // Dotted keys are entries of a map in TOML.
    let entries =
        |lines: &mut Lines, name: &str, count: usize, one: &mut dyn FnMut(&mut Lines, usize)| {
            if !toml {
                lines.text += &format!("\"{name}\": {{");
            }
            for at in 0..count {
                match toml {
                    true => lines.text += &format!("{name}.k{at} = "),
                    false => lines.text += &format!("\"k{at}\": "),
                }
                one(lines, at);
                if toml || at + 1 < count {
                    lines.text += and;
                    lines.line += 1;
                }
            }
            if !toml {
                lines.text += "}";
            }
        };
    entries(&mut lines, "lists", lists.len(), &mut |lines, at| {
        lines.list(&format!("lists.k{at}"), &lists[at]);
    });
    if !toml {
        lines.text += and;
        lines.line += 1;
    }
    entries(&mut lines, "by_name", by_name.len(), &mut |lines, at| {
        lines.item(format!("by_name.k{at}"), by_name[at]);
    });
    lines.text += end;
    lines
        .told
        .sort_by_key(|(path, kind, line)| (path.clone(), *line, format!("{kind:?}")));
    lines
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 200, ..ProptestConfig::default() })]

    /// `PROPTEST_CASES=10000` tries so many documents.
    #[test]
    fn of_the_items_of_any_lists_exactly_the_bad_ones_are_reported_each_in_its_line(
        queue in items(),
        perhaps in items(),
        lists in proptest::collection::vec(items(), 0..4),
        by_name in proptest::collection::vec(
            proptest::sample::select(vec![Item::Good, Item::Unreadable, Item::Broken]),
            1..5,
        ),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        for format in [
            Format::Json,
            Format::Jsonc,
            Format::Json5,
            Format::Yaml,
            Format::Toml,
        ] {
            let lines = written(format, &queue, &perhaps, &lists, &by_name);
            let told = runtime.block_on(told(format, &lines.text));
            prop_assert_eq!(told, lines.told, "{}:\n{}", format, lines.text);
        }
    }
}
