//! The options of a struct or a field as they were read, asked by their key.

use crate::options::{Key, Owner, Spec};
use syn::{Expr, ExprArray, ExprRange, Ident, LitStr, Path};

/// One option as written.
pub(crate) struct Given {
    pub(crate) spec: &'static Spec,
    /// The name, for its span.
    pub(crate) key: Ident,
    pub(crate) value: Written,
}

impl Given {
    fn is_read(&self) -> bool {
        !matches!(self.value, Written::Faulty)
    }
}

/// The value of an option.
pub(crate) enum Written {
    Flag,
    Text(LitStr),
    Expr(Expr),
    Function(Path),
    Range(ExprRange),
    List(ExprArray),
    /// The literal before the options, where there is one, and the options in the brackets.
    Inside(Option<LitStr>, Options),
    /// An error was recorded for it.
    Faulty,
}

/// The options of a struct, of a field, or in the brackets of another option, in the order written. An option that is not
/// repeatable occurs once.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) all: Vec<Given>,
    /// Something in them is wrong already.
    pub(crate) faulty: bool,
}

impl Options {
    /// The option, where it could be read.
    pub(crate) fn get(&self, key: Key) -> Option<&Given> {
        self.all
            .iter()
            .find(|given| given.spec.key == key && given.is_read())
    }

    /// The option's name as written, for its span.
    pub(crate) fn key(&self, key: Key) -> Option<&Ident> {
        self.get(key).map(|given| &given.key)
    }

    /// Whether it was written, right or wrong.
    pub(crate) fn is_set(&self, key: Key) -> bool {
        self.all.iter().any(|given| given.spec.key == key)
    }

    pub(crate) fn text(&self, key: Key) -> Option<&LitStr> {
        self.texts(key).next()
    }

    /// The texts of a repeatable option.
    pub(crate) fn texts(&self, key: Key) -> impl Iterator<Item = &LitStr> {
        self.all
            .iter()
            .filter(move |given| given.spec.key == key)
            .filter_map(|given| match &given.value {
                Written::Text(text) => Some(text),
                _ => None,
            })
    }

    pub(crate) fn expr(&self, key: Key) -> Option<&Expr> {
        match &self.get(key)?.value {
            Written::Expr(expr) => Some(expr),
            _ => None,
        }
    }

    pub(crate) fn function(&self, key: Key) -> Option<&Path> {
        match &self.get(key)?.value {
            Written::Function(path) => Some(path),
            _ => None,
        }
    }

    /// The rules.
    pub(crate) fn rules(&self) -> impl Iterator<Item = &Given> {
        let rules = self
            .all
            .iter()
            .filter(|given| given.spec.owner == Owner::Rule);
        rules.filter(|given| given.spec.key != Key::Message && given.is_read())
    }

    /// The layers.
    pub(crate) fn sources(&self) -> impl Iterator<Item = &Given> {
        self.all
            .iter()
            .filter(|given| given.spec.form == crate::options::Form::Literal(Owner::Source))
    }

    /// The steps of the pipeline.
    pub(crate) fn steps(&self) -> impl Iterator<Item = &Given> {
        self.all.iter().filter(|given| given.spec.step)
    }
}
