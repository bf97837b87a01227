//! Switches for one decode of a tree: whether numbers are texts too, whether items have numbers for keys, and what form a type asks
//! for.

use super::ChosenPart;
use crate::{
    document::{raw, tree::Tree},
    problem::{Seg, collect_errors},
};
use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
};

/// Runs at the end of a decode, also where it panics.
struct AtEnd<F: Fn()>(F);

impl<F: Fn()> Drop for AtEnd<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

thread_local! {
    /// In YAML a plain scalar is also a legal string.
    static PLAIN_SCALARS: Cell<bool> = const { Cell::new(false) };
}

/// Runs `decode` with numbers and bools accepted as strings.
pub(crate) fn with_plain_scalars<T>(on: bool, decode: impl FnOnce() -> T) -> T {
    let _reset = AtEnd(|| PLAIN_SCALARS.set(false));
    PLAIN_SCALARS.set(on);
    decode()
}

/// What a text is read for that is not a single word in every case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum AskedForm {
    Bool,
    List,
    Map,
}

/// What a text is read for, where that may have parts with names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum AskedValue {
    /// A struct with these keys.
    Struct(&'static [&'static str]),
    /// An enum with these variants.
    Enum(&'static [&'static str]),
    /// Whatever it is, as by an enum with a tag or without any.
    Anything,
    /// A struct whose keys are not known: something is flattened into it.
    OpenStruct,
    #[default]
    Other,
}

thread_local! {
    /// The form that the last text was read for.
    static ASKED: Cell<Option<AskedForm>> = const { Cell::new(None) };
    /// What the last text was read for.
    static VALUE: Cell<AskedValue> = const { Cell::new(AskedValue::Other) };
    /// A map in the place of a list contains its items by their numbers.
    static BY_NUMBER: Cell<bool> = const { Cell::new(false) };
}

/// The form that `decode` reads its one text for; none for anything else, such as a number.
pub(crate) fn asked_form(decode: impl FnOnce()) -> Option<AskedForm> {
    ASKED.set(None);
    decode();
    ASKED.take()
}

/// What `decode` reads its one text for.
pub(crate) fn asked_value(decode: impl FnOnce()) -> AskedValue {
    VALUE.set(AskedValue::Other);
    decode();
    VALUE.take()
}

/// Runs `decode` with lists of sections accepted as maps of their items by number.
pub(crate) fn items_by_number<T>(decode: impl FnOnce() -> T) -> T {
    let _end = AtEnd(|| BY_NUMBER.set(false));
    BY_NUMBER.set(true);
    decode()
}

/// Whether numbers and bools are accepted as strings.
pub(super) fn plain_scalars() -> bool {
    PLAIN_SCALARS.get()
}

/// A text is read in this form.
pub(super) fn asked_for(form: AskedForm) {
    ASKED.set(Some(form));
}

/// A text is read as a map, or as a struct whose keys are not known.
pub(super) fn asked_for_map(is_struct: bool) {
    ASKED.set(Some(AskedForm::Map));
    if is_struct {
        VALUE.set(AskedValue::OpenStruct);
    }
}

/// A text is read for this.
pub(super) fn asked_for_value(value: AskedValue) {
    VALUE.set(value);
}

/// Whether a list of sections may be a map of its items by number.
pub(super) fn by_number() -> bool {
    BY_NUMBER.get()
}

/// Which parts of the lists and maps at these paths are decoded.
pub(crate) type PartsByPath = HashMap<Vec<Seg>, ChosenPart>;

thread_local! {
    static PARTS: RefCell<PartsByPath> = RefCell::default();
}

/// Runs `decode` with only these parts of lists and maps, while errors are collected.
pub(crate) fn with_parts<T>(parts: &PartsByPath, decode: impl FnOnce() -> T) -> T {
    let _reset = AtEnd(|| PARTS.with(|chosen| chosen.borrow_mut().clear()));
    PARTS.with(|chosen| chosen.borrow_mut().clone_from(parts));
    decode()
}

/// The chosen parts of the list or map at which the decoder is; none where all of it is decoded.
pub(super) fn chosen() -> Option<ChosenPart> {
    PARTS.with(|chosen| {
        let chosen = chosen.borrow();
        match chosen.is_empty() {
            true => None,
            false => collect_errors::at_path(|path| chosen.get(path).cloned()).flatten(),
        }
    })
}

type ReadTexts = HashMap<(AskedForm, String), Rc<Tree>>;

thread_local! {
    static READ: RefCell<Option<ReadTexts>> = const { RefCell::new(None) };
}

/// Runs `decode`, which reads the same tree several times, with each long text parsed once.
pub(crate) fn with_texts_read_once<T>(decode: impl FnOnce() -> T) -> T {
    let _reset = AtEnd(|| drop(READ.take()));
    READ.set(Some(HashMap::new()));
    decode()
}

/// Shorter texts are parsed again.
const LONG: usize = 256;

pub(super) fn opened(form: AskedForm, text: &str) -> Result<Rc<Tree>, raw::Unreadable> {
    let key = || (form, text.to_owned());
    let is_kept = text.len() >= LONG;
    let known = |read: &Option<ReadTexts>| read.as_ref()?.get(&key()).cloned();
    if is_kept && let Some(known) = READ.with_borrow(known) {
        return Ok(known);
    }
    let tree = Rc::new(match form {
        AskedForm::List => raw::list(text)?,
        AskedForm::Map => raw::map(text)?,
        // There is nothing in it.
        AskedForm::Bool => Tree::Raw(text.to_owned()),
    });
    READ.with_borrow_mut(|read| {
        if let Some(read) = read.as_mut().filter(|_| is_kept) {
            read.insert(key(), Rc::clone(&tree));
        }
    });
    Ok(tree)
}
