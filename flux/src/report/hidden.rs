//! What of a document is secret: the nodes that must not be shown, and their texts.

use crate::{
    document::{Document, NodeContent, NodeId, Pair, ResolvedKind},
    schema::{self, Cursor, Field, SecretPlaces},
};
use std::collections::HashSet;

/// The nodes that must not be shown.
pub(super) struct HiddenNodes {
    /// Secrets, whatever is in them, and what may be one.
    pub(super) values: Vec<NodeId>,
    /// Those of them of which it is not known whether they are: under keys that no field has, or in the place of a section.
    unsure: HashSet<NodeId>,
    /// The keys in secrets, whose lines are not shown either; they may be ordinary words, so that texts are not searched for them.
    pub(super) keys: Vec<NodeId>,
    /// The nodes with tags that may be secrets, as in YAML `!secret` is one. A tag is somewhere between the node before and its own.
    pub(super) tagged: Vec<NodeId>,
}

impl HiddenNodes {
    /// The first and the last line of each that is not shown.
    pub(super) fn lines(&self, document: &Document<'_>) -> Vec<(usize, usize)> {
        // An alias, and where its anchor is.
        let nodes = self.values.iter().chain(&self.keys);
        let both = nodes.flat_map(|id| [*id, document.resolved(*id)]);
        let lines = both.map(|id| (document.start(id).0, document.last_line(id)));
        let tagged = self.tagged.iter().map(|id| {
            let before = id.number().checked_sub(1).map(|before| document.id(before));
            let first = before.map_or(1, |before| document.start(before).0);
            (first, document.last_line(*id))
        });
        lines.chain(tagged).collect()
    }
}

/// What must not be shown. None where there is too much to follow.
pub(super) fn hidden(fields: &'static [Field], document: &Document<'_>) -> Option<HiddenNodes> {
    let mut search = Search {
        places: SecretPlaces::of(fields),
        document,
        depth: 0,
        left: document
            .len()
            .saturating_mul(ALIASED)
            .saturating_add(1 << 16),
        found: Vec::new(),
        unsure: Vec::new(),
        keys: Vec::new(),
        tagged: Vec::new(),
    };
    search.node(document.root(), Cursor::Section(fields))?;
    let known: HashSet<NodeId> = search.found.iter().copied().collect();
    let unsure = search.unsure.iter().copied();
    let unsure = unsure.filter(|id| !known.contains(id)).collect();
    search.found.append(&mut search.unsure);
    // An alias leads to what was found before.
    for nodes in [&mut search.found, &mut search.keys, &mut search.tagged] {
        nodes.sort_unstable();
        nodes.dedup();
    }
    Some(HiddenNodes {
        values: search.found,
        unsure,
        keys: search.keys,
        tagged: search.tagged,
    })
}

/// The texts of what must not be shown, but for `true` and `false`, which are in many a sentence.
pub(crate) fn texts(fields: &'static [Field], document: &Document<'_>) -> Option<Vec<String>> {
    let texts = hidden(fields, document).map(|nodes| texts_of(document, &nodes))?;
    Some(texts.into_iter().map(|(_, text)| text).collect())
}

/// What may be a secret, and is shorter, is not looked for elsewhere: it would be found in every address and every number.
const SHORTEST: usize = 4;

/// The texts of these nodes. A text that many aliases lead to is there once, or twice where it is unsure of some that it is a secret.
pub(super) fn texts_of(document: &Document<'_>, nodes: &HiddenNodes) -> Vec<(NodeId, String)> {
    let (mut texts, mut known) = (Vec::new(), HashSet::new());
    for node in &nodes.values {
        let is_unsure = nodes.unsure.contains(node);
        if !known.insert((document.resolved(*node), is_unsure)) {
            continue;
        }
        let mut add = |text: String| {
            if !is_unsure || text.chars().count() >= SHORTEST {
                texts.push((*node, text));
            }
        };
        if let Some(scalar) = document.scalar(*node) {
            if !matches!(scalar.text.as_ref(), "true" | "false") {
                add(scalar.text.to_string());
            }
            if let Some(printed) = document.printed(*node) {
                add(printed);
            }
        }
    }
    texts
}

/// How many times its size a document may have with its aliases followed, before all of it is taken to be secret.
const ALIASED: usize = 16;

/// So many bytes of a key are looked at like a node.
const KEY: usize = 64;

/// Deeper than the formats' decoders go.
const DEEPEST: usize = 160;

struct Search<'d, 't> {
    places: SecretPlaces,
    document: &'d Document<'t>,
    depth: usize,
    /// How many nodes may still be looked at.
    left: usize,
    found: Vec<NodeId>,
    unsure: Vec<NodeId>,
    keys: Vec<NodeId>,
    tagged: Vec<NodeId>,
}

impl Search<'_, '_> {
    fn node(&mut self, id: NodeId, at: Cursor) -> Option<()> {
        self.left = self.left.checked_sub(1)?;
        let document = self.document;
        if document.node(id).tag.is_some() && self.places.is_secret(at) {
            self.tagged.push(document.resolved(id));
        }
        match &document.node(id).content {
            NodeContent::Map(entries) => {
                let is_in_secret = match at {
                    Cursor::Leaf { secret } => secret,
                    // What is below may be a secret, and its keys are a part of it.
                    Cursor::Unknown => self.places.is_secret(at),
                    Cursor::Section(_) | Cursor::Items(..) => false,
                };
                for entry in entries {
                    let key = document.key(entry.key);
                    // A long text may be the key of many, by an alias.
                    self.left = self.left.checked_sub(key.len() / KEY)?;
                    if is_in_secret {
                        self.keys.push(entry.key);
                    }
                    if document.node(entry.key).tag.is_some() {
                        self.tagged.push(document.resolved(entry.key));
                    }
                    if self.is_lost(at, entry) {
                        self.unsure.push(entry.key);
                    }
                    let below = self.places.below(at, Some(key));
                    // A secret that begins with `&` is an anchor in front of nothing.
                    if self.places.is_secret(below) && document.is_anchor_alone(entry) {
                        self.keys.extend([entry.key, entry.value]);
                    }
                    self.below(below, entry.value)?;
                }
            }
            NodeContent::List(items) => {
                let item = self.places.below(at, None);
                for id in items {
                    self.below(item, *id)?;
                }
            }
            NodeContent::Scalar(_) | NodeContent::Alias(_) => {
                let is_null = document.kind(id) == Some(ResolvedKind::Null);
                if !is_null && self.places.is_secret(at) {
                    match at {
                        Cursor::Leaf { .. } => self.found.push(id),
                        _ => self.unsure.push(id),
                    }
                }
            }
        }
        Some(())
    }

    /// Whether the key may be, or contain, a value whose own key or colon was forgotten.
    fn is_lost(&self, at: Cursor, entry: &Pair) -> bool {
        let document = self.document;
        let key = document.key(entry.key);
        match at {
            Cursor::Section(table) => {
                schema::may_be_a_value(table, key, document.is_key_alone(entry))
            }
            Cursor::Items(..) => document.is_lost_entry(entry),
            Cursor::Unknown => schema::separates(key) || document.is_key_alone(entry),
            Cursor::Leaf { .. } => document.is_key_alone(entry),
        }
    }

    fn below(&mut self, at: Cursor, id: NodeId) -> Option<()> {
        if self.depth >= DEEPEST {
            return None;
        }
        self.depth += 1;
        self.node(id, at)?;
        self.depth -= 1;
        Some(())
    }
}

#[cfg(all(test, feature = "yaml"))]
mod tests {
    use super::*;
    use crate::document::Dialect;

    static FIELDS: [Field; 2] = [
        Field::new("password", "PASSWORD").with_secret(),
        Field::new("tokens", "TOKENS").with_secret(),
    ];

    fn parsed(text: &str) -> Document<'_> {
        let document = Document::parse(Dialect::Yaml, text);
        document.unwrap_or_else(|_| panic!("it is followed"))
    }

    #[test]
    fn a_secret_that_many_aliases_lead_to_is_copied_once() {
        let text = format!(
            "password: &p {}\ntokens: [{}]",
            "s".repeat(99),
            "*p,".repeat(99)
        );
        let document = parsed(&text);
        let nodes = hidden(&FIELDS, &document).unwrap();
        assert_eq!(nodes.values.len(), 100);
        assert_eq!(
            texts_of(&document, &nodes),
            [(nodes.values[0], "s".repeat(99))]
        );
    }

    #[test]
    fn every_line_of_a_secret_of_several_lines_is_hidden_and_the_next_one_is_not() {
        static WITH_PORT: [Field; 3] = [
            Field::new("password", "PASSWORD").with_secret(),
            Field::new("tokens", "TOKENS").with_secret(),
            Field::new("port", "PORT"),
        ];
        for text in [
            "password: |\n  one\n  two\nport: 1",
            "password: >-\n  one\n\n  two\n\n\nport: 1",
            "password: |2+\n   one\n  two\n\nport: 1",
            "password: \"one\n  two\"\nport: 1",
            "password: one\n  two\nport: 1",
            "tokens:\n- |\n  one\n  two\n# here\nport: 1",
        ] {
            let document = parsed(text);
            let nodes = hidden(&WITH_PORT, &document).unwrap();
            let ranges = nodes.lines(&document);
            for (at, line) in text.lines().enumerate() {
                let at = at + 1;
                let is_hidden = ranges
                    .iter()
                    .any(|(first, last)| (*first..=*last).contains(&at));
                if line.contains("one") || line.contains("two") {
                    assert!(is_hidden, "{text}: {ranges:?}");
                }
                if line.starts_with("port") {
                    assert!(!is_hidden, "{text}: {ranges:?}");
                }
            }
        }
    }

    #[test]
    fn a_long_key_that_many_aliases_lead_to_ends_the_search() {
        let long = "s".repeat(1 << 16);
        let text = |aliases: usize| format!("a: &p {long}\nb: [{}]", "{*p : 1},".repeat(aliases));
        assert!(hidden(&FIELDS, &parsed(&text(9))).is_some());
        assert!(hidden(&FIELDS, &parsed(&text(9_999))).is_none());
    }

    #[test]
    fn a_key_below_one_that_no_field_has_is_withheld_like_its_value() {
        for text in [
            "paswords: {hunter2:\n  v}",
            "paswords: {? hunter2\n  : v}",
            "paswords: [{hunter2: v}]",
            "paswords: {a: {hunter2: {}}}",
        ] {
            let document = parsed(text);
            let nodes = hidden(&FIELDS, &document).unwrap();
            let keys = nodes.keys.iter().map(|id| document.key(*id));
            assert!(keys.into_iter().any(|key| key == "hunter2"), "{text}");
        }
    }
}
