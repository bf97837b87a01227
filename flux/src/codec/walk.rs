//! Where an unknown key, a key of an earlier version, a key that occurs twice and a date in the place of a section are found: a walk
//! over a document beside the field table.

use super::Unknown;
use crate::{
    document::{Document, NodeContent, NodeId, Pair, ResolvedKind},
    problem::{Flaw, MOST_PATH_BYTES, ProblemKind, Seg, What, collect_errors::MOST, path_bytes},
    schema::{self, Field, Kind, Outdated},
};
use std::collections::HashMap;

/// A problem and its node.
pub(super) struct Spot {
    pub(super) problem: Flaw,
    /// None for the document as a whole.
    pub(super) node: Option<NodeId>,
    /// It is a key that no field has, and the section or the whole source refuses those.
    pub(super) strict: bool,
    /// The key, or another of the same field, was there before.
    pub(super) twice: bool,
}

impl Spot {
    /// Whether the key is what it is about, and not the value.
    pub(super) fn is_of_key(&self) -> bool {
        matches!(self.problem.what, What::Unknown(_) | What::Outdated { .. })
    }

    /// What it refuses.
    pub(super) fn severity(&self) -> Severity {
        match self.problem.what {
            What::Unknown(_) if !self.strict => Severity::Unknown,
            What::Outdated {
                is_removed: false, ..
            } => Severity::Outdated,
            _ => Severity::Refuses,
        }
    }

    /// Whether it refuses nothing: a key that no field has, where such keys are accepted, or one of an earlier version.
    pub(super) fn is_harmless(&self) -> bool {
        self.severity() != Severity::Refuses
    }
}

/// What something refuses that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Severity {
    /// The document.
    Refuses,
    /// Nothing: a key that no field has.
    Unknown,
    /// Nothing: a key of an earlier version that is still read.
    Outdated,
}

/// What a walk found.
#[derive(Default)]
pub(super) struct Walked {
    pub(super) spots: Vec<Spot>,
    /// How many more there are that refuse the document.
    pub(super) more: usize,
    /// How many more there are that refuse nothing.
    pub(super) more_harmless: MoreHarmless,
}

/// How much is found beyond what is listed.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct MoreHarmless {
    pub(super) unknown: usize,
    pub(super) outdated: usize,
}

impl Walked {
    /// Leaves so many of those that refuse nothing, keys that no field has and keys of earlier versions, and counts the others.
    pub(super) fn keep_harmless(&mut self, most_unknown: usize, most_outdated: usize) {
        let (mut unknown, mut outdated) = (0, 0);
        self.spots.retain(|spot| match spot.severity() {
            Severity::Refuses => true,
            Severity::Unknown => {
                unknown += 1;
                unknown <= most_unknown
            }
            Severity::Outdated => {
                outdated += 1;
                outdated <= most_outdated
            }
        });
        self.more_harmless.unknown += unknown.saturating_sub(most_unknown);
        self.more_harmless.outdated += outdated.saturating_sub(most_outdated);
    }

    /// Leaves none of the keys that no field has and that refuse nothing, and counts none.
    pub(super) fn pass_over_unknown(&mut self) {
        self.keep_harmless(0, usize::MAX);
        self.more_harmless.unknown = 0;
    }
}

/// Keys that no field has, keys of earlier versions, keys that occur in their map twice, and dates in the place of sections, at any depth. Into values that
/// are decoded as a whole only `with_leaves`: what their types accept is accepted. Where `unknown` denies them, no key that no field
/// has is harmless.
pub(super) fn walk(
    fields: &'static [Field],
    document: &Document<'_>,
    with_leaves: bool,
    unknown: Unknown,
) -> Walked {
    let mut walk = Walk {
        document,
        with_leaves,
        denies: unknown == Unknown::Deny,
        secrets: schema::any_secret(fields),
        path: Vec::new(),
        // Aliases may make a document larger than it is; that they do not make it much larger was checked.
        left: document
            .len()
            .saturating_mul(ALIASED)
            .saturating_add(1 << 16),
        copied: 0,
        unknown: 0,
        outdated: 0,
        walked: Walked::default(),
    };
    walk.section(fields, document.root());
    walk.walked
}

/// How many times its size a document may have with its aliases followed, before the walk stops.
const ALIASED: usize = 16;

/// Deeper than the fast decoders go.
const DEEPEST: usize = 160;

struct Walk<'d, 't> {
    document: &'d Document<'t>,
    with_leaves: bool,
    /// A key that no field has is refused in every section.
    denies: bool,
    /// The type has secrets.
    secrets: bool,
    path: Vec<Seg>,
    /// How many nodes may still be looked at.
    left: usize,
    /// How many bytes of keys the paths of what was found have.
    copied: usize,
    /// How many of what was found refuse nothing.
    unknown: usize,
    outdated: usize,
    walked: Walked,
}

impl Walk<'_, '_> {
    /// Whether what is found next is counted only. What refuses nothing takes no room from what does.
    fn is_full(&self, severity: Severity) -> bool {
        let kept = match severity {
            Severity::Unknown => self.unknown,
            Severity::Outdated => self.outdated,
            Severity::Refuses => self.walked.spots.len() - self.unknown - self.outdated,
        };
        kept >= MOST || self.copied >= MOST_PATH_BYTES
    }

    fn report(&mut self, node: NodeId, what: What, strict: bool, twice: bool) {
        let mut spot = Spot {
            problem: Flaw {
                path: Vec::new(),
                what,
            },
            node: Some(node),
            strict,
            twice,
        };
        let severity = spot.severity();
        if self.is_full(severity) {
            *match severity {
                Severity::Unknown => &mut self.walked.more_harmless.unknown,
                Severity::Outdated => &mut self.walked.more_harmless.outdated,
                Severity::Refuses => &mut self.walked.more,
            } += 1;
            return;
        }
        self.unknown += usize::from(severity == Severity::Unknown);
        self.outdated += usize::from(severity == Severity::Outdated);
        self.copied += path_bytes(&self.path);
        spot.problem.path.clone_from(&self.path);
        self.walked.spots.push(spot);
    }

    fn within(&mut self, seg: Seg, go: impl FnOnce(&mut Self)) {
        self.left = self.left.saturating_sub(1);
        if self.left == 0 || self.path.len() >= DEEPEST {
            return;
        }
        self.path.push(seg);
        go(self);
        self.path.pop();
    }

    fn seg(&self, key: NodeId) -> Seg {
        Seg::Key(self.document.key(key).to_owned().into())
    }

    fn section(&mut self, fields: &'static [Field], id: NodeId) {
        if self.document.kind(id) == Some(ResolvedKind::Date) {
            let found = format!("date-time `{}`", self.document.key(id));
            let expected = "a section (a map of keys)".to_owned();
            return self.report(id, What::Type { found, expected }, false, false);
        }
        let document = self.document;
        let mut seen: HashMap<&str, &str> = HashMap::new();
        for entry in document.entries(id) {
            let key = document.key(entry.key);
            let field = schema::find(fields, key);
            let name = field.map_or(key, |field| field.name);
            let before = seen.insert(name, key);
            let value = entry.value;
            self.within(self.seg(entry.key), |walk| {
                match (schema::step(fields, key), before) {
                    (None, _) => walk.unknown(fields, key, entry),
                    (_, Some(before)) if before == key => {
                        walk.report(value, What::Twice, false, true);
                    }
                    (_, Some(before)) => {
                        let text = same_field(field, before, key);
                        let what = What::plain(ProblemKind::DuplicateKey, text);
                        walk.report(value, what, false, true);
                    }
                    (Some((field, kind)), None) => {
                        if let Some(outdated) = Outdated::of_key(field, key) {
                            walk.report(value, outdated.of_document(), false, false);
                        }
                        walk.kind(kind, value);
                    }
                }
            });
        }
    }

    fn kind(&mut self, kind: Kind, value: NodeId) {
        let document = self.document;
        match (kind, &document.node(value).content) {
            (Kind::Leaf, _) if self.with_leaves => self.leaf(value),
            (Kind::Section(inner), _) => self.section(inner(), value),
            (Kind::List(item), NodeContent::List(items)) => {
                for (index, value) in items.iter().enumerate() {
                    self.within(Seg::Index(index), |walk| walk.kind(*item, *value));
                }
            }
            (Kind::Map(entry), NodeContent::Map(_)) => {
                self.entries(value, |walk, value| walk.kind(*entry, value));
            }
            _ => {}
        }
    }

    /// Keys that occur twice in a map that is decoded as a whole would silently lose one.
    fn leaf(&mut self, value: NodeId) {
        let document = self.document;
        match &document.node(value).content {
            NodeContent::Map(_) => self.entries(value, Self::leaf),
            NodeContent::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.within(Seg::Index(index), |walk| walk.leaf(*item));
                }
            }
            _ => {}
        }
    }

    /// The entries of a map that any key may name.
    fn entries(&mut self, map: NodeId, go: impl Fn(&mut Self, NodeId)) {
        let document = self.document;
        let mut seen: HashMap<&str, ()> = HashMap::new();
        for entry in document.entries(map) {
            let twice = seen.insert(document.key(entry.key), ()).is_some();
            self.within(self.seg(entry.key), |walk| match twice {
                true => walk.report(entry.value, What::Twice, false, true),
                false => go(walk, entry.value),
            });
        }
    }

    fn unknown(&mut self, fields: &'static [Field], key: &str, entry: &Pair) {
        let strict = self.denies || schema::is_strict(fields);
        // Beyond those that are reported, none is suggested.
        let severity = match strict {
            true => Severity::Refuses,
            false => Severity::Unknown,
        };
        let near = match self.is_full(severity) {
            false => schema::suggested(fields, key),
            true => None,
        };
        let is_alone = self.document.is_key_alone(entry);
        if self.secrets && schema::may_be_a_value(fields, key, is_alone) {
            self.path.pop();
            self.path.push(Seg::WITHHELD);
        }
        self.report(entry.value, What::Unknown(near), strict, false);
    }
}

/// That two keys mean the same field, and which of them it had in an earlier version.
fn same_field(field: Option<&Field>, before: &str, key: &str) -> String {
    let old = |name: &&str| field.is_some_and(|field| field.is_old(name));
    let mut names = [before, key].into_iter();
    match (names.clone().all(|name| old(&name)), names.find(old)) {
        (false, Some(was)) => {
            let now = if was == key { before } else { key };
            format!("`{was}` is the former name of `{now}`, which is there too; remove `{was}`")
        }
        _ => format!("`{before}` and `{key}` are the same field; remove one"),
    }
}
