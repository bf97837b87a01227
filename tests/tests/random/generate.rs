//! Types made at random from a seed.

use crate::{
    model::{
        FieldDefault, FieldType, Fields, Item, ItemShape, Scalar, StructField, Tagging, TypeModel,
        VariantShape,
    },
    random::Random,
};

const CASES: [&str; 6] = [
    "camelCase",
    "kebab-case",
    "SCREAMING_SNAKE_CASE",
    "PascalCase",
    "lowercase",
    "UPPERCASE",
];
const WORDS: [&str; 10] = [
    "port",
    "host_name",
    "max_size",
    "tls",
    "labels",
    "retry_after",
    "path",
    "mode",
    "id",
    "window",
];
const ODD_KEYS: [&str; 5] = ["a.b", "with space", "Ключ", "x-y", "#no"];

struct ModelBuilder<'r> {
    random: &'r mut Random,
    items: Vec<Item>,
    /// So many fields have a name: each name is in the model once.
    names: usize,
}

/// The same seed is the same model.
pub(crate) fn generate(seed: u64, roots: usize) -> TypeModel {
    let mut random = Random::new(seed);
    let mut builder = ModelBuilder {
        random: &mut random,
        items: Vec::new(),
        names: 0,
    };
    let roots = (0..roots).map(|_| builder.section(2, false)).collect();
    TypeModel {
        items: builder.items,
        roots,
    }
}

impl ModelBuilder<'_> {
    fn add(&mut self, is_section: bool, shape: ItemShape) -> usize {
        let has_default = match &shape {
            ItemShape::Struct(fields) => fields.all.iter().all(|field| self.has_default(&field.ty)),
            ItemShape::Newtype(ty) => self.has_default(ty),
            ItemShape::Tuple(types) => types.iter().all(|ty| self.has_default(ty)),
            ItemShape::Enum(..) => false,
        };
        let name = match shape {
            ItemShape::Enum(..) => format!("RandomEnum{}", self.items.len()),
            _ if is_section => format!("RandomSection{}", self.items.len()),
            _ => format!("RandomValue{}", self.items.len()),
        };
        self.items.push(Item {
            name,
            is_section,
            has_default,
            shape,
        });
        self.items.len() - 1
    }

    fn has_default(&self, ty: &FieldType) -> bool {
        match ty {
            FieldType::Plain(scalar) => !matches!(
                scalar,
                Scalar::Url | Scalar::Ip | Scalar::NonZero | Scalar::Any
            ),
            FieldType::Box(inner) | FieldType::Arc(inner) | FieldType::Array(inner, _) => {
                self.has_default(inner)
            }
            FieldType::Pair(one, two) => self.has_default(one) && self.has_default(two),
            FieldType::Named(index) => self.items[*index].has_default,
            _ => true,
        }
    }

    fn section(&mut self, depth: usize, is_flattened: bool) -> usize {
        let count = self.random.within(2, if depth == 2 { 9 } else { 4 });
        let rename_all = self.random.one_in(2).then(|| self.random.pick(&CASES));
        let mut all = Vec::new();
        let (mut has_flatten, mut has_rest) = (false, false);
        for _ in 0..count {
            let mut field = self.field(rename_all, depth, is_flattened);
            if depth > 0 && self.random.one_in(3) {
                self.nest(&mut field, depth - 1, is_flattened);
                if field.flatten {
                    has_flatten = true;
                }
            } else if !has_rest && !is_flattened && self.random.one_in(12) {
                has_rest = true;
                has_flatten = true;
                field.flatten = true;
                field.ty = FieldType::Map(Box::new(FieldType::Plain(self.random.pick(&[
                    Scalar::Text,
                    Scalar::I64,
                    Scalar::Any,
                ]))));
                field.default = FieldDefault::None;
                field.skip = false;
                field.aliases.clear();
            }
            all.push(field);
        }
        // Serde alone gives the rest the keys of flattened structs below it, too.
        all.sort_by_key(|field| field.flatten && !field.nested);
        let deny_unknown = !has_flatten && !is_flattened && self.random.one_in(6);
        let mut default = self.random.one_in(6);
        default &= all.iter().all(|field| self.has_default(&field.ty));
        self.add(
            true,
            ItemShape::Struct(Fields {
                rename_all,
                deny_unknown,
                default,
                all,
            }),
        )
    }

    /// Makes the field a section, or a container of sections.
    fn nest(&mut self, field: &mut StructField, depth: usize, is_flattened: bool) {
        let flatten = self.random.one_in(4);
        let section = self.section(depth, is_flattened || flatten);
        let section = FieldType::Named(section);
        field.nested = true;
        field.skip = false;
        field.default = FieldDefault::None;
        let inner = Box::new(section.clone());
        field.ty = match self.random.below(12) {
            _ if flatten => section,
            0 | 1 => FieldType::Option(inner),
            2 => FieldType::Box(inner),
            3 | 4 => FieldType::List(inner),
            5 | 6 => FieldType::Map(inner),
            7 => FieldType::Option(Box::new(FieldType::Box(inner))),
            _ => section,
        };
        field.flatten = flatten;
        if flatten {
            field.aliases.clear();
        } else if self.has_default(&field.ty) && self.random.one_in(3) {
            field.default = FieldDefault::Type;
        }
    }

    fn field(
        &mut self,
        rename_all: Option<&'static str>,
        depth: usize,
        is_flattened: bool,
    ) -> StructField {
        let number = self.names;
        self.names += 1;
        let name = format!("{}_{number}", self.random.pick(&WORDS));
        let ty = self.ty(depth.max(1), is_flattened);
        let rename = self.random.one_in(6);
        let key = match rename {
            true if self.random.one_in(2) => format!("{}{number}", self.random.pick(&ODD_KEYS)),
            true => format!("renamed-{number}"),
            false => renamed(&name, rename_all),
        };
        let aliases = match self.random.below(8) {
            0 => vec![format!("old_{name}")],
            1 => vec![format!("old-{number}"), format!("older{number}")],
            _ => Vec::new(),
        };
        let default = match (&ty, self.random.below(4)) {
            (FieldType::Plain(Scalar::U8), 0) => FieldDefault::Seven,
            (ty, 0 | 1) if self.has_default(ty) => FieldDefault::Type,
            _ => FieldDefault::None,
        };
        let skip = self.has_default(&ty) && self.random.one_in(20);
        StructField {
            name,
            key,
            rename,
            aliases: if skip { Vec::new() } else { aliases },
            ty,
            default: if skip { FieldDefault::None } else { default },
            skip,
            flatten: false,
            nested: false,
        }
    }

    fn ty(&mut self, depth: usize, is_flattened: bool) -> FieldType {
        let inner = |builder: &mut Self| Box::new(builder.ty(depth - 1, is_flattened));
        match self.random.below(if depth == 0 { 8 } else { 24 }) {
            8 | 9 => FieldType::Option(inner(self)),
            10 => FieldType::Box(inner(self)),
            11 => FieldType::Arc(inner(self)),
            12 | 13 => FieldType::List(inner(self)),
            14 => FieldType::Map(inner(self)),
            15 if !is_flattened => FieldType::Numbered(inner(self)),
            16 => FieldType::Set(Box::new(FieldType::Plain(self.random.pick(&[
                Scalar::U8,
                Scalar::Text,
                Scalar::Char,
            ])))),
            17 => FieldType::Array(inner(self), self.random.within(1, 3)),
            18 => FieldType::Pair(inner(self), inner(self)),
            19 => FieldType::Queue(inner(self)),
            20 | 21 => FieldType::Named(self.value(depth - 1, is_flattened)),
            22 | 23 => FieldType::Named(self.choice(depth - 1, is_flattened)),
            _ => FieldType::Plain(self.scalar(is_flattened)),
        }
    }

    fn scalar(&mut self, is_flattened: bool) -> Scalar {
        use Scalar::*;
        let all = [
            Bool, U8, U8, I16, U64, I64, F32, F64, Char, Text, Text, Text, Path, SharedText, Url,
            Uuid, Date, Ip, NonZero, Any, U128, I128,
        ];
        // The buffer of serde has no numbers of 128 bits.
        let count = if is_flattened {
            all.len() - 2
        } else {
            all.len()
        };
        self.random.pick(&all[..count])
    }

    /// A struct that is one value.
    fn value(&mut self, depth: usize, is_flattened: bool) -> usize {
        let shape = match self.random.below(6) {
            0 => ItemShape::Newtype(self.ty(depth, is_flattened)),
            1 => ItemShape::Tuple((0..2).map(|_| self.ty(depth, is_flattened)).collect()),
            _ => {
                let rename_all = self.random.one_in(2).then(|| self.random.pick(&CASES));
                let count = self.random.within(1, 4);
                let all: Vec<_> = (0..count)
                    .map(|_| self.field(rename_all, depth, is_flattened))
                    .collect();
                let mut default = self.random.one_in(5);
                default &= all.iter().all(|field| self.has_default(&field.ty));
                ItemShape::Struct(Fields {
                    rename_all,
                    deny_unknown: self.random.one_in(4),
                    default,
                    all,
                })
            }
        };
        self.add(false, shape)
    }

    fn choice(&mut self, depth: usize, is_flattened: bool) -> usize {
        use Tagging::*;
        let tagging = self
            .random
            .pick(&[External, External, Internal, Adjacent, Untagged]);
        let is_buffered = is_flattened || matches!(tagging, Internal | Adjacent | Untagged);
        let rename_all = self.random.one_in(2).then(|| self.random.pick(&CASES[..5]));
        let count = self.random.within(1, 4);
        let mut variants = Vec::new();
        for number in 0..count {
            let shape = match (tagging, self.random.below(4)) {
                (Untagged, 0) if number > 0 => VariantShape::Unit,
                (Untagged | External | Adjacent, 1) => {
                    VariantShape::Newtype(self.ty(depth, is_buffered))
                }
                (Untagged | External | Adjacent, 2) => {
                    VariantShape::Tuple(vec![self.ty(0, is_buffered), self.ty(0, is_buffered)])
                }
                (Internal, 1) => {
                    let field = self.field(None, 0, true);
                    let fields = Fields {
                        rename_all: None,
                        deny_unknown: false,
                        default: false,
                        all: vec![field],
                    };
                    let index = self.add(false, ItemShape::Struct(fields));
                    VariantShape::Newtype(FieldType::Named(index))
                }
                (Untagged, _) | (_, 3) => {
                    let count = self.random.within(1, 2);
                    let fields = (0..count).map(|_| self.field(None, 0, is_buffered));
                    VariantShape::Struct(fields.collect())
                }
                _ => VariantShape::Unit,
            };
            variants.push((
                format!("Kind{}{number}", self.random.pick(&["Of", "By"])),
                shape,
            ));
        }
        self.add(false, ItemShape::Enum(tagging, rename_all, variants))
    }
}

/// A field's name as `rename_all` writes it.
fn renamed(name: &str, case: Option<&str>) -> String {
    let capitalised = |word: &str| {
        let mut letters = word.chars();
        let first = letters.next().map(|c| c.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    };
    let pascal = || name.split('_').map(capitalised).collect::<String>();
    match case {
        Some("camelCase") => {
            let pascal = pascal();
            pascal[..1].to_ascii_lowercase() + &pascal[1..]
        }
        Some("kebab-case") => name.replace('_', "-"),
        Some("SCREAMING_SNAKE_CASE" | "UPPERCASE") => name.to_ascii_uppercase(),
        Some("PascalCase") => pascal(),
        _ => name.to_owned(),
    }
}
