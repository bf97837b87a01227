//! The line of a document that a problem is on, shown only if no secret can be on it.

use crate::{
    codec::{self, Decoder},
    describe::{self, Field},
    layer::{Problem, Seg, path::What},
    report::tree::Tree,
};

/// Longer lines are cut.
pub(super) const WIDEST: usize = 160;

/// What must be known of a document to show lines of it.
pub(super) struct Document {
    lines: Vec<String>,
    secrets: Secrets,
}

enum Secrets {
    /// The type has none.
    None,
    /// Their lines and the pieces of their values, which no shown line may contain.
    At {
        lines: Vec<usize>,
        pieces: Vec<String>,
    },
    /// The document cannot be read, so that a secret may be on any line.
    Anywhere,
}

impl Document {
    pub(super) fn read(fields: &'static [Field], bytes: &[u8], decoder: &Decoder) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let lines = text
            .trim_start_matches('\u{feff}')
            .lines()
            .map(str::to_owned)
            .collect::<Vec<_>>();
        let secrets = if !describe::any_secret(fields, 8) {
            Secrets::None
        } else {
            match codec::text_of(bytes)
                .ok()
                .and_then(|text| codec::tree(decoder, text).ok())
            {
                Some(tree) => {
                    let mut found = Vec::new();
                    secret_values(fields, &tree, &mut Vec::new(), &mut found);
                    let at = found
                        .iter()
                        .filter_map(|(path, _)| codec::locate(decoder, bytes, path));
                    let pieces = found.iter().flat_map(|(_, value)| value.lines());
                    Secrets::At {
                        lines: at.map(|(line, _)| line).collect(),
                        pieces: pieces
                            .map(|piece| piece.trim().to_owned())
                            .filter(|p| !p.is_empty())
                            .collect(),
                    }
                }
                None => Secrets::Anywhere,
            }
        };
        Document { lines, secrets }
    }

    /// The line, if it can be shown.
    pub(super) fn line(&self, number: usize, problem: &Problem) -> Option<String> {
        let line = self.lines.get(number.checked_sub(1)?)?;
        let safe = match &self.secrets {
            Secrets::None => true,
            Secrets::At { lines, pieces } => {
                !lines.contains(&number)
                    && !pieces.iter().any(|piece| line.contains(piece.as_str()))
            }
            Secrets::Anywhere => false,
        };
        // What stands behind a misspelt key may be the secret that was meant.
        let misspelt =
            matches!(problem.what, What::Unknown(_)) && !matches!(self.secrets, Secrets::None);
        (safe && !misspelt).then(|| line.chars().take(WIDEST).collect())
    }
}

/// Every scalar that must not be shown.
fn secret_values(
    fields: &'static [Field],
    tree: &Tree,
    path: &mut Vec<Seg>,
    found: &mut Vec<(Vec<Seg>, String)>,
) {
    match tree {
        Tree::Map(entries) => {
            for (key, value) in entries {
                path.push(Seg::Key(key.clone().into()));
                secret_values(fields, value, path, found);
                path.pop();
            }
        }
        Tree::Seq(items) => {
            for (index, item) in items.iter().enumerate() {
                path.push(Seg::Index(index));
                secret_values(fields, item, path, found);
                path.pop();
            }
        }
        _ if !describe::is_secret(fields, path) => {}
        Tree::Str(text) | Tree::Raw(text) => found.push((path.clone(), text.clone())),
        Tree::U64(number) => found.push((path.clone(), number.to_string())),
        Tree::I64(number) => found.push((path.clone(), number.to_string())),
        Tree::F64(number) => found.push((path.clone(), number.to_string())),
        Tree::Bool(_) | Tree::Null => found.push((path.clone(), String::new())),
    }
}
