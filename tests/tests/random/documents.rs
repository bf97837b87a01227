//! Documents as trees: good ones of a type, and what a slip makes of them.

use crate::{
    model::{
        FieldType, Fields, ItemShape, Scalar, StructField, Tagging, TypeModel, VariantShape,
        variant_key,
    },
    random::Random,
};

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum TreeNode {
    Null,
    Bool(bool),
    /// As it is written.
    Number(String),
    Text(String),
    /// In YAML and TOML as it is, without quotes; text in JSON.
    Bare(&'static str),
    List(Vec<TreeNode>),
    /// A key may occur twice.
    Map(Vec<(String, TreeNode)>),
}

impl TreeNode {
    /// Whether it contains a scalar that JSON does not have.
    pub(crate) fn has_bare(&self) -> bool {
        match self {
            TreeNode::Bare(_) => true,
            TreeNode::Number(number) => number.parse().is_ok_and(f64::is_infinite),
            TreeNode::List(items) => items.iter().any(TreeNode::has_bare),
            TreeNode::Map(entries) => entries.iter().any(|(_, value)| value.has_bare()),
            _ => false,
        }
    }
}

pub(crate) fn text(text: &str) -> TreeNode {
    TreeNode::Text(text.to_owned())
}

fn number(number: impl ToString) -> TreeNode {
    TreeNode::Number(number.to_string())
}

/// Writes documents of one model.
pub(crate) struct Writer<'r> {
    pub(crate) model: &'r TypeModel,
    pub(crate) random: &'r mut Random,
}

const TEXTS: [&str; 12] = [
    "a",
    "b c",
    "",
    "1.10",
    "true",
    "null",
    "~",
    "0x1F",
    "é🦀",
    "it's",
    "a: b # c",
    "line\nnext",
];

impl Writer<'_> {
    /// A document that the root accepts.
    pub(crate) fn document(&mut self, root: usize) -> TreeNode {
        self.node(&FieldType::Named(root))
    }

    pub(crate) fn node(&mut self, ty: &FieldType) -> TreeNode {
        match ty {
            FieldType::Plain(scalar) => self.scalar(*scalar),
            FieldType::Option(_) if self.random.one_in(4) => TreeNode::Null,
            FieldType::Option(inner) | FieldType::Box(inner) | FieldType::Arc(inner) => {
                self.node(inner)
            }
            FieldType::List(inner) | FieldType::Queue(inner) | FieldType::Set(inner) => {
                let count = self.random.below(4);
                TreeNode::List((0..count).map(|_| self.node(inner)).collect())
            }
            FieldType::Array(inner, count) => {
                TreeNode::List((0..*count).map(|_| self.node(inner)).collect())
            }
            FieldType::Pair(one, two) => TreeNode::List(vec![self.node(one), self.node(two)]),
            FieldType::Map(inner) => {
                let keys = ["k", "K2", "a b", "x-y", "1"];
                let count = self.random.below(4);
                TreeNode::Map(
                    (0..count)
                        .map(|at| (keys[at].to_owned(), self.node(inner)))
                        .collect(),
                )
            }
            FieldType::Numbered(inner) => {
                let count = self.random.below(3);
                let entry = |at: usize| (format!("{}", at * 80), self.node(inner));
                TreeNode::Map((0..count).map(entry).collect())
            }
            FieldType::Named(index) => self.named(*index),
        }
    }

    fn named(&mut self, index: usize) -> TreeNode {
        match &self.model.items[index].shape {
            ItemShape::Struct(fields) => TreeNode::Map(self.fields(fields)),
            ItemShape::Newtype(ty) => self.node(ty),
            ItemShape::Tuple(types) => {
                TreeNode::List(types.iter().map(|ty| self.node(ty)).collect())
            }
            ItemShape::Enum(tagging, case, variants) => {
                let (name, shape) = &variants[self.random.below(variants.len())];
                let key = variant_key(name, *case);
                let content = match shape {
                    VariantShape::Unit => None,
                    VariantShape::Newtype(ty) => Some(self.node(ty)),
                    VariantShape::Tuple(types) => Some(TreeNode::List(
                        types.iter().map(|ty| self.node(ty)).collect(),
                    )),
                    VariantShape::Struct(fields) => {
                        Some(TreeNode::Map(self.entries(fields, false)))
                    }
                };
                match (tagging, content) {
                    (Tagging::External, None) => text(&key),
                    (Tagging::External, Some(content)) => TreeNode::Map(vec![(key, content)]),
                    (Tagging::Untagged, content) => content.unwrap_or(TreeNode::Null),
                    (Tagging::Internal, content) => {
                        let mut entries = vec![("type".to_owned(), text(&key))];
                        if let Some(TreeNode::Map(content)) = content {
                            entries.extend(content);
                        }
                        TreeNode::Map(entries)
                    }
                    (Tagging::Adjacent, content) => {
                        let mut entries = vec![("type".to_owned(), text(&key))];
                        entries.extend(content.map(|content| ("is".to_owned(), content)));
                        TreeNode::Map(entries)
                    }
                }
            }
        }
    }

    fn fields(&mut self, fields: &Fields) -> Vec<(String, TreeNode)> {
        self.entries(&fields.all, fields.default)
    }

    fn entries(&mut self, fields: &[StructField], default: bool) -> Vec<(String, TreeNode)> {
        let mut entries = Vec::new();
        for field in fields.iter().filter(|field| !field.skip) {
            let node = match field.flatten {
                true => self.node(&field.ty),
                false if self.may_leave_out(field, default) && self.random.one_in(3) => continue,
                false => self.node(&field.ty),
            };
            match node {
                TreeNode::Map(inner) if field.flatten => entries.extend(inner),
                node => {
                    let alias = field.aliases.first().filter(|_| self.random.one_in(3));
                    entries.push((alias.unwrap_or(&field.key).clone(), node));
                }
            }
        }
        entries
    }

    fn may_leave_out(&self, field: &StructField, default: bool) -> bool {
        let has_default = default || field.default != crate::model::FieldDefault::None;
        has_default || matches!(field.ty, FieldType::Option(_))
    }

    fn scalar(&mut self, scalar: Scalar) -> TreeNode {
        let random = &mut *self.random;
        match scalar {
            Scalar::Bool => TreeNode::Bool(random.one_in(2)),
            Scalar::U8 => number(random.below(256)),
            Scalar::I16 => number(random.below(65536) as i64 - 32768),
            Scalar::U64 => number(random.pick(&[0, 1, u64::from(u32::MAX), i64::MAX as u64])),
            Scalar::I64 => number(random.pick(&[0, -1, i64::MIN, i64::MAX])),
            Scalar::U128 => number(random.pick(&[0, 5, i64::MAX as u128])),
            Scalar::I128 => number(random.pick(&[0, -5, i64::MAX as i128, i64::MIN as i128])),
            Scalar::F32 | Scalar::F64 => {
                TreeNode::Number((random.pick(&["0.5", "-1.25", "3", "1e3", "1.5e-3"])).into())
            }
            Scalar::Char => text(random.pick(&["x", "é", " ", "🦀", "1"])),
            Scalar::Text | Scalar::Path | Scalar::SharedText => text(random.pick(&TEXTS)),
            Scalar::Url => text(random.pick(&["https://a.b/c", "http://[::1]:80/"])),
            Scalar::Uuid => text("67e55044-10b1-426f-9247-bb680e5fe0c8"),
            Scalar::Date => text(random.pick(&["2024-02-29", "1999-12-31"])),
            Scalar::Ip => text(random.pick(&["::1", "10.0.0.1"])),
            Scalar::NonZero => number(random.within(1, 65535)),
            Scalar::Any => self.any(2),
        }
    }

    fn any(&mut self, depth: usize) -> TreeNode {
        match self.random.below(if depth == 0 { 5 } else { 7 }) {
            0 => TreeNode::Null,
            1 => TreeNode::Bool(true),
            2 => number(self.random.pick(&[0, 5, -7])),
            3 => TreeNode::Number("0.5".to_owned()),
            4 => text(self.random.pick(&TEXTS)),
            5 => TreeNode::List((0..2).map(|_| self.any(depth - 1)).collect()),
            _ => TreeNode::Map(vec![("any".to_owned(), self.any(depth - 1))]),
        }
    }

    /// One slip, anywhere in the document.
    pub(crate) fn mutate(&mut self, document: &mut TreeNode) {
        let count = count(document);
        // The document itself is a map, or another kind of test.
        let target = self.random.within(1.min(count - 1), count - 1);
        let slip = self.slip();
        let mut at = 0;
        self.visit(document, target, &mut at, &slip);
    }

    fn visit(&mut self, node: &mut TreeNode, target: usize, at: &mut usize, slip: &Slip) -> bool {
        if *at == target {
            slip.apply(node, self.random);
            return true;
        }
        *at += 1;
        match node {
            TreeNode::List(items) => {
                let mut items = items.iter_mut();
                items.any(|item| self.visit(item, target, at, slip))
            }
            TreeNode::Map(entries) => {
                for number in 0..entries.len() {
                    if *at == target && !matches!(slip, Slip::Become(_)) && self.random.one_in(2) {
                        slip.apply_to_entry(entries, number, self.random);
                        return true;
                    }
                    if self.visit(&mut entries[number].1, target, at, slip) {
                        return true;
                    }
                }
                false
            }
            _ => false,
        }
    }

    fn slip(&mut self) -> Slip {
        use TreeNode::*;
        match self.random.below(16) {
            0 | 1 => Slip::Become(Null),
            2 => Slip::Become(Bool(true)),
            3 | 4 => {
                let odd = [
                    "0",
                    "-1",
                    "256",
                    "1.0",
                    "1e400",
                    "18446744073709551616",
                    "65536",
                    "340282366920938463463374607431768211456",
                    "9223372036854775808",
                    "2.5",
                ];
                Slip::Become(Number((self.random.pick(&odd)).to_owned()))
            }
            5 => Slip::Become(text(self.random.pick(&TEXTS))),
            6 => {
                let odd = [
                    "1.10",
                    "0x1F",
                    "0o17",
                    "1_000",
                    "inf",
                    "nan",
                    ".inf",
                    ".nan",
                    "~",
                    "yes",
                    "+5",
                    "2024-02-29",
                    "1979-05-27T07:32:00Z",
                    "True",
                    "007",
                    "!tag x",
                    "''",
                ];
                Slip::Become(Bare(self.random.pick(&odd)))
            }
            7 => Slip::Become(List(Vec::new())),
            8 => Slip::Become(Map(Vec::new())),
            9 => Slip::Become(List(vec![Null])),
            10 => Slip::Wrap,
            11 => Slip::Remove,
            12 => Slip::Twice,
            13 => Slip::Rename,
            14 => Slip::AsList,
            _ => Slip::Add,
        }
    }
}

fn count(node: &TreeNode) -> usize {
    1 + match node {
        TreeNode::List(items) => items.iter().map(count).sum(),
        TreeNode::Map(entries) => entries.iter().map(|(_, value)| count(value)).sum::<usize>(),
        _ => 0,
    }
}

enum Slip {
    Become(TreeNode),
    /// In a list of one.
    Wrap,
    Remove,
    Twice,
    Rename,
    /// The values of a map without its keys.
    AsList,
    Add,
}

impl Slip {
    fn apply(&self, node: &mut TreeNode, random: &mut Random) {
        match (self, &mut *node) {
            (Slip::Become(other), _) => *node = other.clone(),
            (Slip::AsList, TreeNode::Map(entries)) => {
                *node = TreeNode::List(entries.iter().map(|(_, value)| value.clone()).collect());
            }
            (Slip::Add, TreeNode::List(items)) => {
                let more = items.last().cloned().unwrap_or(TreeNode::Null);
                items.push(more);
            }
            (Slip::Remove, TreeNode::List(items)) => drop(items.pop()),
            (_, TreeNode::Map(entries)) if !entries.is_empty() => {
                let number = random.below(entries.len());
                self.apply_to_entry(entries, number, random);
            }
            _ => *node = TreeNode::List(vec![node.clone()]),
        }
    }

    fn apply_to_entry(
        &self,
        entries: &mut Vec<(String, TreeNode)>,
        number: usize,
        random: &mut Random,
    ) {
        let (key, value) = entries[number].clone();
        match self {
            Slip::Remove => drop(entries.remove(number)),
            Slip::Twice => entries.push((key, value)),
            Slip::Rename => {
                let at = random.below(key.len() + 1);
                let at = (0..=at)
                    .rev()
                    .find(|at| key.is_char_boundary(*at))
                    .unwrap_or(0);
                entries[number].0.insert(at, 'z');
            }
            Slip::Add => entries.push(("extra".to_owned(), value)),
            Slip::Wrap | Slip::AsList | Slip::Become(_) => {
                entries[number].1 = TreeNode::List(vec![value]);
            }
        }
    }
}
