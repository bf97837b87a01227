//! Stacks of whole and partial documents, in which sections are merged field by field, maps key by key, and the rest is replaced.

use crate::{
    FORMATS, Wrong,
    compare::PrintedLayer,
    documents::{TreeNode, Writer},
    expected::Expected,
    forms, kind,
    layers::{is_map, value_type},
    model::{FieldType, Fields, ItemShape, Scalar, TypeModel},
    random::Random,
    same, seeds, structs, types,
};
use flux::Format;

type Entries = Vec<(String, TreeNode)>;

/// What the guide's words on layers make of them.
struct Stack<'m>(&'m TypeModel);

impl Stack<'_> {
    fn section(&self, fields: &Fields, below: &mut Entries, above: Entries) {
        for (name, value) in above {
            let Some(field) = self.0.field_of(fields, &name) else {
                continue;
            };
            if let (true, FieldType::Map(inner)) = (field.flatten, &field.ty) {
                self.entry(inner, false, below, name, value);
                continue;
            }
            let at = below.iter().position(|(key, _)| *key == field.key);
            let at = at.unwrap_or_else(|| {
                // Nothing is there yet: a null of a section leaves it so.
                below.push((field.key.clone(), TreeNode::Map(Vec::new())));
                below.len() - 1
            });
            match (field.nested, is_map(&field.ty), value) {
                (true, _, value) => self.nested(&field.ty, &mut below[at].1, value),
                (false, true, TreeNode::Map(entries)) => {
                    let mut map = entries_of(&mut below[at].1);
                    for (key, value) in entries {
                        self.entry(value_type(&field.ty), false, &mut map, key, value);
                    }
                    below[at].1 = TreeNode::Map(map);
                }
                (_, _, value) => below[at].1 = value,
            }
        }
    }

    fn nested(&self, ty: &FieldType, below: &mut TreeNode, above: TreeNode) {
        match (ty, above) {
            // Null leaves a section as the layers below have it.
            (FieldType::Named(_), TreeNode::Null) => {}
            (FieldType::Named(index), TreeNode::Map(above)) => {
                let mut entries = entries_of(below);
                if let ItemShape::Struct(fields) = &self.0.items[*index].shape {
                    self.section(fields, &mut entries, above);
                }
                *below = TreeNode::Map(entries);
            }
            (FieldType::Option(_), TreeNode::Null) => *below = TreeNode::Null,
            (FieldType::Option(inner) | FieldType::Box(inner), above) => {
                self.nested(inner, below, above);
            }
            (FieldType::Map(inner), TreeNode::Map(above)) => {
                let mut entries = entries_of(below);
                for (key, value) in above {
                    self.entry(inner, true, &mut entries, key, value);
                }
                *below = TreeNode::Map(entries);
            }
            (_, above) => *below = above,
        }
    }

    fn entry(
        &self,
        ty: &FieldType,
        is_section: bool,
        below: &mut Entries,
        key: String,
        value: TreeNode,
    ) {
        let at = below.iter().position(|(known, _)| *known == key);
        let takes_away = value == TreeNode::Null && !has_null(self.0, ty);
        match (at, takes_away) {
            (Some(at), true) => drop(below.remove(at)),
            (None, true) => {}
            (at, false) => {
                let at = at.unwrap_or_else(|| {
                    below.push((key, TreeNode::Map(Vec::new())));
                    below.len() - 1
                });
                match is_section {
                    true => self.nested(ty, &mut below[at].1, value),
                    false => below[at].1 = value,
                }
            }
        }
    }
}

fn entries_of(node: &mut TreeNode) -> Entries {
    match std::mem::replace(node, TreeNode::Null) {
        TreeNode::Map(entries) => entries,
        _ => Entries::new(),
    }
}

/// Whether null is a value of the type.
fn has_null(model: &TypeModel, ty: &FieldType) -> bool {
    match ty {
        FieldType::Option(_) | FieldType::Plain(Scalar::Any) => true,
        FieldType::Box(inner) | FieldType::Arc(inner) => has_null(model, inner),
        FieldType::Named(index) => match &model.items[*index].shape {
            ItemShape::Newtype(ty) => has_null(model, ty),
            ItemShape::Enum(..) => true,
            _ => false,
        },
        _ => false,
    }
}

impl Writer<'_> {
    /// A layer that has a part of a document, and null in places.
    fn thin(&mut self, fields: &Fields, entries: &mut Entries) {
        let model = self.model;
        entries.retain(|_| !self.random.one_in(2));
        for (key, value) in entries {
            let Some(field) = model.field_of(fields, key) else {
                continue;
            };
            if field.flatten {
                if let FieldType::Map(inner) = &field.ty
                    && self.random.one_in(4)
                    && !has_null(model, inner)
                {
                    *value = TreeNode::Null;
                }
                continue;
            }
            match (field.nested, &field.ty) {
                (true, ty) => self.thin_nested(ty, value),
                (false, FieldType::Option(_)) if self.random.one_in(6) => *value = TreeNode::Null,
                (false, ty) if is_map(ty) => self.thin_map(value),
                _ => {}
            }
        }
    }

    fn thin_nested(&mut self, ty: &FieldType, node: &mut TreeNode) {
        let model = self.model;
        match (ty, &mut *node) {
            (FieldType::Named(_) | FieldType::Option(_), _) if self.random.one_in(8) => {
                *node = TreeNode::Null;
            }
            (FieldType::Named(index), TreeNode::Map(entries)) => {
                if let ItemShape::Struct(fields) = &model.items[*index].shape {
                    self.thin(fields, entries);
                }
            }
            (FieldType::Option(inner) | FieldType::Box(inner), _) => self.thin_nested(inner, node),
            (FieldType::Map(inner), TreeNode::Map(entries)) => {
                for (_, value) in entries.iter_mut() {
                    self.thin_nested(inner, value);
                }
            }
            _ => {}
        }
    }

    fn thin_map(&mut self, node: &mut TreeNode) {
        if let TreeNode::Map(entries) = node {
            for (_, value) in entries {
                if self.random.one_in(4) {
                    *value = TreeNode::Null;
                }
            }
        }
    }

    /// Takes scalars out of the sections of a document, as variables.
    fn variables(
        &mut self,
        fields: &Fields,
        entries: &Entries,
        prefix: &str,
        all: &mut Vec<(String, String)>,
    ) -> Entries {
        let mut over = Entries::new();
        for (key, value) in entries {
            let field = self.model.field_of(fields, key);
            let Some(field) = field.filter(|field| !field.flatten && !field.nested) else {
                continue;
            };
            let is_plain = key
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            if !is_plain || is_map(&field.ty) || !self.random.one_in(4) {
                continue;
            }
            if let Some(text) = self.text_of(&field.ty, value) {
                all.push((format!("{prefix}_{}", flux_syntax::env_segment(key)), text));
                over.push((key.clone(), value.clone()));
            }
        }
        over
    }
}

#[test]
fn a_stack_of_layers_is_what_the_guide_makes_of_it() {
    let model = types();
    let (mut wrong, mut accepted, mut refused) = (Wrong::default(), 0, 0);
    for seed in seeds() {
        let mut random = Random::new(seed);
        let number = random.below(model.roots.len());
        let (root, index) = (&structs::ROOTS[number], model.roots[number]);
        let ItemShape::Struct(fields) = &model.items[index].shape else {
            continue;
        };
        if model.gives_the_rest_too_much(index) {
            continue;
        }
        let mut writer = Writer {
            model: &model,
            random: &mut random,
        };
        let (mut merged, mut layers) = (Entries::new(), Vec::<PrintedLayer>::new());
        for at in 0..writer.random.within(1, 4) {
            let TreeNode::Map(mut entries) = writer.document(index) else {
                continue;
            };
            if at > 0 {
                writer.thin(fields, &mut entries);
            }
            let layer = TreeNode::Map(entries.clone());
            let format = writer.random.pick(&FORMATS);
            let style = writer.random.next();
            // TOML has no null and no empty document.
            let printed = forms::print(&layer, format, style).map(|text| (format, text));
            let as_json = || forms::print(&layer, Format::Json, 0).unwrap_or_default();
            layers.push(printed.unwrap_or_else(|| (Format::Json, as_json())));
            Stack(&model).section(fields, &mut merged, entries);
        }
        let mut variables = Vec::new();
        if let TreeNode::Map(other) = writer.document(index) {
            let over = writer.variables(fields, &other, "APP", &mut variables);
            Stack(&model).section(fields, &mut merged, over);
        }
        let mut merged = TreeNode::Map(merged);
        let expected = match Expected::new(&model, Format::Json).of(index, &mut merged) {
            Ok(()) => {
                let text = forms::print(&merged, Format::Json, 0).unwrap_or_default();
                (root.serde_alone)(Format::Json, &text)
            }
            Err(reason) => Err(reason.to_owned()),
        };
        let read = (root.flux)(&layers, &variables);
        match read {
            Ok(_) => accepted += 1,
            Err(_) => refused += 1,
        }
        if !same(&expected, &read) {
            wrong.add(format!("{}: {} for {}", root.name, kind(&read), kind(&expected)), || {
                let layers = layers.iter();
                let layers = layers.map(|(format, text)| format!("---- {format}\n{text}\n"));
                format!(
                    "FLUX_RANDOM_SEED={seed}:\n{}  {variables:?}\n  expected: {expected:?}\n  Flux:     {read:?}\n",
                    layers.collect::<String>()
                )
            });
        }
    }
    println!("{accepted} stacks accepted, {refused} refused");
    wrong.check();
    let is_one = std::env::var_os("FLUX_RANDOM_SEED").is_some();
    assert!(is_one || accepted > refused, "{accepted} of {refused}");
}
