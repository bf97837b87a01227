//! Which part of a path a recording may contain: not below a secret, where keys are secret too.

use crate::{
    problem::{Dotted, Seg},
    schema::{self, Field, Reached},
};

/// The path, cut at a secret field and at a key that no field has.
pub(super) fn cut(fields: &'static [Field], path: &[Seg]) -> String {
    let shown = match schema::follow(fields, path) {
        Reached::Leaf(field, at) if field.is_secret() => at,
        Reached::Unknown(at) if schema::any_secret(fields) => at + 1,
        _ => path.len(),
    };
    let mut text = Dotted(&path[..shown]).to_string();
    // A key may be as long as a document, and stands above many values.
    let end = (0..=LONGEST).rev().find(|end| text.is_char_boundary(*end));
    text.truncate(end.unwrap_or_default());
    text
}

/// In bytes.
const LONGEST: usize = 256;

#[cfg(test)]
mod tests {
    use crate::{problem::KeyPath, record::paths::*, schema::Kind};

    const INNER: &[Field] = &[
        Field::new("token", "TOKEN").with_secret(),
        Field::new("name", "NAME"),
    ];
    const FIELDS: &[Field] = &[
        Field::new("keys", "KEYS").with_secret(),
        Field::new("list", "LIST").with_kind(Kind::List(&Kind::Section(|| INNER))),
        Field::new("tags", "TAGS"),
    ];

    #[test]
    fn nothing_below_a_secret_or_an_unknown_key_is_told() {
        for (path, told) in [
            ("keys.sk_live_1", "keys"),
            ("keys[3].x", "keys"),
            ("list[2].token.a", "list[2].token"),
            ("list[2].name", "list[2].name"),
            ("list[2]", "list[2]"),
            ("tokne.sk_live_1", "tokne"),
            ("tags.a.b", "tags.a.b"),
            ("", ""),
        ] {
            let path: KeyPath = path.parse().unwrap();
            assert_eq!(cut(FIELDS, path.steps()), told, "{path}");
        }
    }
}
