//! Layers that are no channel: a file, a folder, arguments, a provider of figment.

#![allow(clippy::result_large_err)] // figment's own error.

use crate::{
    deep::QUOTED,
    outputs::Outputs,
    places::{Markers, mistaken},
    search::{Chance, FORMATS, Secretive, answers, document, plans},
};
use flux::{
    Capacitor, Format, Source,
    figment::{Profile, providers::Serialized},
    source::Channel,
};
use std::{fs, path::Path};

/// A file and a folder, read again and again; how many documents there were.
pub(crate) async fn files<C: Secretive>(
    outputs: &Outputs,
    folder: &Path,
    markers: &mut Markers,
) -> usize {
    let (format, extension) = FORMATS[markers.below(FORMATS.len())];
    let file = folder.join(format!("read.{extension}"));
    let parts = folder.join("parts");
    fs::create_dir_all(&parts).unwrap();
    let path = file.to_str().unwrap();
    let capacitor = Capacitor::<C>::builder()
        .clear_sources()
        .source(Source::file(path).format(format))
        .source(Source::dir(&parts))
        .build()
        .unwrap();
    let mut documents = 0;
    for chance in [Chance::Mostly, Chance::Seldom, Chance::Bad] {
        fs::write(&file, document::<C>(markers, format, chance)).unwrap();
        write_parts::<C>(&parts, markers);
        let outcome = match documents {
            0 => capacitor.start().await.err(),
            _ => capacitor.reload().await.err(),
        };
        outputs.error(&outcome);
        answers(outputs, &capacitor, plans("{}"), markers);
        documents += 2;
    }
    capacitor.stop().await;
    documents
}

/// A file for some of the fields, one of them perhaps with a slip.
fn write_parts<C: Secretive>(parts: &Path, markers: &mut Markers) {
    let mut value = C::good(markers, 80);
    if markers.one_in(2) {
        value = mistaken(markers, value);
    }
    for (name, value) in value.as_object().into_iter().flatten() {
        // What code of the program would have in its name is no name of a file.
        if markers.one_in(2) && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            let text = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            fs::write(parts.join(name), text).unwrap();
        }
    }
}

/// Arguments with a secret, which everybody on a machine can read: each is refused.
pub(crate) async fn arguments<C: Secretive>(outputs: &Outputs, markers: &mut Markers) {
    let (secret, good) = (
        markers.name(),
        document::<C>(markers, Format::Json, Chance::Good),
    );
    let words = match markers.below(18) {
        0 => vec!["--password".to_owned(), secret],
        1 => vec![format!("--password={secret}")],
        2 => vec!["--set".to_owned(), format!("password={secret}")],
        3 => vec!["--set".to_owned(), format!("vault.key={secret}")],
        4 => vec!["--pasword".to_owned(), secret],
        5 => vec![format!("--pasword={secret}")],
        6 => vec!["--set".to_owned(), format!("pasword={secret}")],
        // What no field has, in the forms in which people write a secret.
        7 => vec![
            "--token".to_owned(),
            format!("-----BEGIN KEY----- {secret}"),
        ],
        8 => vec![format!("--token {secret}")],
        9 => vec![format!("--token:{secret}")],
        10 => vec![format!("--password{secret}")],
        11 => vec![format!("-p{secret}")],
        12 => vec!["-p".to_owned(), secret],
        13 => vec![format!("--set=password:{secret}")],
        14 => vec!["--set".to_owned(), secret],
        15 => vec![secret],
        16 => vec![format!("--tenants.t1.key={secret}")],
        _ => vec!["--password".to_owned(), secret.clone(), secret],
    };
    let (sender, channel) = Channel::buffered("lower", 4);
    let capacitor = Capacitor::<C>::builder()
        .clear_sources()
        .source(Source::watcher(channel).format(Format::Json))
        .override_with(Source::args().arguments(words))
        .build();
    match capacitor {
        Ok(capacitor) => {
            sender.send(good.as_bytes()).await.unwrap();
            outputs.error(&capacitor.start().await.err());
            answers(outputs, &capacitor, plans("{}"), markers);
            capacitor.stop().await;
        }
        Err(error) => outputs.error(&Some(error)),
    }
}

/// A document that a provider of figment has.
pub(crate) async fn provider<C: Secretive>(outputs: &Outputs, markers: &mut Markers) {
    let port = [80, QUOTED][markers.below(2)];
    let mut value = C::good(markers, port);
    for _ in 0..markers.below(3) {
        value = mistaken(markers, value);
    }
    let provider = Serialized::from(value, Profile::Default);
    let capacitor = Capacitor::<C>::builder().clear_sources().provider(provider);
    let capacitor = capacitor.build().unwrap();
    outputs.error(&capacitor.start().await.err());
    answers(outputs, &capacitor, plans("{}"), markers);
    capacitor.stop().await;
}
