//! What Flux makes of the same.

use flux::{Builder, Capacitor, Config, Flux, Format, Snapshot, Source, Unknown, source::Channel};
use std::{future::Future, sync::Arc};

/// The struct that most habits are tried with.
#[derive(Flux, Debug)]
pub(crate) struct Settings {
    #[flux(default = 8080, range = 1..=65535)]
    pub(crate) port: u16,
    #[flux(default = "localhost")]
    pub(crate) host: String,
    #[flux(default)]
    pub(crate) name: String,
    #[flux(default)]
    pub(crate) tags: Vec<String>,
    #[flux(default, merge = "append")]
    pub(crate) added: Vec<String>,
    #[flux(nested)]
    pub(crate) pool: Pool,
}

#[derive(Flux, Debug)]
pub(crate) struct Pool {
    #[flux(default = 10)]
    pub(crate) max_size: u32,
}

pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(future)
}

/// Over these documents in TOML, later ones above, and what `adjust` adds.
pub(crate) fn read<C: Config>(
    documents: &[&str],
    adjust: impl FnOnce(Builder<C>) -> Builder<C>,
) -> Result<Arc<Snapshot<C>>, String> {
    block_on(async {
        let mut builder = Capacitor::<C>::builder().manual();
        for document in documents {
            let (sender, channel) = Channel::buffered("document", 1);
            sender.send(document.as_bytes()).await.expect("a receiver");
            builder = builder.source(Source::watcher(channel).format(Format::Toml));
        }
        let capacitor = adjust(builder).build().map_err(|error| error.to_string())?;
        capacitor.start().await.map_err(|error| error.to_string())?;
        Ok(capacitor.snapshot())
    })
}

/// Over documents alone.
pub(crate) fn settings(documents: &[&str]) -> Result<Arc<Snapshot<Settings>>, String> {
    read(documents, |builder| builder)
}

/// Over the process's environment alone.
pub(crate) fn from_environment<C: Config>() -> Arc<Snapshot<C>> {
    read(&[], |builder| builder.override_with(Source::env("APP_"))).expect("the environment")
}

/// A variable that is set to nothing, `APP_HOST`.
pub(crate) fn an_empty_variable_is_no_value_unless_it_is_to_be() {
    assert_eq!(from_environment::<Settings>().host, "localhost");
    let environment = Source::env("APP_?empty=value");
    let read = read::<Settings>(&[], |builder| builder.override_with(environment));
    assert_eq!(read.unwrap().host, "");
}

/// An unknown key is applied over, and refused where that is asked for.
pub(crate) fn an_unknown_key_is_a_warning() {
    assert!(settings(&["prot = 1"]).is_ok());
    let error = read::<Settings>(&["prot = 1"], |builder| builder.unknown(Unknown::Deny));
    assert!(error.unwrap_err().contains("did you mean `port`?"));
}

/// An unknown key and a misspelt variable are in the status, whoever listens to the log.
pub(crate) fn an_unknown_key_is_a_warning_of_the_status() {
    block_on(async {
        let (sender, channel) = Channel::buffered("document", 1);
        sender.send("prot = 1".as_bytes()).await.unwrap();
        let capacitor = Capacitor::<Settings>::builder()
            .manual()
            .source(Source::watcher(channel).format(Format::Toml))
            .source(Source::env("X_").variables([("X_HSOT", "h")]))
            .build()
            .unwrap();
        capacitor.start().await.unwrap();
        let warnings = &capacitor.status().warnings;
        let warnings: Vec<_> = warnings.iter().map(|one| &*one.message).collect();
        let named = |name: &str| warnings.iter().any(|one| one.contains(name));
        assert!(named("`port`") && named("`X_HOST`"), "{warnings:?}");
    });
}

/// A file that is not there, as a layer.
pub(crate) fn a_missing_file_is_refused_unless_it_is_optional() {
    let missing = || Source::file("/never/there.toml");
    let error = read::<Settings>(&[], |builder| builder.source(missing()));
    assert!(error.is_err());
    let read = read::<Settings>(&[], |builder| builder.source(missing().optional()));
    assert_eq!(read.unwrap().port, 8080);
}

/// Waits until this is so.
pub(crate) fn until(is_so: impl Fn() -> bool) {
    let begin = std::time::Instant::now();
    while !is_so() {
        assert!(
            begin.elapsed() < std::time::Duration::from_secs(60),
            "never"
        );
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}
