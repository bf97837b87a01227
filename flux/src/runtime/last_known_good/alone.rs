//! Whether what is kept could serve alone, without the secrets that documents contain.

use crate::{
    engine::{AnyLayer, Schema},
    problem::{KeyPath, LONGEST, ProblemKind, caught},
    schema,
};

/// More paths than this are not listed.
const MOST: usize = 8;

/// A layer of the whole.
pub(super) enum WholeLayer {
    /// The next one with a document.
    Document,
    /// One that is read without a source, and what it contains.
    Given(Option<AnyLayer>),
}

/// Why a start from the file would be refused.
pub(super) fn refusal(
    schema: &Schema,
    whole: &[WholeLayer],
    documents: &[Option<AnyLayer>],
) -> Option<String> {
    if whole.is_empty() {
        return None;
    }
    let mut documents = documents.iter();
    let mut folded = (schema.empty)();
    // Merge functions and rules are the program's.
    let found = caught(|| {
        for layer in whole {
            let layer = match layer {
                WholeLayer::Document => documents.next().and_then(Option::as_ref),
                WholeLayer::Given(given) => given.as_ref(),
            };
            if let Some(layer) = layer {
                (schema.over)(&mut folded, layer);
            }
        }
        (schema.problems)(folded).0
    });
    let found = found.ok()?;
    let fields = (schema.fields)();
    let (secrets, others): (Vec<_>, Vec<_>) = found.iter().partition(|flaw| {
        flaw.what.kind() == ProblemKind::Missing && schema::is_secret(fields, &flaw.path)
    });
    let paths = |flaws: &[&crate::problem::Flaw]| {
        let shown = flaws
            .iter()
            .take(MOST)
            .map(|flaw| match flaw.path.is_empty() {
                true => "the whole of it".to_owned(),
                false => {
                    let steps = schema::shown_steps(fields, &flaw.path);
                    format!("`{}`", KeyPath::shortened(&flaw.path[..steps], LONGEST))
                }
            });
        let shown = shown.collect::<Vec<_>>().join(", ");
        match flaws.len().saturating_sub(MOST) {
            0 => shown,
            more => format!("{shown} and {more} more"),
        }
    };
    let lacks = (!secrets.is_empty()).then(|| format!("lacks {}", paths(&secrets)));
    let advice = match secrets.is_empty() {
        true => "",
        false => {
            "; secrets are not kept: give them by a layer that is read without the sources, such as the environment"
        }
    };
    let breaks = (!others.is_empty())
        .then(|| format!("without its secrets breaks the rules of {}", paths(&others)));
    let why: Vec<String> = lacks.into_iter().chain(breaks).collect();
    (!why.is_empty()).then(|| {
        format!(
            "the last known good configuration is written, and a start from it would be refused, since it {}{advice}",
            why.join(", and ")
        )
    })
}
