//! Documents and variables with a marker in the place of every secret, and what goes wrong with them.

use serde_json::{Map, Value, json};

/// The default that code of the program makes.
pub(crate) const MADE: &str = "zqm4d3byc0d3qz";

/// Chance, and every secret that came of it.
pub(crate) struct Markers {
    state: u64,
    /// The same chance makes other secrets, alike in length and in kind of characters.
    pub(crate) are_others: bool,
    /// Every secret as it was made.
    pub(crate) secrets: Vec<String>,
    /// What must not be found: runs of characters that no other text has.
    pub(crate) runs: Vec<String>,
    /// What the program was given.
    pub(crate) documents: Vec<String>,
}

impl Markers {
    pub(crate) fn new(seed: u64) -> Self {
        Markers {
            state: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1,
            are_others: false,
            secrets: Vec::new(),
            runs: vec![MADE.to_owned()],
            documents: Vec::new(),
        }
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state >> 11) as usize % bound
    }

    pub(crate) fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    fn run(&mut self) -> String {
        const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJ";
        // Nothing that is read as a number.
        let mut run = "zq".to_owned();
        run.extend((0..8).map(|_| {
            let letter = char::from(LETTERS[self.below(LETTERS.len())]);
            self.made(letter)
        }));
        self.runs.push(run.to_lowercase());
        run
    }

    /// A secret, with something in its middle that formats and terminals treat in their own way.
    pub(crate) fn text(&mut self) -> String {
        const MIDDLES: [&str; 14] = [
            "",
            "",
            "",
            "\"",
            "'",
            "\\",
            "\n",
            ": ",
            " #",
            "{",
            "é",
            "\u{1b}[2J",
            "%",
            "🔑",
        ];
        let middle = MIDDLES[self.below(MIDDLES.len())];
        let text = format!("{}{middle}{}", self.run(), self.run());
        self.secrets.push(text.clone());
        text
    }

    /// A character of a secret, or the one that is in its place in the other secrets.
    fn made(&self, letter: char) -> char {
        let next =
            |first: u8, count: u8, by: u8| char::from(first + (letter as u8 - first + by) % count);
        match letter {
            _ if !self.are_others => letter,
            'a'..='z' => next(b'a', 26, 13),
            'A'..='J' => next(b'A', 10, 5),
            // No other length of a number.
            '1'..='9' => next(b'1', 9, 4),
            _ => letter,
        }
    }

    /// A secret that is a name as well.
    pub(crate) fn name(&mut self) -> String {
        let name = self.run();
        self.secrets.push(name.clone());
        name
    }

    pub(crate) fn number(&mut self) -> u64 {
        let number = 100_000_000_000 + self.below(899_999_999_999) as u64;
        let digits = number.to_string();
        let digits: String = digits.chars().map(|digit| self.made(digit)).collect();
        self.secrets.push(digits.clone());
        let number = digits.parse().unwrap();
        self.runs.push(digits);
        number
    }
}

fn vault(markers: &mut Markers) -> Value {
    json!({
        "key": markers.text(),
        "inner": {"key": markers.text(), "port": 1},
        "slots": 3,
    })
}

/// A good document with a secret wherever there may be one.
pub(crate) fn good(markers: &mut Markers, port: u16) -> Value {
    let login = match markers.one_in(2) {
        true => json!({"Token": markers.text()}),
        false => json!({"User": {"name": markers.text(), "key": markers.text()}}),
    };
    let mut map = json!({"a": markers.text()});
    if markers.one_in(3) {
        map[markers.name()] = markers.text().into();
    }
    let mut all = json!({
        "password": markers.text(),
        "pin": markers.number(),
        "list": [markers.text(), markers.text()],
        "map": map,
        "login": login,
        "any": {"deep": [markers.text(), {"key": markers.text()}]},
        "sealed": markers.text(),
        "wrapped": [markers.text()],
        "vault": vault(markers),
        "tenants": {"t1": vault(markers), "t2": vault(markers)},
        "replicas": [vault(markers)],
        "groups": {"g": [vault(markers)]},
        "spare": vault(markers),
        "flat_key": markers.text(),
        "flat_port": 5,
        "port": port,
        "host": "h",
        "mode": "low",
        "labels": {"x": 1},
        "window": "5s",
    });
    // Not every document has everything.
    for key in [
        "pin", "list", "map", "login", "any", "tenants", "replicas", "groups", "spare",
    ] {
        if markers.one_in(4)
            && let Some(entries) = all.as_object_mut()
        {
            entries.remove(key);
        }
    }
    all
}

/// Every place of the document but that of the password, which stays known.
pub(crate) fn places(value: &Value, at: &str, all: &mut Vec<String>) {
    let mut below = |key: String, value: &Value| {
        let at = format!("{at}/{key}");
        if at != "/password" {
            all.push(at.clone());
            places(value, &at, all);
        }
    };
    match value {
        Value::Object(entries) => entries
            .iter()
            .for_each(|(key, value)| below(key.clone(), value)),
        Value::Array(items) => {
            (items.iter().enumerate()).for_each(|(i, value)| below(i.to_string(), value))
        }
        _ => {}
    }
}

/// Fields that are no secrets.
const PLAIN: [&str; 7] = [
    "port",
    "slots",
    "flat_port",
    "host",
    "mode",
    "labels",
    "window",
];

/// Whether the place is that of a field which is no secret.
pub(crate) fn is_plain(place: &str) -> bool {
    let names = || place.split('/');
    let is_in = |name: &str| names().any(|one| one == name);
    let is_open =
        PLAIN.iter().any(|name| is_in(name)) || names().any(|one| one.starts_with("open_"));
    is_open && !["map", "any", "login"].iter().any(|name| is_in(name))
}

fn misspelt(markers: &mut Markers, key: &str) -> String {
    let mut letters: Vec<char> = key.chars().collect();
    if letters.is_empty() {
        return "s".to_owned();
    }
    let at = markers.below(letters.len());
    match markers.below(5) {
        0 => {
            letters.remove(at);
        }
        1 => letters.insert(at, 'x'),
        2 if at > 0 => letters.swap(at - 1, at),
        3 => return key.to_uppercase(),
        _ => letters.push('s'),
    }
    letters.into_iter().collect()
}

/// The map that contains the place, and its key there.
pub(crate) fn around<'v>(
    value: &'v mut Value,
    place: &str,
) -> Option<(&'v mut Map<String, Value>, String)> {
    let (map, key) = place.rsplit_once('/')?;
    Some((value.pointer_mut(map)?.as_object_mut()?, key.to_owned()))
}

/// What a name begins with that has no key.
pub(crate) const LOST: &str = "lost-key-";

/// Does one thing to the document that is a mistake, in most cases.
pub(crate) fn mistaken(markers: &mut Markers, mut value: Value) -> Value {
    let mut all = Vec::new();
    places(&value, "", &mut all);
    if all.is_empty() {
        // Earlier mistakes took everything away.
        return value;
    }
    let place = all[markers.below(all.len())].clone();
    let twin = value["password"].clone();
    // What is not secret is shown by recordings and explanations, whatever it is: they go by places. That reports do not show it where it
    // is a secret of the same layer, the other programs show.
    let other = match markers.below(9) {
        0..5 | 8 if is_plain(&place) => json!(["plain"]),
        0 | 1 => twin.clone(),
        2 => json!([twin]),
        3 => json!({"a": twin}),
        4 => json!({"password": twin}),
        5 => json!(70_000),
        6 => json!(true),
        7 => Value::Null,
        // The key was forgotten: a name alone in braces, in YAML.
        _ => json!(format!("{LOST}{}", markers.name())),
    };
    match markers.below(6) {
        0..3 => {
            if let Some(slot) = value.pointer_mut(&place) {
                *slot = other;
            }
        }
        3 => {
            if let Some((map, key)) = around(&mut value, &place)
                && let Some(entry) = map.remove(&key)
            {
                let key = misspelt(markers, &key);
                map.insert(key, entry);
            }
        }
        // A map that is no secret is shown with whatever keys it has.
        4 if !place.rsplit_once('/').is_some_and(|(map, _)| is_plain(map)) => {
            const KEYS: [&str; 7] = [
                "passwrod", "kye", "tokn", "secret", "zzz", "flat_kay", "Password",
            ];
            let key = KEYS[markers.below(KEYS.len())].to_owned();
            let unknown = match markers.below(4) {
                0 => json!([markers.text()]),
                1 => json!({"deep": {"deeper": markers.text()}}),
                2 => json!(markers.number()),
                _ => json!(markers.text()),
            };
            if let Some((map, _)) = around(&mut value, &place) {
                map.insert(key, unknown);
            }
        }
        _ => {
            if let Some((map, key)) = around(&mut value, &place) {
                map.remove(&key);
            }
        }
    }
    value
}

/// A mistake in the text of a document.
pub(crate) fn broken(markers: &mut Markers, text: String, twin: &str) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    let at = markers.below(letters.len().max(1));
    let lines = || text.lines().map(str::to_owned).collect::<Vec<_>>();
    match markers.below(6) {
        0 => letters.truncate(at),
        1 if !letters.is_empty() => {
            // A comment without its end takes the keys up to the next one into itself: what follows is the value of another field, and
            // may well be one that is shown.
            let of_comment = |at: usize| letters.get(at..at + 2) == Some(&['*', '/']);
            let of_either = of_comment(at) || at > 0 && of_comment(at - 1);
            if !of_either {
                letters.remove(at);
            }
        }
        2 => {
            const SIGNS: [char; 12] = [
                '"', '\'', '{', '}', '[', ']', ':', ',', '#', '\t', '=', '\\',
            ];
            letters.insert(at, SIGNS[markers.below(SIGNS.len())]);
        }
        3 => {
            let mut lines = lines();
            let at = markers.below(lines.len().max(1)).min(lines.len());
            let mut twice = lines.get(at).cloned().unwrap_or_default();
            // A line that ends a map with secrets and begins one without would put them where all is shown, in recordings too.
            let has_open = PLAIN.iter().any(|name| twice.contains(name)) || twice.contains("open_");
            if has_open
                && markers
                    .runs
                    .iter()
                    .any(|run| twice.to_lowercase().contains(run))
            {
                twice.clear();
            }
            lines.insert(at, twice);
            return lines.join("\n");
        }
        4 => {
            let mut lines = lines();
            let at = markers.below(lines.len().max(1)).min(lines.len());
            lines.insert(at, format!("# the password was {}", twin.escape_debug()));
            return lines.join("\n");
        }
        _ => {
            let mut lines = lines();
            let at = markers.below(lines.len().max(1)).min(lines.len());
            lines.insert(at, format!("}}{{ {}", twin.escape_debug()));
            return lines.join("\n");
        }
    }
    letters.into_iter().collect()
}

/// A variable of [`Deep`](crate::deep::Deep), in one of the forms that there are.
pub(crate) fn variable(markers: &mut Markers) -> (String, String) {
    let text = markers.text();
    let (name, value) = match markers.below(19) {
        0 => ("APP_PIN", markers.number().to_string()),
        1 => ("APP_PIN", text),
        2 => ("APP_LIST", format!("{},{}", markers.name(), markers.name())),
        3 => ("APP_LIST", json!([text]).to_string()),
        4 => ("APP_LIST", format!("[\"{}", markers.name())),
        5 => ("APP_MAP", format!("a={}", markers.name())),
        6 => ("APP_MAP", json!({"a": text}).to_string()),
        7 => ("APP_MAP", format!("{{a={}", markers.name())),
        8 => ("APP_MAP", markers.name()),
        9 => ("APP_MAP_A", text),
        10 => ("APP_VAULT_KEY", text),
        11 => ("APP_VAULT_INNER_KEY", text),
        12 => ("APP_VAULT", json!({"key": text}).to_string()),
        13 => ("APP_TENANTS_T1_KEY", text),
        14 => ("APP_PASSWROD", text),
        15 => ("APP_VAULT_KYE", text),
        16 => ("APP_LOGIN", json!({"Token": text}).to_string()),
        17 => ("APP_REPLICAS", format!("[{{key={}}}]", markers.name())),
        _ => ("APP_PORT", "x".to_owned()),
    };
    (name.to_owned(), value)
}
