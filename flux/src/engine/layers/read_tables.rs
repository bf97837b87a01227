//! The values that are written as tables in the newest content of each layer: a document is read once for them.

use super::plain_tables::{PlainTable, PlainTables};
use crate::{
    codec::{self, Decoder, LazyModel},
    document::tree::Tree,
    engine::{decoded::DecodedContent, layer_state::LayerState, schema::Schema},
};
use std::sync::Arc;

/// The fields that are written as tables, and what the layers have of them.
pub(super) struct LayerTables {
    tables: PlainTables,
    /// By the layer's number.
    read: Vec<ReadTables>,
}

/// What one layer has of them.
#[derive(Default)]
struct ReadTables {
    /// The document that was looked at; none of a layer that has none.
    document: Option<Arc<[u8]>>,
    /// Whether it may have such a value: only then is it worth reading.
    may_have: bool,
    /// None where it was not read.
    tables: Option<Vec<PlainTable>>,
}

impl LayerTables {
    /// None where the type has no such field.
    pub(super) fn of(schema: &Schema) -> Option<Box<Self>> {
        let tables = PlainTables::of(schema)?;
        Some(Box::new(LayerTables {
            tables,
            read: Vec::new(),
        }))
    }

    /// Those of every layer, in their order; nothing where fewer than two layers may have some.
    pub(super) fn newest(
        &mut self,
        states: &[LayerState],
    ) -> impl Iterator<Item = (usize, &PlainTable)> {
        self.read.resize_with(states.len(), ReadTables::default);
        for (read, state) in self.read.iter_mut().zip(states) {
            read.look_at(newest(state), &self.tables);
        }
        let may_have = self.read.iter().filter(|read| read.may_have).count();
        if may_have > 1 {
            for (read, state) in self.read.iter_mut().zip(states) {
                read.read(state, &self.tables);
            }
        }
        let all = self
            .read
            .iter()
            .enumerate()
            .take_while(move |_| may_have > 1);
        all.flat_map(|(number, read)| read.tables.iter().flatten().map(move |one| (number, one)))
    }
}

impl ReadTables {
    /// Forgets what was read of other content.
    fn look_at(&mut self, content: Option<&DecodedContent>, tables: &PlainTables) {
        let document = content.and_then(|content| content.bytes.as_ref());
        if let (Some(known), Some(document)) = (&self.document, document)
            && Arc::ptr_eq(known, document)
        {
            return;
        }
        let tree = content.and_then(DecodedContent::tree);
        *self = ReadTables {
            document: document.cloned(),
            may_have: match document {
                Some(document) => tables.may_be_in(document),
                None => matches!(tree, Some(Tree::Map(_))),
            },
            tables: None,
        };
    }

    fn read(&mut self, state: &LayerState, tables: &PlainTables) {
        if self.may_have && self.tables.is_none() {
            self.tables = tree(state, tables).map(|tree| tables.in_tree(tree));
        }
    }
}

pub(super) fn newest(state: &LayerState) -> Option<&DecodedContent> {
    state.candidate.as_ref().or(state.accepted.as_ref())
}

pub(super) fn document_of(state: &LayerState) -> Option<(&Arc<[u8]>, &Decoder)> {
    newest(state)?.bytes.as_ref().zip(state.decoder.as_ref())
}

/// What a layer contains of them, if not all; none of a value of the program.
fn tree(state: &LayerState, tables: &PlainTables) -> Option<Tree> {
    match document_of(state) {
        Some((bytes, decoder)) => {
            let model = LazyModel::new(decoder, codec::text_of(bytes).ok()?);
            let alone = codec::fast_part(&model, tables.alone());
            alone.or_else(|| model.tree().ok())
        }
        None => newest(state)?.tree().cloned(),
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
    use super::*;
    use crate::Format;
    use serde::Deserialize;
    use std::collections::BTreeMap;

    #[derive(Debug, Clone, PartialEq, Deserialize, Default)]
    struct PlainPart {
        a: u32,
        b: Option<String>,
    }

    #[derive(flux_derive::Flux)]
    #[flux(crate = crate)]
    struct WithParts {
        #[flux(default)]
        part: PlainPart,
        #[flux(default)]
        parts: BTreeMap<String, PlainPart>,
        #[flux(nested, default)]
        inner: BTreeMap<u8, InnerParts>,
        #[serde(flatten)]
        #[flux(nested)]
        flat: FlatParts,
        #[flux(default)]
        others: Vec<String>,
    }

    #[derive(flux_derive::Flux)]
    #[flux(crate = crate)]
    struct InnerParts {
        #[flux(default)]
        part: PlainPart,
        #[flux(default)]
        other: u8,
    }

    #[derive(flux_derive::Flux)]
    #[flux(crate = crate)]
    struct FlatParts {
        #[flux(default)]
        beside: PlainPart,
        #[serde(flatten)]
        rest: BTreeMap<String, PlainPart>,
    }

    /// A document is read for these values alone, and as a whole: the same is found.
    #[test]
    fn what_is_read_alone_is_what_the_whole_document_has() {
        let tables = PlainTables::of(Schema::of::<WithParts>()).unwrap();
        for (format, text, count) in [
            (Format::Yaml, "part: {a: 1, b: x}\nothers: [1, {a: 2}]", 1),
            (
                Format::Yaml,
                "parts: {p: {a: 1}, q: {a: 2}}\ninner:\n  1: {part: {a: 1}, other: 2}",
                3,
            ),
            (
                Format::Yaml,
                "base: &b {a: 1}\npart: *b\nbeside: {<<: *b, b: ~}",
                3,
            ),
            (
                Format::Yaml,
                "part: !tag {a: 1}\nzone: {a: 0x1F, b: 1.10}",
                2,
            ),
            (Format::Yaml, "part: ~\nparts: ~\ninner: {1: ~}", 1),
            (Format::Yaml, "inner: 5\npart: {a: 1}", 1),
            (
                Format::Json,
                r#"{"part": {"a": 18446744073709551616}, "inner": {"1": {"part": null}}}"#,
                2,
            ),
            (
                Format::Json,
                r#"{"inner": [], "beside": {"a": 1.0}, "more": {"b": "\u00e9"}}"#,
                2,
            ),
            (
                Format::Toml,
                "others = []\npart.a = 1\n[inner.1.part]\nb = \"x\"\n[rest]\na = 0x10",
                3,
            ),
        ] {
            let decoder = Decoder::from(format);
            let model = LazyModel::new(&decoder, text);
            let print = |tables: &[PlainTable]| {
                let print = |one: &PlainTable| format!("{:?} {:?}", one.written, one.value);
                tables.iter().map(print).collect::<Vec<_>>()
            };
            let whole = print(&tables.in_tree(model.tree().ok().unwrap()));
            assert_eq!(whole.len(), count, "{text}: {whole:?}");
            if let Some(alone) = codec::fast_part(&model, tables.alone()) {
                assert_eq!(print(&tables.in_tree(alone)), whole, "{text}");
            }
        }
    }
}
