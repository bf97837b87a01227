//! One document in several layers and variables: together they contain what it contains, and below some values there are others.

use crate::{
    documents::{TreeNode, Writer},
    forms,
    model::{FieldType, Fields, ItemShape, Scalar, Tagging},
};
use flux::Format;

type Entries = Vec<(String, TreeNode)>;

/// The layers of a document, lowest first, and what variables have of it.
pub(crate) struct Spread {
    pub(crate) layers: Vec<TreeNode>,
    pub(crate) variables: Vec<(String, String)>,
}

impl Writer<'_> {
    pub(crate) fn spread(&mut self, root: usize, whole: &TreeNode) -> Spread {
        let mut layers = vec![Entries::new(); self.random.within(2, 3)];
        let mut variables = Vec::new();
        if let (ItemShape::Struct(fields), TreeNode::Map(entries)) =
            (&self.model.items[root].shape, whole)
        {
            let prefix = Some("APP".to_owned());
            self.spread_fields(fields, entries, &mut layers, &mut variables, prefix);
        }
        Spread {
            layers: layers.into_iter().map(TreeNode::Map).collect(),
            variables,
        }
    }

    fn spread_fields(
        &mut self,
        fields: &Fields,
        entries: &Entries,
        layers: &mut [Entries],
        variables: &mut Vec<(String, String)>,
        prefix: Option<String>,
    ) {
        for (key, value) in entries {
            let Some(field) = self.model.field_of(fields, key) else {
                continue;
            };
            // Of the map that takes the rest, this is an entry.
            if field.flatten {
                if let FieldType::Map(inner) = &field.ty {
                    self.put_with_others_below(&[key], inner, value, layers);
                }
                continue;
            }
            let mut names = vec![&field.key];
            names.extend(&field.aliases);
            let name = prefix.as_ref().filter(|_| is_plain(key));
            let name = name.map(|prefix| format!("{prefix}_{}", flux_syntax::env_segment(key)));
            if field.nested {
                self.spread_nested(&field.ty, &names, value, layers, variables, name);
            } else if let Some(text) = self.text_of(&field.ty, value)
                && let Some(name) = name
                && self.random.one_in(3)
            {
                if !is_map(&field.ty) {
                    let upper = layers.len();
                    self.put_others(&names, &field.ty, &mut layers[..upper]);
                }
                variables.push((name, text));
            } else if let (true, TreeNode::Map(inner)) = (is_map(&field.ty), value) {
                let mut parts = vec![Entries::new(); layers.len()];
                for (key, value) in inner {
                    let ty = value_type(&field.ty);
                    self.put_with_others_below(&[key], ty, value, &mut parts);
                }
                self.put_parts(&names, parts, layers);
            } else {
                self.put_with_others_below(&names, &field.ty, value, layers);
            }
        }
    }

    fn spread_nested(
        &mut self,
        ty: &FieldType,
        names: &[&String],
        value: &TreeNode,
        layers: &mut [Entries],
        variables: &mut Vec<(String, String)>,
        variable: Option<String>,
    ) {
        let model = self.model;
        match (ty, value) {
            (FieldType::Option(inner) | FieldType::Box(inner), TreeNode::Map(_)) => {
                self.spread_nested(inner, names, value, layers, variables, variable);
            }
            (FieldType::Named(index), TreeNode::Map(entries)) => {
                let mut parts = vec![Entries::new(); layers.len()];
                if let ItemShape::Struct(fields) = &model.items[*index].shape {
                    self.spread_fields(fields, entries, &mut parts, variables, variable);
                }
                self.put_parts(names, parts, layers);
            }
            (FieldType::Map(inner), TreeNode::Map(entries)) => {
                let mut parts = vec![Entries::new(); layers.len()];
                for (key, value) in entries {
                    self.spread_nested(inner, &[key], value, &mut parts, variables, None);
                }
                self.put_parts(names, parts, layers);
            }
            // A list is replaced as a whole.
            (FieldType::List(_), value) => self.put_with_others_below(names, ty, value, layers),
            (_, value) => {
                let at = self.random.below(layers.len());
                let name = self.random.pick(names);
                layers[at].push((name.clone(), value.clone()));
            }
        }
    }

    /// The value in one layer, and perhaps other ones in those below.
    fn put_with_others_below(
        &mut self,
        names: &[&String],
        ty: &FieldType,
        value: &TreeNode,
        layers: &mut [Entries],
    ) {
        let at = self.random.below(layers.len());
        self.put_others(names, ty, &mut layers[..at]);
        let name = self.random.pick(names);
        layers[at].push((name.clone(), value.clone()));
    }

    fn put_others(&mut self, names: &[&String], ty: &FieldType, layers: &mut [Entries]) {
        for layer in layers {
            if self.random.one_in(3) {
                let other = self.node(ty);
                layer.push((self.random.pick(names).clone(), other));
            }
        }
    }

    /// A map in parts: each layer has its part, and one of them has it even where nothing is in it.
    fn put_parts(&mut self, names: &[&String], parts: Vec<Entries>, layers: &mut [Entries]) {
        let always = self.random.below(layers.len());
        for (at, part) in parts.into_iter().enumerate() {
            if at == always || !part.is_empty() {
                let name = self.random.pick(names);
                layers[at].push((name.clone(), TreeNode::Map(part)));
            }
        }
    }

    /// The value as the text of a variable, where it has one that means the same.
    pub(crate) fn text_of(&self, ty: &FieldType, value: &TreeNode) -> Option<String> {
        let json = || forms::print(value, Format::Json, 0);
        let words = |text: &String| {
            let is_word = text.chars().all(|c| c.is_alphabetic() || c == ' ');
            (is_word && !text.trim().is_empty() && text != "true").then(|| text.clone())
        };
        match (ty, value) {
            (_, TreeNode::Null) => None,
            (FieldType::Option(inner) | FieldType::Box(inner) | FieldType::Arc(inner), _) => {
                self.text_of(inner, value)
            }
            (FieldType::Plain(Scalar::Any), TreeNode::Text(text)) => words(text),
            (FieldType::Named(index), _) => match (&self.model.items[*index].shape, value) {
                (ItemShape::Newtype(inner), _) => self.text_of(inner, value),
                (ItemShape::Enum(Tagging::Untagged, ..), TreeNode::Text(text)) => words(text),
                (_, TreeNode::Text(text)) => Some(text.clone()),
                _ => json(),
            },
            (_, TreeNode::Text(text)) => (!text.is_empty()).then(|| text.clone()),
            _ => json(),
        }
    }
}

/// The type of a map's values.
pub(crate) fn value_type(ty: &FieldType) -> &FieldType {
    match ty {
        FieldType::Option(inner) | FieldType::Box(inner) | FieldType::Arc(inner) => {
            value_type(inner)
        }
        FieldType::Map(inner) | FieldType::Numbered(inner) => inner,
        other => other,
    }
}

pub(crate) fn is_map(ty: &FieldType) -> bool {
    matches!(value_type(ty), inner if !std::ptr::eq(inner, without_pointers(ty)))
}

fn without_pointers(ty: &FieldType) -> &FieldType {
    match ty {
        FieldType::Option(inner) | FieldType::Box(inner) | FieldType::Arc(inner) => {
            without_pointers(inner)
        }
        other => other,
    }
}

fn is_plain(key: &str) -> bool {
    key.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}
