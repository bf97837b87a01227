//! What a type is taken for by its name alone (number, text, list, map, option, duration), so that options which cannot fit it are
//! refused. A type of the user's own is [`Shape::Other`], and the traits of the runtime decide.

use syn::{Expr, ExprLit, ExprUnary, GenericArgument, Lit, PathArguments, Type, UnOp};

/// The known shapes.
#[derive(Clone, Copy)]
pub(crate) enum Shape<'a> {
    Int(Int),
    Float,
    Bool,
    Char,
    /// `String`.
    Text,
    /// `Box<str>`, `Arc<str>`, `Cow<'static, str>`: text behind a pointer.
    TextPointer,
    Path,
    /// An address of `std::net`, by name.
    Net(&'static str),
    Duration,
    Vec(&'a Type),
    Deque(&'a Type),
    Set(&'a Type),
    Map(&'a Type, &'a Type),
    Array(&'a Type),
    Option(&'a Type),
    Borrowed,
    Other,
}

/// A primitive integer type and its bounds.
#[derive(Clone, Copy)]
pub(crate) struct Int {
    pub(crate) name: &'static str,
    pub(crate) min: i128,
    pub(crate) max: i128,
}

impl Int {
    fn of(name: &str) -> Option<Self> {
        macro_rules! table {
            ($($type:ident)*) => {
                match name {
                    $(stringify!($type) => Some(Int {
                        name: stringify!($type),
                        min: i128::try_from($type::MIN).unwrap_or(i128::MIN),
                        max: i128::try_from($type::MAX).unwrap_or(i128::MAX),
                    }),)*
                    // The program may run on another machine than the compiler: assume the wide one.
                    "usize" => Int::of("u64").map(|int| Int { name: "usize", ..int }),
                    "isize" => Int::of("i64").map(|int| Int { name: "isize", ..int }),
                    _ => None,
                }
            };
        }
        table!(u8 u16 u32 u64 u128 i8 i16 i32 i64 i128)
    }

    pub(crate) fn holds(self, value: i128) -> bool {
        (self.min..=self.max).contains(&value)
    }
}

const NET: [&str; 6] = [
    "IpAddr",
    "Ipv4Addr",
    "Ipv6Addr",
    "SocketAddr",
    "SocketAddrV4",
    "SocketAddrV6",
];

/// The shape of a type.
pub(crate) fn shape(ty: &Type) -> Shape<'_> {
    match ty {
        Type::Group(group) => shape(&group.elem),
        Type::Paren(paren) => shape(&paren.elem),
        Type::Array(array) => Shape::Array(&array.elem),
        Type::Reference(_) => Shape::Borrowed,
        Type::Path(path) if path.qself.is_none() => by_path(&path.path),
        _ => Shape::Other,
    }
}

fn by_path(path: &syn::Path) -> Shape<'_> {
    let Some(last) = path.segments.last() else {
        return Shape::Other;
    };
    let mut args = Vec::new();
    if let PathArguments::AngleBracketed(bracketed) = &last.arguments {
        args.extend(bracketed.args.iter().filter_map(|argument| match argument {
            GenericArgument::Type(ty) => Some(ty),
            _ => None,
        }));
    }
    let name = last.ident.to_string();
    match (name.as_str(), args.as_slice()) {
        ("Option", [inner]) => Shape::Option(inner),
        ("Vec", [item]) => Shape::Vec(item),
        ("VecDeque", [item]) => Shape::Deque(item),
        ("BTreeSet", [item]) | ("HashSet", [item, ..]) => Shape::Set(item),
        ("BTreeMap", [key, item]) | ("HashMap", [key, item, ..]) => Shape::Map(key, item),
        ("Box" | "Arc" | "Rc" | "Cow", [inner]) if is_str(inner) => Shape::TextPointer,
        ("String", []) => Shape::Text,
        ("PathBuf", []) => Shape::Path,
        ("bool", []) => Shape::Bool,
        ("char", []) => Shape::Char,
        ("f32" | "f64", []) => Shape::Float,
        ("Duration", []) if is_std_duration(path) => Shape::Duration,
        (name, []) => match (NET.iter().find(|net| **net == name), Int::of(name)) {
            (Some(net), _) => Shape::Net(net),
            (None, Some(int)) => Shape::Int(int),
            (None, None) => Shape::Other,
        },
        _ => Shape::Other,
    }
}

fn is_str(ty: &Type) -> bool {
    matches!(ty, Type::Path(path) if path.path.is_ident("str"))
}

/// `Duration`, `time::Duration`, `std::time::Duration`; not that of another crate.
fn is_std_duration(path: &syn::Path) -> bool {
    match path.segments.first() {
        Some(first) => ["Duration", "std", "core", "time"]
            .iter()
            .any(|name| first.ident == name),
        None => false,
    }
}

impl<'a> Shape<'a> {
    /// The shape without its `Option`s.
    pub(crate) fn inner(self) -> Shape<'a> {
        match self {
            Shape::Option(ty) => shape(ty).inner(),
            other => other,
        }
    }

    /// What rules of text can be asked of.
    pub(crate) fn is_text(self) -> bool {
        matches!(self, Shape::Text | Shape::TextPointer)
    }

    /// The items of a list, set or map.
    pub(crate) fn items(self) -> Option<&'a Type> {
        match self {
            Shape::Vec(item)
            | Shape::Deque(item)
            | Shape::Set(item)
            | Shape::Array(item)
            | Shape::Map(_, item) => Some(item),
            _ => None,
        }
    }

    /// Whether nothing is known about it.
    pub(crate) fn is_other(self) -> bool {
        matches!(self, Shape::Other)
    }
}

/// A number that is in the source as such.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
pub(crate) enum Number {
    Int(i128),
    Float(f64),
}

impl Number {
    /// The literal's value, where the expression is one.
    pub(crate) fn of(expr: &Expr) -> Option<Number> {
        match expr {
            Expr::Group(group) => Number::of(&group.expr),
            Expr::Unary(ExprUnary {
                op: UnOp::Neg(_),
                expr,
                ..
            }) => match Number::of(expr)? {
                Number::Int(value) => Some(Number::Int(value.checked_neg()?)),
                Number::Float(value) => Some(Number::Float(-value)),
            },
            Expr::Lit(ExprLit { lit, .. }) => match lit {
                Lit::Int(int) => int.base10_parse().ok().map(Number::Int),
                Lit::Float(float) => float.base10_parse().ok().map(Number::Float),
                _ => None,
            },
            _ => None,
        }
    }

    /// As a float, to compare numbers of both kinds.
    pub(crate) fn float(self) -> f64 {
        match self {
            Number::Int(value) => value as f64,
            Number::Float(value) => value,
        }
    }

    /// Exactly, where both are integers.
    pub(crate) fn less_than(self, other: Number) -> bool {
        match (self, other) {
            (Number::Int(a), Number::Int(b)) => a < b,
            (a, b) => a.float() < b.float(),
        }
    }
}

/// The literal text, where the expression is one.
pub(crate) fn literal_text(expr: &Expr) -> Option<&syn::LitStr> {
    match expr {
        Expr::Group(group) => literal_text(&group.expr),
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) => Some(text),
        _ => None,
    }
}
