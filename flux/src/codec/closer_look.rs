//! Whether a document that can be decoded is refused or warned of all the same, for keys that no field has, sections that are null,
//! dates in their place.

#[cfg(feature = "dotenv")]
use super::slow::reported;
use super::{
    Decoder, Found, LazyModel, Unknown,
    opened::opened,
    slow::{located, sentence},
    walk::{Spot, walk},
};
use crate::{
    document::Document,
    schema::{self, Field},
};

/// What a closer look at a document found that can otherwise be decoded.
#[derive(Default)]
pub(super) struct Closer {
    pub(super) found: Vec<Found>,
    /// It must not be applied.
    pub(super) refuses: bool,
}

/// Looks at a document that can be decoded, but has keys that no field has, or a section that is null.
#[cold]
pub(super) fn look_closer(
    fields: &'static [Field],
    model: &LazyModel<'_, '_>,
    unknown: Unknown,
) -> Closer {
    #[cfg(feature = "dotenv")]
    if let Decoder::Variables(reader) = model.decoder {
        let mut found = reported(model.variables(&**reader), model.text, unknown);
        let refuses = found.iter().any(|found| !found.is_warning);
        for one in &mut found {
            one.is_warning &= refuses;
        }
        return Closer { found, refuses };
    }
    // toml's decoder takes a date in the place of a section for a map with an unknown key.
    let matters = schema::any_strict(fields) || hands_dates_over_as_maps(model.decoder);
    if unknown == Unknown::Ignore && !matters {
        return Closer::default();
    }
    let document = model.placed().ok();
    let mut walked = match document {
        Some(document) => walk(fields, document, false),
        // The keys are listed without their places.
        None => match model.tree() {
            Ok(tree) => {
                let document = Document::of_tree(&opened(fields, &tree));
                let mut walked = walk(fields, &document, false);
                if !matches!(model.decoder, Decoder::Custom(_)) {
                    walked.spots.retain(Spot::is_unknown);
                }
                walked
            }
            Err(syntax) => {
                let sentence = sentence(fields, syntax.message, model.text, syntax.quotes);
                let text = format!("has unknown keys that cannot be listed: {sentence}");
                return Closer {
                    found: vec![Found::whole(text, syntax.at)],
                    refuses: unknown == Unknown::Deny,
                };
            }
        },
    };
    if unknown == Unknown::Ignore {
        walked
            .spots
            .retain(|spot| spot.strict || !spot.is_unknown());
    }
    let refuses = (unknown == Unknown::Deny && !walked.spots.is_empty())
        || (walked.spots.iter()).any(|spot| spot.strict || !spot.is_unknown());
    Closer {
        found: located(document, walked.spots, walked.more),
        refuses,
    }
}

fn hands_dates_over_as_maps(decoder: &Decoder) -> bool {
    match decoder {
        #[cfg(feature = "toml")]
        Decoder::Toml => true,
        _ => false,
    }
}
