//! Struct and enum types as data.

use std::collections::BTreeSet;

/// What a field holds.
#[derive(Clone, Debug)]
pub(crate) enum FieldType {
    Plain(Scalar),
    Option(Box<FieldType>),
    Box(Box<FieldType>),
    Arc(Box<FieldType>),
    List(Box<FieldType>),
    Queue(Box<FieldType>),
    Set(Box<FieldType>),
    Array(Box<FieldType>, usize),
    Pair(Box<FieldType>, Box<FieldType>),
    Map(Box<FieldType>),
    /// A map whose keys are numbers.
    Numbered(Box<FieldType>),
    /// A type of the same model, by its index.
    Named(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scalar {
    Bool,
    U8,
    I16,
    U64,
    I64,
    U128,
    I128,
    F32,
    F64,
    Char,
    Text,
    Path,
    SharedText,
    Url,
    Uuid,
    Date,
    Ip,
    NonZero,
    /// `serde_json::Value`.
    Any,
}

pub(crate) struct Item {
    pub(crate) name: String,
    /// It derives `Flux`.
    pub(crate) is_section: bool,
    pub(crate) has_default: bool,
    pub(crate) shape: ItemShape,
}

pub(crate) enum ItemShape {
    Struct(Fields),
    Newtype(FieldType),
    Tuple(Vec<FieldType>),
    Enum(Tagging, Option<&'static str>, Vec<(String, VariantShape)>),
}

pub(crate) struct Fields {
    pub(crate) rename_all: Option<&'static str>,
    pub(crate) deny_unknown: bool,
    /// `#[serde(default)]` on the struct.
    pub(crate) default: bool,
    pub(crate) all: Vec<StructField>,
}

pub(crate) struct StructField {
    /// As in Rust.
    pub(crate) name: String,
    /// As in documents.
    pub(crate) key: String,
    pub(crate) rename: bool,
    pub(crate) aliases: Vec<String>,
    pub(crate) ty: FieldType,
    pub(crate) default: FieldDefault,
    pub(crate) skip: bool,
    pub(crate) flatten: bool,
    pub(crate) nested: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum FieldDefault {
    None,
    Type,
    /// A function that answers seven.
    Seven,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Tagging {
    External,
    Internal,
    Adjacent,
    Untagged,
}

pub(crate) enum VariantShape {
    Unit,
    Newtype(FieldType),
    Tuple(Vec<FieldType>),
    Struct(Vec<StructField>),
}

pub(crate) struct TypeModel {
    pub(crate) items: Vec<Item>,
    /// Those that documents are written for.
    pub(crate) roots: Vec<usize>,
}

impl TypeModel {
    /// The field that takes this key; perhaps one of a flattened section, or the map that takes the rest.
    pub(crate) fn field_of<'f>(&'f self, fields: &'f Fields, key: &str) -> Option<&'f StructField> {
        let own = fields.all.iter().filter(|field| !field.skip);
        let rest = own.clone().find(|field| field.flatten && !field.nested);
        own.filter(|field| !field.flatten || field.nested)
            .find_map(|field| match (&field.ty, field.flatten) {
                (FieldType::Named(index), true) => match &self.items[*index].shape {
                    ItemShape::Struct(fields) => self.field_of(fields, key),
                    _ => None,
                },
                _ => field.has_key(key).then_some(field),
            })
            .or(rest)
    }

    /// Whether a section below this root has a map for the rest beside a flattened section with a flattened section in it: serde's
    /// decoder of flattened structs takes no key away where it has to hand it on, so that the map gets those keys as well.
    pub(crate) fn gives_the_rest_too_much(&self, root: usize) -> bool {
        let mut reached = BTreeSet::new();
        self.add_used(root, &mut reached);
        let flattened = |field: &StructField| match &field.ty {
            FieldType::Named(index) if field.flatten => match &self.items[*index].shape {
                ItemShape::Struct(inner) => inner.all.iter().any(|field| field.flatten),
                _ => false,
            },
            _ => false,
        };
        reached.iter().any(|index| match &self.items[*index].shape {
            ItemShape::Struct(fields) => {
                let mut all = fields.all.iter();
                all.any(|field| field.flatten && !field.nested) && fields.all.iter().any(flattened)
            }
            _ => false,
        })
    }

    /// The types that the roots reach.
    pub(crate) fn used(&self) -> BTreeSet<usize> {
        let mut used = BTreeSet::new();
        for root in &self.roots {
            self.add_used(*root, &mut used);
        }
        used
    }

    fn add_used(&self, index: usize, used: &mut BTreeSet<usize>) {
        if !used.insert(index) {
            return;
        }
        let mut types = Vec::new();
        match &self.items[index].shape {
            ItemShape::Struct(fields) => types.extend(fields.all.iter().map(|field| &field.ty)),
            ItemShape::Newtype(ty) => types.push(ty),
            ItemShape::Tuple(all) => types.extend(all),
            ItemShape::Enum(_, _, variants) => {
                for (_, shape) in variants {
                    match shape {
                        VariantShape::Unit => {}
                        VariantShape::Newtype(ty) => types.push(ty),
                        VariantShape::Tuple(all) => types.extend(all),
                        VariantShape::Struct(all) => {
                            types.extend(all.iter().map(|field| &field.ty))
                        }
                    }
                }
            }
        }
        while let Some(ty) = types.pop() {
            match ty {
                FieldType::Plain(_) => {}
                FieldType::Pair(one, two) => types.extend([&**one, &**two]),
                FieldType::Named(index) => self.add_used(*index, used),
                FieldType::Option(inner)
                | FieldType::Box(inner)
                | FieldType::Arc(inner)
                | FieldType::List(inner)
                | FieldType::Queue(inner)
                | FieldType::Set(inner)
                | FieldType::Array(inner, _)
                | FieldType::Map(inner)
                | FieldType::Numbered(inner) => types.push(inner),
            }
        }
    }
}

impl StructField {
    pub(crate) fn has_key(&self, key: &str) -> bool {
        self.key == key || self.aliases.iter().any(|alias| alias == key)
    }
}

/// A variant's name as `rename_all` writes it.
pub(crate) fn variant_key(name: &str, case: Option<&str>) -> String {
    // `KindOf0` is two words.
    let words = |join: &str| {
        let mut text = String::new();
        for (at, letter) in name.char_indices() {
            if at > 0 && letter.is_ascii_uppercase() {
                text += join;
            }
            text.push(letter.to_ascii_lowercase());
        }
        text
    };
    match case {
        Some("camelCase") => name[..1].to_ascii_lowercase() + &name[1..],
        Some("kebab-case") => words("-"),
        Some("SCREAMING_SNAKE_CASE") => words("_").to_ascii_uppercase(),
        Some("lowercase") => name.to_ascii_lowercase(),
        _ => name.to_owned(),
    }
}
