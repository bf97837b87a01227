//! `envy`

use crate::flux_side::{self, Settings, from_environment};
use flux::{Flux, Source};
use serde::Deserialize;

#[derive(Deserialize, Flux)]
struct Plain {
    port: u16,
    name: String,
    tags: Vec<String>,
}

pub(crate) fn habit(habit: &str) -> bool {
    match habit {
        "`prefixed(\"APP_\")`" => {
            let read: Plain = envy::prefixed("APP_").from_env().unwrap();
            let ours = from_environment::<Plain>();
            assert_eq!((ours.port, &ours.name), (read.port, &read.name));
            assert_eq!((read.port, &*read.name), (9090, "0123"));
        }
        "a list at commas" => {
            let read: Plain = envy::prefixed("APP_").from_env().unwrap();
            assert_eq!(read.tags, ["a", "b"]);
            assert_eq!(from_environment::<Plain>().tags, read.tags);
        }
        "a struct in a field" => {
            #[derive(Deserialize)]
            struct Pool {
                #[serde(rename = "max_size")]
                _max_size: u32,
            }
            #[derive(Deserialize)]
            struct Nested {
                #[serde(rename = "pool")]
                _pool: Pool,
            }
            assert!(envy::prefixed("APP_").from_env::<Nested>().is_err());
            assert_eq!(from_environment::<Settings>().pool.max_size, 7);
        }
        "a missing variable" => {
            let none: [(String, String); 0] = [];
            let Err(error) = envy::from_iter::<_, Plain>(none) else {
                panic!("nothing is missing");
            };
            let error = error.to_string();
            assert_eq!(
                ["port", "name", "tags"]
                    .iter()
                    .filter(|key| error.contains(**key))
                    .count(),
                1,
                "{error}"
            );
            let report =
                flux_side::read::<Plain>(&[], |builder| builder.source(Source::env("NONE_")))
                    .unwrap_err();
            for key in [
                "port: is required",
                "name: is required",
                "tags: is required",
            ] {
                assert!(report.contains(key), "{report}");
            }
        }
        "an empty variable" => {
            #[derive(Deserialize)]
            struct Host {
                host: String,
            }
            assert_eq!(envy::prefixed("APP_").from_env::<Host>().unwrap().host, "");
            assert_eq!(from_environment::<Settings>().host, "localhost");
        }
        "`yes` for a switch" => {
            #[derive(Deserialize, Flux)]
            struct Switch {
                on: bool,
            }
            let yes = || [("ON".to_owned(), "yes".to_owned())];
            assert!(envy::from_iter::<_, Switch>(yes()).is_err());
            for word in ["yes", "on", "1", "true"] {
                let variables = Source::env("").variables([("ON", word)]);
                let read = flux_side::read::<Switch>(&[], |builder| builder.source(variables));
                assert!(read.unwrap().on, "{word}");
            }
        }
        _ => return false,
    }
    true
}
