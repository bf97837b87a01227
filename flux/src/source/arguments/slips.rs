//! Which text of the command line is not shown, since a secret may be in it: a slip in the argument of a secret makes its value a
//! part of what looks like the name of another one.

#[cfg(test)]
#[cfg(all(feature = "derive", feature = "json"))]
mod tests;

use super::names::{KnownArgument, may_be_typed, plain};
use crate::{
    problem::Seg,
    schema::{self, Field, Kind},
    source::environment::step::path_of,
};

/// No name is longer, without its hyphens. Tokens and keys are.
const LONGEST: usize = 48;

/// What a slip could show, and what was read so far.
pub(super) struct Slips {
    has_secrets: bool,
    secrets: Vec<SecretArgument>,
    before: PreviousArgument,
}

/// How a secret is typed, or may be meant to be.
struct SecretArgument {
    path: Vec<Seg>,
    /// Without hyphens in front, as they are looked up; the path counts too.
    names: Vec<String>,
    /// As it is typed; none for a secret that no argument sets.
    typed: Option<String>,
}

/// What was read before the next word.
enum PreviousArgument {
    /// Nothing of a secret.
    Other,
    /// The value of a secret, of which the next word is no part if it looks like a name.
    Secret(Option<String>),
    /// The argument of a secret without its value, or with more than one word: what comes next may be a piece of the secret,
    /// whatever it looks like.
    Piece(Option<String>),
}

impl Slips {
    pub(super) fn of(fields: &'static [Field], known: &[KnownArgument]) -> Self {
        let secrets = known.iter().filter(|one| is_secret(fields, one));
        let secrets = secrets.map(|one| {
            let path = path_of(&one.steps);
            let keys: Vec<_> = path.iter().filter_map(key_of).collect();
            let mut names: Vec<_> = one.every_name().map(|name| plain(name)).collect();
            names.push(plain(&keys.join(".")));
            let typed = may_be_typed(one.field).then(|| one.typed());
            SecretArgument { path, names, typed }
        });
        Slips {
            has_secrets: schema::any_secret(fields),
            secrets: secrets.collect(),
            before: PreviousArgument::Other,
        }
    }

    /// An argument that sets what is at `path` was read, and its value if it has one.
    pub(super) fn read(&mut self, path: &[Seg], has_value: bool) {
        let mut secrets = self.secrets.iter();
        self.before = match secrets.find(|one| path.starts_with(&one.path)) {
            Some(one) if has_value => PreviousArgument::Secret(one.typed.clone()),
            Some(one) => PreviousArgument::Piece(one.typed.clone()),
            None => PreviousArgument::Other,
        };
    }

    /// An argument was read whose words may be anything.
    pub(super) fn not_understood(&mut self) {
        self.before = PreviousArgument::Piece(None);
    }

    /// A word without a name was read: behind the value of a secret, it may be the rest of it.
    pub(super) fn word(&mut self) {
        if let PreviousArgument::Secret(typed) = &mut self.before {
            self.before = PreviousArgument::Piece(typed.take());
        }
    }

    /// Whether the next word may be a piece of a secret, whatever it looks like.
    pub(super) fn may_be_a_piece(&self) -> bool {
        self.has_secrets && matches!(self.before, PreviousArgument::Piece(_))
    }

    /// Short arguments were read, all in one word: `-token` is meant to be a long one.
    pub(super) fn short(&mut self, letters: &str) {
        let letters = plain(letters);
        let begins = |own: &String| letters.starts_with(own);
        let mut secrets = self.secrets.iter();
        if let Some(one) = secrets.find(|one| one.names.iter().any(begins)) {
            self.before = PreviousArgument::Piece(one.typed.clone());
        }
    }

    /// Why the name of an argument that no field has is not shown, where it is not: `name` is without its two hyphens. What comes next is
    /// judged by it too.
    pub(super) fn hides(&mut self, name: &str) -> Option<String> {
        if !self.has_secrets {
            return None;
        }
        let looked_up = plain(name);
        let begins = |own: &String| looked_up.len() > own.len() && looked_up.starts_with(own);
        let mut secrets = self.secrets.iter();
        let typed = match (
            &self.before,
            secrets.find(|one| one.names.iter().any(begins)),
        ) {
            (PreviousArgument::Piece(typed), None) => typed.clone(),
            (_, Some(secret)) => secret.typed.clone(),
            (_, None) if !is_a_name(name) => None,
            (_, None) => return None,
        };
        let name = typed.as_deref().unwrap_or("--name");
        let why = format!(
            "this argument is not known, and is not shown, since it may have a secret in it: a value is an argument of its own, `{name} VALUE`, or behind `=`, `{name}=VALUE`, as one that begins with `-` has to be"
        );
        self.before = PreviousArgument::Piece(typed);
        Some(why)
    }

    /// What may be a secret in the value of another argument: what is behind the name of a secret's.
    pub(super) fn quoted<'t>(&self, text: &'t str) -> Option<&'t str> {
        let behind = |name: &String| {
            let (_, behind) = text.split_once(&format!("--{name}"))?;
            Some(behind.trim_start_matches([' ', '=', ':']))
        };
        let mut names = self.secrets.iter().flat_map(|one| &one.names);
        names.find_map(behind).filter(|behind| !behind.is_empty())
    }

    /// The path that `--set` has, as far as it is shown.
    pub(super) fn shown(&self, fields: &'static [Field], path: &[Seg]) -> Vec<Seg> {
        let mut shown = path[..schema::shown_steps(fields, path)].to_vec();
        if self.has_secrets
            && let Some(last) = shown.last_mut()
            && key_of(last).is_some_and(|key| self.is_withheld(key))
            && schema::place(fields, path) == schema::Place::Unknown
        {
            *last = Seg::WITHHELD;
        }
        shown
    }

    /// Whether a key that no field has may contain a secret: as in a document, and where it begins with the name of one.
    fn is_withheld(&self, key: &str) -> bool {
        let key_in_short = plain(key);
        let begins = |own: &String| key_in_short.len() > own.len() && key_in_short.starts_with(own);
        let is_secret = self.secrets.iter().any(|one| one.names.iter().any(begins));
        is_secret || schema::separates(key) || key.len() > LONGEST
    }
}

fn key_of(seg: &Seg) -> Option<&str> {
    match seg {
        Seg::Key(key) => Some(key),
        Seg::Index(_) => None,
    }
}

/// Whether the argument sets a secret, or a list or map of what has one.
fn is_secret(fields: &'static [Field], one: &KnownArgument) -> bool {
    match one.field.kind {
        Kind::Leaf => schema::is_secret(fields, &path_of(&one.steps)),
        kind => one.field.is_secret() || kind.table().is_some_and(schema::any_secret),
    }
}

/// Whether a text looks like the name of an argument: words of a path, with the number of an item.
fn is_a_name(text: &str) -> bool {
    let is_plain = |piece: &str| {
        let mut chars = piece.chars();
        chars.all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'))
    };
    let is_item = |piece: &str| {
        let item = piece.split_once(']');
        item.is_some_and(|(number, rest)| {
            number.bytes().all(|byte| byte.is_ascii_digit()) && is_plain(rest)
        })
    };
    let mut pieces = text.split('[');
    text.len() <= LONGEST
        && text.starts_with(char::is_alphanumeric)
        && pieces.next().is_some_and(is_plain)
        && pieces.all(is_item)
}
