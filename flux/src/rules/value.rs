//! What `range`, `length`, `non_empty`, `pattern`, `email`, `url`, `ip`, `one_of`, `each` and `validate` accept, and their
//! sentences. Each checks one value and records a violation; none stops at the first.

use crate::{
    layer::finish::Nested,
    problem::{Cx, ProblemKind, Seg, What, caught, printed},
};
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque},
    fmt::{Debug, Display},
    ops::RangeBounds,
    rc::Rc,
    sync::Arc,
};

/// A message that replaces the rule's own.
pub type Message = Option<&'static str>;

#[cold]
#[inline(never)]
fn broken(cx: &mut Cx, name: &'static str, message: Message, must: String, found: Option<String>) {
    let (must, found) = match message {
        Some(text) => (text.to_owned(), None),
        None => (must, found),
    };
    let change = false;
    cx.problem(
        name,
        What::Rule {
            change,
            must,
            found,
        },
    );
}

/// Whether a broken rule is still to be described; else it is counted.
#[cold]
#[inline(never)]
fn has_room(cx: &mut Cx) -> bool {
    let full = cx.is_full();
    if full {
        cx.count_more();
    }
    !full
}

/// `range = 1..=65535`
#[inline]
pub fn range<T: PartialOrd + Debug, R: RangeBounds<T> + Debug>(
    cx: &mut Cx,
    name: &'static str,
    value: &T,
    range: R,
    message: Message,
) {
    if !range.contains(value) && has_room(cx) {
        broken(
            cx,
            name,
            message,
            format!("must be in {range:?}"),
            Some(format!("{value:?}")),
        );
    }
}

/// Something that has a length: characters of a string, items of a collection.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no length",
    note = "`length` and `non_empty` fit strings, lists, sets and maps"
)]
pub trait Length {
    /// The number of characters or items.
    fn length(&self) -> usize;
    /// What is counted.
    const UNIT: &'static str;
}

impl Length for str {
    const UNIT: &'static str = "characters";
    fn length(&self) -> usize {
        self.chars().count()
    }
}

impl Length for String {
    const UNIT: &'static str = "characters";
    fn length(&self) -> usize {
        self.chars().count()
    }
}

macro_rules! counted {
    ($([$($generic:tt)*] $type:ty;)*) => {$(
        impl<$($generic)*> Length for $type {
            const UNIT: &'static str = "items";
            fn length(&self) -> usize {
                self.len()
            }
        }
    )*};
}

counted! {
    [T] [T];
    [T] Vec<T>;
    [T] VecDeque<T>;
    [T] BTreeSet<T>;
    [T, S] HashSet<T, S>;
    [K, V] BTreeMap<K, V>;
    [K, V, S] HashMap<K, V, S>;
}

impl Length for std::path::PathBuf {
    const UNIT: &'static str = "bytes";
    fn length(&self) -> usize {
        self.as_os_str().len()
    }
}

macro_rules! behind_a_pointer {
    ($([$($generic:tt)*] $type:ty;)*) => {$(
        impl<$($generic)*> Length for $type {
            const UNIT: &'static str = T::UNIT;
            fn length(&self) -> usize {
                T::length(self)
            }
        }
    )*};
}

behind_a_pointer! {
    [T: Length + ?Sized] Box<T>;
    [T: Length + ?Sized] Arc<T>;
    [T: Length + ?Sized] Rc<T>;
    [T: Length + ToOwned + ?Sized] Cow<'_, T>;
}

/// `length = 1..=64`
#[inline]
pub fn length<T: Length + ?Sized, R: RangeBounds<usize> + Debug>(
    cx: &mut Cx,
    name: &'static str,
    value: &T,
    range: R,
    message: Message,
) {
    let length = value.length();
    if !range.contains(&length) && has_room(cx) {
        let must = format!("must have {range:?} {}", T::UNIT);
        broken(cx, name, message, must, Some(format!("{length}")));
    }
}

/// `non_empty`
#[inline]
pub fn non_empty<T: Length + ?Sized>(cx: &mut Cx, name: &'static str, value: &T, message: Message) {
    if value.length() == 0 {
        broken(cx, name, message, "must not be empty".into(), None);
    }
}

/// `one_of = ["debug", "info"]`
#[inline]
pub fn one_of<T: PartialEq<U> + Debug, U: Debug>(
    cx: &mut Cx,
    name: &'static str,
    value: &T,
    allowed: &[U],
    message: Message,
) {
    if !allowed.iter().any(|one| value == one) && has_room(cx) {
        let must = format!("must be one of {allowed:?}");
        broken(cx, name, message, must, Some(format!("{value:?}")));
    }
}

/// A regular expression that the macro has already compiled once; compiled again at its first use.
#[cfg(feature = "rules")]
#[derive(Debug)]
pub struct Pattern {
    text: &'static str,
    regex: std::sync::OnceLock<Option<regex_lite::Regex>>,
}

#[cfg(feature = "rules")]
impl Pattern {
    /// The pattern with this text.
    pub const fn new(text: &'static str) -> Self {
        Pattern {
            text,
            regex: std::sync::OnceLock::new(),
        }
    }
}

/// `pattern = "^[a-z]+$"`
#[cfg(feature = "rules")]
pub fn pattern<T: AsRef<str> + ?Sized>(
    cx: &mut Cx,
    name: &'static str,
    value: &T,
    pattern: &'static Pattern,
    message: Message,
) {
    let regex = pattern
        .regex
        .get_or_init(|| regex_lite::Regex::new(pattern.text).ok());
    if !regex
        .as_ref()
        .is_some_and(|regex| regex.is_match(value.as_ref()))
        && has_room(cx)
    {
        let must = format!("must match `{}`", pattern.text);
        broken(
            cx,
            name,
            message,
            must,
            Some(format!("{:?}", value.as_ref())),
        );
    }
}

/// `email`
#[cfg(feature = "rules")]
pub fn email<T: AsRef<str> + ?Sized>(cx: &mut Cx, name: &'static str, value: &T, message: Message) {
    if !email_address::EmailAddress::is_valid(value.as_ref()) && has_room(cx) {
        let must = "must be an email address such as `ops@example.org`".into();
        broken(
            cx,
            name,
            message,
            must,
            Some(format!("{:?}", value.as_ref())),
        );
    }
}

/// `url`
#[cfg(feature = "rules")]
pub fn url<T: AsRef<str> + ?Sized>(cx: &mut Cx, name: &'static str, value: &T, message: Message) {
    let text = value.as_ref();
    let with_host = iri_string::types::UriStr::new(text).is_ok_and(|uri| {
        uri.authority_components()
            .is_some_and(|a| !a.host().is_empty())
    });
    if !with_host && has_room(cx) {
        let must = "must be a URL such as `https://example.org/path`".into();
        broken(cx, name, message, must, Some(format!("{text:?}")));
    }
}

/// `ip`
pub fn ip<T: AsRef<str> + ?Sized>(cx: &mut Cx, name: &'static str, value: &T, message: Message) {
    if value.as_ref().parse::<std::net::IpAddr>().is_err() && has_room(cx) {
        let must = "must be an IP address such as `10.0.0.1` or `::1`".into();
        broken(
            cx,
            name,
            message,
            must,
            Some(format!("{:?}", value.as_ref())),
        );
    }
}

/// `validate = path`: the user's own rule, `fn(&T) -> Result<(), impl Display>`. A panic in it is a violation.
pub fn custom<T: ?Sized, E: Display>(
    cx: &mut Cx,
    name: &'static str,
    path: &'static str,
    value: &T,
    rule: fn(&T) -> Result<(), E>,
    message: Message,
) {
    if !cx.asks(name) {
        return;
    }
    match caught(|| rule(value)) {
        Ok(Ok(())) => {}
        Ok(Err(error)) => match message {
            Some(text) => broken(cx, name, Some(text), String::new(), None),
            None => cx.problem(name, What::message(ProblemKind::Rule, printed(&error))),
        },
        Err(panic) => {
            let text = format!("`{path}` panicked: {panic}");
            cx.problem(name, What::Panic(text));
        }
    }
}

/// `validate = path` on the struct: the user's own rule about all of its fields.
pub fn whole<T: ?Sized, E: Display>(
    cx: &mut Cx,
    path: &'static str,
    value: &T,
    rule: fn(&T) -> Result<(), E>,
) {
    if !cx.asks_structs() {
        return;
    }
    match caught(|| rule(value)) {
        Ok(Ok(())) => {}
        Ok(Err(error)) => cx.problem("", What::message(ProblemKind::CrossField, printed(&error))),
        Err(panic) => {
            let text = format!("`{path}` panicked: {panic}");
            cx.problem("", What::Panic(text));
        }
    }
}

/// A section, list or map of sections.
#[inline]
pub fn nested<N: Nested>(cx: &mut Cx, name: &'static str, value: &N) {
    if name.is_empty() {
        return value.validate(cx);
    }
    cx.within(Seg::Key(name.into()), |cx| value.validate(cx));
}

/// A collection whose items `each(..)` checks.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no items",
    note = "`each(..)` fits lists, sets and maps (their values)"
)]
pub trait Items {
    /// What is checked.
    type Item;
    /// Calls `check` at every item's place.
    fn each(&self, cx: &mut Cx, check: impl FnMut(&mut Cx, &Self::Item));
}

macro_rules! listed {
    ($([$($generic:tt)*] $type:ty;)*) => {$(
        impl<$($generic)*> Items for $type {
            type Item = T;
            fn each(&self, cx: &mut Cx, mut check: impl FnMut(&mut Cx, &T)) {
                for (i, item) in self.iter().enumerate() {
                    cx.within(Seg::Index(i), |cx| check(cx, item));
                }
            }
        }
    )*};
}

listed! {
    [T] Vec<T>;
    [T] VecDeque<T>;
    [T, const N: usize] [T; N];
}

// The order of a set is not that of the document: what is wrong with an item is reported at the set.
macro_rules! sets {
    ($([$($generic:tt)*] $type:ty;)*) => {$(
        impl<$($generic)*> Items for $type {
            type Item = T;
            fn each(&self, cx: &mut Cx, mut check: impl FnMut(&mut Cx, &T)) {
                for item in self {
                    cx.within(Seg::SET_ITEM, |cx| check(cx, item));
                }
            }
        }
    )*};
}

sets! {
    [T] BTreeSet<T>;
    [T, S] HashSet<T, S>;
}

macro_rules! mapped {
    ($([$($generic:tt)*] $type:ty;)*) => {$(
        impl<$($generic)*> Items for $type {
            type Item = V;
            fn each(&self, cx: &mut Cx, mut check: impl FnMut(&mut Cx, &V)) {
                for (key, item) in self {
                    cx.under(&Cow::<str>::from(key.to_string()), |cx| check(cx, item));
                }
            }
        }
    )*};
}

mapped! {
    [K: Display, V] BTreeMap<K, V>;
    [K: Display, V, S] HashMap<K, V, S>;
}

/// `each(..)`
pub fn each<C: Items>(
    cx: &mut Cx,
    name: &'static str,
    items: &C,
    check: impl FnMut(&mut Cx, &C::Item),
) {
    if name.is_empty() {
        return items.each(cx, check);
    }
    cx.within(Seg::Key(name.into()), |cx| items.each(cx, check));
}
