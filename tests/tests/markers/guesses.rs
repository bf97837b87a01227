//! What somebody writes who guesses at the secrets of another layer: documents, variables and files with the guess in every place.

use crate::{
    layout::printed,
    outputs::written,
    places::{Markers, around, broken, is_plain, mistaken, places},
    search::Secretive,
};
use flux::Format;
use serde_json::{Value, json};

/// Who guesses, and from where.
pub(crate) struct Guesser {
    pub(crate) markers: Markers,
    /// What the other layer has, if the guess is right.
    pub(crate) guesses: Vec<String>,
    /// A layer above that of the secrets: it sees which of its guesses at their places changes something, as page "Security" says, and
    /// has none there.
    pub(crate) is_above: bool,
    /// Whether a guess may be the whole value of a secret. Where the other layer no longer sets that, it is in effect, and whether that is
    /// a change is seen, as the page says.
    pub(crate) is_whole: bool,
}

impl Guesser {
    /// A secret of the other layer as it is, in an encoding, or a piece of it.
    pub(crate) fn guess(&mut self) -> String {
        let at = self.markers.below(self.guesses.len());
        let guess = self.guesses[at].clone();
        match self.markers.below(8) {
            0 => written(&guess, 1 + self.markers.below(5)),
            1 => guess.chars().take(8).collect(),
            2 => format!("see {guess} there"),
            _ => guess,
        }
    }

    /// The guess at the place of a secret.
    fn guessed_secret(&mut self) -> String {
        let guess = self.guess();
        match self.is_whole {
            true => guess,
            false => format!("or {guess}"),
        }
    }

    /// The guess in a form in which a value may have it.
    fn value(&mut self) -> Value {
        let guess = self.guess();
        match self.markers.below(8) {
            0 => json!([guess]),
            1 => json!({"a": guess}),
            2 => json!({ guess: 1 }),
            3 => json!([{"key": guess}, guess]),
            4 => guess
                .parse::<u64>()
                .map_or(json!(guess), |digits| json!(digits)),
            _ => json!(guess),
        }
    }

    /// A document with guesses, as a value.
    pub(crate) fn good<C: Secretive>(&mut self) -> Value {
        let mut value = C::good(&mut self.markers, 80);
        if self.is_above {
            only_plain(&mut value, "");
        }
        let mut all = Vec::new();
        places(&value, "", &mut all);
        all.push("/password".to_owned());
        for _ in 0..1 + self.markers.below(4) {
            let place = all[self.markers.below(all.len())].clone();
            if self.is_above && !is_plain(&place) {
                continue;
            }
            // A whole section of guesses has entries where a secret map may be, see below.
            let is_leaf = value.pointer(&place).is_some_and(|one| !one.is_object());
            let guess = match is_leaf || is_plain(&place) {
                true if is_plain(&place) => self.value(),
                true => json!(self.guessed_secret()),
                false => continue,
            };
            if let Some(slot) = value.pointer_mut(&place) {
                *slot = guess;
            }
        }
        if self.markers.one_in(3) {
            self.unknown(&mut value, &all);
        }
        value
    }

    /// Adds a key that no field has, or an entry. An entry of a secret map shows whether another layer has it as well, as page "Security"
    /// says: there is none.
    fn unknown(&mut self, value: &mut Value, all: &[String]) {
        let (guess, what) = (self.guess(), self.value());
        let key = match self.markers.below(4) {
            0 => "passwrod".to_owned(),
            1 => "zzz".to_owned(),
            _ => guess,
        };
        let place = all[self.markers.below(all.len())].clone();
        let Some((map, _)) = place.rsplit_once('/') else {
            return;
        };
        let is_open = map.is_empty() || is_plain(map) || !self.is_above && is_section(map);
        if is_open && let Some((map, _)) = around(value, &place) {
            map.insert(key, what);
        }
    }

    /// A document with guesses; in one of four it is wrong in another way as well.
    pub(crate) fn document<C: Secretive>(&mut self, format: Format) -> String {
        let mut value = self.good::<C>();
        if !self.is_above && self.markers.one_in(4) {
            value = mistaken(&mut self.markers, value);
        }
        let text = printed(&value, format, &mut self.markers);
        let text = text.unwrap_or_else(|| format!("password = {:?}\n", self.guess()));
        match self.markers.one_in(4) {
            true => {
                let guess = self.guess();
                broken(&mut self.markers, text, &guess)
            }
            false => text,
        }
    }

    /// Variables of this prefix.
    pub(crate) fn variables<C: Secretive>(&mut self, prefix: &str) -> Vec<(String, String)> {
        let mut all = Vec::new();
        for _ in 0..1 + self.markers.below(4) {
            let (name, value) = C::variable(&mut self.markers);
            let is_open = name.contains("_OPEN_") || name == "APP_PORT";
            if self.is_above && !is_open {
                continue;
            }
            let name = name.replacen("APP_", prefix, 1);
            let value = match self.markers.below(4) {
                0 => value,
                1 if is_open => self.value().to_string(),
                _ => self.guessed_secret(),
            };
            all.push((name, value));
        }
        if self.markers.one_in(3) {
            let guess = self.guess();
            let name: String = guess.chars().filter(char::is_ascii_alphanumeric).collect();
            let (name, value) = match self.markers.below(3) {
                0 => (format!("{prefix}{}", name.to_uppercase()), "1".to_owned()),
                1 => (format!("{prefix}PASSWROD"), guess),
                _ => (format!("{prefix}PORT_{}", name.to_uppercase()), guess),
            };
            all.push((name, value));
        }
        all.sort();
        all.dedup_by(|one, other| one.0 == other.0);
        all
    }

    /// Names and contents of the files of a folder.
    pub(crate) fn files<C: Secretive>(&mut self) -> Vec<(String, Vec<u8>)> {
        let value = self.good::<C>();
        let entries = value.as_object().into_iter().flatten();
        let is_name = |name: &str| {
            !name.is_empty()
                && !name.starts_with('.')
                && name.len() < 200
                && !name.contains(['/', '\0'])
        };
        let mut all: Vec<_> = entries
            .filter(|(name, _)| is_name(name))
            .map(|(name, value)| {
                let text = value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned);
                (name.clone(), text.into_bytes())
            })
            .collect();
        all.retain(|_| !self.markers.one_in(3));
        if self.markers.one_in(2) {
            let guess = self.guess();
            let bytes = match self.markers.below(3) {
                0 => b"\xff\xfe".to_vec(),
                1 => Vec::new(),
                _ => guess.clone().into_bytes(),
            };
            let name = match self.markers.below(3) {
                0 if !self.is_above => format!("tenants.{guess}.slots"),
                1 => format!("port.{guess}"),
                _ => guess,
            };
            if is_name(&name) {
                all.push((name, bytes));
            }
        }
        all.dedup_by(|one, other| one.0 == other.0);
        all
    }
}

impl Guesser {
    /// Files of a folder with names in order; now and then a name is a guess, and its content no text.
    pub(crate) fn drop_ins<C: Secretive>(&mut self) -> Vec<(String, Vec<u8>)> {
        let mut all = vec![("10.yaml".to_owned(), self.document::<C>(Format::Yaml))];
        if self.markers.one_in(2) {
            all.push(("20.yaml".to_owned(), self.document::<C>(Format::Yaml)));
        }
        let mut all: Vec<_> = all
            .into_iter()
            .map(|(name, text)| (name, text.into_bytes()))
            .collect();
        if self.markers.one_in(2) {
            let name = format!("{}.yaml", self.guess().replace(['/', '\0'], "-"));
            let bytes = match self.markers.below(3) {
                0 => b"\xff\xfe".to_vec(),
                1 => b"port: [".to_vec(),
                _ => self.document::<C>(Format::Yaml).into_bytes(),
            };
            if name.len() < 200 && !name.starts_with('.') {
                all.push((name, bytes));
            }
        }
        all
    }

    /// Words of a command line.
    pub(crate) fn words(&mut self) -> Vec<String> {
        let mut all = Vec::new();
        for _ in 0..1 + self.markers.below(3) {
            let guess = self.guess();
            match self.markers.below(7) {
                0 => all.extend(["--port".to_owned(), guess]),
                1 => all.push(format!("--port={guess}")),
                2 => all.extend(["--set".to_owned(), format!("port={guess}")]),
                3 => all.extend(["--set".to_owned(), format!("{guess}=1")]),
                4 => all.push(format!("--{guess}")),
                5 => all.push(format!("--pasword={guess}")),
                _ => all.push(guess),
            }
        }
        all
    }
}

/// Whether fields of a config type are in the map, and no entries of a secret.
fn is_section(map: &str) -> bool {
    const SECTIONS: [&str; 6] = ["vault", "inner", "tenants", "spare", "t1", "t2"];
    let name = map.rsplit('/').next().unwrap_or_default();
    SECTIONS.contains(&name) || name.starts_with("part_")
}

/// Takes away what is not in a place that all may see.
fn only_plain(value: &mut Value, at: &str) {
    match value {
        Value::Object(entries) => entries.retain(|key, value| {
            let at = format!("{at}/{key}");
            if is_plain(&at) {
                return true;
            }
            only_plain(value, &at);
            matches!(value, Value::Object(entries) if !entries.is_empty())
        }),
        _ => *value = Value::Null,
    }
}
