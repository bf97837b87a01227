//! Where the documents of a declared source are, and how they are read, for a test that feeds its layer.

use super::{
    Source, SourceKind,
    expand::{expand, value_of},
    opening::{decoder_of, decoder_of_all, decoder_of_file, drop_ins_of, read},
};
use crate::{codec::Decoder, source::drop_ins::DropInLayers};
use flux_syntax::{Remote, Template};
use std::sync::Arc;

/// Where a source's documents are as its declaration names it, how they are read, and the layers of their files where they hold several.
pub(crate) type DeclaredDocument = (String, Decoder, Option<Arc<DropInLayers>>);

/// A source that holds documents.
pub(crate) fn document_of(source: &Source) -> Result<Option<DeclaredDocument>, String> {
    let (format, variables) = (&source.format, &source.variables);
    let of_remote = |place: &Remote| {
        let lookup = |name: &str| value_of(name, variables);
        let place = place.expand(&lookup)?;
        let decoder = format.clone().unwrap_or_else(|| decoder_of(&place));
        Ok::<_, String>((place.origin(), decoder))
    };
    let of_file = |path: &Template| {
        let path = expand(path, variables)?;
        if let Some(layers) = drop_ins_of(&path, format.clone(), source.name.as_deref())? {
            return Ok((path, decoder_of_all(&layers), Some(layers)));
        }
        let decoder = decoder_of_file(&path, format.clone())?;
        Ok::<_, String>((path, decoder, None))
    };
    let mut written = None;
    let mut kind = &source.kind;
    let mut inner;
    // A URI may come from a variable as a whole.
    loop {
        return match kind {
            SourceKind::File(path) | SourceKind::Search(path, _) => of_file(path).map(Some),
            SourceKind::Remote(place) => {
                let (origin, decoder) = of_remote(place)?;
                Ok(Some((written.unwrap_or(origin), decoder, None)))
            }
            SourceKind::Uri(template) => {
                written = Some(expand(template, variables)?);
                inner = read(template, variables)?;
                kind = &inner;
                continue;
            }
            SourceKind::Env(_) | SourceKind::Args | SourceKind::Watcher(_) => Ok(None),
            #[cfg(feature = "dotenv")]
            SourceKind::Dotenv(_) => Ok(None),
            #[cfg(feature = "figment")]
            SourceKind::Provider(_) => Ok(None),
        };
    }
}
