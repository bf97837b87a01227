//! The secrets of a document or of variables, each once, and the placeholders that were chosen for them.

use crate::{
    document::Document,
    problem::Seg,
    record::{
        document::{Encoding, print},
        judge::View,
        paths::cut,
        placeholder::{Pseudonyms, Shape},
    },
    schema::Field,
};
use std::collections::{HashMap, HashSet};

/// One secret while placeholders are chosen.
#[derive(Clone)]
pub(super) struct Secret {
    pub(super) shape: Shape,
    pub(super) text: String,
    pub(super) name: (u64, u64),
    /// Where it is.
    pub(super) paths: Vec<String>,
    pub(super) level: usize,
    pub(super) placeholder: String,
}

impl Secret {
    /// Whether a problem at one of `paths` may be its own.
    pub(super) fn concerns(&self, problems: &[&(View, String)]) -> bool {
        let below = |long: &str, short: &str| {
            long.strip_prefix(short)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        let related = |(_, path): &&(View, String)| {
            self.paths
                .iter()
                .any(|own| below(own, path) || below(path, own))
        };
        problems.iter().any(related)
    }
}

/// The secrets found so far, each once.
pub(super) struct FoundSecret<'a> {
    pseudonyms: &'a Pseudonyms,
    pub(super) secrets: Vec<Secret>,
    at: HashMap<(u64, u64), usize>,
    /// The places of each that are known.
    places: HashSet<((u64, u64), String)>,
}

impl<'a> FoundSecret<'a> {
    pub(super) fn new(pseudonyms: &'a Pseudonyms) -> Self {
        FoundSecret {
            pseudonyms,
            secrets: Vec::new(),
            at: HashMap::new(),
            places: HashSet::new(),
        }
    }

    pub(super) fn add(&mut self, fields: &'static [Field], path: &[Seg], shape: Shape, text: &str) {
        let (name, path) = (self.pseudonyms.name(shape, text), cut(fields, path));
        if !self.places.insert((name, path.clone())) {
            return;
        }
        match self.at.get(&name) {
            Some(at) => self.secrets[*at].paths.push(path),
            None => {
                self.at.insert(name, self.secrets.len());
                self.secrets.push(Secret {
                    shape,
                    text: text.to_owned(),
                    name,
                    paths: vec![path],
                    level: 0,
                    placeholder: String::new(),
                });
            }
        }
    }

    pub(super) fn of_document(
        &mut self,
        fields: &'static [Field],
        document: &Document<'_>,
        encoding: Encoding,
    ) {
        print(document, encoding, fields, &mut |path, shape, text| {
            self.add(fields, path, shape, text);
            String::new()
        });
    }
}

/// The placeholders by what they replace.
pub(super) type Placeholders<'s> = HashMap<(Shape, &'s str), &'s str>;

pub(super) fn placeholders(secrets: &[Secret]) -> Placeholders<'_> {
    (secrets.iter())
        .map(|one| ((one.shape, one.text.as_str()), one.placeholder.as_str()))
        .collect()
}

pub(super) fn placeholder(placeholders: &Placeholders<'_>, shape: Shape, text: &str) -> String {
    let found = placeholders.get(&(shape, text)).copied();
    found.unwrap_or_default().to_owned()
}
