//! Which argument of the command line means which path, and what is wrong with what was typed.

use super::{
    Arguments,
    names::{HELP, HELP_SHORT, KnownArgument, SET, form_of, may_be_typed, plain},
    slips::Slips,
    suggest::suggestion,
};
use crate::{
    document::AskedForm,
    problem::{Dotted, Fix, Flaw, KeyPath, ProblemKind, Seg, What},
    report::{ARGUMENTS, ArgumentPlace, Entry},
    schema::{self, Field, Kind, Outdated},
    source::{
        DecodeTree,
        environment::step::{PathStep, path_of},
    },
};
use std::ffi::OsString;

/// One value that was typed.
pub(super) struct TypedValue {
    pub(super) place: ArgumentPlace,
    pub(super) steps: Vec<PathStep>,
    pub(super) form: Option<AskedForm>,
    pub(super) text: String,
}

/// Reads a command line.
pub(super) struct CommandLine<'a, L> {
    pub(super) fields: &'static [Field],
    pub(super) decode: DecodeTree<L>,
    pub(super) known: &'a [KnownArgument],
    pub(super) words: &'a [OsString],
    /// Whether the words are the command line, whose places are reported.
    has_places: bool,
    /// How many of the words were looked at.
    at: usize,
    pub(super) values: Vec<TypedValue>,
    pub(super) wrong: Vec<Entry>,
    /// Names and keys of earlier versions.
    pub(super) outdated: Vec<Entry>,
    /// What must not be printed.
    pub(super) secrets: Vec<String>,
    slips: Slips,
    pub(super) asks_for_help: bool,
}

impl<'a, L> CommandLine<'a, L> {
    pub(super) fn read(
        fields: &'static [Field],
        decode: DecodeTree<L>,
        known: &'a [KnownArgument],
        arguments: &Arguments,
        words: &'a [OsString],
    ) -> Self {
        let mut line = CommandLine {
            fields,
            decode,
            known,
            words,
            has_places: arguments.have_places(),
            at: 0,
            values: Vec::new(),
            wrong: Vec::new(),
            outdated: Vec::new(),
            secrets: Vec::new(),
            slips: Slips::of(fields, known),
            asks_for_help: false,
        };
        line.words();
        line
    }

    fn words(&mut self) {
        let mut has_names = true;
        // What follows an argument that is not known may be its value.
        let mut after_unknown = false;
        while let Some(word) = self.words.get(self.at) {
            self.at += 1;
            let Some(text) = word.to_str() else {
                self.not_unicode(word);
                continue;
            };
            let is_named = has_names && text.starts_with('-') && text != "-";
            let follows_unknown = std::mem::take(&mut after_unknown);
            match text.strip_prefix("--") {
                Some("") if is_named => has_names = false,
                Some(long) if is_named => after_unknown = !self.long(long),
                None if is_named => after_unknown = !self.shorts(&text[1..]),
                _ if follows_unknown => self.slips.word(),
                _ => self.word(),
            }
        }
    }

    fn place(&self, name: String) -> ArgumentPlace {
        let position = self.has_places.then_some(self.at);
        ArgumentPlace { name, position }
    }

    fn refuse(&mut self, place: ArgumentPlace, path: Vec<Seg>, kind: ProblemKind, text: String) {
        let what = What::plain(kind, text);
        let entry = Entry::new(ARGUMENTS, Flaw { path, what });
        self.wrong.push(entry.argument(Some(place)));
    }

    fn not_unicode(&mut self, word: &OsString) {
        let lossy = word.to_string_lossy();
        let name = lossy.split_once('=').map_or("", |(name, _)| name);
        let long = name.strip_prefix("--");
        let known = long.and_then(|long| self.find(&plain(long)));
        let is_shown = match (known, long) {
            (Some(known), _) => {
                self.slips.read(&path_of(&known.steps), true);
                true
            }
            (None, Some(long)) => self.slips.hides(long).is_none(),
            (None, None) => {
                self.slips.word();
                // What is behind the letter may be the value.
                name.starts_with('-') && name.chars().count() == 2
            }
        };
        let name = match is_shown {
            true => name.to_owned(),
            false => String::new(),
        };
        let text = "is not valid Unicode".to_owned();
        self.refuse(
            self.place(name),
            Vec::new(),
            ProblemKind::InvalidValue,
            text,
        );
    }

    fn word(&mut self) {
        let text = "has no name, and is not read: every value belongs to an argument, as in `--name VALUE`; `--help` lists them".to_owned();
        self.nameless(text);
        self.slips.word();
    }

    /// Refuses what is called by its place alone.
    fn nameless(&mut self, text: String) {
        let place = self.place(String::new());
        self.refuse(place, Vec::new(), ProblemKind::UnknownKey, text);
    }

    /// Reads `--name` and its value. Answers whether what follows cannot be its value.
    fn long(&mut self, text: &str) -> bool {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        let place = self.place(format!("--{name}"));
        match (name, value) {
            (HELP, None) => {
                self.asks_for_help = true;
                return true;
            }
            (SET, value) => {
                // Until its path is known.
                self.slips.not_understood();
                self.set(place, value);
                return true;
            }
            _ => {}
        }
        let looked_up = plain(name);
        if let Some(known) = self.find(&looked_up) {
            let outdated = known.outdated(&looked_up, "");
            self.outdated(&place, path_of(&known.steps), outdated);
            self.known(known, place, value);
            return true;
        }
        let negated = looked_up.strip_prefix("no-");
        if let Some(known) = negated.and_then(|name| self.find(name))
            && known.is_switch()
        {
            let outdated = negated.and_then(|name| known.outdated(name, "no-"));
            self.outdated(&place, path_of(&known.steps), outdated);
            match value {
                None => self.put(known, place, "false".to_owned()),
                Some(_) => {
                    let (path, on) = (path_of(&known.steps), known.typed());
                    let text = format!("has no value: `{on}` is true, `{}` is false", place.name);
                    self.refuse(place, path, ProblemKind::InvalidValue, text);
                }
            }
            return true;
        }
        match self.slips.hides(name) {
            Some(why) => self.nameless(why),
            None => {
                let meant = self.unknown(name, place);
                self.slips.read(&meant, value.is_some());
            }
        }
        value.is_some()
    }

    /// Reads `-p 80`, `-p80`, `-p=80`, and switches in one word, `-vq`. Answers whether what follows cannot be its value.
    fn shorts(&mut self, letters: &str) -> bool {
        if self.slips.may_be_a_piece() {
            self.secrets.push(letters.to_owned());
        }
        for (at, letter) in letters.char_indices() {
            let rest = &letters[at + letter.len_utf8()..];
            let place = self.place(format!("-{letter}"));
            if letter == HELP_SHORT {
                self.asks_for_help = true;
                continue;
            }
            let mut known = self.known.iter();
            let Some(known) = known.find(|one| one.short == Some(letter)) else {
                match self.slips.hides(&letter.to_string()) {
                    Some(why) => self.nameless(why),
                    None => {
                        let meant = self.unknown(&format!("-{letter}"), place);
                        self.slips.read(&meant, true);
                        self.slips.short(letters);
                    }
                }
                return !rest.is_empty();
            };
            let value = rest.strip_prefix('=');
            if known.is_switch() && value.is_none() {
                self.put(known, place, "true".to_owned());
                continue;
            }
            let value = value.or((!rest.is_empty()).then_some(rest));
            if let Some(value) = value.filter(|_| self.slips.may_be_a_piece()) {
                self.secrets.push(value.to_owned());
            }
            self.known(known, place, value);
            self.slips.short(letters);
            return true;
        }
        true
    }

    fn outdated(&mut self, place: &ArgumentPlace, path: Vec<Seg>, what: Option<What>) {
        let entry = what.map(|what| Entry::new(ARGUMENTS, Flaw { path, what }));
        let entry = entry.map(|entry| entry.argument(Some(place.clone())));
        self.outdated.extend(entry);
    }

    fn find(&self, name: &str) -> Option<&'a KnownArgument> {
        let is = |one: &&KnownArgument| one.every_name().any(|own| plain(own) == name);
        self.known.iter().find(is)
    }

    fn known(&mut self, known: &KnownArgument, place: ArgumentPlace, value: Option<&str>) {
        let value = match value {
            None if known.is_switch() => Some("true".to_owned()),
            Some(value) => Some(value.to_owned()),
            None => self.next_word(),
        };
        self.slips.read(&path_of(&known.steps), value.is_some());
        match value {
            Some(value) => self.put(known, place, value),
            None => self.without_value(place, path_of(&known.steps)),
        }
    }

    fn without_value(&mut self, place: ArgumentPlace, path: Vec<Seg>) {
        let name = &place.name;
        let text = match name.starts_with("--") {
            true => format!(
                "needs a value: `{name} VALUE`; one that begins with `-` is written `{name}=-VALUE`"
            ),
            false => format!(
                "needs a value: `{name} VALUE`; one that begins with `-` is written `{name}-VALUE`"
            ),
        };
        self.refuse(place, path, ProblemKind::InvalidValue, text);
    }

    /// The next word, where it can be a value: what begins with `-` is an argument, unless it is a number.
    fn next_word(&mut self) -> Option<String> {
        let word = self.words.get(self.at)?.to_str()?;
        let is_value = !word.starts_with('-') || word == "-" || word.parse::<f64>().is_ok();
        self.at += usize::from(is_value);
        is_value.then(|| word.to_owned())
    }

    fn put(&mut self, known: &KnownArgument, place: ArgumentPlace, text: String) {
        self.value(
            place,
            known.steps.clone(),
            known.field.kind,
            known.form,
            text,
        );
    }

    fn value(
        &mut self,
        place: ArgumentPlace,
        steps: Vec<PathStep>,
        kind: Kind,
        form: Option<AskedForm>,
        text: String,
    ) {
        let path = path_of(&steps);
        if schema::is_secret(self.fields, &path) {
            self.secrets.push(text.clone());
        } else if let Some(quoted) = self.slips.quoted(&text) {
            self.secrets.push(quoted.to_owned());
        }
        let field = steps.iter().rev().find_map(|step| match step {
            PathStep::Field(field) => Some(*field),
            _ => None,
        });
        let holds_secrets = kind.table().is_some_and(schema::any_secret);
        if holds_secrets || field.is_some_and(|field| !may_be_typed(field)) {
            let what = match holds_secrets {
                true => "has secrets in it",
                false => "is secret",
            };
            let way = match holds_secrets {
                true => {
                    "set its other fields one by one, with `--set`, and the secrets in another layer"
                }
                false => {
                    "set it in another layer, or name its argument in the code, `#[flux(arg = \"..\")]`, where that is accepted"
                }
            };
            let text = format!(
                "{what}, and everybody on a machine can read the arguments of its processes, so that it is not read from one; {way}"
            );
            return self.refuse(place, path, ProblemKind::InvalidValue, text);
        }
        self.values.push(TypedValue {
            place,
            steps,
            form,
            text,
        });
    }

    /// Reads `--set pool.max_size=20`.
    fn set(&mut self, mut place: ArgumentPlace, value: Option<&str>) {
        let Some(text) = value.map(str::to_owned).or_else(|| self.next_word()) else {
            let text = "needs a path and a value: `--set pool.max_size=20`".to_owned();
            return self.refuse(place, Vec::new(), ProblemKind::InvalidValue, text);
        };
        let (path, value) = match in_two(&text) {
            Some((path, value)) => (path.parse::<KeyPath>(), value),
            None => {
                let text = "has no `=` behind its path: `--set pool.max_size=20`".to_owned();
                return self.refuse(place, Vec::new(), ProblemKind::InvalidValue, text);
            }
        };
        let path = match path {
            Ok(path) if !path.is_empty() => path,
            Ok(_) => {
                let text = "has no path before its `=`: `--set pool.max_size=20`".to_owned();
                return self.refuse(place, Vec::new(), ProblemKind::InvalidValue, text);
            }
            Err(error) => {
                let what = What::plain(ProblemKind::InvalidValue, error.to_string());
                let path = Vec::new();
                let entry = Entry::new(ARGUMENTS, Flaw { path, what });
                self.wrong.push(entry.argument(Some(place)));
                return;
            }
        };
        match follow(self.fields, path.steps()) {
            Ok((steps, kind)) => {
                self.slips.read(path.steps(), true);
                let shown = self.slips.shown(self.fields, path.steps());
                place.name = format!("--{SET} {}", Dotted(&shown));
                let outdated = schema::outdated_step(self.fields, path.steps());
                let outdated = outdated.filter(Outdated::is_name);
                self.outdated(&place, shown, outdated.map(Outdated::of_document));
                let form = form_of(kind, &steps, self.decode);
                self.value(place, steps, kind, form, value.to_owned());
            }
            Err(mut wrong) => {
                wrong.path = self.slips.shown(self.fields, &wrong.path);
                let mut entry = Entry::new(ARGUMENTS, wrong);
                entry = entry.argument(Some(place));
                self.wrong.push(entry);
            }
        }
    }

    /// Answers the path that was meant.
    fn unknown(&mut self, name: &str, place: ArgumentPlace) -> Vec<Seg> {
        let found = suggestion(self.known, name);
        let what = What::plain(ProblemKind::UnknownKey, found.text);
        let path = found.path.clone();
        let fix = found.name.map(|to| Fix::Rename { to });
        let entry = Entry::new(ARGUMENTS, Flaw { path, what }).fix(fix);
        self.wrong.push(entry.argument(Some(place)));
        found.path
    }
}

/// The path and the value of `path=value`; a key in quotes may have a `=`.
fn in_two(text: &str) -> Option<(&str, &str)> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    let equals = text.bytes().position(|byte| {
        match (byte, is_escaped) {
            (b'"', false) => is_quoted = !is_quoted,
            (b'\\', false) => {
                is_escaped = is_quoted;
                return false;
            }
            (b'=', _) if !is_quoted => return true,
            _ => {}
        }
        is_escaped = false;
        false
    })?;
    Some((&text[..equals], &text[equals + 1..]))
}

/// The steps of a path, and what is behind them.
fn follow(fields: &'static [Field], path: &[Seg]) -> Result<(Vec<PathStep>, Kind), Flaw> {
    let (mut steps, mut table) = (Vec::new(), Some(fields));
    // Of the document as a whole; the path has a step.
    let mut kind = Kind::Leaf;
    for (at, seg) in path.iter().enumerate() {
        let wrong = |what: What| Flaw {
            path: path[..=at].to_vec(),
            what,
        };
        let unlike = |text: &str| wrong(What::plain(ProblemKind::UnknownKey, text));
        let step = match (table, kind, seg) {
            (Some(table), _, Seg::Key(key)) => {
                let Some((field, inner)) = schema::step(table, key) else {
                    let near = schema::nearest(table, key);
                    return Err(wrong(What::Unknown(near)));
                };
                kind = inner;
                match field.flatten {
                    // A flattened map takes the key.
                    true => PathStep::Entry(key.to_string()),
                    false => PathStep::Field(field),
                }
            }
            (None, Kind::List(item), Seg::Index(index)) => {
                kind = *item;
                PathStep::Item(*index)
            }
            (None, Kind::Map(entry), Seg::Key(key)) => {
                kind = *entry;
                PathStep::Entry(key.to_string())
            }
            (None, Kind::Leaf, Seg::Key(key)) => PathStep::Entry(key.to_string()),
            (None, Kind::Leaf, Seg::Index(index)) => PathStep::Item(*index),
            (Some(_), ..) => return Err(unlike("is an item, and a section has none")),
            (None, Kind::List(_), _) => {
                return Err(unlike("is a key, and a list has items: `list[0]`"));
            }
            (None, ..) => return Err(unlike("is an item, and a map has entries: `map.key`")),
        };
        steps.push(step);
        table = match kind {
            Kind::Section(inner) => Some(inner()),
            _ => None,
        };
    }
    Ok((steps, kind))
}
