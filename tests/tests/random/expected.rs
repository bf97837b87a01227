//! Where Flux reads a document otherwise than serde alone, on purpose: the document that serde alone reads as Flux reads this one.

use crate::{
    documents::TreeNode,
    model::{
        FieldDefault, FieldType, Fields, ItemShape, Scalar, StructField, Tagging, TypeModel,
        VariantShape, variant_key,
    },
};
use flux::Format;
use std::collections::BTreeSet;

/// Why a document is refused, or read as another one.
pub(crate) type Reason = &'static str;

pub(crate) struct Expected<'m> {
    model: &'m TypeModel,
    format: Format,
    /// What is read now is in a flattened section: serde alone keeps it in a buffer first.
    is_buffered: bool,
    pub(crate) reasons: BTreeSet<Reason>,
}

impl<'m> Expected<'m> {
    pub(crate) fn new(model: &'m TypeModel, format: Format) -> Self {
        Expected {
            model,
            format,
            is_buffered: false,
            reasons: BTreeSet::new(),
        }
    }

    /// Makes of the document what serde alone has to read, or answers why Flux refuses it.
    pub(crate) fn of(&mut self, root: usize, node: &mut TreeNode) -> Result<(), Reason> {
        if self.format == Format::Yaml {
            nulls(node);
        }
        if has_twice(node) {
            return Err("a key twice");
        }
        self.section(root, node)
    }

    fn section(&mut self, index: usize, node: &mut TreeNode) -> Result<(), Reason> {
        match (node, &self.model.items[index].shape) {
            (TreeNode::Map(entries), ItemShape::Struct(fields)) => self.fields(fields, entries),
            (TreeNode::List(_), ItemShape::Struct(_)) => Err("a section has keys"),
            _ => Ok(()),
        }
    }

    fn fields(
        &mut self,
        fields: &'m Fields,
        entries: &mut Vec<(String, TreeNode)>,
    ) -> Result<(), Reason> {
        for field in fields.all.iter().filter(|field| !field.skip) {
            if field.flatten {
                match &field.ty {
                    FieldType::Named(index) => {
                        if let ItemShape::Struct(inner) = &self.model.items[*index].shape {
                            let outside = std::mem::replace(&mut self.is_buffered, true);
                            self.fields(inner, entries)?;
                            self.is_buffered = outside;
                        }
                    }
                    rest => self.rest(fields, rest, entries)?,
                }
                continue;
            }
            let at = entries.iter().position(|(key, _)| field.has_key(key));
            let may_be_absent = fields.default || field.default != FieldDefault::None;
            match at {
                Some(at) if field.nested && self.is_section(&field.ty) => {
                    if entries[at].1 == TreeNode::Null {
                        entries.remove(at);
                        self.reasons
                            .insert("null leaves a section to the layers below");
                        if !may_be_absent {
                            self.absent(field, entries)?;
                        }
                    } else {
                        self.nested(&field.ty, &mut entries[at].1)?;
                    }
                }
                Some(at) if field.nested => self.nested(&field.ty, &mut entries[at].1)?,
                Some(at) => self.value(&field.ty, &mut entries[at].1, true)?,
                None if field.nested && self.is_section(&field.ty) && !may_be_absent => {
                    self.absent(field, entries)?;
                }
                None => {}
            }
        }
        Ok(())
    }

    /// The entries that no field has.
    fn rest(
        &mut self,
        fields: &'m Fields,
        ty: &'m FieldType,
        entries: &mut Vec<(String, TreeNode)>,
    ) -> Result<(), Reason> {
        let is_rest = |key: &String| {
            let field = self.model.field_of(fields, key);
            field.is_some_and(|field| field.flatten)
        };
        let (rest, own): (Vec<_>, Vec<_>) = std::mem::take(entries)
            .into_iter()
            .partition(|(key, _)| is_rest(key));
        let mut map = TreeNode::Map(rest);
        let outside = std::mem::replace(&mut self.is_buffered, true);
        self.value(ty, &mut map, true)?;
        self.is_buffered = outside;
        *entries = own;
        if let TreeNode::Map(rest) = map {
            entries.extend(rest);
        }
        Ok(())
    }

    /// A section that no layer has is made of its fields' own defaults.
    fn absent(
        &mut self,
        field: &'m StructField,
        entries: &mut Vec<(String, TreeNode)>,
    ) -> Result<(), Reason> {
        self.reasons
            .insert("a section that no layer has is made of its fields' defaults");
        let mut section = TreeNode::Map(Vec::new());
        self.nested(&field.ty, &mut section)?;
        entries.push((field.key.clone(), section));
        Ok(())
    }

    fn is_section(&self, ty: &FieldType) -> bool {
        match ty {
            FieldType::Named(_) => true,
            FieldType::Box(inner) | FieldType::Arc(inner) => self.is_section(inner),
            _ => false,
        }
    }

    fn nested(&mut self, ty: &'m FieldType, node: &mut TreeNode) -> Result<(), Reason> {
        match (ty, node) {
            (FieldType::Named(index), node) => self.section(*index, node),
            (FieldType::Option(_), TreeNode::Null) => Ok(()),
            (FieldType::Option(inner) | FieldType::Box(inner) | FieldType::Arc(inner), node) => {
                self.nested(inner, node)
            }
            (FieldType::List(inner), TreeNode::List(items)) => items
                .iter_mut()
                .try_for_each(|item| self.nested(inner, item)),
            (FieldType::Map(inner), TreeNode::Map(entries)) => {
                let count = entries.len();
                if !matches!(**inner, FieldType::Option(_)) {
                    entries.retain(|(_, value)| *value != TreeNode::Null);
                }
                if entries.len() < count {
                    self.reasons.insert("null takes an entry away");
                }
                let mut values = entries.iter_mut().map(|(_, value)| value);
                values.try_for_each(|value| self.nested(inner, value))
            }
            (FieldType::List(_) | FieldType::Map(_), TreeNode::Null) => Err("null is no list"),
            _ => Ok(()),
        }
    }

    /// `is_field`: it is what the field holds itself, perhaps behind pointers, and not a part of it.
    fn value(
        &mut self,
        ty: &'m FieldType,
        node: &mut TreeNode,
        is_field: bool,
    ) -> Result<(), Reason> {
        match (ty, node) {
            (FieldType::Option(_), TreeNode::Null) => Ok(()),
            (FieldType::Option(inner) | FieldType::Box(inner) | FieldType::Arc(inner), node) => {
                self.value(inner, node, is_field)
            }
            (FieldType::Plain(Scalar::F32), TreeNode::Number(number))
                if number.parse().is_ok_and(f32::is_infinite) =>
            {
                Err("a float beyond the range of its type")
            }
            (FieldType::Plain(scalar), TreeNode::Null) => match scalar {
                Scalar::Any => Ok(()),
                _ => Err("null is no value of this type"),
            },
            (
                FieldType::Plain(Scalar::Text | Scalar::Path | Scalar::SharedText | Scalar::Char),
                node,
            ) if self.format == Format::Yaml => {
                if let Some(text) = plain_text(node) {
                    *node = TreeNode::Text(text);
                    self.reasons
                        .insert("a plain scalar is a text in a flattened section, too");
                }
                Ok(())
            }
            (FieldType::Map(inner) | FieldType::Numbered(inner), TreeNode::Map(entries)) => {
                let count = entries.len();
                if is_field && !self.has_null(inner) {
                    entries.retain(|(_, value)| *value != TreeNode::Null);
                }
                if entries.len() < count {
                    self.reasons.insert("null takes an entry away");
                }
                let mut values = entries.iter_mut().map(|(_, value)| value);
                values.try_for_each(|value| self.value(inner, value, false))
            }
            (
                FieldType::List(_)
                | FieldType::Queue(_)
                | FieldType::Set(_)
                | FieldType::Array(..)
                | FieldType::Pair(..)
                | FieldType::Map(_)
                | FieldType::Numbered(_),
                TreeNode::Null,
            ) => Err("null is no list and no map"),
            (
                FieldType::List(inner) | FieldType::Queue(inner) | FieldType::Set(inner),
                TreeNode::List(items),
            ) => items
                .iter_mut()
                .try_for_each(|item| self.value(inner, item, false)),
            (FieldType::Array(inner, count), TreeNode::List(items)) => {
                if items.len() > *count {
                    return Err("more items than the type has");
                }
                items
                    .iter_mut()
                    .try_for_each(|item| self.value(inner, item, false))
            }
            (FieldType::Pair(one, two), TreeNode::List(items)) => {
                if items.len() > 2 {
                    return Err("more items than the type has");
                }
                for (ty, item) in [one, two].into_iter().zip(items) {
                    self.value(ty, item, false)?;
                }
                Ok(())
            }
            (FieldType::Named(index), node) => self.named(*index, node),
            _ => Ok(()),
        }
    }

    fn named(&mut self, index: usize, node: &mut TreeNode) -> Result<(), Reason> {
        match (&self.model.items[index].shape, node) {
            (ItemShape::Newtype(ty), node) => self.value(ty, node, false),
            (ItemShape::Tuple(types), TreeNode::List(items)) => {
                if items.len() > types.len() {
                    return Err("more items than the type has");
                }
                let mut both = types.iter().zip(items);
                both.try_for_each(|(ty, item)| self.value(ty, item, false))
            }
            // Serde alone reads what it buffered otherwise than YAML.
            (ItemShape::Struct(_) | ItemShape::Enum(Tagging::Adjacent, ..), TreeNode::List(_))
                if self.is_buffered && self.format == Format::Yaml =>
            {
                Err("a struct in YAML has keys, in a flattened section too")
            }
            (ItemShape::Struct(fields), TreeNode::Map(entries)) => self.parts(&fields.all, entries),
            (ItemShape::Enum(Tagging::External, ..), TreeNode::Map(entries)) => {
                match &mut entries[..] {
                    [(key, content)] => self.variant(index, key, content),
                    _ => Ok(()),
                }
            }
            (ItemShape::Enum(Tagging::Adjacent, ..), TreeNode::Map(entries)) => {
                match &mut entries[..] {
                    [(_, TreeNode::Text(key)), (_, content)] => self.variant(index, key, content),
                    _ => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }

    /// What a variant of an enum holds.
    fn variant(&mut self, index: usize, key: &str, content: &mut TreeNode) -> Result<(), Reason> {
        let ItemShape::Enum(_, case, variants) = &self.model.items[index].shape else {
            return Ok(());
        };
        let mut variants = variants.iter();
        let variant = variants.find(|(name, _)| variant_key(name, *case) == key);
        match (variant.map(|(_, shape)| shape), content) {
            (Some(VariantShape::Newtype(ty)), content) => self.value(ty, content, false),
            (Some(VariantShape::Tuple(types)), TreeNode::List(items)) => {
                let mut both = types.iter().zip(items);
                both.try_for_each(|(ty, item)| self.value(ty, item, false))
            }
            (Some(VariantShape::Struct(fields)), TreeNode::Map(entries)) => {
                self.parts(fields, entries)
            }
            _ => Ok(()),
        }
    }

    /// The fields of a struct that is one value.
    fn parts(
        &mut self,
        fields: &'m [StructField],
        entries: &mut [(String, TreeNode)],
    ) -> Result<(), Reason> {
        for field in fields.iter().filter(|field| !field.skip) {
            if let Some((_, value)) = entries.iter_mut().find(|(key, _)| field.has_key(key)) {
                self.value(&field.ty, value, false)?;
            }
        }
        Ok(())
    }

    fn has_null(&self, ty: &FieldType) -> bool {
        match ty {
            FieldType::Option(_) | FieldType::Plain(Scalar::Any) => true,
            FieldType::Box(inner) | FieldType::Arc(inner) => self.has_null(inner),
            FieldType::Named(index) => match &self.model.items[*index].shape {
                ItemShape::Newtype(ty) => self.has_null(ty),
                ItemShape::Enum(..) => true,
                _ => false,
            },
            _ => false,
        }
    }
}

fn has_twice(node: &TreeNode) -> bool {
    match node {
        TreeNode::List(items) => items.iter().any(has_twice),
        TreeNode::Map(entries) => {
            let mut keys = BTreeSet::new();
            entries
                .iter()
                .any(|(key, value)| !keys.insert(key) || has_twice(value))
        }
        _ => false,
    }
}

/// What a scalar without quotes is to a text.
fn plain_text(node: &TreeNode) -> Option<String> {
    match node {
        TreeNode::Bool(value) => Some(value.to_string()),
        TreeNode::Number(number) => Some(number.clone()),
        TreeNode::Bare(text) => {
            let text = text.trim_start_matches("!tag ");
            Some(text.trim_matches('\'').to_owned())
        }
        _ => None,
    }
}

fn nulls(node: &mut TreeNode) {
    match node {
        TreeNode::Bare("~") => *node = TreeNode::Null,
        TreeNode::List(items) => items.iter_mut().for_each(nulls),
        TreeNode::Map(entries) => entries.iter_mut().for_each(|(_, value)| nulls(value)),
        _ => {}
    }
}
