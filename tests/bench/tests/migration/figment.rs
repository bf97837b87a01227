//! `figment`

use crate::flux_side::{self, Pool, Settings, from_environment, settings};
use figment::{
    Figment, Profile,
    providers::{Env, Format as _, Json, Serialized},
};
use flux::{Flux, Source};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Debug, Default)]
#[serde(default)]
struct Plain {
    port: u16,
    tags: Vec<String>,
    name: String,
}

const LOWER: &str = r#"{"port": 1, "tags": ["a"]}"#;
const UPPER: &str = r#"{"port": 2, "tags": ["b"]}"#;
/// The same for Flux, in TOML.
const BOTH: [&str; 2] = [
    "port = 1\ntags = ['a']\nadded = ['a']",
    "port = 2\ntags = ['b']\nadded = ['b']",
];

pub(crate) fn habit(habit: &str) -> bool {
    let lower = || Figment::from(Json::string(LOWER));
    match habit {
        "`merge`" => {
            assert_eq!(
                lower()
                    .merge(Json::string(UPPER))
                    .extract::<Plain>()
                    .unwrap()
                    .port,
                2
            );
            assert_eq!(settings(&BOTH).unwrap().port, 2);
        }
        "`join`" => {
            assert_eq!(
                lower()
                    .join(Json::string(UPPER))
                    .extract::<Plain>()
                    .unwrap()
                    .port,
                1
            );
            assert_eq!(settings(&[BOTH[1], BOTH[0]]).unwrap().port, 1);
        }
        "`admerge`" => {
            let read = lower()
                .admerge(Json::string(UPPER))
                .extract::<Plain>()
                .unwrap();
            assert_eq!(read.tags, ["a", "b"]);
            let read = settings(&BOTH).unwrap();
            assert_eq!(
                (&read.added[..], &read.tags[..]),
                (&["a".to_owned(), "b".to_owned()][..], &["b".to_owned()][..])
            );
        }
        "`split(\"_\")`" => {
            let figment = Figment::from(Env::prefixed("APP_").split("_"));
            assert!(figment.find_value("pool.max.size").is_ok());
            assert!(figment.find_value("pool.max_size").is_err());
            assert_eq!(from_environment::<Settings>().pool.max_size, 7);
        }
        "`only(&[\"port\"])`, `ignore(&[\"secret\"])`" => {
            #[derive(Deserialize)]
            #[serde(deny_unknown_fields)]
            struct Strict {
                port: u16,
            }
            let all = || Env::prefixed("APP_");
            assert!(Figment::from(all()).extract::<Strict>().is_err());
            let read = Figment::from(all().only(&["port"])).extract::<Strict>();
            assert_eq!(read.unwrap().port, 9090);
            let ignored = Figment::from(all().ignore(&["port"]));
            assert!(ignored.find_value("port").is_err());
            #[derive(Flux)]
            struct Alone {
                port: u16,
            }
            assert_eq!(from_environment::<Alone>().port, 9090);
        }
        "`deny_unknown_fields` and a variable `APP_XYZ`" => {
            #[derive(Deserialize)]
            #[serde(deny_unknown_fields)]
            struct Strict {
                #[serde(rename = "port")]
                _port: u16,
            }
            let figment = Figment::from(("port", 1)).merge(("xyz", 1));
            assert!(figment.extract::<Strict>().is_err());
            let refused = |document: &str, variable: &str| {
                let source = Source::env("APP_").variables([(variable, "1")]);
                let read = flux_side::read::<Settings>(&[document], |builder| {
                    builder.unknown(flux::Unknown::Deny).source(source)
                });
                read.is_err()
            };
            assert!(refused("xyz = 1", "APP_PORT"));
            assert!(refused("port = 1", "APP_PROT"));
            assert!(!refused("port = 1", "APP_XYZ"));
        }
        "a text of digits in a variable" => {
            let figment = Figment::from(Env::prefixed("APP_"));
            assert!(
                figment.extract_inner::<String>("port").is_err(),
                "it is a number"
            );
            assert_eq!(from_environment::<Settings>().name, "0123");
        }
        "a file that is missing" => {
            assert!(
                Figment::from(Json::file("/never/there.json"))
                    .extract::<Plain>()
                    .is_ok()
            );
            flux_side::a_missing_file_is_refused_unless_it_is_optional();
        }
        "`Serialized::defaults`" => defaults(),
        "an empty variable" => {
            let read: String = Figment::from(Env::prefixed("APP_"))
                .extract_inner("host")
                .unwrap();
            assert_eq!(read, "");
            flux_side::an_empty_variable_is_no_value_unless_it_is_to_be();
        }
        "quotes in a variable" => {
            let read: String = Figment::from(Env::prefixed("APP_"))
                .extract_inner("quoted")
                .unwrap();
            assert_eq!(read, "123");
            #[derive(Flux)]
            struct App {
                quoted: String,
                /// Digits in no quotes.
                name: String,
            }
            let read = from_environment::<App>();
            assert_eq!((&*read.quoted, &*read.name), ("\"123\"", "0123"));
        }
        "profiles" => {
            let figment = Figment::from(
                Json::string(r#"{"default": {"port": 1}, "debug": {"port": 2}}"#).nested(),
            );
            let debug = figment.select(Profile::from_env_or("APP_PROFILE", "default"));
            assert_eq!(debug.extract::<Plain>().unwrap().port, 2);
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join("app.debug.toml"), "port = 2").unwrap();
            let file = format!("file:{}/app.${{APP_PROFILE}}.toml", folder.path().display());
            let read =
                flux_side::read::<Settings>(&[], |builder| builder.source(Source::uri(file)));
            assert_eq!(read.unwrap().port, 2);
        }
        "`extract_inner(\"pool\")`" => {
            #[derive(Deserialize)]
            struct Inner {
                max_size: u32,
            }
            let text = "[pool]\nmax_size = 3";
            let json = r#"{"pool": {"max_size": 3}}"#;
            let inner: Inner = Figment::from(Json::string(json))
                .extract_inner("pool")
                .unwrap();
            let read = settings(&[text]).unwrap();
            let pool: &Pool = &read.pool;
            assert_eq!(pool.max_size, inner.max_size);
        }
        _ => return false,
    }
    true
}

/// A default of the whole is laid below every layer by figment; that of a struct of Flux counts for its own fields.
fn defaults() {
    #[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
    struct Plain {
        port: u16,
        pool: PlainPool,
    }
    #[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
    struct PlainPool {
        size: u16,
        idle: u16,
    }
    let whole = || {
        let pool = PlainPool { size: 50, idle: 60 };
        Plain { port: 5, pool }
    };
    let figment = Figment::from(Serialized::defaults(whole()));
    let figment = figment.merge(Json::string(r#"{"pool": {"size": 7}}"#));
    let read: Plain = figment.extract().unwrap();
    assert_eq!((read.port, read.pool.size, read.pool.idle), (5, 7, 60));
    #[derive(Flux)]
    #[serde(default)]
    struct App {
        port: u16,
        #[flux(nested)]
        pool: AppPool,
    }
    #[derive(Flux)]
    #[serde(default)]
    struct AppPool {
        size: u16,
        idle: u16,
    }
    impl Default for AppPool {
        fn default() -> Self {
            AppPool { size: 10, idle: 20 }
        }
    }
    impl Default for App {
        fn default() -> Self {
            let pool = AppPool { size: 50, idle: 60 };
            App { port: 5, pool }
        }
    }
    let part = &["[pool]\nsize = 7"];
    let read = flux_side::read::<App>(part, |builder| builder).unwrap();
    assert_eq!((read.port, read.pool.size, read.pool.idle), (5, 7, 20));
    let read = flux_side::read::<App>(&[], |builder| {
        let builder = builder.provider(Serialized::defaults(whole()));
        builder.provider(Json::string(r#"{"pool": {"size": 7}}"#))
    });
    let read = read.unwrap();
    assert_eq!((read.port, read.pool.size, read.pool.idle), (5, 7, 60));
}
