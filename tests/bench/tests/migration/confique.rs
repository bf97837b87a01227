//! `confique`

use crate::flux_side::{self, Settings, from_environment, settings};
use confique::{Config, File, FileFormat};
use flux::Flux;
use std::path::Path;

#[derive(Config)]
struct Plain {
    #[config(default = 8080, env = "APP_PORT", validate(*port != 1, "one is taken"))]
    port: u16,
    #[config(env = "DATABASE_URL", default = "none")]
    database: String,
    #[config(env = "APP_TAGS", default = [], parse_env = confique::env::parse::list_by_comma)]
    tags: Vec<String>,
    #[config(nested)]
    pool: Pool,
}

#[derive(Config)]
struct Pool {
    #[config(default = 10)]
    max_size: u32,
}

fn file(folder: &Path, text: &str) -> std::path::PathBuf {
    let path = folder.join("settings.toml");
    std::fs::write(&path, text).unwrap();
    path
}

pub(crate) fn habit(habit: &str) -> bool {
    let folder = tempfile::tempdir().unwrap();
    match habit {
        "`#[config(default = 8080)]`" => {
            assert_eq!(Plain::builder().load().unwrap().port, 8080);
            assert_eq!(settings(&["name = 'n'"]).unwrap().port, 8080);
        }
        "`#[config(env = \"DATABASE_URL\")]`" => {
            #[derive(Flux)]
            struct App {
                #[flux(env = "DATABASE_URL")]
                database: String,
                port: u16,
            }
            let read = Plain::builder().env().load().unwrap();
            let ours = from_environment::<App>();
            assert_eq!(
                (ours.database.as_str(), ours.port),
                (read.database.as_str(), read.port)
            );
            assert_eq!((read.database.as_str(), read.port), ("postgres://db", 9090));
        }
        "`#[config(nested)]`" => {
            let text = "[pool]\nmax_size = 3";
            let read = Plain::builder()
                .file(file(folder.path(), text))
                .load()
                .unwrap();
            assert_eq!(read.pool.max_size, 3);
            assert_eq!(settings(&[text]).unwrap().pool.max_size, 3);
        }
        "`.env().file(..)`" => {
            let path = file(folder.path(), "port = 2");
            assert_eq!(
                Plain::builder().env().file(&path).load().unwrap().port,
                9090
            );
            assert_eq!(Plain::builder().file(&path).env().load().unwrap().port, 2);
            assert_eq!(settings(&["port = 2", "port = 9090"]).unwrap().port, 9090);
        }
        "`parse_env = list_by_comma`" => {
            let read = Plain::builder().env().load().unwrap();
            assert_eq!(read.tags, from_environment::<Settings>().tags);
            assert_eq!(read.tags, ["a", "b"]);
        }
        "`validate(..)`" => {
            assert!(
                Plain::builder()
                    .file(file(folder.path(), "port = 1"))
                    .load()
                    .is_err()
            );
            assert!(
                settings(&["port = 0"])
                    .unwrap_err()
                    .contains("port: must be in 1..=65535")
            );
        }
        "a file that is missing" => {
            assert!(
                Plain::builder()
                    .file(folder.path().join("none.toml"))
                    .load()
                    .is_ok()
            );
            let one = File::with_format(folder.path().join("none.toml"), FileFormat::Toml);
            assert!(one.required().load::<<Plain as Config>::Layer>().is_err());
            flux_side::a_missing_file_is_refused_unless_it_is_optional();
        }
        _ => return false,
    }
    true
}
