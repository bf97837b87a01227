//! `dynamic-config`

use crate::flux_side::{self, block_on, from_environment};
use dynamic_config::dynamic_config;
use flux::{Capacitor, Flux, Format, Source, State, source::Channel};
use serde::Deserialize;
use std::path::Path;

#[dynamic_config]
#[derive(Debug, Deserialize)]
struct Db {
    #[serde(default = "port")]
    port: u16,
}

fn port() -> u16 {
    1
}

#[derive(Flux)]
struct App {
    #[flux(nested)]
    db: Section,
}

#[derive(Flux)]
struct Section {
    #[serde(default = "port")]
    port: u16,
}

const DOCUMENT: &str = "[db]\nport = 5";
const JSON: &str = "{\"db\": {\"port\": 5}}";

fn file(folder: &Path, text: &str) -> String {
    let path = folder.join("config.json");
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

pub(crate) fn habit(habit: &str) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), JSON);
    match habit {
        "`builder(\"db\")`" => {
            assert_eq!(Db::builder("db").file(path).load().unwrap().port, 5);
            let read = flux_side::read::<App>(&[DOCUMENT], |builder| builder).unwrap();
            assert_eq!(read.db.port, 5);
        }
        "`.env(\"APP_\")`" => {
            let read = Db::builder("db").file(path).env("APP_").load().unwrap();
            assert_eq!((read.port, from_environment::<App>().db.port), (5432, 5432));
        }
        "a file that is deleted" => {
            let builder = Db::builder("db").file(path.clone());
            builder.init().unwrap();
            assert_eq!(Db::current().port, 5);
            std::fs::remove_file(path).unwrap();
            builder.reload().unwrap();
            assert_eq!(Db::current().port, 1, "the default");
            block_on(async {
                let (sender, channel) = Channel::buffered("document", 4);
                let source = Source::watcher(channel).format(Format::Toml);
                let capacitor = Capacitor::<App>::builder()
                    .source(source)
                    .manual()
                    .build()
                    .unwrap();
                sender.send(DOCUMENT.as_bytes()).await.unwrap();
                capacitor.start().await.unwrap();
                sender.absent().await.unwrap();
                capacitor.process().await.unwrap();
                assert_eq!(
                    (capacitor.get().db.port, capacitor.state()),
                    (5, State::Degraded)
                );
            });
        }
        "an unknown key" => {
            let path = file(folder.path(), "{\"db\": {\"prot\": 5}}");
            assert!(Db::builder("db").file(path).load().is_ok());
            flux_side::an_unknown_key_is_a_warning();
        }
        "`current()`" => {
            let builder = Db::builder("db").file(path);
            builder.init().unwrap();
            assert_eq!(Db::current().port, 5);
            block_on(async {
                let (sender, channel) = Channel::buffered("document", 4);
                let source = Source::watcher(channel).format(Format::Toml);
                let capacitor = Capacitor::<App>::builder()
                    .source(source)
                    .manual()
                    .build()
                    .unwrap();
                sender.send(DOCUMENT.as_bytes()).await.unwrap();
                capacitor.start().await.unwrap();
                assert_eq!(capacitor.get().db.port, 5);
            });
        }
        _ => return false,
    }
    true
}
