//! Options as written.

use crate::options::{Key, Owner, Spec};
use syn::{Expr, ExprArray, ExprRange, Ident, LitStr, Path};

/// One option as written.
pub(crate) struct Given {
    pub(crate) spec: &'static Spec,
    /// The name, for its span.
    pub(crate) key: Ident,
    pub(crate) value: Value,
}

/// The value of an option.
pub(crate) enum Value {
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
    pub(crate) fn get(&self, key: Key) -> Option<&Given> {
        self.all.iter().find(|given| given.spec.key == key)
    }

    /// The option's name as written, for its span.
    pub(crate) fn key(&self, key: Key) -> Option<&Ident> {
        self.get(key).map(|given| &given.key)
    }

    /// Whether it was written, right or wrong.
    pub(crate) fn is_set(&self, key: Key) -> bool {
        self.get(key).is_some()
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
                Value::Text(text) => Some(text),
                _ => None,
            })
    }

    pub(crate) fn expr(&self, key: Key) -> Option<&Expr> {
        match &self.get(key)?.value {
            Value::Expr(expr) => Some(expr),
            _ => None,
        }
    }

    pub(crate) fn function(&self, key: Key) -> Option<&Path> {
        match &self.get(key)?.value {
            Value::Function(path) => Some(path),
            _ => None,
        }
    }

    /// The rules.
    pub(crate) fn rules(&self) -> impl Iterator<Item = &Given> {
        let rules = self
            .all
            .iter()
            .filter(|given| given.spec.owner == Owner::Rule);
        rules.filter(|given| given.spec.key != Key::Message)
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
