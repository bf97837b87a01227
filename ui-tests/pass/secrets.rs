//! Types that hold a secret need neither `secret` nor `opaque`. These have the names and the traits of those of `secrecy`.
#![deny(warnings)]
#![allow(dead_code)]

#[derive(Clone, serde::Deserialize)]
struct SecretString(String);

#[derive(Clone, serde::Deserialize)]
struct SecretBox<T>(T);

#[derive(flux::Flux)]
struct Config {
    token: SecretString,
    #[flux(default = None)]
    maybe: Option<SecretBox<String>>,
    keys: Vec<SecretString>,
}

fn main() {
    let fields = <Config as flux::Config>::fields();
    assert!(fields.iter().all(|field| field.is_secret()));
}
