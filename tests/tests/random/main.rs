//! Structs and enums made at random, and documents made at random for them: what serde alone reads is what Flux reads, in JSON, YAML
//! and TOML, from one layer and from several; JSONC and JSON5 mean what the same tree means in JSON. Where the two differ on purpose,
//! `expected.rs` has the reason. What is served then is what the last known good file keeps (`kept.rs`). What a program answers about
//! itself is what its readers see (`answers.rs`).
//!
//! `FLUX_RANDOM_DOCUMENTS=100000` tries so many documents, and `FLUX_RANDOM_SEED=N` repeats one of them. `FLUX_RANDOM_TYPES=N` is the seed
//! of the types, which must be written first.

mod alike;
mod answers;
mod asked;
mod commented;
mod compare;
mod documents;
mod each_mistake;
mod expected;
mod forms;
mod generate;
mod kept;
mod layers;
mod made_wrong;
mod model;
mod print;
mod random;
mod stacks;
mod structs;
mod tags;
mod variable_names;
mod variable_slips;

use compare::{Read, Root};
use documents::{TreeNode, Writer};
use expected::{Expected, Reason};
use flux::Format;
use model::TypeModel;
use random::Random;
use std::collections::BTreeMap;

const FORMATS: [Format; 5] = [
    Format::Json,
    Format::Jsonc,
    Format::Json5,
    Format::Yaml,
    Format::Toml,
];

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

fn types() -> TypeModel {
    generate::generate(number("FLUX_RANDOM_TYPES").unwrap_or(853), 8)
}

#[test]
fn the_types_are_those_of_the_generator() {
    let source = print::source(&types());
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/random/structs.in");
    if std::env::var_os("FLUX_WRITE_PAGES").is_some() {
        std::fs::write(path, &source).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap();
    assert!(written == source, "FLUX_WRITE_PAGES=1 writes {path}");
}

/// The seeds of a run, one for each document.
fn seeds() -> std::ops::Range<u64> {
    let (first, count) = match number("FLUX_RANDOM_SEED") {
        Some(seed) => (seed, 1),
        None => (0, number("FLUX_RANDOM_DOCUMENTS").unwrap_or(1_500)),
    };
    first..first + count
}

/// What went wrong, one example of each kind.
#[derive(Default)]
struct Wrong(BTreeMap<String, (usize, String)>);

impl Wrong {
    fn add(&mut self, kind: String, example: impl FnOnce() -> String) {
        let known = self.0.entry(kind).or_insert_with(|| (0, example()));
        known.0 += 1;
    }

    fn check(self) {
        for (kind, (count, example)) in self.0.iter().take(25) {
            println!("---- {count} times: {kind}\n{example}");
        }
        assert!(self.0.is_empty(), "{} kinds", self.0.len());
    }
}

/// The outcome without what differs from document to document.
fn kind(read: &Read) -> String {
    let Err(error) = read else {
        return "read".to_owned();
    };
    let mut lines = error.lines();
    let line = lines.find(|line| line.starts_with("  ")).unwrap_or(error);
    let letters = line.chars().filter(|letter| !letter.is_ascii_digit());
    letters.take(120).collect()
}

#[test]
fn serde_and_flux_read_every_document_alike() {
    let model = types();
    let (mut wrong, mut reasons) = (Wrong::default(), BTreeMap::<Reason, usize>::new());
    let (mut accepted, mut refused) = (0, 0);
    for seed in seeds() {
        let mut random = Random::new(seed);
        let number = random.below(model.roots.len());
        let (root, index) = (&structs::ROOTS[number], model.roots[number]);
        let mut writer = Writer {
            model: &model,
            random: &mut random,
        };
        let mut node = writer.document(index);
        for _ in 0..writer.random.below(3) {
            writer.mutate(&mut node);
        }
        let style = random.next();
        for format in FORMATS {
            let Some(text) = forms::print(&node, format, style) else {
                continue;
            };
            let alone = alone(root, &node, format, style);
            let read = (root.flux)(&[(format, text.clone())], &[]);
            match read {
                Ok(_) => accepted += 1,
                Err(_) => refused += 1,
            }
            if same(&alone, &read) {
                continue;
            }
            match explain(&model, root, index, &node, format, style, &read) {
                Ok(found) => {
                    for reason in found {
                        *reasons.entry(reason).or_default() += 1;
                    }
                }
                Err(expected) => {
                    let kinds = (kind(&alone), kind(&expected), kind(&read));
                    wrong.add(format!("{format}: {kinds:?}"), || {
                        format!(
                            "FLUX_RANDOM_SEED={seed}, {}, {format}:\n{text}\n  \
                             serde alone: {alone:?}\n  expected:    {expected:?}\n  Flux:        {read:?}\n",
                            root.name
                        )
                    });
                }
            }
        }
    }
    println!("{accepted} accepted, {refused} refused; read otherwise than by serde: {reasons:#?}");
    wrong.check();
}

fn same(one: &Read, other: &Read) -> bool {
    match (one, other) {
        (Ok(one), Ok(other)) => one == other,
        (Err(_), Err(_)) => true,
        _ => false,
    }
}

/// What serde alone reads of a document; of JSONC and JSON5, what it reads of the same document in JSON.
fn alone(root: &Root, node: &TreeNode, format: Format, style: u64) -> Read {
    let format = match format {
        Format::Jsonc | Format::Json5 => Format::Json,
        format => format,
    };
    let text = forms::print(node, format, style).unwrap_or_default();
    (root.serde_alone)(format, &text)
}

/// Why Flux reads the document otherwise than serde alone; an error is what was expected of it.
fn explain(
    model: &TypeModel,
    root: &Root,
    index: usize,
    node: &TreeNode,
    format: Format,
    style: u64,
    read: &Read,
) -> Result<Vec<Reason>, Read> {
    let mut node = node.clone();
    let mut expected = Expected::new(model, format);
    if let Err(reason) = expected.of(index, &mut node) {
        return match read {
            Err(_) => Ok(vec![reason]),
            Ok(_) => Err(Err(reason.to_owned())),
        };
    }
    let alone = alone(root, &node, format, style);
    if same(&alone, read) {
        return Ok(expected.reasons.into_iter().collect());
    }
    if model.gives_the_rest_too_much(index) {
        return Ok(vec![
            "not compared: serde gives the rest the keys of a flattened section within a flattened one, too",
        ]);
    }
    if matches!(format, Format::Json | Format::Jsonc | Format::Json5) {
        return Err(alone);
    }
    // Such as a variant that YAML alone takes only as a tag.
    let json = forms::print(&node, Format::Json, style).unwrap_or_default();
    let as_json = (root.serde_alone)(Format::Json, &json);
    if node.has_bare() {
        return Ok(vec!["not compared: YAML or TOML alone have such a scalar"]);
    }
    match same(&as_json, read) {
        true => Ok(vec![
            "a document means in each format what it means in JSON",
        ]),
        false => Err(as_json),
    }
}

#[test]
fn several_layers_and_variables_together_are_one_document() {
    let model = types();
    let mut wrong = Wrong::default();
    let (mut documents, mut variables) = (0, 0);
    for seed in seeds() {
        let mut random = Random::new(seed);
        let number = random.below(model.roots.len());
        let (root, index) = (&structs::ROOTS[number], model.roots[number]);
        let mut writer = Writer {
            model: &model,
            random: &mut random,
        };
        let mut whole = writer.document(index);
        let spread = writer.spread(index, &whole);
        let expected = Expected::new(&model, Format::Json).of(index, &mut whole);
        if expected.is_err() || model.gives_the_rest_too_much(index) {
            continue;
        }
        let text = forms::print(&whole, Format::Json, 0).unwrap_or_default();
        let alone = (root.serde_alone)(Format::Json, &text);
        let layers: Vec<_> = spread
            .layers
            .iter()
            .map(|layer| {
                let format = random.pick(&FORMATS);
                let text = forms::print(layer, format, random.next());
                // TOML has no null and no empty document.
                let json = || (Format::Json, forms::print(layer, Format::Json, 0));
                let (format, text) = text.map_or_else(json, |text| (format, Some(text)));
                (format, text.unwrap_or_default())
            })
            .collect();
        documents += 1;
        variables += spread.variables.len();
        let read = (root.flux)(&layers, &spread.variables);
        if !same(&alone, &read) {
            wrong.add(kind(&read), || {
                let layers = layers
                    .iter()
                    .map(|(format, text)| format!("---- {format}\n{text}\n"));
                format!(
                    "FLUX_RANDOM_SEED={seed}, {}:\n{}  {:?}\n  together:    {text}\n  \
                     serde alone: {alone:?}\n  Flux:        {read:?}\n",
                    root.name,
                    layers.collect::<String>(),
                    spread.variables
                )
            });
        }
    }
    println!("{documents} documents in layers, {variables} variables");
    wrong.check();
}

/// Documents that may be wrong, as layers that are declared and as the files of a folder: the same value, problems and warnings.
#[test]
fn the_files_of_a_folder_are_what_declared_layers_of_them_are() {
    let model = types();
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path().join("conf.d");
    let mut wrong = Wrong::default();
    let (mut accepted, mut refused, mut warned) = (0, 0, 0);
    for seed in seeds().step_by(3) {
        let mut random = Random::new(seed);
        let number = random.below(model.roots.len());
        let (root, index) = (&structs::ROOTS[number], model.roots[number]);
        let mut writer = Writer {
            model: &model,
            random: &mut random,
        };
        let whole = writer.document(index);
        let mut layers = writer.spread(index, &whole).layers;
        for layer in &mut layers {
            if writer.random.one_in(5) {
                writer.mutate(layer);
            }
        }
        let print = |layer: &TreeNode| {
            let format = random.pick(&FORMATS);
            let text = forms::print(layer, format, random.next());
            let json = || (Format::Json, forms::print(layer, Format::Json, 0));
            let (format, text) = text.map_or_else(json, |text| (format, Some(text)));
            (format, text.unwrap_or_default())
        };
        let layers: Vec<_> = layers.iter().map(print).collect();
        let [declared, mut files] = (root.in_a_folder)(&layers, &folder);
        match (&declared.value, declared.warnings.is_empty()) {
            (None, _) => refused += 1,
            (Some(_), true) => accepted += 1,
            (Some(_), false) => warned += 1,
        }
        // Before them is the layer of the folder.
        for problem in files.problems.iter_mut().chain(&mut files.warnings) {
            problem.layer = problem.layer.map(|layer| layer - 1);
        }
        if format!("{declared:?}") != format!("{files:?}") {
            wrong.add(root.name.to_owned(), || {
                format!("FLUX_RANDOM_SEED={seed}:\n{layers:#?}\n{declared:#?}\n{files:#?}")
            });
        }
    }
    println!("{accepted} accepted, {warned} with warnings, {refused} refused");
    wrong.check();
}
