//! Which secrets a text is searched for: those of documents, variables, URIs and built values; a layer's own text is searched for
//! its own alone. The last line of defence: the paths of secrets are known, but a message of the program's own code may quote
//! anything.
//!
//! What a report shows of a layer's own text depends on that layer alone. If a value that one layer contains were withheld because
//! another layer's secret is the same, whoever may write the one and read the reports could guess the other.

use super::{
    hidden::{HiddenNodes, hidden, texts_of},
    pieces::SecretPieces,
};
use crate::{
    codec::{self, Decoder, LazyModel},
    document::{Document, NodeId},
    layer::secret_texts::SecretTexts,
    problem::caught,
    schema::{self, Field},
};
use std::{
    borrow::Cow,
    cell::Cell,
    collections::{HashMap, HashSet},
    sync::{Arc, OnceLock},
};

/// The secrets of a configuration that was built, read when somebody asks.
#[derive(Clone)]
pub(crate) struct BuiltSecrets {
    read: Arc<ReadSecrets>,
    /// A stage of the program made it.
    is_replaced: bool,
}

type ReadSecrets = dyn Fn(&mut SecretTexts) + Send + Sync;

impl BuiltSecrets {
    pub(crate) fn new(
        is_replaced: bool,
        read: impl Fn(&mut SecretTexts) + Send + Sync + 'static,
    ) -> Self {
        let read = Arc::new(read);
        BuiltSecrets { read, is_replaced }
    }
}

/// A document that took part in an update, and the number of its layer.
#[derive(Clone, Copy)]
pub(crate) struct DocumentText<'a> {
    pub(crate) layer: usize,
    pub(crate) bytes: &'a Arc<[u8]>,
    pub(crate) decoder: &'a Decoder,
}

/// The secrets of a source's URI, and what is shown in its place.
#[derive(Clone)]
pub(crate) struct UriTexts {
    pub(crate) origin: String,
    pub(crate) secrets: Vec<String>,
}

/// Where the secrets of an update are.
#[derive(Default)]
pub(crate) struct SecretSources<'a> {
    pub(crate) documents: Vec<DocumentText<'a>>,
    /// Those of layers without a document.
    pub(crate) given: Vec<(usize, &'a String)>,
    /// Those of URIs, which only texts of the program are searched for: no document has them.
    pub(crate) uris: Vec<UriTexts>,
    /// Those of configurations that were built of the layers.
    pub(crate) built: Vec<BuiltSecrets>,
}

/// The secrets of an update.
#[derive(Default)]
pub(crate) struct KnownSecrets {
    values: Vec<LayerSecret>,
    /// Pieces of keys give nothing away.
    keys: Vec<&'static str>,
    all: OnceLock<SecretPieces>,
    layers: Vec<OnceLock<SecretPieces>>,
    uris: Vec<UriTexts>,
    of_uris: OnceLock<SecretPieces>,
    /// There is one whose text nobody knows: any text of the program may quote it.
    has_unknown: bool,
}

/// A secret, and the layer that contains it; none where the program made it.
struct LayerSecret {
    layer: Option<usize>,
    text: String,
    /// Where it is in the layer's document.
    node: Option<NodeId>,
}

impl KnownSecrets {
    /// The secrets in what was read.
    pub(super) fn in_documents(
        fields: &'static [Field],
        read: &[ReadDocument<'_>],
        sources: &SecretSources<'_>,
    ) -> Self {
        if !schema::any_secret(fields) {
            return KnownSecrets::of_uris(&sources.uris);
        }
        let given = sources.given.iter().map(|(layer, text)| LayerSecret {
            layer: Some(*layer),
            text: (*text).clone(),
            node: None,
        });
        let mut values: Vec<LayerSecret> = given.collect();
        let mut seen: HashSet<(usize, *const u8)> = HashSet::new();
        let by_place = read.iter().map(|read| (read.place(), read));
        let by_place: HashMap<*const u8, &ReadDocument<'_>> = by_place.collect();
        for DocumentText { layer, bytes, .. } in &sources.documents {
            if !seen.insert((*layer, bytes.as_ptr())) {
                continue;
            }
            let Some(read) = by_place.get(&bytes.as_ptr()) else {
                continue;
            };
            let texts = read.secret_texts().into_iter();
            values.extend(texts.map(|(node, text)| LayerSecret {
                layer: Some(*layer),
                text,
                node,
            }));
        }
        KnownSecrets::of_uris(&sources.uris)
            .with(fields, values)
            .with_built(fields, &sources.built)
    }

    fn of_uris(uris: &[UriTexts]) -> Self {
        KnownSecrets {
            uris: uris.to_vec(),
            ..KnownSecrets::default()
        }
    }

    fn with(mut self, fields: &'static [Field], values: Vec<LayerSecret>) -> Self {
        let layers = values.iter().filter_map(|value| Some(value.layer? + 1));
        let layers = layers.max().unwrap_or(0);
        self.layers = (0..layers).map(|_| OnceLock::new()).collect();
        self.keys = schema::every_key(fields);
        self.values = values;
        self
    }

    fn with_built(mut self, fields: &'static [Field], built: &[BuiltSecrets]) -> Self {
        for one in built {
            self.add_built(fields, one.is_replaced, &*one.read);
        }
        self
    }

    /// Adds the secrets of a configuration, whose code to print them may panic.
    fn add_built(
        &mut self,
        fields: &'static [Field],
        is_replaced: bool,
        read: &dyn Fn(&mut SecretTexts),
    ) {
        let mut secrets = SecretTexts::default();
        let read = caught(|| read(&mut secrets));
        let is_made = || is_replaced || schema::may_make_secrets(fields);
        self.has_unknown |= read.is_err() || secrets.has_unreadable() && is_made();
        let defaults = schema::secret_defaults(fields).filter(|_| secrets.has_unreadable());
        let defaults: Vec<&str> = defaults.collect();
        let texts = secrets.into_texts().into_iter();
        let texts = texts.chain(defaults.into_iter().map(str::to_owned));
        let values = texts.map(|text| LayerSecret {
            layer: None,
            text,
            node: None,
        });
        self.values.extend(values);
    }

    /// Those of one configuration alone.
    pub(super) fn of_built(
        fields: &'static [Field],
        is_replaced: bool,
        read: &dyn Fn(&mut SecretTexts),
    ) -> Self {
        let mut known = KnownSecrets::default().with(fields, Vec::new());
        known.add_built(fields, is_replaced, read);
        known
    }

    /// The secrets in these sources.
    pub(crate) fn read(fields: &'static [Field], sources: &SecretSources<'_>) -> Self {
        if !schema::any_secret(fields) {
            return KnownSecrets::of_uris(&sources.uris);
        }
        let read = ReadDocument::all(fields, sources.documents.iter().copied(), false);
        KnownSecrets::in_documents(fields, &read, sources)
    }

    /// Whether a piece of any secret is in `text`, of which it is not known where it is from.
    pub(crate) fn are_in(&self, text: &str) -> bool {
        self.has_unknown
            || self.all().is_some_and(|all| all.are_in(text))
            || !self.uris.is_empty() && self.pieces_of_uris().are_in(text)
    }

    /// Pieces of what is shown in the place of a URI give nothing away.
    fn pieces_of_uris(&self) -> &SecretPieces {
        let pieces = || {
            let secrets = self.uris.iter().flat_map(|uri| &uri.secrets);
            let shown = self.uris.iter().map(|uri| &*uri.origin);
            let shown: Vec<&str> = shown.chain(self.keys.iter().copied()).collect();
            SecretPieces::of(secrets.map(String::as_str), &shown)
        };
        self.of_uris.get_or_init(pieces)
    }

    /// Whether six characters of any secret are in the words of a type.
    pub(super) fn have_a_piece_in(&self, text: &str) -> bool {
        self.all().is_some_and(|all| all.have_a_piece_in(text))
    }

    /// Whether a piece of a secret of this layer is in `text`, which is from it.
    pub(super) fn of_layer_are_in(&self, layer: Option<usize>, text: &str) -> bool {
        self.of(layer).is_some_and(|own| own.are_in(text))
    }

    /// Whether one is in this value of the layer: what is only the same short word or number as a secret does not quote it.
    pub(crate) fn of_layer_are_in_value(&self, layer: Option<usize>, value: &str) -> bool {
        self.of(layer).is_some_and(|own| own.are_in_value(value))
    }

    /// Where in the layer's document the first secret is that is in this value. Each secret is compared with all of the value: `left` is
    /// how many characters may still be.
    pub(crate) fn node_in_value(
        &self,
        layer: usize,
        value: &str,
        left: &Cell<usize>,
    ) -> Option<NodeId> {
        let own = self.values.iter().filter(|one| one.layer == Some(layer));
        let own = own.filter_map(|one| Some((one.node?, &*one.text)));
        for (node, text) in own {
            left.set(left.get().checked_sub(text.len() + value.len())?);
            let is_in =
                |keys: &[&str]| SecretPieces::of(std::iter::once(text), keys).are_in_value(value);
            // Keys only take pieces away, and there are many of them.
            if is_in(&[]) && is_in(&self.keys) {
                return Some(node);
            }
        }
        None
    }

    /// Whether one is in this line of the layer, in which any word may be one.
    pub(crate) fn of_layer_are_in_line(&self, layer: Option<usize>, line: &str) -> bool {
        self.of(layer).is_some_and(|own| own.are_in_line(line))
    }

    fn all(&self) -> Option<&SecretPieces> {
        let all = || SecretPieces::of(self.values.iter().map(|one| &*one.text), &self.keys);
        (!self.values.is_empty()).then(|| self.all.get_or_init(all))
    }

    /// Those of one layer; all of them where it is not known.
    fn of(&self, layer: Option<usize>) -> Option<&SecretPieces> {
        let Some(layer) = layer else {
            return self.all();
        };
        let known = self.layers.get(layer)?;
        let own = || {
            let values = self
                .values
                .iter()
                .filter(|value| value.layer == Some(layer));
            SecretPieces::of(values.map(|one| &*one.text), &self.keys)
        };
        Some(known.get_or_init(own))
    }
}

/// A document, read once for everything that a report needs of it.
pub(super) struct ReadDocument<'t> {
    bytes: &'t [u8],
    /// None where it is not UTF-8.
    model: Option<LazyModel<'t, 't>>,
    needs_nodes: bool,
    pub(super) text: Cow<'t, str>,
    /// The nodes that must not be shown; none where they cannot be known.
    pub(super) hidden: Option<HiddenNodes>,
    fields: &'static [Field],
}

impl<'t> ReadDocument<'t> {
    /// Each document once. Of a type without secrets the nodes are needed only for places.
    pub(super) fn all(
        fields: &'static [Field],
        documents: impl Iterator<Item = DocumentText<'t>>,
        needs_places: bool,
    ) -> Vec<Self> {
        let needs_nodes =
            needs_places || schema::any_secret(fields) || schema::any_of_the_program(fields);
        let (mut all, mut known) = (Vec::new(), HashSet::new());
        for DocumentText { bytes, decoder, .. } in documents {
            if known.insert(bytes.as_ptr()) {
                all.push(Self::of(fields, bytes, decoder, needs_nodes));
            }
        }
        all
    }

    fn of(
        fields: &'static [Field],
        bytes: &'t Arc<[u8]>,
        decoder: &'t Decoder,
        needs_nodes: bool,
    ) -> Self {
        let text = codec::text_of(bytes).ok();
        let mut read = ReadDocument {
            bytes,
            model: text.map(|text| LazyModel::new(decoder, text)),
            needs_nodes,
            text: String::from_utf8_lossy(bytes),
            hidden: None,
            fields,
        };
        read.hidden = read
            .document()
            .and_then(|document| hidden(fields, document));
        read
    }

    /// Its nodes; none where nobody asks for them, or the parser with spans cannot follow it.
    pub(super) fn document(&self) -> Option<&Document<'t>> {
        self.model
            .as_ref()
            .filter(|_| self.needs_nodes)?
            .placed()
            .ok()
    }

    /// Whether no line of it may be shown, whatever secrets the type has.
    pub(super) fn shows_nothing(&self) -> bool {
        self.model.as_ref().is_some_and(LazyModel::shows_nothing)
    }

    /// By which it is known.
    pub(super) fn place(&self) -> *const u8 {
        self.bytes.as_ptr()
    }

    /// With the node of each, where it has one.
    fn secret_texts(&self) -> Vec<(Option<NodeId>, String)> {
        let without_nodes =
            |texts: Vec<String>| texts.into_iter().map(|text| (None, text)).collect();
        let texts = match (self.document(), &self.hidden) {
            (Some(document), Some(nodes)) => {
                let texts = texts_of(document, nodes).into_iter();
                Some(texts.map(|(node, text)| (Some(node), text)).collect())
            }
            (Some(_), None) => None,
            (None, _) => self.texts_of_tree().map(without_nodes),
        };
        // A secret may be anywhere in it.
        texts.unwrap_or_else(|| vec![(None, self.text.to_string())])
    }

    /// Nothing in a tree has a place, where the parser with spans cannot follow the format's own decoder, or there is none. None
    /// where it cannot be read, or its codec panics.
    fn texts_of_tree(&self) -> Option<Vec<String>> {
        let model = self.model.as_ref()?;
        let tree = caught(|| model.tree()).ok()?;
        super::hidden::texts(self.fields, &Document::of_tree(&tree.ok()?))
    }
}

#[cfg(all(test, feature = "json"))]
mod tests;
