//! Reads attributes into options: an unknown option gets its suggestion, and one that is written twice, in the wrong place or for
//! another owner is refused.

use super::{
    form,
    given::{Given, Options, Written},
};
use crate::{
    errors::{Errors, did_you_mean, listed},
    options::{Form, Owner, Spec},
};
use proc_macro2::TokenTree;
use syn::{
    Attribute, Expr, ExprLit, Ident, Lit, LitStr, Meta, Token, ext::IdentExt, parse::ParseStream,
    token,
};

/// The options of all `#[flux(..)]`, which belong to `flux`, and of all `#[serde(..)]`, which belong to `serde`.
pub(crate) fn read(attrs: &[Attribute], flux: Owner, serde: Owner, errors: &mut Errors) -> Options {
    let mut all = Options::default();
    for attr in attrs {
        let owner = match attr.path() {
            path if path.is_ident("flux") => flux,
            path if path.is_ident("serde") => serde,
            _ => continue,
        };
        let Meta::List(list) = &attr.meta else {
            let name = attr.path().get_ident().map(Ident::to_string);
            let name = name.unwrap_or_default();
            errors.at(
                &attr.meta,
                format!("options are written in brackets: `#[{name}(..)]`"),
            );
            continue;
        };
        let parsed =
            list.parse_args_with(|input: ParseStream<'_>| options(input, owner, &mut all, errors));
        if let Err(error) = parsed {
            errors.push(error);
        }
    }
    all
}

/// The options up to the end of the input; after a mistake, it goes on behind the next comma.
fn options(
    input: ParseStream<'_>,
    owner: Owner,
    all: &mut Options,
    errors: &mut Errors,
) -> syn::Result<()> {
    let before = errors.count();
    while !input.is_empty() {
        let result = match Ident::parse_any(input) {
            Ok(key) => option(&key, input, owner, all, errors).and_then(|()| {
                if input.is_empty() || input.peek(Token![,]) {
                    Ok(())
                } else {
                    Err(input.error(format!("expected `,` after `{key}`")))
                }
            }),
            Err(_) => Err(input.error("expected the name of an option")),
        };
        if let Err(error) = result {
            errors.push(error);
            while !input.is_empty() && !input.peek(Token![,]) {
                input.parse::<TokenTree>()?;
            }
        }
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
    }
    all.faulty |= errors.count() > before;
    Ok(())
}

fn option(
    key: &Ident,
    input: ParseStream<'_>,
    owner: Owner,
    all: &mut Options,
    errors: &mut Errors,
) -> syn::Result<()> {
    let Some(spec) = owner.find(&key.to_string()) else {
        return Err(unknown(key, owner));
    };
    if spec.form == Form::Ignored {
        return ignore(input);
    }
    let value = value(spec, key, input, errors);
    let (value, error) = match value {
        Ok(Some(value)) => (value, None),
        Ok(None) => return Ok(()),
        Err(error) => (Written::Faulty, Some(error)),
    };
    let given = Given {
        spec,
        key: key.clone(),
        value,
    };
    let same = |one: &&mut Given| one.spec.key == spec.key;
    match all.all.iter_mut().find(same) {
        Some(earlier) if !spec.repeatable => match (&earlier.value, &given.value) {
            (_, Written::Faulty) => {}
            (Written::Faulty, _) => *earlier = given,
            _ => errors.at(key, format!("`{key}` is given twice; keep one")),
        },
        _ => all.all.push(given),
    }
    error.map_or(Ok(()), Err)
}

/// What is behind the key; none where nothing of it concerns Flux.
fn value(
    spec: &Spec,
    key: &Ident,
    input: ParseStream<'_>,
    errors: &mut Errors,
) -> syn::Result<Option<Written>> {
    let flag = |input| form::flag(key, input).map(|()| Written::Flag);
    let value = match spec.form {
        Form::Flag => flag(input)?,
        Form::Text => Written::Text(form::text(spec, key, input)?),
        Form::Expr => Written::Expr(form::value(spec, key, input)?),
        Form::Function => Written::Function(form::function(spec, key, input)?),
        Form::Range => Written::Range(form::range(spec, key, input)?),
        Form::List => Written::List(form::list(spec, key, input)?),
        Form::FlagOrExpr if input.peek(Token![=]) => Written::Expr(form::value(spec, key, input)?),
        Form::FlagOrText if input.peek(Token![=]) => Written::Text(form::text(spec, key, input)?),
        Form::FlagOrFunction if input.peek(Token![=]) => {
            Written::Function(form::function(spec, key, input)?)
        }
        Form::FlagOrExpr | Form::FlagOrText | Form::FlagOrFunction => flag(input)?,
        Form::TextOrFunction => text_or_function(spec, key, input)?,
        Form::Literal(inner) => literal(spec, inner, key, input, errors)?,
        Form::Brackets(inner) => {
            let message = format!("`{key}` takes its options in brackets: `{}`", spec.example);
            Written::Inside(None, brackets(key, input, inner, &message, errors)?.0)
        }
        Form::Rules => {
            let message = format!(
                "`{key}` takes the rules of the items in brackets: `{}`",
                spec.example
            );
            let (rules, is_empty) = brackets(key, input, Owner::Rule, &message, errors)?;
            if is_empty {
                errors.at(
                    key,
                    format!(
                        "`{key}` has no rule: write one in its brackets, as in `{}`",
                        spec.example
                    ),
                );
            }
            Written::Inside(None, rules)
        }
        Form::Half => return half(spec, key, input, errors),
        Form::Ignored => return Ok(None),
        Form::Refused(way) => {
            return Err(syn::Error::new_spanned(
                key,
                format!("Flux cannot honour serde's `{key}`: {way}"),
            ));
        }
    };
    Ok(Some(value))
}

fn text_or_function(spec: &Spec, key: &Ident, input: ParseStream<'_>) -> syn::Result<Written> {
    match form::value(spec, key, input)? {
        Expr::Lit(ExprLit {
            lit: Lit::Str(name),
            ..
        }) => Ok(Written::Text(name)),
        Expr::Path(path) if path.qself.is_none() => Ok(Written::Function(path.path)),
        other => Err(syn::Error::new_spanned(
            other,
            format!(
                "`{key}` is a name or a function: `{key} = {}`, `{key} = path::to::function`",
                spec.example
            ),
        )),
    }
}

/// The options in the brackets behind `key`, and whether there are none.
fn brackets(
    key: &Ident,
    input: ParseStream<'_>,
    owner: Owner,
    without: &str,
    errors: &mut Errors,
) -> syn::Result<(Options, bool)> {
    if !input.peek(token::Paren) {
        return Err(syn::Error::new_spanned(key, without));
    }
    let content;
    syn::parenthesized!(content in input);
    let is_empty = content.is_empty();
    let mut all = Options::default();
    options(&content, owner, &mut all, errors)?;
    Ok((all, is_empty))
}

/// `key = "literal"`, or `key("literal", options ..)`
fn literal(
    spec: &Spec,
    inner: Owner,
    key: &Ident,
    input: ParseStream<'_>,
    errors: &mut Errors,
) -> syn::Result<Written> {
    let mut all = Options::default();
    if !input.peek(token::Paren) {
        return Ok(Written::Inside(Some(form::text(spec, key, input)?), all));
    }
    let content;
    syn::parenthesized!(content in input);
    if !content.peek(LitStr) {
        // What is not read would be an error of its own.
        content.parse::<proc_macro2::TokenStream>()?;
        let long = match inner {
            Owner::LastKnownGood => {
                format!("the path: `{key}({}, secrets = \"omit\")`", spec.example)
            }
            _ => format!("the URI: `{key}(\"file:app.yaml\", optional)`"),
        };
        return Err(syn::Error::new_spanned(
            key,
            format!("`{key}(..)` begins with {long}"),
        ));
    }
    let literal = content.parse()?;
    if !content.is_empty() {
        content.parse::<Token![,]>()?;
    }
    options(&content, inner, &mut all, errors)?;
    Ok(Written::Inside(Some(literal), all))
}

/// The deserializing half of serde's `key = ".."` or `key(serialize = "..", deserialize = "..")`.
fn half(
    spec: &Spec,
    key: &Ident,
    input: ParseStream<'_>,
    errors: &mut Errors,
) -> syn::Result<Option<Written>> {
    if !input.peek(token::Paren) {
        return form::text(spec, key, input).map(|text| Some(Written::Text(text)));
    }
    let content;
    syn::parenthesized!(content in input);
    let mut found = None;
    while !content.is_empty() {
        let half = Ident::parse_any(&content)?;
        match form::text(spec, &half, &content) {
            Ok(name) if half == "deserialize" => found = Some(Written::Text(name)),
            Ok(_) => {}
            Err(error) => errors.push(error),
        }
        if !content.is_empty() {
            content.parse::<Token![,]>()?;
        }
    }
    Ok(found)
}

/// Reads over an option that does not concern Flux.
fn ignore(input: ParseStream<'_>) -> syn::Result<()> {
    if input.peek(Token![=]) {
        input.parse::<Token![=]>()?;
        input.parse::<Expr>()?;
    } else if input.peek(token::Paren) {
        input.parse::<TokenTree>()?;
    }
    Ok(())
}

/// The message for an option that does not exist.
fn unknown(key: &Ident, owner: Owner) -> syn::Error {
    let word = key.to_string();
    let known: Vec<&str> = owner
        .options()
        .filter(|spec| !matches!(spec.form, Form::Ignored | Form::Refused(_)))
        .map(|spec| spec.name)
        .collect();
    let near = did_you_mean(&word, &known);
    let name = owner.name();
    let elsewhere = owner
        .elsewhere()
        .filter(|(other, _)| other.find(&word).is_some());
    let inside = Owner::around(&word, owner);
    let message = match (elsewhere, inside) {
        (Some((_, other)), _) => format!("`{word}` is an option of {other}, not of {name}"),
        (None, Some(written)) => {
            format!("`{word}` is not an option of {name}; write it inside of another, `{written}`")
        }
        (None, None) if near.is_empty() => format!(
            "{name} has no option `{word}`; the options are {}",
            listed(&known)
        ),
        (None, None) => format!("{name} has no option `{word}`{near}"),
    };
    syn::Error::new_spanned(key, message)
}
