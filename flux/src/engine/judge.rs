//! Decodes a document, asks the rules of layers together, and checks a value that a stage made; a panic in the program's code
//! becomes a problem.

use super::{
    schema::{Decoding, Schema},
    value::{AnyLayer, AnySnapshot},
};
use crate::{
    codec::{Decoder, Unknown},
    layer::secret_texts::SecretTexts,
    problem::{Cx, Flaw, What, caught},
    report::outgoing::BuiltValue,
};

/// Decodes a document; a panic in the program's code is an error with its message.
pub(crate) fn decode(
    schema: &Schema,
    decoder: &Decoder,
    bytes: &[u8],
    unknown: Unknown,
) -> Result<Decoding, String> {
    let decode = || (schema.decode)(decoder, bytes, unknown);
    caught(decode)
}

/// What is missing in these layers together, lowest first, and which rules they break; whether nothing is missing. An error is
/// the message of a panic.
pub(crate) fn broken_rules<'a>(
    schema: &Schema,
    layers: impl Iterator<Item = &'a AnyLayer>,
) -> Result<(Vec<Flaw>, bool), String> {
    caught(|| {
        let mut base = (schema.empty)();
        for layer in layers {
            (schema.over)(&mut base, layer);
        }
        (schema.problems)(base)
    })
}

/// Checks a configuration that was not built from layers, such as one that a stage made.
pub(crate) fn check(
    schema: &Schema,
    snapshot: &AnySnapshot,
    previous: Option<&AnySnapshot>,
) -> Result<(), Vec<Flaw>> {
    let mut cx = Cx::default();
    let checked = caught(|| (schema.check)(snapshot, previous, &mut cx));
    let mut problems = cx.into_problems();
    if let Err(panic) = checked {
        problems.push(Flaw::whole(What::Panic(panic)));
    }
    if problems.is_empty() {
        return Ok(());
    }
    let secrets = |secrets: &mut SecretTexts| {
        for one in std::iter::once(snapshot).chain(previous) {
            (schema.secrets)(one, secrets);
        }
    };
    let built = BuiltValue {
        fields: (schema.fields)(),
        is_whole: true,
        is_replaced: true,
        secrets: &secrets,
    };
    Err(built.without_secrets(problems))
}
