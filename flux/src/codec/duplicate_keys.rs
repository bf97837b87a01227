//! TOML documents with keys that stand there twice: the format's decoder refuses them without a path, so other keys are put in
//! their place until it reads the document.

use crate::codec::{
    Decoder, Syntax, line_and_column,
    slow::{Read, Renamed},
    tree,
};
use std::borrow::Cow;

/// Reads a document, with up to `most` keys renamed.
pub(super) fn read(text: &str, most: usize) -> Result<Read<'_>, Syntax> {
    let mut mended = Cow::Borrowed(text);
    let mut renamed = Vec::new();
    while let Err(error) = ::toml::Deserializer::parse(&mended) {
        let span = error.span().unwrap_or_default();
        let place = line_and_column(&mended, span.start);
        let Some(key) = mended.get(span.clone()).filter(|key| !key.is_empty()) else {
            return Err(Syntax::new(&error.message(), Some(place), false));
        };
        if error.message() != "duplicate key" || renamed.len() == most {
            return Err(Syntax::new(&error.message(), Some(place), false));
        }
        let other = other(&mended);
        renamed.push(Renamed {
            place,
            written: plain(key),
            longer: other.len() as isize - key.chars().count() as isize,
            key: other.clone(),
        });
        mended.to_mut().replace_range(span, &other);
    }
    let tree = tree(&Decoder::Toml, &mended)?;
    Ok(Read {
        text: mended,
        tree,
        renamed,
        #[cfg(feature = "yaml")]
        moved: Default::default(),
    })
}

/// A key that is nowhere in the text.
fn other(text: &str) -> String {
    let mut number = 0;
    loop {
        let key = format!("twice-{number}");
        if !text.contains(&key) {
            return key;
        }
        number += 1;
    }
}

/// A key without its quotes.
fn plain(key: &str) -> String {
    let quoted = |quote| {
        key.strip_prefix(quote)
            .and_then(|rest| rest.strip_suffix(quote))
    };
    let bare = quoted('"').or_else(|| quoted('\''));
    bare.unwrap_or(key).to_owned()
}
