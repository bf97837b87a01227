//! The options of a field.

use super::{
    Once, deserialize_half, each_option, flag, function, ignore, rules::Rules, text, unknown, value,
};
use crate::errors::Errors;
use syn::{Attribute, Expr, ExprLit, Ident, Lit, LitStr, Path, Token, parse::ParseStream};

pub(crate) const KNOWN: [&str; 22] = [
    "default",
    "nested",
    "merge",
    "secret",
    "env",
    "hot",
    "opaque",
    "immutable",
    "restart",
    "max_change",
    "monotonic",
    "range",
    "length",
    "non_empty",
    "pattern",
    "one_of",
    "email",
    "url",
    "ip",
    "each",
    "validate",
    "message",
];
/// What a field's attributes say.
#[derive(Default)]
pub(crate) struct FieldAttrs {
    pub(crate) default: Once<DefaultAttr>,
    pub(crate) nested: Once<()>,
    pub(crate) merge: Once<MergeAttr>,
    pub(crate) secret: Once<()>,
    pub(crate) env: Once<LitStr>,
    /// With the accessor's name, where one is given.
    pub(crate) hot: Once<Option<LitStr>>,
    pub(crate) opaque: Once<()>,
    pub(crate) immutable: Once<()>,
    pub(crate) restart: Once<()>,
    pub(crate) max_change: Once<LitStr>,
    pub(crate) monotonic: Once<()>,
    pub(crate) rules: Rules,
    pub(crate) rename: Once<LitStr>,
    pub(crate) aliases: Vec<LitStr>,
    /// The function that decodes the field: `module::deserialize` for serde's `with`.
    pub(crate) decode: Once<Path>,
    pub(crate) serde_default: Once<SerdeDefault>,
    pub(crate) skip: Once<()>,
    pub(crate) flatten: Once<()>,
}

/// `default`, or `default = ..`
pub(crate) enum DefaultAttr {
    Flag,
    Value(Expr),
}

/// serde's `default`, or `default = "path"`
pub(crate) enum SerdeDefault {
    Flag,
    Function(Path),
}

/// `merge = "append"`, or `merge = path`
pub(crate) enum MergeAttr {
    Named(LitStr),
    Function(Path),
}

impl FieldAttrs {
    pub(crate) fn read(attrs: &[Attribute], errors: &mut Errors) -> Self {
        let mut all = FieldAttrs::default();
        for attr in attrs {
            if attr.path().is_ident("flux") {
                each_option(attr, errors, |key, input, errors| {
                    all.flux(key, input, errors)
                });
            } else if attr.path().is_ident("serde") {
                each_option(attr, errors, |key, input, errors| {
                    all.serde(key, input, errors)
                });
            }
        }
        all
    }

    fn flux(
        &mut self,
        key: &Ident,
        input: ParseStream<'_>,
        errors: &mut Errors,
    ) -> syn::Result<()> {
        match key.to_string().as_str() {
            "default" => {
                let default = match input.peek(Token![=]) {
                    true => DefaultAttr::Value(value(key, input, "..")?),
                    false => flag(key, input).map(|()| DefaultAttr::Flag)?,
                };
                self.default.set(key, default, errors);
            }
            "nested" => flag(key, input).map(|()| self.nested.set(key, (), errors))?,
            "merge" => self.merge.set(key, merge(key, input)?, errors),
            "secret" => flag(key, input).map(|()| self.secret.set(key, (), errors))?,
            "env" => self.env.set(key, text(key, input, "\"NAME\"")?, errors),
            "hot" => {
                let name = match input.peek(Token![=]) {
                    true => Some(text(key, input, "\"accessor_name\"")?),
                    false => flag(key, input).map(|()| None)?,
                };
                self.hot.set(key, name, errors);
            }
            "opaque" => flag(key, input).map(|()| self.opaque.set(key, (), errors))?,
            "immutable" => flag(key, input).map(|()| self.immutable.set(key, (), errors))?,
            "restart" => flag(key, input).map(|()| self.restart.set(key, (), errors))?,
            "max_change" => self
                .max_change
                .set(key, text(key, input, "\"50%\"")?, errors),
            "monotonic" => flag(key, input).map(|()| self.monotonic.set(key, (), errors))?,
            _ if self.rules.option(key, input, errors)? => {}
            _ => {
                let elsewhere = &super::container::KNOWN;
                return Err(unknown(key, "a field", &KNOWN, elsewhere, "the struct"));
            }
        }
        Ok(())
    }

    fn serde(
        &mut self,
        key: &Ident,
        input: ParseStream<'_>,
        errors: &mut Errors,
    ) -> syn::Result<()> {
        match key.to_string().as_str() {
            "rename" => {
                if let Some(name) = deserialize_half(key, input, errors)? {
                    self.rename.set(key, name, errors);
                }
            }
            "alias" => self.aliases.push(text(key, input, "\"..\"")?),
            "with" => {
                let mut path = function(key, input)?;
                path.segments
                    .push(Ident::new("deserialize", key.span()).into());
                self.decode.set(key, path, errors);
            }
            "deserialize_with" => self.decode.set(key, function(key, input)?, errors),
            "default" => {
                let default = match input.peek(Token![=]) {
                    true => SerdeDefault::Function(function(key, input)?),
                    false => flag(key, input).map(|()| SerdeDefault::Flag)?,
                };
                self.serde_default.set(key, default, errors);
            }
            "skip" | "skip_deserializing" => {
                flag(key, input)?;
                self.skip.set(key, (), errors);
            }
            "flatten" => flag(key, input).map(|()| self.flatten.set(key, (), errors))?,
            "serialize_with"
            | "skip_serializing"
            | "skip_serializing_if"
            | "getter"
            | "bound"
            | "borrow" => {
                ignore(input)?;
            }
            _ => {
                const SERDE: [&str; 8] = [
                    "rename",
                    "alias",
                    "with",
                    "deserialize_with",
                    "default",
                    "skip",
                    "skip_deserializing",
                    "flatten",
                ];
                return Err(unknown(
                    key,
                    "serde on a field",
                    &SERDE,
                    &KNOWN,
                    "`#[flux(..)]`",
                ));
            }
        }
        Ok(())
    }
}

fn merge(key: &Ident, input: ParseStream<'_>) -> syn::Result<MergeAttr> {
    match value(key, input, "\"append\"")? {
        Expr::Lit(ExprLit {
            lit: Lit::Str(name),
            ..
        }) => Ok(MergeAttr::Named(name)),
        Expr::Path(path) if path.qself.is_none() => Ok(MergeAttr::Function(path.path)),
        other => Err(syn::Error::new_spanned(
            other,
            "`merge` is a name or a function: `merge = \"append\"`, `merge = path::to::function`",
        )),
    }
}
