//! `config`

use crate::flux_side::{self, Settings, from_environment, settings};
use config::{Config, Environment, File, FileFormat, builder::DefaultState};
use flux::{Flux, Source};
use serde::Deserialize;
use std::collections::HashMap;

#[derive(Deserialize, Debug)]
struct Plain {
    port: u16,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    name: String,
}

type Builder = config::ConfigBuilder<DefaultState>;

fn toml(text: &str) -> File<config::FileSourceString, FileFormat> {
    File::from_str(text, FileFormat::Toml)
}

fn plain(builder: Builder) -> Result<Plain, config::ConfigError> {
    builder.build()?.try_deserialize()
}

pub(crate) fn habit(habit: &str) -> bool {
    let builder = Config::builder();
    match habit {
        "`add_source` twice" => {
            let read = plain(
                builder
                    .add_source(toml("port = 1\nname = 'n'"))
                    .add_source(toml("port = 2")),
            );
            assert_eq!(
                (read.as_ref().unwrap().port, &*read.unwrap().name),
                (2, "n")
            );
            let read = settings(&["port = 1\nname = 'n'", "port = 2"]).unwrap();
            assert_eq!((read.port, &*read.name), (2, "n"));
        }
        "`File::with_name(\"settings\")`" => {
            let folder = tempfile::tempdir().unwrap();
            let name = folder.path().join("settings");
            std::fs::write(name.with_extension("toml"), "port = 7").unwrap();
            let read = plain(builder.add_source(File::with_name(name.to_str().unwrap())));
            assert_eq!(read.unwrap().port, 7);
            let read = |path: &std::path::Path| {
                let source = Source::file(path.to_str().unwrap());
                flux_side::read::<Settings>(&[], |builder| builder.source(source))
            };
            assert_eq!(read(&name.with_extension("toml")).unwrap().port, 7);
            let refused = read(&name).unwrap_err();
            assert!(refused.contains("format"), "{refused}");
        }
        "`set_default(\"port\", 8080)`" => {
            assert_eq!(
                plain(builder.set_default("port", 8080).unwrap())
                    .unwrap()
                    .port,
                8080
            );
            assert_eq!(settings(&["name = 'n'"]).unwrap().port, 8080);
        }
        "`set_override(\"port\", 1)`" => {
            let read = plain(
                builder
                    .set_override("port", 1)
                    .unwrap()
                    .add_source(toml("port = 2")),
            );
            assert_eq!(read.unwrap().port, 1);
            let above = Source::env("X_").variables([("X_PORT", "1")]);
            let read =
                flux_side::read::<Settings>(&["port = 2"], |builder| builder.override_with(above));
            assert_eq!(read.unwrap().port, 1);
        }
        "`required(false)`" => {
            let missing = || File::new("/never/there.toml", FileFormat::Toml);
            assert!(Config::builder().add_source(missing()).build().is_err());
            assert!(
                builder
                    .add_source(missing().required(false))
                    .build()
                    .is_ok()
            );
            flux_side::a_missing_file_is_refused_unless_it_is_optional();
        }
        "`separator(\"__\")`" => {
            #[derive(Deserialize)]
            struct Nested {
                pool: HashMap<String, u32>,
            }
            let environment = Environment::with_prefix("APP")
                .separator("__")
                .try_parsing(true);
            let read: Nested = builder
                .add_source(environment)
                .build()
                .unwrap()
                .try_deserialize()
                .unwrap();
            assert_eq!(read.pool["max_size"], 8);
            assert_eq!(from_environment::<Settings>().pool.max_size, 7);
            #[derive(Flux)]
            struct Kept {
                #[flux(env = "APP__POOL__MAX_SIZE")]
                max_size: u32,
            }
            assert_eq!(from_environment::<Kept>().max_size, 8);
            let environment = Source::env("APP__?separator=__");
            let read =
                flux_side::read::<Settings>(&[], |builder| builder.override_with(environment));
            assert_eq!(read.expect("the environment").pool.max_size, 8);
        }
        "`prefix_separator(\"_\")` beside `separator(\"__\")`" => {
            let variable = ("APP_POOL__MAX_SIZE".to_owned(), "9".to_owned());
            let environment = Environment::with_prefix("APP")
                .prefix_separator("_")
                .separator("__")
                .source(Some(HashMap::from([variable.clone()])));
            let read = builder.add_source(environment).build().unwrap();
            assert_eq!(read.get_string("pool.max_size").unwrap(), "9");
            let environment = Source::env("APP_?separator=__").variables([variable]);
            let read =
                flux_side::read::<Settings>(&[], |builder| builder.override_with(environment));
            assert_eq!(read.unwrap().pool.max_size, 9);
        }
        "a program without a subscriber of `tracing`" => {
            // The test has none, and nothing was printed or refused.
            assert!(plain(builder.add_source(toml("port = 1\nprot = 1"))).is_ok());
            flux_side::an_unknown_key_is_a_warning_of_the_status();
        }
        "`try_parsing(true)`, `list_separator(\",\")`" => {
            let environment = Environment::with_prefix("APP")
                .try_parsing(true)
                .list_separator(",");
            // Every text is a list then, unless the keys of the lists are named.
            let lists = Config::builder().add_source(environment.clone());
            assert!(lists.build().unwrap().get_string("profile").is_err());
            let environment = environment.with_list_parse_key("tags");
            let read = plain(builder.add_source(environment)).unwrap();
            assert_eq!((read.port, read.tags.len()), (9090, 2));
            assert_ne!(read.name, "0123", "it went through a number");
            let read = from_environment::<Settings>();
            assert_eq!((read.port, read.tags.len(), &*read.name), (9090, 2, "0123"));
        }
        "a number in quotes" => {
            assert_eq!(
                plain(builder.add_source(toml("port = '80'"))).unwrap().port,
                80
            );
            assert!(
                settings(&["port = '80'"])
                    .unwrap_err()
                    .contains("port: expected u16")
            );
        }
        "a list in an upper source" => {
            let both = [
                "port = 1\ntags = ['a', 'b']\nadded = ['a']",
                "tags = ['c']\nadded = ['b']",
            ];
            let read = plain(builder.add_source(toml(both[0])).add_source(toml(both[1])));
            assert_eq!(read.unwrap().tags, ["c"]);
            let read = settings(&both).unwrap();
            assert_eq!(
                (&read.tags[..], &read.added[..]),
                (&["c".to_owned()][..], &["a".to_owned(), "b".to_owned()][..])
            );
        }
        "a struct in a field" => {
            #[derive(Deserialize, Debug, Clone, PartialEq)]
            struct Pool {
                min: u8,
                #[serde(default)]
                max: u8,
            }
            #[derive(Deserialize)]
            struct Plain {
                pool: Pool,
            }
            let both = ["[pool]\nmin = 1\nmax = 50", "[pool]\nmin = 3"];
            let builder = builder.add_source(toml(both[0])).add_source(toml(both[1]));
            let read: Plain = builder.build().unwrap().try_deserialize().unwrap();
            assert_eq!(read.pool, Pool { min: 3, max: 50 });
            #[derive(Flux)]
            struct Forgotten {
                pool: Pool,
            }
            let read = flux_side::read::<Forgotten>(&both, |builder| builder).unwrap();
            assert_eq!(read.pool, Pool { min: 3, max: 0 });
            #[derive(Flux)]
            struct Section {
                min: u8,
                #[flux(default)]
                max: u8,
            }
            #[derive(Flux)]
            struct Nested {
                #[flux(nested)]
                pool: Section,
            }
            let read = flux_side::read::<Nested>(&both, |builder| builder).unwrap();
            assert_eq!((read.pool.min, read.pool.max), (3, 50));
        }
        "a map in a map" => {
            type Maps = HashMap<String, HashMap<String, u8>>;
            #[derive(Deserialize)]
            struct Plain {
                outer: Maps,
            }
            let both = ["[outer.o]\na = 1\n[outer.p]\nc = 3", "[outer.o]\nb = 2"];
            let builder = builder.add_source(toml(both[0])).add_source(toml(both[1]));
            let read: Plain = builder.build().unwrap().try_deserialize().unwrap();
            assert_eq!((read.outer["o"].len(), read.outer.len()), (2, 2));
            #[derive(Flux)]
            struct App {
                outer: Maps,
            }
            let read = flux_side::read::<App>(&both, |builder| builder).unwrap();
            assert_eq!((read.outer["o"].len(), read.outer.len()), (1, 2));
            #[derive(Flux)]
            struct Inner {
                #[flux(default)]
                a: u8,
                #[flux(default)]
                b: u8,
                #[flux(default)]
                c: u8,
            }
            #[derive(Flux)]
            struct Sections {
                #[flux(nested)]
                outer: HashMap<String, Inner>,
            }
            let read = flux_side::read::<Sections>(&both, |builder| builder).unwrap();
            let (o, p) = (&read.outer["o"], &read.outer["p"]);
            assert_eq!((o.a, o.b, p.c), (1, 2, 3));
        }
        "an empty variable" => {
            let environment = Environment::with_prefix("APP");
            let read = builder.add_source(environment).build().unwrap();
            assert_eq!(read.get_string("host").unwrap(), "");
            flux_side::an_empty_variable_is_no_value_unless_it_is_to_be();
        }
        "an unknown key" => {
            assert!(plain(builder.add_source(toml("port = 1\nprot = 1"))).is_ok());
            flux_side::an_unknown_key_is_a_warning();
        }
        "the first error" => {
            let wrong = "port = 'x'\ntags = 1\nname = []";
            let error = plain(builder.add_source(toml(wrong)))
                .unwrap_err()
                .to_string();
            assert_eq!(
                ["port", "tags", "name"]
                    .iter()
                    .filter(|key| error.contains(**key))
                    .count(),
                1,
                "{error}"
            );
            let report = settings(&[wrong]).unwrap_err();
            for place in ["document:1:", "document:2:", "document:3:"] {
                assert!(report.contains(place), "{report}");
            }
        }
        _ => return false,
    }
    true
}
