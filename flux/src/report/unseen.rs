//! Which parts of a line are left out because they are in a value of a type of the program, whose secrets no table has.

use super::snippet::{WIDEST, covered};
use crate::{
    document::{Document, NodeContent, NodeId},
    schema::{self, Field, Kind},
};
use std::collections::{HashMap, HashSet};

/// The scalars in lists and maps that are values of types of the program. Lines and columns are counted from 1.
#[derive(Default)]
pub(super) struct UnseenValues {
    /// By the line: the columns in which each begins and ends.
    on_line: HashMap<usize, Vec<(usize, usize)>>,
    /// Whether one that begins on a line before goes on in a line, counted from 0.
    goes_on: Vec<bool>,
}

/// How many characters of a line are read for each problem on it: a document may be one line, and have hundreds of problems.
pub(super) const READ: usize = 3 * WIDEST;

/// What is written in the place of what is left out.
pub(super) const LEFT_OUT: char = '…';

impl UnseenValues {
    /// Those of a document of so many lines; none where no type of the program is a value.
    pub(super) fn of(fields: &'static [Field], document: &Document<'_>, lines: usize) -> Self {
        let mut search = UnseenSearch {
            document,
            seen: HashSet::new(),
            nodes: Vec::new(),
        };
        if schema::any_of_the_program(fields) {
            search.section(document.root(), fields);
        }
        let mut values = UnseenValues::default();
        let mut long = Vec::new();
        for node in search.nodes {
            let (line, column) = document.start(node);
            let last = document.last_line(node);
            if last > line {
                long.push((line + 1, last));
            }
            let first = document.source(node).lines().next().unwrap_or_default();
            let length = first.trim_end().chars().count();
            if length > 0 {
                let on_line = values.on_line.entry(line).or_default();
                on_line.push((column, column + length));
            }
        }
        values
            .on_line
            .values_mut()
            .for_each(|all| all.sort_unstable());
        values.goes_on = covered(lines, long.into_iter());
        values
    }

    /// The beginning of a line without them, but for the one that begins in this column, and the column where that begins now, where
    /// it is in what is left of the first [`READ`] characters. None where a value is on it that begins on a line before.
    pub(super) fn masked(
        &self,
        line: &str,
        (number, column): (usize, usize),
    ) -> Option<(String, Option<usize>)> {
        if self.goes_on.get(number - 1) == Some(&true) {
            return None;
        }
        let left_out = self.on_line.get(&number).into_iter().flatten();
        let mut left_out = left_out.filter(|(from, _)| *from != column).peekable();
        let (mut masked, mut length, mut now) = (String::new(), 0, None);
        let mut read = 0;
        for (at, one) in (1..=READ).zip(line.chars()) {
            if length > WIDEST {
                break;
            }
            read = at;
            while left_out.next_if(|(_, to)| *to <= at).is_some() {}
            let from = left_out.peek().map(|(from, _)| *from);
            let from = from.filter(|from| *from <= at);
            if from.is_none_or(|from| from == at) {
                masked.push(if from.is_some() { LEFT_OUT } else { one });
                length += 1;
            }
            if at == column {
                now = Some(length);
            }
        }
        // A place may be just behind the last character.
        if column == read + 1 {
            now = Some(length + 1);
        }
        Some((masked, now))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.on_line.is_empty()
    }
}

struct UnseenSearch<'d, 't> {
    document: &'d Document<'t>,
    seen: HashSet<NodeId>,
    nodes: Vec<NodeId>,
}

impl UnseenSearch<'_, '_> {
    fn section(&mut self, id: NodeId, table: &'static [Field]) {
        // A node behind many aliases is looked at once.
        if !self.seen.insert(self.document.resolved(id)) {
            return;
        }
        for entry in self.document.entries(id) {
            if let Some((field, kind)) = schema::step(table, self.document.key(entry.key)) {
                self.kind(entry.value, field, kind);
            }
        }
    }

    fn kind(&mut self, id: NodeId, field: &'static Field, kind: Kind) {
        match kind {
            Kind::Section(inner) => self.section(id, inner()),
            Kind::List(item) | Kind::Map(item) => {
                let document = self.document;
                match &document.node(id).content {
                    NodeContent::List(items) => {
                        items.iter().for_each(|id| self.kind(*id, field, *item));
                    }
                    NodeContent::Map(entries) => {
                        let values = entries.iter().map(|entry| entry.value);
                        values.for_each(|id| self.kind(id, field, *item));
                    }
                    _ => {}
                }
            }
            Kind::Leaf if field.is_of_the_program() => {
                let has_parts = !matches!(self.document.node(id).content, NodeContent::Scalar(_));
                if has_parts {
                    self.value(id);
                }
            }
            Kind::Leaf => {}
        }
    }

    fn value(&mut self, id: NodeId) {
        let document = self.document;
        let mut open = vec![id];
        while let Some(id) = open.pop() {
            let resolved = document.resolved(id);
            if resolved != id {
                self.nodes.push(id);
            }
            if !self.seen.insert(resolved) {
                continue;
            }
            match &document.node(resolved).content {
                NodeContent::List(items) => open.extend(items),
                NodeContent::Map(entries) => {
                    // A value whose own key or colon was forgotten is a key.
                    let lost = entries.iter().filter(|entry| document.is_lost_entry(entry));
                    self.nodes.extend(lost.map(|entry| entry.key));
                    open.extend(entries.iter().map(|entry| entry.value));
                }
                NodeContent::Scalar(_) | NodeContent::Alias(_) => self.nodes.push(resolved),
            }
        }
    }
}

#[cfg(test)]
#[cfg(all(
    feature = "derive",
    feature = "yaml",
    feature = "json",
    feature = "toml"
))]
mod tests {
    use crate::{Capacitor, Format, Source, source::Channel};
    use secrecy::SecretBox;
    use serde::Deserialize;

    /// A type of this name holds a secret.
    mod secrecy {
        #[derive(Clone)]
        pub(super) struct SecretBox<T>(pub(super) T);

        impl<'de, T: serde::Deserialize<'de>> serde::Deserialize<'de> for SecretBox<T> {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                T::deserialize(d).map(SecretBox)
            }
        }
    }

    #[derive(Clone, Deserialize)]
    struct CredentialsOfValues {
        #[serde(rename = "user")]
        _user: String,
        #[serde(rename = "password")]
        _password: Option<SecretBox<String>>,
        #[serde(rename = "port")]
        _port: u16,
    }

    #[derive(flux_derive::Flux)]
    #[flux(crate = crate)]
    struct WithCredentials {
        #[flux(opaque)]
        #[allow(dead_code, reason = "no test reads it")]
        #[serde(alias = "many")]
        creds: Vec<CredentialsOfValues>,
        #[flux(default = 1)]
        size: u8,
    }

    async fn report(format: Format, document: &str) -> String {
        let (sender, channel) = Channel::buffered("app", 4);
        let source = Source::watcher(channel).format(format);
        let capacitor = Capacitor::<WithCredentials>::builder()
            .source(source)
            .build()
            .unwrap();
        sender.send(document.as_bytes().to_vec()).await.unwrap();
        capacitor.start().await.unwrap_err().to_string()
    }

    #[tokio::test]
    async fn a_line_of_a_value_of_the_program_shows_the_wrong_part_alone() {
        for (format, document, shown) in [
            (
                Format::Yaml,
                "creds: [{user: u, password: hunter22, port: none}] # hunter22",
                Some(
                    "1 | creds: [{user: …, password: …, port: none}]\n      |                                      ^",
                ),
            ),
            (
                Format::Json,
                r#"{"creds": [{"port": "none", "password": "hunter22", "user": "u"}]}"#,
                Some(r#"1 | {"creds": [{"port": "none", "password": …, "user": …}]}"#),
            ),
            (
                Format::Toml,
                "creds = [{user = 'u', password = 'hunter22', port = 'none'}]",
                Some("1 | creds = [{user = …, password = …, port = 'none'}]"),
            ),
            (
                Format::Yaml,
                "creds:\n- user: u\n  password: hunter22\n  port: none",
                Some("4 |   port: none"),
            ),
            // A comment may hold what was the secret yesterday.
            #[cfg(feature = "jsonc")]
            (
                Format::Jsonc,
                r#"{"creds": [/* hunter22 é */ {"port": /* é */ "none", "password": "hunter22",}]} // hunter22"#,
                Some(
                    "1 | {\"creds\": [                 {\"port\":         \"none\", \"password\": …,}]}\n      |                                              ^",
                ),
            ),
            #[cfg(feature = "json5")]
            (
                Format::Json5,
                "{creds: [/* hunter22 */ {port: 'none', password: 'hunter22'}]} // hunter22",
                Some("1 | {creds: [               {port: 'none', password: …}]}"),
            ),
            // What is missing is in none of the parts.
            (
                Format::Yaml,
                "creds: [{user: u, password: hunter22}]",
                Some("1 | creds: [{user: …, password: …}]"),
            ),
            // A value beside it.
            (
                Format::Yaml,
                "{creds: [{user: u, password: hunter22, port: 1}], size: none}",
                Some("password: …, port: …}], size: none}"),
            ),
            (
                Format::Yaml,
                "creds: [{user: u, password: 'hunter22\n  hunter22', port: none}]",
                None,
            ),
        ] {
            let report = report(format, document).await;
            assert!(!report.contains("hunter22"), "{document}:\n{report}");
            let shown = shown.unwrap_or_default();
            assert!(report.contains(shown), "{document}:\n{report}");
        }
    }

    #[tokio::test]
    async fn what_is_far_to_the_right_of_values_of_the_program_has_its_place_and_no_line() {
        let secret = "hunter22".repeat(200);
        let problems = "\"none\",".repeat(3);
        let document = format!(
            r#"{{"creds": [{{"user": "u", "password": "{secret}", "port": "none"}}], "size": [{problems} 1]}}"#
        );
        let report = report(Format::Json, &document).await;
        assert!(report.contains("app:1:1650"), "{report}");
        assert!(!report.contains(" | "), "{report}");
        assert!(!report.contains("hunter22"), "{report}");
    }

    #[tokio::test]
    async fn a_secret_by_its_type_in_a_value_of_the_program_is_not_quoted_where_it_is_wrong() {
        for (format, document) in [
            (
                Format::Yaml,
                "creds:\n- user: u\n  password: [hunter22]\n  port: 1",
            ),
            (
                Format::Json,
                r#"{"creds": [{"user": "u", "password": 1234567, "port": 1}]}"#,
            ),
            (
                Format::Toml,
                "creds = [{user = 'u', password = 1234567, port = 1}]",
            ),
        ] {
            let report = report(format, document).await;
            let is_shown = ["hunter22", "1234567"]
                .iter()
                .any(|one| report.contains(one));
            assert!(!is_shown, "{document}:\n{report}");
            assert!(
                report.contains("expected a string; what was found is secret"),
                "{report}"
            );
        }
    }
}
