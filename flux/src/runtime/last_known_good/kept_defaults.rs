//! The defaults of the program that wrote a last known good file: a program with other ones is compared with them.

use crate::{
    codec::Tree,
    problem::{KeyPath, Seg},
    schema::{self, Descent, Field, Kind},
};
use std::collections::HashMap;

/// A type may have any number of sections in one another: no more fields than this are looked at.
const MOST: usize = 100_000;

/// In the place of an index or a key of a list or a map of sections.
const ANY: Seg = Seg::Key(std::borrow::Cow::Borrowed("*"));

/// A default, as it is written in the code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KeptDefault {
    /// A value.
    Value(String),
    /// An expression.
    Code(String),
}

/// The defaults of a config type by path, without those that are secret or may have secrets in them. Of a type that contains itself
/// only the outermost ones.
#[derive(Debug)]
pub(crate) struct KeptDefaults(HashMap<String, KeptDefault>);

impl KeptDefaults {
    /// Those of this program.
    #[cfg_attr(not(feature = "cli"), allow(dead_code, reason = "a command compares"))]
    pub(crate) fn of(fields: &'static [Field]) -> Self {
        KeptDefaults(all(fields).into_iter().collect())
    }

    /// The default at a path of a configuration.
    #[cfg_attr(not(feature = "cli"), allow(dead_code, reason = "a command compares"))]
    pub(crate) fn at(&self, fields: &'static [Field], path: &[Seg]) -> Option<&KeptDefault> {
        let place = place(fields, path)?;
        self.0.get(&text(&place))
    }

    /// As the file has them.
    pub(super) fn written(fields: &'static [Field]) -> Tree {
        let entries = all(fields).into_iter().map(|(path, default)| {
            let tree = match default {
                KeptDefault::Value(text) => Tree::Str(text),
                KeptDefault::Code(text) => {
                    Tree::Map(vec![("expression".to_owned(), Tree::Str(text))])
                }
            };
            (path, tree)
        });
        Tree::Map(entries.collect())
    }

    /// What was written; what is of another form is left out.
    pub(super) fn read(tree: &Tree) -> Option<Self> {
        let Tree::Map(entries) = tree else {
            return None;
        };
        let default = |tree: &Tree| match tree {
            Tree::Str(text) => Some(KeptDefault::Value(text.clone())),
            Tree::Map(parts) => match &parts[..] {
                [(key, Tree::Str(text))] if key == "expression" => {
                    Some(KeptDefault::Code(text.clone()))
                }
                _ => None,
            },
            _ => None,
        };
        let entries = entries.iter();
        let known = entries.filter_map(|(path, tree)| Some((path.clone(), default(tree)?)));
        Some(KeptDefaults(known.collect()))
    }
}

/// None of what is secret, or of an expression that makes something with a secret in it.
fn of_field(field: &Field) -> Option<KeptDefault> {
    let has_secret = || field.is_secret() || field.kind().table().is_some_and(schema::any_secret);
    match field.literal_default() {
        _ if has_secret() => None,
        Some(text) => Some(KeptDefault::Value(text.to_owned())),
        // What makes a value of a type of the program may contain anything, also a secret.
        None if field.is_of_the_program() && field.has_made_default() => None,
        None => Some(KeptDefault::Code(field.default()?.text.to_owned())),
    }
}

fn text(place: &[Seg]) -> String {
    KeyPath::new(place).to_string()
}

fn all(fields: &'static [Field]) -> Vec<(String, KeptDefault)> {
    let mut found = FoundDefaults::default();
    found.section(fields, &Descent::at(fields, 0));
    found.all
}

#[derive(Default)]
struct FoundDefaults {
    path: Vec<Seg>,
    looked_at: usize,
    all: Vec<(String, KeptDefault)>,
}

impl FoundDefaults {
    fn section(&mut self, fields: &'static [Field], descent: &Descent<'_>) {
        for field in fields {
            self.looked_at += 1;
            if self.looked_at > MOST {
                return;
            }
            let above = self.path.len();
            if !field.is_flattened() {
                self.path.push(Seg::Key(field.name().into()));
                if let Some(default) = of_field(field) {
                    self.all.push((text(&self.path), default));
                }
            }
            let mut kind = field.kind();
            while let Kind::List(item) | Kind::Map(item) = kind {
                self.path.push(ANY);
                kind = *item;
            }
            if let Kind::Section(inner) = kind {
                let inner = inner();
                if let Some(inside) = descent.enter(inner) {
                    self.section(inner, &inside);
                }
            }
            self.path.truncate(above);
        }
    }
}

/// The path with the own names of the fields, and without those of items and entries.
fn place(fields: &'static [Field], path: &[Seg]) -> Option<Vec<Seg>> {
    let (mut place, mut table) = (Vec::with_capacity(path.len()), fields);
    let mut steps = path.iter();
    loop {
        let Some(step) = steps.next() else {
            return Some(place);
        };
        let Seg::Key(key) = step else {
            return None;
        };
        let (field, mut kind) = schema::step(table, key)?;
        place.push(match field.is_flattened() {
            true => ANY,
            false => Seg::Key(field.name().into()),
        });
        while let Kind::List(item) | Kind::Map(item) = kind {
            if steps.next().is_none() {
                return Some(place);
            }
            place.push(ANY);
            kind = *item;
        }
        match kind {
            Kind::Section(inner) => table = inner(),
            _ => return steps.next().is_none().then_some(place),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static SIZE: [Field; 1] = [Field::new("size", "SIZE")
        .with_default(crate::schema::DefaultValue::new("4", "a.rs", 1).literal())];
    static TREE: [Field; 5] = [
        Field::new("inner", "INNER").with_kind(Kind::Section(|| &TREE)),
        Field::new("pools", "POOLS").with_kind(Kind::Map(&Kind::List(&Kind::Section(|| &SIZE)))),
        Field::new("level", "LEVEL").with_default(crate::schema::DefaultValue::new(
            "Level::Info",
            "a.rs",
            1,
        )),
        Field::new("token", "TOKEN")
            .with_secret()
            .with_default(crate::schema::DefaultValue::new("hunter2", "a.rs", 1).literal()),
        Field::new("name", "NAME"),
    ];

    #[test]
    fn the_defaults_of_a_type_are_written_and_read_back_without_its_secrets() {
        let written = KeptDefaults::written(&TREE);
        assert!(!format!("{written:?}").contains("hunter2"), "{written:?}");
        let read = KeptDefaults::read(&written).unwrap();
        let at = |path: &str| {
            read.at(&TREE, path.parse::<KeyPath>().unwrap().steps())
                .cloned()
        };
        let size = Some(KeptDefault::Value("4".to_owned()));
        assert_eq!(at("pools.a[7].size"), size);
        assert_eq!(
            at("level"),
            Some(KeptDefault::Code("Level::Info".to_owned()))
        );
        for path in [
            "token",
            "name",
            "pools",
            "pools.a",
            "pools.a[0]",
            "inner",
            "unknown",
            "level.deeper",
        ] {
            assert_eq!(at(path), None, "{path}");
        }
        assert_eq!(read.0, KeptDefaults::of(&TREE).0);
    }
}
