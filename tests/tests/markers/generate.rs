//! Config types made at random from a seed, with a secret in every kind of place, and documents for them.

use crate::places::Markers;
use serde_json::{Map, Value, json};
use std::fmt::Write;

/// So many roots are made of a seed, each with the sections, enums and values that it needs.
pub(crate) const ROOTS: usize = 6;

/// What a field has in a document.
#[derive(Clone, Copy)]
enum MadeShape {
    Text,
    Number,
    Texts,
    TwoTexts,
    TextMap,
    ListMap,
    Any,
    Url,
    TextAndNumber,
    /// The number of the item.
    Enum(usize),
    EnumMap(usize),
    Value,
    OpenNumber,
    OpenText,
    OpenLabels,
    OpenTime,
    /// The number that a rule of the section looks at.
    OpenPort,
    Section(usize),
    SectionList(usize),
    SectionMap(usize),
    SectionListMap(usize),
    Flattened(usize),
}

struct MadeField {
    name: String,
    /// In documents.
    key: String,
    shape: MadeShape,
    /// A document may be without it.
    is_optional: bool,
}

struct MadeItem {
    fields: Vec<MadeField>,
    /// Of an enum, how it is tagged.
    tagging: Option<MadeTagging>,
}

#[derive(Clone, Copy)]
enum MadeTagging {
    External,
    Internal,
    Untagged,
}

/// The types of a seed.
pub(crate) struct MadeTypes {
    items: Vec<MadeItem>,
    roots: Vec<usize>,
    /// As Rust.
    pub(crate) source: String,
}

struct TypeMaker {
    random: Markers,
    items: Vec<MadeItem>,
    source: String,
    /// So many fields have a name: each name is there once.
    names: usize,
}

/// The same seed is the same types.
pub(crate) fn generate(seed: u64) -> MadeTypes {
    let mut maker = TypeMaker {
        random: Markers::new(seed),
        items: Vec::new(),
        source: "// Made by the generator in `generate.rs`, see `made.rs`.\n".to_owned(),
        names: 0,
    };
    let roots: Vec<usize> = (0..ROOTS).map(|number| maker.root(number)).collect();
    for (name, one, call) in [
        ("RUNS", "fn(u64) -> usize", "run"),
        ("PAIRS", "Difference", "difference"),
    ] {
        let all = (0..ROOTS).map(|number| format!("    {call}::<MadeRoot{number}>,\n"));
        let all: String = all.collect();
        let _ = write!(
            maker.source,
            "\npub(crate) const {name}: [{one}; {ROOTS}] = [\n{all}];\n"
        );
    }
    MadeTypes {
        items: maker.items,
        roots,
        source: maker.source,
    }
}

/// A form of secret: its type, its options, what it has in a document, and whether a document may be without it.
type SecretForm = (&'static str, &'static str, MadeShape, bool);

#[rustfmt::skip]
const SECRETS: [SecretForm; 21] = [
    ("String", "#[flux(secret)]", MadeShape::Text, false),
    ("String", "#[flux(secret, length = 4..)]", MadeShape::Text, false),
    ("String", "#[flux(secret, default = made())]", MadeShape::Text, true),
    ("Option<u64>", "#[flux(secret, default)]", MadeShape::Number, true),
    ("u64", "#[flux(secret, default = 7)]", MadeShape::Number, true),
    ("Vec<String>", "#[flux(secret, default)]", MadeShape::Texts, true),
    ("VecDeque<String>", "#[flux(secret, default)]", MadeShape::Texts, true),
    ("BTreeSet<String>", "#[flux(secret, default)]", MadeShape::Texts, true),
    ("[String; 2]", "#[flux(secret)]", MadeShape::TwoTexts, false),
    ("(String, u64)", "#[flux(secret)]", MadeShape::TextAndNumber, false),
    ("BTreeMap<String, String>", "#[flux(secret, default)]", MadeShape::TextMap, true),
    ("HashMap<String, Vec<String>>", "#[flux(secret, default)]", MadeShape::ListMap, true),
    ("serde_json::Value", "#[flux(secret, default)]", MadeShape::Any, true),
    ("Box<String>", "#[flux(secret)]", MadeShape::Text, false),
    ("Arc<str>", "#[flux(secret)]", MadeShape::Text, false),
    ("url::Url", "#[flux(secret)]", MadeShape::Url, false),
    ("SecretString", "#[flux(opaque)]", MadeShape::Text, false),
    ("Option<SecretString>", "#[flux(opaque, default)]", MadeShape::Text, true),
    ("Vec<SecretString>", "#[flux(opaque, default)]", MadeShape::Texts, true),
    ("Zeroizing<String>", "#[flux(default)]", MadeShape::Text, true),
    ("Unreadable", "#[flux(secret, opaque)]", MadeShape::Text, false),
];

impl TypeMaker {
    fn add(&mut self, fields: Vec<MadeField>, tagging: Option<MadeTagging>) -> usize {
        self.items.push(MadeItem { fields, tagging });
        self.items.len() - 1
    }

    fn field(&mut self, prefix: &str, shape: MadeShape, is_optional: bool) -> MadeField {
        let name = format!("{prefix}_{}", self.names);
        self.names += 1;
        MadeField {
            key: name.clone(),
            name,
            shape,
            is_optional,
        }
    }

    /// An enum whose variants hold texts.
    fn enumeration(&mut self) -> usize {
        let number = self.add(Vec::new(), None);
        let (tagging, written) = match self.random.below(4) {
            0 => (MadeTagging::Internal, "#[serde(tag = \"type\")]\n"),
            1 => (MadeTagging::Untagged, "#[serde(untagged)]\n"),
            _ => (MadeTagging::External, ""),
        };
        self.items[number].tagging = Some(tagging);
        let token = match tagging {
            MadeTagging::Internal => "Token { token: String }",
            _ => "Token(String)",
        };
        let _ = write!(
            self.source,
            "\n#[derive(Deserialize, Debug, Clone, PartialEq)]\n{written}pub(crate) enum MadeEnum{number} {{\n    {token},\n    \
             User {{ name: String, key: String }},\n}}\n"
        );
        number
    }

    /// A struct that is a value.
    fn value(&mut self) -> usize {
        let number = self.add(Vec::new(), None);
        let _ = write!(
            self.source,
            "\n#[derive(Deserialize, Debug, Clone, PartialEq)]\npub(crate) struct MadeValue{number} {{\n    pub(crate) token: String,\n    \
             #[serde(default)]\n    pub(crate) more: Vec<String>,\n}}\n"
        );
        number
    }

    /// A field with a secret, as Rust.
    fn secret(&mut self, out: &mut String) -> MadeField {
        let form = self.random.below(SECRETS.len() + 4);
        let (ty, options, shape, is_optional) = match SECRETS.get(form) {
            Some((ty, options, shape, is_optional)) => {
                ((*ty).to_owned(), *options, *shape, *is_optional)
            }
            None if form.is_multiple_of(4) => {
                let number = self.value();
                let ty = format!("Option<MadeValue{number}>");
                (ty, "#[flux(secret, default)]", MadeShape::Value, true)
            }
            None if form % 4 == 1 => {
                let number = self.enumeration();
                let ty = format!("BTreeMap<String, MadeEnum{number}>");
                (
                    ty,
                    "#[flux(secret, default)]",
                    MadeShape::EnumMap(number),
                    true,
                )
            }
            None => {
                let number = self.enumeration();
                let ty = format!("Option<MadeEnum{number}>");
                (
                    ty,
                    "#[flux(secret, default)]",
                    MadeShape::Enum(number),
                    true,
                )
            }
        };
        let mut field = self.field("key", shape, is_optional);
        match self.random.below(8) {
            0 => {
                field.key = format!("{}-renamed", field.name.replace('_', "-"));
                let _ = writeln!(out, "    #[serde(rename = \"{}\")]", field.key);
            }
            1 => {
                field.key = format!("old_{}", field.name);
                let _ = writeln!(out, "    #[serde(alias = \"{}\")]", field.key);
            }
            _ => {}
        }
        let _ = writeln!(out, "    {options}\n    pub(crate) {}: {ty},", field.name);
        field
    }

    fn open(&mut self, out: &mut String) -> MadeField {
        let (ty, options, shape) = match self.random.below(4) {
            0 => (
                "u32",
                "#[flux(default = 1, range = 1..=9)]",
                MadeShape::OpenNumber,
            ),
            1 => (
                "String",
                "#[flux(default = \"h\", length = 1..=4)]",
                MadeShape::OpenText,
            ),
            2 => (
                "BTreeMap<String, u8>",
                "#[flux(default)]",
                MadeShape::OpenLabels,
            ),
            _ => ("Duration", "#[flux(default = \"5s\")]", MadeShape::OpenTime),
        };
        let field = self.field("open", shape, true);
        let _ = writeln!(out, "    {options}\n    pub(crate) {}: {ty},", field.name);
        field
    }

    /// A field with a section, or with several.
    fn nested(&mut self, depth: usize, is_flattened: bool, out: &mut String) -> MadeField {
        let form = self.random.below(11);
        let section = self.section(depth, is_flattened || form == 10);
        let name = format!("MadeSection{section}");
        let plain = "#[flux(nested)]";
        let several = "#[flux(nested, default)]";
        let (ty, options, shape, is_optional) = match form {
            0 => (
                format!("Option<{name}>"),
                plain,
                MadeShape::Section(section),
                true,
            ),
            1 => (
                format!("Option<Box<{name}>>"),
                plain,
                MadeShape::Section(section),
                true,
            ),
            2 => (
                format!("Box<{name}>"),
                plain,
                MadeShape::Section(section),
                false,
            ),
            3 => (
                format!("Arc<{name}>"),
                plain,
                MadeShape::Section(section),
                false,
            ),
            4 | 5 => (
                format!("Vec<{name}>"),
                several,
                MadeShape::SectionList(section),
                true,
            ),
            6 | 7 => (
                format!("BTreeMap<String, {name}>"),
                several,
                MadeShape::SectionMap(section),
                true,
            ),
            8 => (
                format!("BTreeMap<String, Vec<{name}>>"),
                several,
                MadeShape::SectionListMap(section),
                true,
            ),
            10 => (
                name,
                "#[flux(nested)]\n    #[serde(flatten)]",
                MadeShape::Flattened(section),
                false,
            ),
            _ => (name, plain, MadeShape::Section(section), false),
        };
        let field = self.field("part", shape, is_optional);
        let _ = writeln!(out, "    {options}\n    pub(crate) {}: {ty},", field.name);
        field
    }

    fn fields(&mut self, depth: usize, is_flattened: bool, out: &mut String) -> Vec<MadeField> {
        let count = 2 + self.random.below(if depth == 2 { 5 } else { 2 });
        let mut fields: Vec<MadeField> = (0..count).map(|_| self.secret(out)).collect();
        fields.push(self.open(out));
        if depth > 0 {
            for _ in 0..1 + self.random.below(3) {
                fields.push(self.nested(depth - 1, is_flattened, out));
            }
        }
        fields
    }

    fn section(&mut self, depth: usize, is_flattened: bool) -> usize {
        let mut out = String::new();
        let mut fields = self.fields(depth, is_flattened, &mut out);
        let mut rule = "";
        let mut port = None;
        if self.random.one_in(3) {
            let field = self.field("open", MadeShape::OpenPort, true);
            let _ = writeln!(
                out,
                "    #[flux(default = 80)]\n    pub(crate) {}: u16,",
                field.name
            );
            rule = "#[flux(validate = fits)]\n";
            port = Some(field.name.clone());
            fields.push(field);
        }
        let number = self.add(fields, None);
        let _ = write!(
            self.source,
            "\n#[derive(Flux, Debug, Clone)]\n{rule}pub(crate) struct MadeSection{number} {{\n{out}}}\n"
        );
        if let Some(port) = port {
            let _ = write!(
                self.source,
                "\nimpl Ported for MadeSection{number} {{\n    fn port(&self) -> u16 {{\n        self.{port}\n    }}\n}}\n"
            );
        }
        number
    }

    fn root(&mut self, number: usize) -> usize {
        let mut out = String::new();
        let fields = self.fields(2, false, &mut out);
        let sources: Vec<_> = ["json", "yaml", "toml"]
            .iter()
            .map(|one| format!("source(\"file:never-there.{one}\", optional)"))
            .collect();
        let paths: String = fields
            .iter()
            .map(|field| format!(", \"{}\"", field.key))
            .collect();
        let _ = write!(
            self.source,
            "\n#[derive(Flux, Debug, Clone)]\n#[flux({}, debounce = \"0s\", validate = fits)]\npub(crate) struct MadeRoot{number} {{\n    \
             #[flux(secret)]\n    pub(crate) password: String,\n    #[flux(secret, default)]\n    pub(crate) filled: String,\n    \
             #[flux(default = 80)]\n    pub(crate) port: u16,\n{out}}}\n\nmade_root!(MadeRoot{number}, {number}, [\"\", \"password\", \
             \"passwrod\"{paths}]);\n",
            sources.join(", ")
        );
        self.add(fields, None)
    }
}

impl MadeTypes {
    /// How many types there are.
    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    /// A good document of a root with a secret wherever there may be one.
    pub(crate) fn document(&self, root: usize, markers: &mut Markers, port: u16) -> Value {
        let mut all = Map::new();
        all.insert("password".to_owned(), markers.text().into());
        all.insert("port".to_owned(), port.into());
        self.entries(self.roots[root], markers, port, &mut all);
        all.into()
    }

    fn entries(&self, item: usize, markers: &mut Markers, port: u16, all: &mut Map<String, Value>) {
        for field in &self.items[item].fields {
            // Not every document has everything.
            if field.is_optional && markers.one_in(4) {
                continue;
            }
            if let MadeShape::Flattened(section) = field.shape {
                self.entries(section, markers, port, all);
                continue;
            }
            let value = self.value(field.shape, markers, port);
            all.insert(field.key.clone(), value);
        }
    }

    fn section(&self, item: usize, markers: &mut Markers, port: u16) -> Value {
        let mut all = Map::new();
        self.entries(item, markers, port, &mut all);
        all.into()
    }

    fn variant(&self, item: usize, markers: &mut Markers) -> Value {
        let is_user = markers.one_in(2);
        let user = json!({"name": markers.text(), "key": markers.text()});
        match (self.items[item].tagging, is_user) {
            (Some(MadeTagging::Internal), true) => {
                json!({"type": "User", "name": user["name"], "key": user["key"]})
            }
            (Some(MadeTagging::Internal), false) => {
                json!({"type": "Token", "token": markers.text()})
            }
            (Some(MadeTagging::Untagged), true) => user,
            (Some(MadeTagging::Untagged), false) => json!(markers.text()),
            (_, true) => json!({"User": user}),
            (_, false) => json!({"Token": markers.text()}),
        }
    }

    fn value(&self, shape: MadeShape, markers: &mut Markers, port: u16) -> Value {
        match shape {
            MadeShape::Text => json!(markers.text()),
            MadeShape::Number => json!(markers.number()),
            MadeShape::Texts | MadeShape::TwoTexts => json!([markers.text(), markers.text()]),
            MadeShape::TextMap => json!({"a": markers.text()}),
            MadeShape::ListMap => json!({"a": [markers.text()]}),
            MadeShape::Any => json!({"deep": [markers.text(), {"key": markers.text()}]}),
            MadeShape::Url => {
                let (user, secret) = (markers.name(), markers.name());
                json!(format!(
                    "https://{user}:{secret}@h/?token={}",
                    markers.name()
                ))
            }
            MadeShape::TextAndNumber => json!([markers.text(), markers.number()]),
            MadeShape::Enum(item) => self.variant(item, markers),
            MadeShape::EnumMap(item) => json!({"a": self.variant(item, markers)}),
            MadeShape::Value => json!({"token": markers.text(), "more": [markers.text()]}),
            MadeShape::OpenNumber => json!(3),
            MadeShape::OpenText => json!("h"),
            MadeShape::OpenLabels => json!({"x": 1}),
            MadeShape::OpenTime => json!("5s"),
            MadeShape::OpenPort => json!(port),
            MadeShape::Section(item) | MadeShape::Flattened(item) => {
                self.section(item, markers, port)
            }
            MadeShape::SectionList(item) => json!([self.section(item, markers, port)]),
            MadeShape::SectionMap(item) => {
                json!({"t1": self.section(item, markers, port), "t2": self.section(item, markers, port)})
            }
            MadeShape::SectionListMap(item) => json!({"g": [self.section(item, markers, port)]}),
        }
    }

    /// A variable of a field, of the root or of a section in it, with a text that fits or one that does not.
    pub(crate) fn variable(&self, root: usize, markers: &mut Markers) -> (String, String) {
        let mut name = "APP".to_owned();
        let mut fields = &self.items[self.roots[root]].fields;
        loop {
            let field = &fields[markers.below(fields.len())];
            let (below, key) = match field.shape {
                MadeShape::Section(item) => (item, None),
                MadeShape::SectionMap(item) => (item, Some("_T1")),
                MadeShape::SectionList(item) => (item, Some("_0")),
                MadeShape::Flattened(item) => {
                    fields = &self.items[item].fields;
                    continue;
                }
                _ => {
                    let _ = write!(name, "_{}", field.name.to_uppercase());
                    if field.name.starts_with("open_") {
                        return (name, "x".to_owned());
                    }
                    let value = self.value(field.shape, markers, 80);
                    return (name, in_variable(&value, markers));
                }
            };
            let _ = write!(name, "_{}{}", field.name.to_uppercase(), key.unwrap_or(""));
            if markers.one_in(4) {
                let value = self.section(below, markers, 80);
                return (name, value.to_string());
            }
            fields = &self.items[below].fields;
        }
    }
}

/// A value as the text of a variable, in one of the forms that there are, or in one that cannot be read.
fn in_variable(value: &Value, markers: &mut Markers) -> String {
    match markers.below(6) {
        0 => markers.text(),
        1 => format!("a={}", markers.name()),
        2 => format!("[\"{}", markers.name()),
        3 => format!("{{a={}", markers.name()),
        _ => match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        },
    }
}
