//! Variables with any bytes in them: nothing panics, texts stay what they are, numbers are what Rust reads, every wrong variable is
//! named, and no secret is told.
#![no_main]

use flux::{Capacitor, Source};
use flux_fuzz::{block_on, by_hand, everything::Everything, is_peculiar, plain, told};
use libfuzzer_sys::fuzz_target;
use std::{collections::BTreeMap, ffi::OsString, os::unix::ffi::OsStringExt};

const NAMES: [&str; 31] = [
    "ID",
    "PORT",
    "OFFSET",
    "TINY",
    "RATIO",
    "DEBUG",
    "LETTER",
    "HOST",
    "NAME",
    "PASSWORD",
    "PLUGINS",
    "WEIGHTS",
    "TAGS",
    "LABELS",
    "TIMEOUT",
    "PAUSE",
    "LEVEL",
    "SHAPE",
    "PAIR",
    "ADDRESS",
    "FOLDER",
    "MAX_BODY",
    "RAW",
    "REGION",
    "POOL_MIN",
    "POOL_MAX",
    "TLS_CERT",
    "TLS_KEY",
    "UPSTREAMS",
    "TENANTS",
    "NOT_A_FIELD",
];

// A line a variable: `PORT=80`.
fuzz_target!(|bytes: &[u8]| {
    let mut set = BTreeMap::new();
    for line in bytes.split(|byte| *byte == b'\n') {
        let mut halves = line.splitn(2, |byte| *byte == b'=');
        let name = halves
            .next()
            .and_then(|name| std::str::from_utf8(name).ok());
        if let (Some(name), Some(value)) = (name, halves.next())
            && NAMES.contains(&name)
        {
            set.insert(name.to_owned(), value.to_vec());
        }
    }
    set.entry("ID".to_owned()).or_insert_with(|| b"7".to_vec());
    let variables = set
        .iter()
        .map(|(name, value)| (format!("APP_{name}"), OsString::from_vec(value.clone())));
    let capacitor = by_hand([Source::env("APP_").variables(variables)]);
    let started = block_on(capacitor.start()).is_ok();
    let told = told(&capacitor);
    let values = Values(&set);
    match started {
        true => values.are_served(&capacitor),
        // A rule across fields, and a value that is missing, have no variable.
        false => assert!(
            told.contains("min is above max")
                || told.contains("no layer sets it")
                || set.keys().any(|name| told.contains(&format!("APP_{name}"))),
            "no variable is named: {told}"
        ),
    }
    for secret in ["PASSWORD", "TLS_KEY"]
        .into_iter()
        .filter_map(|name| values.text(name))
    {
        let elsewhere = set
            .values()
            .filter(|value| String::from_utf8_lossy(value).contains(secret))
            .count()
            > 1;
        if is_peculiar(secret) && !elsewhere {
            assert!(!told.contains(secret), "{secret} is told: {told}");
        }
    }
});

struct Values<'a>(&'a BTreeMap<String, Vec<u8>>);

impl<'a> Values<'a> {
    /// What a variable says; nothing where it is empty.
    fn text(&self, name: &str) -> Option<&'a str> {
        let value = self.0.get(name).filter(|value| !value.is_empty())?;
        std::str::from_utf8(value).ok()
    }

    /// Panics where something else is served than Rust's own parsers make of the variables.
    fn are_served(&self, capacitor: &Capacitor<Everything>) {
        let served = capacitor.get();
        let fields = self.0.iter().filter(|(name, _)| *name != "NOT_A_FIELD");
        assert!(
            fields
                .map(|(_, value)| std::str::from_utf8(value))
                .all(|text| text.is_ok())
        );
        let number = |name: &str| {
            self.text(name)
                .map(|text| text.trim().parse::<i128>().unwrap())
        };
        assert_eq!(number("ID"), Some(served.id.into()));
        assert_eq!(number("PORT").unwrap_or(8080), served.port.into());
        assert_eq!(number("OFFSET").unwrap_or(-1), served.offset.into());
        assert_eq!(number("TINY").unwrap_or(0), served.tiny.into());
        assert_eq!(number("POOL_MIN").unwrap_or(1), served.pool.min.into());
        assert_eq!(number("POOL_MAX").unwrap_or(10), served.pool.max.into());
        let ratio = self
            .text("RATIO")
            .map_or(0.5, |text| text.trim().parse::<f64>().unwrap());
        assert_eq!(ratio, served.ratio);
        assert_eq!(self.text("HOST").unwrap_or("localhost"), served.host);
        assert_eq!(self.text("REGION").unwrap_or("eu"), served.common.region);
        assert_eq!(self.text("NAME"), served.name.as_deref());
        assert_eq!(self.text("PASSWORD"), served.password.as_deref());
        assert_eq!(
            self.text("TLS_CERT"),
            served.tls.as_ref().map(|tls| &*tls.cert)
        );
        assert_eq!(
            self.text("LETTER").unwrap_or("x"),
            served.letter.to_string()
        );
        assert_eq!(
            self.text("FOLDER").unwrap_or("/tmp"),
            served.folder.to_str().unwrap()
        );
        let duration = |name| self.text(name).map(|text| plain::parsed(text).unwrap());
        assert_eq!(
            duration("TIMEOUT").map_or(1.0, |timeout| timeout.as_secs_f64()),
            served.timeout.as_secs_f64()
        );
        assert_eq!(duration("PAUSE"), served.pause);
        let words = self
            .text("DEBUG")
            .map(|text| text.trim().to_ascii_lowercase());
        let debug = words.map(|word| match &*word {
            "true" | "yes" | "on" | "1" => true,
            "false" | "no" | "off" | "0" => false,
            other => panic!("{other} is served as a bool"),
        });
        assert_eq!(debug.unwrap_or(false), served.debug);
        // Quotes and brackets group; without them a list is what stands between the commas.
        if let Some(text) = self
            .text("PLUGINS")
            .filter(|text| !text.contains(['"', '\'', '[', ']', '{', '}']))
        {
            // White space is that of ASCII: a vertical tab is part of a text.
            let mut pieces: Vec<&str> = text.split(',').map(str::trim_ascii).collect();
            pieces.pop_if(|last| last.is_empty());
            assert_eq!(pieces, served.plugins);
        }
        if let Some(text) = self
            .text("WEIGHTS")
            .filter(|text| !text.contains(['"', '\'', '[', ']', '{', '}']))
        {
            let mut pieces: Vec<&str> = text.split(',').map(str::trim).collect();
            pieces.pop_if(|last| last.is_empty());
            let weights: Vec<u32> = pieces
                .into_iter()
                .map(|piece| piece.parse().unwrap())
                .collect();
            assert_eq!(weights, served.weights);
        }
    }
}
