//! What people expect of layers, whatever library they come from: precedence, profiles, `.env`, folders of secrets, units, separators.

use flux::{Builder, Capacitor, Error, Flux, Source};
use std::{collections::BTreeMap, fs, time::Duration};

#[derive(Flux, Debug, Clone, PartialEq)]
struct LayeredShop {
    #[flux(default = 80)]
    #[serde(alias = "listen_port")]
    port: u16,
    #[flux(default = "localhost")]
    host: String,
    #[flux(default)]
    zip: String,
    #[flux(default)]
    tags: Vec<String>,
    #[flux(default)]
    limits: BTreeMap<String, u32>,
    #[flux(default = "30s")]
    timeout: Duration,
    #[flux(bytes, default = 1024)]
    cache: u64,
    #[flux(nested)]
    pool: LayeredPool,
    #[flux(secret, default)]
    password: String,
}

#[derive(Flux, Debug, Clone, PartialEq)]
struct LayeredPool {
    #[flux(default = 10)]
    max_size: u32,
    #[flux(default = 1)]
    min_size: u32,
    #[flux(secret, default)]
    token: String,
}

/// A folder with files.
struct LayerFiles(tempfile::TempDir);

impl LayerFiles {
    fn new() -> Self {
        LayerFiles(tempfile::tempdir().unwrap())
    }

    /// A file with this text, as a layer.
    fn file(&self, name: &str, text: &str) -> Source {
        Source::file(self.write(name, text))
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }
}

fn layered() -> Builder<LayeredShop> {
    Capacitor::<LayeredShop>::builder().clear_sources()
}

fn variables<const N: usize>(variables: [(&'static str, &'static str); N]) -> Source {
    Source::env("APP_").variables(variables)
}

#[test]
fn an_alias_is_another_spelling_of_the_key() {
    let files = LayerFiles::new();
    let shop = layered().source(files.file("a.yaml", "listen_port: 8080"));
    assert_eq!(shop.load().unwrap().port, 8080);
}

#[test]
fn a_key_and_its_alias_in_one_document_are_refused_rather_than_one_of_them_lost() {
    let files = LayerFiles::new();
    let shop = layered().source(files.file("a.yaml", "port: 1\nlisten_port: 2"));
    let error = shop.load().unwrap_err().to_string();
    assert!(error.contains("a.yaml:2:1"), "{error}");
    // Each in a document of its own, the upper one wins, whichever spelling it has.
    for (lower, upper) in [("port: 1", "listen_port: 2"), ("listen_port: 1", "port: 2")] {
        let shop = layered()
            .source(files.file("lower.yaml", lower))
            .source(files.file("upper.yaml", upper));
        assert_eq!(shop.load().unwrap().port, 2);
    }
}

#[test]
fn a_list_replaces_the_list_below() {
    let files = LayerFiles::new();
    let shop = layered()
        .source(files.file("lower.yaml", "tags: [a, b]"))
        .source(files.file("upper.toml", "tags = ['c']"));
    assert_eq!(shop.load().unwrap().tags, ["c"]);
}

#[test]
fn sections_and_maps_are_merged_key_by_key() {
    let files = LayerFiles::new();
    let shop = layered()
        .source(files.file(
            "lower.yaml",
            "pool: {max_size: 5, min_size: 2}\nlimits: {a: 1, b: 2}",
        ))
        .source(files.file(
            "upper.json",
            r#"{"pool": {"max_size": 9}, "limits": {"b": 3, "c": 4}}"#,
        ));
    let shop = shop.load().unwrap();
    assert_eq!((shop.pool.max_size, shop.pool.min_size), (9, 2));
    let limits = [("a", 1), ("b", 3), ("c", 4)].map(|(key, limit)| (key.to_owned(), limit));
    assert_eq!(shop.limits, BTreeMap::from(limits));
}

#[test]
fn a_file_of_variables_is_below_the_real_environment_and_above_documents() {
    let files = LayerFiles::new();
    let path = files.write(".env", "APP_PORT=2\nAPP_HOST=of-the-file\n");
    let shop = layered()
        .source(files.file("a.yaml", "{port: 1, host: of-the-document, zip: '12345'}"))
        .source(Source::dotenv(path))
        .override_with(variables([("APP_PORT", "3")]));
    let shop = shop.load().unwrap();
    assert_eq!(
        (shop.port, &*shop.host, &*shop.zip),
        (3, "of-the-file", "12345")
    );
}

#[test]
fn an_empty_layer_changes_nothing() {
    let files = LayerFiles::new();
    for empty in ["", "# nothing yet\n", "{}", "pool: {}", "limits: {}"] {
        let shop = layered()
            .source(files.file(
                "lower.yaml",
                "{port: 7, pool: {max_size: 5}, limits: {a: 1}}",
            ))
            .source(files.file("upper.yaml", empty).optional());
        let shop = shop.load().unwrap();
        let limit = shop.limits.get("a");
        assert_eq!(
            (shop.port, shop.pool.max_size, limit),
            (7, 5, Some(&1)),
            "{empty}"
        );
    }
}

#[test]
fn variables_are_above_files_and_are_read_by_the_type_of_the_field() {
    let files = LayerFiles::new();
    let shop = layered()
        .source(files.file("a.yaml", "{port: 1, zip: '00000', tags: [z]}"))
        .override_with(variables([
            ("APP_PORT", "8081"),
            ("APP_ZIP", "01234"),
            ("APP_TAGS", "a,b"),
            ("APP_TIMEOUT", "90s"),
        ]));
    let shop = shop.load().unwrap();
    assert_eq!((shop.port, &*shop.zip), (8081, "01234"));
    assert_eq!(shop.tags, ["a", "b"]);
    assert_eq!(shop.timeout, Duration::from_secs(90));
}

#[test]
fn an_optional_file_that_is_missing_is_passed_over_and_a_required_one_is_named() {
    let files = LayerFiles::new();
    let load = |source: Source| -> Result<LayeredShop, Error> {
        let shop = layered().source(files.file("a.yaml", "port: 1"));
        shop.source(source).load()
    };
    let missing = || Source::file(files.path("missing.yaml"));
    assert_eq!(load(missing().optional()).unwrap().port, 1);
    let error = load(missing()).unwrap_err().to_string();
    assert!(error.contains("missing.yaml"), "{error}");
}

#[test]
fn names_in_the_environment_lead_into_sections_with_or_without_a_separator_of_its_own() {
    let name = "APP_POOL_MAX_SIZE";
    let shop = layered().override_with(variables([(name, "3")]));
    assert_eq!(shop.load().unwrap().pool.max_size, 3);
    let source = Source::uri("env:APP__?separator=__").variables([("APP__POOL__MAX_SIZE", "4")]);
    let shop = layered().override_with(source);
    assert_eq!(shop.load().unwrap().pool.max_size, 4);
}

#[test]
fn an_override_is_above_everything_and_a_default_below() {
    let files = LayerFiles::new();
    let shop = layered()
        .override_with(variables([("APP_PORT", "2")]))
        .override_with(files.file("override.yaml", "port: 3"))
        .source(files.file("a.yaml", "port: 1"));
    let shop = shop.load().unwrap();
    assert_eq!((shop.port, &*shop.host), (3, "localhost"));
}

#[test]
fn a_profile_is_laid_over_the_base_and_falls_back_to_it() {
    let files = LayerFiles::new();
    files.write("prod.yaml", "pool: {max_size: 50}");
    for (profile, size) in [("prod", 50), ("dev", 5)] {
        let of_profile = Source::uri(format!("file:{}", files.path("${PROFILE}.yaml")))
            .variables([("PROFILE", profile)])
            .optional();
        let shop = layered()
            .source(files.file("base.yaml", "{port: 1, pool: {max_size: 5}}"))
            .source(of_profile);
        let shop = shop.load().unwrap();
        assert_eq!((shop.port, shop.pool.max_size), (1, size), "{profile}");
    }
}

#[test]
fn a_folder_of_secrets_is_above_the_file_and_a_dot_leads_into_sections() {
    let files = LayerFiles::new();
    files.write("secrets/password", "correct-horse\n");
    files.write("secrets/pool.token", "battery-staple\n");
    let shop = layered()
        .source(files.file("a.yaml", "{port: 1, password: of-the-file}"))
        .override_with(Source::dir(files.path("secrets")));
    let shop = shop.load().unwrap();
    assert_eq!(
        (shop.port, &*shop.password, &*shop.pool.token),
        (1, "correct-horse", "battery-staple")
    );
}

#[test]
fn files_variables_arguments_and_overrides_are_in_this_order() {
    let files = LayerFiles::new();
    let document = "{port: 1, host: file, zip: file, cache: 1}";
    let shop = layered()
        .source(files.file("a.yaml", document))
        .override_with(variables([
            ("APP_HOST", "variable"),
            ("APP_ZIP", "variable"),
            ("APP_CACHE", "2"),
        ]))
        .override_with(Source::args().arguments(["--zip", "argument", "--cache", "3"]))
        .override_with(files.file("last.yaml", "cache: 4"));
    let shop = shop.load().unwrap();
    let all = (shop.port, &*shop.host, &*shop.zip, shop.cache);
    assert_eq!(all, (1, "variable", "argument", 4));
}

#[test]
fn units_are_as_people_write_them_in_every_layer() {
    let files = LayerFiles::new();
    let load = |text: &str| {
        let shop = layered().source(files.file("a.yaml", text));
        shop.load().unwrap()
    };
    for (text, timeout, cache) in [
        ("{timeout: 1h30m, cache: 64KiB}", 5_400, 64 << 10),
        ("{timeout: 250ms, cache: 10MB}", 0, 10_000_000),
        ("{timeout: 2d, cache: 512}", 172_800, 512),
    ] {
        let shop = load(text);
        assert_eq!(
            (shop.timeout.as_secs(), shop.cache),
            (timeout, cache),
            "{text}"
        );
    }
    let shop = layered().override_with(variables([("APP_TIMEOUT", "2m"), ("APP_CACHE", "1GiB")]));
    let shop = shop.load().unwrap();
    assert_eq!((shop.timeout.as_secs(), shop.cache), (120, 1 << 30));
}

#[test]
fn a_document_of_one_section_is_read_by_the_struct_of_that_section() {
    let files = LayerFiles::new();
    let text = "{max_size: 3, min_size: 2}";
    let pool = Capacitor::<LayeredPool>::builder()
        .clear_sources()
        .source(files.file("pool.yaml", text));
    let pool = pool.load().unwrap();
    assert_eq!((pool.max_size, pool.min_size), (3, 2));
}
