//! What a recording leaves out of what sources deliver: secrets are replaced so that the rest is judged like the original.

mod found_secrets;
#[cfg(test)]
#[cfg(feature = "derive")]
mod tests;

use crate::record::{
    document::{Encoding, print, read},
    judge::{Judged, Read, decoded, judge},
    paths::cut,
    placeholder::{LEVELS, Pseudonyms, SHAPED, Shape},
};
use crate::{
    codec::{self, Decoder},
    engine::{AnyLayer, Schema},
    problem::Seg,
    report::Entry,
    schema,
    source::environment::{Environment, Variables},
};
use found_secrets::{FoundSecret, Secret, placeholder, placeholders};
use std::{
    collections::{BTreeSet, HashMap},
    ffi::OsString,
};

/// A document without its secrets.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Redacted {
    pub(super) text: String,
    /// What a reader of the log should know.
    pub(super) note: Option<String>,
}

/// The environment without its secrets; a variable without a text is not Unicode.
pub(super) struct RedactedVariables {
    pub(super) variables: Vec<(String, Option<String>)>,
    pub(super) note: Option<String>,
}

/// Redacts the layers of one config type.
pub(super) struct Redactor {
    schema: &'static Schema,
    chosen: Vec<ChosenPlaceholders>,
    /// What each layer contained last, as it was and redacted: rules see all layers together.
    original: Vec<Option<AnyLayer>>,
    redacted: Vec<Option<AnyLayer>>,
}

/// The placeholders of one layer. Within it a secret has the same one for as long as this lives, and no two share one, so that a
/// change of a secret stays a change. Layers share nothing: who may write one would try guesses at the secret of another there,
/// and see which has its placeholder.
#[derive(Default)]
struct ChosenPlaceholders {
    pseudonyms: Pseudonyms,
    /// The placeholder in use, by the secret's name.
    known: HashMap<(u64, u64), String>,
    owners: HashMap<String, (u64, u64)>,
}

impl Redactor {
    pub(super) fn new(schema: &'static Schema, layers: usize) -> Self {
        Redactor {
            schema,
            chosen: (0..layers).map(|_| ChosenPlaceholders::default()).collect(),
            original: (0..layers).map(|_| None).collect(),
            redacted: (0..layers).map(|_| None).collect(),
        }
    }

    /// A layer that was not known so far has this number, and those from it on the next.
    pub(super) fn insert(&mut self, layer: usize) {
        self.chosen.insert(layer, ChosenPlaceholders::default());
        self.original.insert(layer, None);
        self.redacted.insert(layer, None);
    }

    /// The layer contains nothing (any more).
    pub(super) fn silent(&mut self, layer: usize) {
        self.original[layer] = None;
        self.redacted[layer] = None;
    }

    /// A document that will be redacted later: rules see it already where nothing of its layer is known.
    pub(super) fn expect(&mut self, layer: usize, decoder: &Decoder, bytes: &[u8]) {
        let fields = (self.schema.fields)();
        if self.original[layer].is_none() && schema::any_secret(fields) {
            let read = decoded(self.schema, decoder, bytes);
            self.original[layer] = read.layer.as_ref().map(self.schema.copy);
            self.redacted[layer] = read.layer;
        }
    }

    /// A document of a layer.
    pub(super) fn document(&mut self, layer: usize, decoder: &Decoder, bytes: &[u8]) -> Redacted {
        let fields = (self.schema.fields)();
        let encoding = Encoding::of(decoder);
        let secrets = schema::any_secret(fields);
        let text = codec::text_of(bytes).ok();
        if let Some(text) = text
            && (text.trim().is_empty() || !secrets && !encoding.is_tree())
        {
            self.silent(layer);
            return Redacted {
                text: text.to_owned(),
                note: None,
            };
        }
        let Some(document) = text.and_then(|text| read(decoder, text)) else {
            return self.whole(layer, bytes);
        };
        let again = encoding.tree_decoder(fields);
        let again = again.unwrap_or_else(|| decoder.clone());
        let original = decoded(self.schema, decoder, bytes);
        let mut found = FoundSecret::new(&self.chosen[layer].pseudonyms);
        found.of_document(fields, &document, encoding);
        let redacted = |secrets: &[Secret]| {
            let placeholders = placeholders(secrets);
            let mut by = |_: &[Seg], shape, text: &str| placeholder(&placeholders, shape, text);
            print(&document, encoding, fields, &mut by)
        };
        let schema = self.schema;
        let decode = |text: &String| decoded(schema, &again, text.as_bytes());
        let (text, note) = self.choose(layer, original, found.secrets, redacted, decode);
        match read(&again, &text) {
            Some(_) => Redacted { text, note },
            None => self.whole(layer, bytes),
        }
    }

    /// The variables that look as if they were misspelt.
    pub(super) fn misspelt(&self, prefix: &str, variables: &Variables) -> Vec<Entry> {
        let fields = (self.schema.fields)();
        let environment = Environment::new(fields, self.schema.decode_tree, prefix, variables);
        let misspelt = environment.map_or_else(Vec::new, |environment| environment.misspelt());
        misspelt.into_iter().map(|one| one.entry).collect()
    }

    /// The variables that a layer reads.
    pub(super) fn environment(
        &mut self,
        layer: usize,
        prefix: &str,
        variables: &Variables,
    ) -> RedactedVariables {
        let fields = (self.schema.fields)();
        let mut found = FoundSecret::new(&self.chosen[layer].pseudonyms);
        let mut set = Vec::new();
        let decode_tree = self.schema.decode_tree;
        let known = Environment::new(fields, decode_tree, prefix, variables)
            .map(|environment| environment.set());
        for variable in known.unwrap_or_default() {
            let Some(value) = variables.get(&variable.name) else {
                continue;
            };
            let value = value.into_string().ok();
            // An empty variable sets nothing, and hides nothing.
            let secret = value.as_ref().is_some_and(|text| !text.is_empty())
                && schema::is_secret(fields, &variable.path);
            if let (Some(text), true) = (&value, secret) {
                found.add(fields, &variable.path, Shape::Text, text);
            }
            set.push((variable.name, value, secret));
        }
        let read = |variables: &Variables| {
            let read = match Environment::new(fields, decode_tree, prefix, variables) {
                Some(environment) => environment.read(&|_| Vec::new()).given.read,
                None => Err(Vec::new()),
            };
            let problems = match &read {
                Ok(_) => BTreeSet::new(),
                Err(entries) => (entries.iter().map(|entry| cut(fields, entry.path())))
                    .chain(["!refused".to_owned()])
                    .collect(),
            };
            Read {
                layer: read.ok().map(|(layer, _)| layer),
                problems,
            }
        };
        let replaced = |secrets: &[Secret]| {
            let placeholders = placeholders(secrets);
            let replace = |(name, value, secret): &(String, Option<String>, bool)| {
                let value = value.as_ref().map(|text| match secret {
                    true => placeholder(&placeholders, Shape::Text, text),
                    false => text.clone(),
                });
                (name.clone(), value)
            };
            set.iter().map(replace).collect::<Vec<_>>()
        };
        let again = |variables: &Vec<(String, Option<String>)>| {
            let pairs = variables.iter().filter_map(|(name, text)| {
                let text = text.as_ref();
                let value = text.map_or_else(not_unicode, |text| Some(text.into()));
                Some((name.clone(), value?))
            });
            read(&Variables::given(pairs.collect()))
        };
        let (variables, note) = self.choose(layer, read(variables), found.secrets, replaced, again);
        RedactedVariables { variables, note }
    }

    /// What cannot be read is replaced as a whole, by something that cannot be read either.
    fn whole(&mut self, layer: usize, bytes: &[u8]) -> Redacted {
        self.silent(layer);
        Redacted {
            text: format!("{{{{redacted {}", self.chosen[layer].pseudonyms.token(bytes)),
            note: Some(
                "cannot be parsed, so that a secret may be anywhere in it: replaced as a whole by something that cannot be parsed"
                    .to_owned(),
            ),
        }
    }

    /// Chooses placeholders with which the layer has the problems it has with its secrets, beginning with those that keep nothing.
    fn choose<R>(
        &mut self,
        layer: usize,
        original: Read,
        mut secrets: Vec<Secret>,
        render: impl Fn(&[Secret]) -> R,
        decode: impl Fn(&R) -> Read,
    ) -> (R, Option<String>) {
        let truth = judge(self.schema, &self.original, layer, &original);
        // What was written before cannot be changed any more.
        let beside = judge(self.schema, &self.redacted, layer, &original);
        let unseen = !truth.whole && original.layer.is_some();
        let begin = if unseen { SHAPED } else { 0 };
        let chosen = &self.chosen[layer];
        for secret in &mut secrets {
            match chosen.known.get(&secret.name) {
                Some(known) => secret.placeholder.clone_from(known),
                None => chosen.settle_on(secret, begin),
            }
        }
        let mut rounds = 0;
        let (rendered, read, problems) = loop {
            let rendered = render(&secrets);
            let read = decode(&rendered);
            let problems = judge(self.schema, &self.redacted, layer, &read).problems;
            rounds += 1;
            if problems == truth.problems || problems == beside.problems || rounds > 3 * LEVELS {
                break (rendered, read, problems);
            }
            let differing: Vec<_> = problems.symmetric_difference(&beside.problems).collect();
            let mut raised = false;
            for secret in secrets.iter_mut().filter(|one| one.concerns(&differing)) {
                raised |= chosen.raise(secret);
            }
            if !raised {
                for secret in &mut secrets {
                    raised |= chosen.raise(secret);
                }
            }
            if !raised && !self.give_keys_up(layer, &mut secrets, &beside, &render, &decode) {
                break (rendered, read, problems);
            }
        };
        let mut notes: Vec<String> = Vec::new();
        let has_secrets = !secrets.is_empty();
        let chosen = &mut self.chosen[layer];
        for secret in secrets {
            if secret.placeholder == secret.text && secret.shape == Shape::Key {
                let at = secret.paths.join(", ");
                notes.push(format!(
                    "a key below {at} is as it was: its type takes no other"
                ));
            }
            if secret.shape != Shape::Bool {
                chosen
                    .owners
                    .insert(secret.placeholder.clone(), secret.name);
            }
            chosen.known.insert(secret.name, secret.placeholder);
        }
        if problems != truth.problems {
            let differing: Vec<_> = problems.symmetric_difference(&truth.problems).collect();
            let differing: BTreeSet<&str> = differing.iter().map(|(_, path)| &**path).collect();
            let differing: Vec<&str> = differing.into_iter().collect();
            notes.push(format!(
                "is judged otherwise with placeholders in the place of secrets, at: {}",
                differing.join(", ")
            ));
        } else if has_secrets && unseen {
            notes.push(
                "may be judged otherwise once nothing is missing: the rules of its secrets could not be seen"
                    .to_owned(),
            );
        }
        self.original[layer] = original.layer;
        self.redacted[layer] = read.layer;
        (rendered, (!notes.is_empty()).then(|| notes.join("; ")))
    }

    /// Leaves the keys below secrets as they are where they are what makes the difference, whatever is behind them: then it is
    /// the type that knows them. Answers whether that is new.
    fn give_keys_up<R>(
        &self,
        layer: usize,
        secrets: &mut [Secret],
        wanted: &Judged,
        render: &impl Fn(&[Secret]) -> R,
        decode: &impl Fn(&R) -> Read,
    ) -> bool {
        let is_hidden = |one: &Secret| one.shape == Shape::Key && one.placeholder != one.text;
        if !secrets.iter().any(is_hidden) {
            return false;
        }
        let mut keys_alone: Vec<Secret> = secrets.to_vec();
        for secret in keys_alone.iter_mut().filter(|one| one.shape != Shape::Key) {
            secret.placeholder.clone_from(&secret.text);
        }
        let judged = judge(
            self.schema,
            &self.redacted,
            layer,
            &decode(&render(&keys_alone)),
        );
        let differing: Vec<_> = judged
            .problems
            .symmetric_difference(&wanted.problems)
            .collect();
        let mut given_up = false;
        for secret in secrets
            .iter_mut()
            .filter(|one| is_hidden(one) && one.concerns(&differing))
        {
            secret.placeholder.clone_from(&secret.text);
            given_up = true;
        }
        given_up
    }
}

impl ChosenPlaceholders {
    /// The first placeholder from `level` on that is nobody else's.
    fn settle_on(&self, secret: &mut Secret, level: usize) {
        for level in level..=LEVELS {
            let Some(made) = self
                .pseudonyms
                .placeholder(secret.shape, &secret.text, level)
            else {
                continue;
            };
            let taken = self.owners.get(&made);
            if secret.shape == Shape::Bool || taken.is_none_or(|owner| *owner == secret.name) {
                (secret.level, secret.placeholder) = (level, made);
                return;
            }
        }
        secret.level = LEVELS + 1;
        secret.placeholder = match secret.shape {
            Shape::Text | Shape::Key | Shape::LostKey => {
                format!("redacted-{}", self.pseudonyms.token(secret.text.as_bytes()))
            }
            Shape::Number => "0".to_owned(),
            Shape::Bool => "false".to_owned(),
        };
    }

    /// The next placeholder; answers whether there is one.
    fn raise(&self, secret: &mut Secret) -> bool {
        let more = secret.level <= LEVELS && secret.shape != Shape::Bool;
        if more {
            self.settle_on(secret, secret.level + 1);
        }
        more
    }
}

/// A text that is not Unicode, where the platform has such.
pub(super) fn not_unicode() -> Option<OsString> {
    #[cfg(unix)]
    return Some(std::os::unix::ffi::OsStringExt::from_vec(vec![0xff]));
    #[cfg(not(unix))]
    None
}
