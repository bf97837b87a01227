//! Fingerprints: equal for equal configurations, whatever they are made of.

use super::explain::over;
use flux::{Capacitor, Flux, Format, Source, inspect::Inputs};
use proptest::prelude::*;
use std::{collections::BTreeMap, time::Duration};

#[derive(Flux, Debug)]
struct App {
    #[flux(default = 80)]
    port: u16,
    #[flux(default = 1.0)]
    ratio: f64,
    #[flux(default = "1m")]
    wait: Duration,
    #[flux(bytes, default = "1KB")]
    size: u64,
    name: Option<String>,
    #[flux(default)]
    hosts: Vec<String>,
    #[flux(default)]
    labels: BTreeMap<String, u32>,
    #[flux(nested)]
    pool: Pool,
    #[flux(secret)]
    token: Option<String>,
}

#[derive(Flux, Debug)]
struct Pool {
    #[flux(default = 4)]
    min: u8,
    #[flux(secret, default = "none")]
    password: String,
}

const BASE: &str = "hosts: [a]\nlabels: {}\n";

fn of(format: Format, text: &str, variables: &[(&str, &str)], key: Option<&[u8]>) -> String {
    let name = match format {
        Format::Yaml => "app.yaml",
        Format::Toml => "app.toml",
        _ => "app.json",
    };
    let variables: Vec<_> = variables.to_vec();
    let checked = Capacitor::<App>::builder()
        .source(Source::file(name))
        .override_with(Source::env("APP_").variables(variables))
        .check(Inputs::new().layer(name, text))
        .unwrap();
    checked.fingerprint(key).to_string()
}

fn yaml(text: &str) -> String {
    of(Format::Yaml, &format!("{BASE}{text}"), &[], None)
}

#[test]
fn neither_layers_nor_formats_nor_orders_nor_spellings_make_a_difference() {
    let one = yaml("");
    for other in [
        yaml("port: 80\nname: null\n"),
        yaml("ratio: 1\nwait: 60s\nsize: 1000\n"),
        yaml("wait: {secs: 60, nanos: 0}\nsize: '1 KB'\nratio: 1e0\n"),
        yaml("pool: {min: 4}\n"),
        of(
            Format::Toml,
            "hosts = ['a']\nlabels = {}\nport = 0x50\nratio = 1.00\n",
            &[],
            None,
        ),
        of(
            Format::Json,
            r#"{"wait": "1m", "labels": {}, "hosts": ["a"]}"#,
            &[],
            None,
        ),
        of(
            Format::Yaml,
            "labels: {}",
            &[
                ("APP_HOSTS", "a"),
                ("APP_PORT", "80"),
                ("APP_WAIT", "60s"),
                ("APP_RATIO", "1"),
            ],
            None,
        ),
    ] {
        assert_eq!(other, one);
    }
    for other in [
        yaml("port: 81"),
        yaml("ratio: 1.5"),
        yaml("wait: 61s"),
        yaml("size: 1KiB"),
        yaml("name: ''"),
        yaml("pool: {min: 5}"),
        yaml("token: x"),
        of(Format::Yaml, "hosts: [a, b]\nlabels: {}", &[], None),
        of(Format::Yaml, "hosts: [a]\nlabels: {x: 1}", &[], None),
    ] {
        assert_ne!(other, one);
    }
    assert_ne!(
        of(Format::Yaml, "hosts: [a, b]\nlabels: {}", &[], None),
        of(Format::Yaml, "hosts: [b, a]\nlabels: {}", &[], None)
    );
    assert_eq!(
        of(Format::Yaml, "hosts: []\nlabels: {x: 1, y: 2}", &[], None),
        of(Format::Yaml, "hosts: []\nlabels: {y: 2, x: 1}", &[], None)
    );
    // It outlives a release of Flux, as far as its page promises.
    assert_eq!(one, "140eb07ffca82f3c501fca2d5a71fdd7");
}

#[test]
fn a_secret_counts_as_set_without_a_key_and_by_its_hash_with_one() {
    let with = |text: &str, key| of(Format::Yaml, &format!("{BASE}{text}"), &[], key);
    let (one, other) = (
        Some(&b"0123456789abcdef"[..]),
        Some(&b"0123456789abcdeg"[..]),
    );
    assert_eq!(with("token: one", None), with("token: two", None));
    assert_ne!(with("token: one", None), with("", None));
    assert_ne!(with("token: one", one), with("token: two", one));
    assert_ne!(with("token: one", one), with("token: one", other));
    assert_eq!(with("token: one", one), with("token: 'one'", one));
    assert_eq!(with("", one), with("token: null", one));
    // A default that is secret is a value too, and equal to the same in a layer.
    assert_eq!(with("pool: {password: none}", one), with("", one));
    assert_ne!(with("pool: {password: other}", one), with("", one));
    let variables = [("APP_TOKEN", "12345")];
    assert_eq!(
        of(Format::Yaml, BASE, &variables, one),
        with("token: '12345'", one)
    );
    // A text that quotes a secret is one, and another one makes another fingerprint.
    let quoting = |host: &str| {
        of(
            Format::Yaml,
            &format!("hosts: [{host}]\nlabels: {{}}\ntoken: hunter2hunter2"),
            &[],
            one,
        )
    };
    assert_ne!(quoting("hunter2hunter2"), quoting("hunter2hunter2.de"));
}

#[tokio::test]
async fn a_running_instance_has_the_one_of_a_check_and_knows_what_it_does_not_know() {
    let text = format!("{BASE}port: 81");
    let app = over::<App>(&[("app", Format::Yaml, &text)], &[]).await;
    let running = app.fingerprint().unwrap();
    assert_eq!(running.to_string(), yaml("port: 81"));
    assert!(!running.is_partial());
    assert_ne!(app.fingerprint_with("0123456789abcdef").unwrap(), running);
    let bare = over::<App>(&[("app", Format::Yaml, "port: 81")], &[]).await;
    assert!(bare.fingerprint().unwrap().is_partial());
}

proptest! {
    #[test]
    fn equal_values_have_equal_ones_and_others_have_others(
        port in 0..3_u16,
        hosts in proptest::collection::vec("[ab]{0,2}", 0..3),
        other in (0..3_u16, proptest::collection::vec("[ab]{0,2}", 0..3)),
        layered in any::<bool>(),
    ) {
        let document = |port: u16, hosts: &[String]| format!("{{\"port\": {port}, \"labels\": {{}}, \"hosts\": {hosts:?}}}");
        let one = of(Format::Json, &document(port, &hosts), &[], None);
        let text = document(if layered { 7 } else { other.0 }, &other.1);
        let number = other.0.to_string();
        let variables = [("APP_PORT", &*number)];
        let two = of(Format::Yaml, &text, &variables[..usize::from(layered)], None);
        prop_assert_eq!(one == two, (port, hosts) == other);
    }
}
