//! What an explanation knows of each layer's content: as a typed layer, which decides, and as a document, which has places and
//! texts.

use crate::{
    codec::{self, LazyModel, Unknown},
    document::{Document, NodeId, items_by_number, raw, tree::Tree},
    engine::{AnyLayer, KeptDocument, KeptPart, LayerContent, Schema, Served, ServedLayer, decode},
    problem::Seg,
    report::ArgumentPlace,
    schema::{self, Field, Kind},
    source::environment,
};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What a layer contains of what readers see.
pub(super) struct LayerView<'a> {
    pub(super) origin: &'a str,
    pub(super) document: Option<Document<'a>>,
    pub(super) layer: Option<AnyLayer>,
    /// Which variable set which path.
    pub(super) variables: &'a [(Vec<Seg>, String)],
    /// Which argument set which path; none where it is not the arguments.
    pub(super) arguments: Option<&'a [(Vec<Seg>, ArgumentPlace)]>,
    /// Why it cannot be explained whole.
    pub(super) note: Option<&'static str>,
}

impl LayerView<'_> {
    pub(super) fn place(&self, node: Option<NodeId>) -> Option<(usize, usize)> {
        let document = self.document.as_ref().filter(|one| one.has_places())?;
        Some(document.start(node?))
    }

    /// The variable or the argument that sets a path.
    pub(super) fn names(&self, path: &[Seg]) -> (Option<String>, Option<String>) {
        let variable = environment::variable_of(self.variables, path);
        let argument = (self.arguments).and_then(|set| environment::variable_of(set, path));
        (variable, argument.map(|argument| argument.name))
    }
}

/// Reads every layer.
pub(super) fn views<'a>(schema: &Schema, served: &'a Served) -> Vec<LayerView<'a>> {
    let both = served.layers.iter().zip(&*served.contents);
    both.map(|(layer, content)| view(schema, layer, content))
        .collect()
}

fn view<'a>(schema: &Schema, layer: &'a ServedLayer, content: &'a LayerContent) -> LayerView<'a> {
    let mut view = LayerView {
        origin: &layer.origin,
        document: None,
        layer: None,
        variables: &[],
        arguments: None,
        note: None,
    };
    match content {
        LayerContent::Silent(_) | LayerContent::Kept(KeptPart::Nothing) => {}
        LayerContent::Kept(KeptPart::Unread) => view.note = Some(KEPT),
        LayerContent::Kept(KeptPart::Document(kept)) => of_kept(schema, kept, &mut view),
        LayerContent::Document(bytes, found) => {
            if let Some(found) = &found.0 {
                view.origin = found;
            }
            of_document(schema, layer, bytes, &mut view);
        }
        LayerContent::Given(given) => {
            let Some(tree) = &given.tree else {
                view.note = Some(UNREAD);
                return view;
            };
            view.variables = &given.variables;
            view.arguments = given.arguments.as_deref();
            let by_number = layer.prefix.is_some() || view.arguments.is_some();
            let decoded = catch_unwind(AssertUnwindSafe(|| match by_number {
                true => items_by_number(|| (schema.decode_tree)(tree, false)),
                false => (schema.decode_tree)(tree, false),
            }));
            view.layer = decoded.ok().and_then(|(layer, _)| layer);
            view.document = Some(of_tree(schema, tree.clone()));
        }
    }
    view
}

/// What is known of a layer that serves from the last known good file.
const KEPT: &str =
    "serves from the last known good file, and what it sets is not known until its source is read";
/// Of one that can be read there.
const FROM_FILE: &str = "serves from the last known good file, which has no secrets";
const UNREAD: &str = "cannot be read a second time, and what it sets is not known";
const NO_PLACES: &str =
    "the parser with positions cannot follow it: lines and columns are not known";

fn of_document<'a>(
    schema: &Schema,
    layer: &ServedLayer,
    bytes: &'a [u8],
    view: &mut LayerView<'a>,
) {
    let (Some(decoder), Ok(text)) = (&layer.decoder, codec::text_of(bytes)) else {
        view.note = Some(UNREAD);
        return;
    };
    let decoded = decode(schema, decoder, bytes, Unknown::Ignore);
    view.layer = decoded.ok().and_then(Result::ok).map(|read| read.layer);
    if codec::may_have_places(decoder) {
        view.document = LazyModel::new(decoder, text).into_placed();
        if view.document.is_some() {
            return;
        }
        view.note = Some(NO_PLACES);
    }
    let tree = catch_unwind(AssertUnwindSafe(|| codec::tree(decoder, text)));
    match tree {
        Ok(Ok(tree)) => view.document = Some(of_tree(schema, tree)),
        _ => view.note = Some(UNREAD),
    }
}

/// The places in what was kept are not those of the source.
fn of_kept(schema: &Schema, kept: &KeptDocument, view: &mut LayerView<'_>) {
    view.note = Some(KEPT);
    let Ok(text) = codec::text_of(&kept.bytes) else {
        return;
    };
    let decoded = decode(schema, &kept.decoder, &kept.bytes, Unknown::Ignore);
    let tree = catch_unwind(AssertUnwindSafe(|| codec::tree(&kept.decoder, text)));
    if let (Ok(Ok(read)), Ok(Ok(tree))) = (decoded, tree) {
        view.layer = Some(read.layer);
        view.document = Some(of_tree(schema, tree));
        view.note = Some(FROM_FILE);
    }
}

fn of_tree(schema: &Schema, mut tree: Tree) -> Document<'static> {
    open_section((schema.fields)(), &mut tree);
    Document::of_tree(&tree)
}

/// Texts in the place of sections, and of lists and maps of sections, become what is written in them.
fn open(kind: Kind, tree: &mut Tree) {
    if let Tree::Raw(text) = tree {
        let read = match kind {
            Kind::Leaf => return,
            Kind::List(_) => raw::list(text),
            Kind::Section(_) | Kind::Map(_) => raw::map(text),
        };
        match read {
            Ok(read) => *tree = read,
            Err(_) => return,
        }
    }
    match (kind, tree) {
        (Kind::Section(inner), tree) => open_section(inner(), tree),
        (Kind::List(item), Tree::Seq(items)) => items.iter_mut().for_each(|tree| open(*item, tree)),
        // Single items, by their numbers.
        (Kind::List(item) | Kind::Map(item), Tree::Map(entries)) => {
            entries.iter_mut().for_each(|(_, tree)| open(*item, tree));
        }
        _ => {}
    }
}

fn open_section(fields: &'static [Field], tree: &mut Tree) {
    if let Tree::Map(entries) = tree {
        for (key, value) in entries {
            if let Some((_, kind)) = schema::step(fields, key) {
                open(kind, value);
            }
        }
    }
}
