//! What a field was called in earlier versions of the program, and whether it goes: versions that are none, options that need each
//! other, a deprecated field that nobody could leave out.

use crate::{
    ast::{FieldInput, Input},
    errors::Errors,
    model::{Evolution, Removal},
    options::Key,
    types::{Shape, shape},
};
use syn::LitStr;

pub(super) fn evolution(
    input: &Input<'_>,
    written: &FieldInput<'_>,
    errors: &mut Errors,
) -> Evolution {
    let options = &written.options;
    let deprecated = options.text(Key::Deprecated);
    let has_key = can_be_named(written, errors);
    let since = version(written, Key::Since, errors);
    let removed = version(written, Key::Removed, errors);
    if deprecated.is_none() && !options.is_set(Key::Was) && !options.is_set(Key::Deprecated) {
        for key in [Key::Since, Key::Removed] {
            if let Some(name) = options.key(key) {
                errors.at(
                    name,
                    format!("`{name}` is the version of `was` or `deprecated`, and the field has neither; add one, or remove `{name}`"),
                );
            }
        }
    }
    if let (Some((since, from)), Some((removed, until))) = (&since, &removed)
        && from >= until
    {
        errors.at(
            removed,
            format!(
                "`removed = \"{}\"` is not after `since = \"{}\"`",
                removed.value(),
                since.value()
            ),
        );
    }
    if let Some(text) = deprecated.filter(|_| has_key) {
        if text.value().trim().is_empty() {
            errors.at(
                text,
                "say what to do instead: `deprecated = \"use `pool.max_size`\"`",
            );
        }
        let has_default = input.options.is_set(Key::SerdeStructDefault);
        if !has_default && !may_be_left_out(written) {
            errors.at(
                text,
                "a deprecated field that every configuration must have cannot be left out; give it a `default`, or make it an `Option`",
            );
        }
    }
    Evolution {
        was: old_names(written).map(LitStr::value).collect(),
        deprecated: deprecated.map(|text| text.value().trim().to_owned()),
        since: since.map(|(text, _)| text.value()),
        removed: removed.map(|(text, version)| Removal {
            version: text.value(),
            is_reached: compiled().is_some_and(|own| own >= version),
        }),
    }
}

/// The names of earlier versions, as written.
pub(super) fn old_names<'a>(written: &'a FieldInput<'_>) -> impl Iterator<Item = &'a LitStr> {
    written.options.texts(Key::Was)
}

/// What has no key of its own had none in earlier versions, and nobody can leave it out.
fn can_be_named(written: &FieldInput<'_>, errors: &mut Errors) -> bool {
    let options = &written.options;
    let is_flat = options.is_set(Key::SerdeFlatten);
    if !is_flat && !options.is_set(Key::SerdeSkip) {
        return true;
    }
    for key in [Key::Was, Key::Deprecated] {
        if let Some(name) = options.key(key) {
            let message = match (is_flat, written.is_section()) {
                (false, _) => format!("a field that no layer sets has no key; remove `{name}`"),
                (true, true) => {
                    format!("a flattened section has no key of its own; put `{name}` on its fields")
                }
                (true, false) => {
                    format!("a flattened map has no key of its own; remove `{name}`")
                }
            };
            errors.at(name, message);
        }
    }
    false
}

/// Whether a configuration needs no value for the field. A section may have defaults for all of its fields; a type that is an `Option`
/// by another name is taken for a required one.
fn may_be_left_out(written: &FieldInput<'_>) -> bool {
    let options = &written.options;
    let has_default = options.is_set(Key::Default) || options.is_set(Key::SerdeDefault);
    has_default
        || match shape(&written.original.ty) {
            Shape::Option(_) => true,
            Shape::Other => written.is_section(),
            _ => false,
        }
}

/// A version in an option; an error where it is none.
fn version<'a>(
    written: &'a FieldInput<'_>,
    key: Key,
    errors: &mut Errors,
) -> Option<(&'a LitStr, [u64; 3])> {
    let text = written.options.text(key)?;
    let Some(version) = numbers(&text.value()) else {
        errors.at(
            text,
            format!(
                "`{}` is no version; write one to three numbers with dots, such as `3.0`",
                text.value().escape_default()
            ),
        );
        return None;
    };
    Some((text, version))
}

/// The numbers of a version; those that are left out are zero.
fn numbers(text: &str) -> Option<[u64; 3]> {
    let mut version = [0; 3];
    let mut parts = text.split('.');
    for (place, number) in version.iter_mut().enumerate() {
        match parts.next() {
            Some(part) if part.bytes().all(|byte| byte.is_ascii_digit()) => {
                *number = part.parse().ok()?;
            }
            None if place > 0 => {}
            _ => return None,
        }
    }
    parts.next().is_none().then_some(version)
}

/// The version of the crate that is compiled, where it has one. A version before a release counts as that release, so that it shows
/// what is removed there.
fn compiled() -> Option<[u64; 3]> {
    release(&std::env::var("CARGO_PKG_VERSION").ok()?)
}

fn release(version: &str) -> Option<[u64; 3]> {
    numbers(version.split(['-', '+']).next()?)
}

#[cfg(test)]
mod tests {
    use super::{numbers, release};

    #[test]
    fn a_version_before_a_release_counts_as_that_release() {
        for version in ["3.0.1", "3.0.1-rc.1", "3.0.1+build.5", "3.0.1-a.b+c-d"] {
            assert_eq!(release(version), Some([3, 0, 1]), "{version}");
        }
    }

    #[test]
    fn a_version_is_one_to_three_numbers() {
        for (text, version) in [
            ("3", [3, 0, 0]),
            ("3.0", [3, 0, 0]),
            ("3.1", [3, 1, 0]),
            ("10.0.12", [10, 0, 12]),
        ] {
            assert_eq!(numbers(text), Some(version), "{text}");
        }
        for text in [
            "", ".", "3.", ".3", "v3", "3.0.0.0", "3.x", "-1", "+3", "3.0-rc",
        ] {
            assert_eq!(numbers(text), None, "{text}");
        }
    }
}
