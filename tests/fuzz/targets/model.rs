//! A document of any text, in each format: the model that reports are made from agrees with the fast decoder about acceptance, keys and
//! every scalar, and no kind of target is accused of a value that the fast decoder takes.
#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|bytes: &[u8]| -> Corpus {
    let Some((first, text)) = bytes.split_first() else {
        return Corpus::Reject;
    };
    let format = match first {
        b'J' => flux::Format::Json,
        b'Y' => flux::Format::Yaml,
        b'T' => flux::Format::Toml,
        b'C' => flux::Format::Jsonc,
        b'5' => flux::Format::Json5,
        _ => return Corpus::Reject,
    };
    let Ok(text) = std::str::from_utf8(text) else {
        return Corpus::Reject;
    };
    check(format, text);
    Corpus::Keep
});

/// Built by `tests/fuzz/run` the library has the check; elsewhere the target is only compiled.
#[cfg(flux_fuzzing)]
fn check(format: flux::Format, text: &str) {
    flux::fuzzing::model_agrees(format, text);
}

#[cfg(not(flux_fuzzing))]
fn check(_: flux::Format, _: &str) {}
