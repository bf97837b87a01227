//! Where in a document the secrets are.

use crate::record::{document::Doc, placeholder::Shape};
use crate::{
    problem::Seg,
    schema::{self, Field},
};

/// The document with every secret scalar, and every key below a secret, replaced. Null and the empty text stay: they say that there
/// is no secret.
pub(super) fn replace(
    fields: &'static [Field],
    doc: &Doc,
    path: &mut Vec<Seg>,
    by: &mut dyn FnMut(&[Seg], Shape, &str) -> String,
) -> Doc {
    match doc {
        Doc::Map(entries) => {
            let whole = !path.is_empty()
                && schema::is_secret(fields, path)
                && schema::place(fields, path) != schema::Place::Structure;
            let mut replaced = Vec::with_capacity(entries.len());
            for (key, value) in entries {
                path.push(key.seg());
                let key = match key {
                    Doc::Str(text) if whole => Doc::Str(by(path, Shape::Key, text)),
                    Doc::Number(text) if whole => Doc::Number(by(path, Shape::Number, text)),
                    key => key.clone(),
                };
                replaced.push((key, replace(fields, value, path, by)));
                path.pop();
            }
            Doc::Map(replaced)
        }
        Doc::Seq(items) => {
            let mut replaced = Vec::with_capacity(items.len());
            for (index, item) in items.iter().enumerate() {
                path.push(Seg::Index(index));
                replaced.push(replace(fields, item, path, by));
                path.pop();
            }
            Doc::Seq(replaced)
        }
        Doc::Tagged(tag, value) => {
            Doc::Tagged(tag.clone(), Box::new(replace(fields, value, path, by)))
        }
        Doc::Null(_) => doc.clone(),
        scalar if scalar.text().is_empty() || !schema::is_secret(fields, path) => scalar.clone(),
        Doc::Bool(text) => Doc::Bool(by(path, Shape::Bool, text)),
        Doc::Number(text) => Doc::Number(by(path, Shape::Number, text)),
        Doc::Raw(text) => Doc::Raw(by(path, Shape::Text, text)),
        Doc::Str(text) | Doc::Date(text) => Doc::Str(by(path, Shape::Text, text)),
    }
}
