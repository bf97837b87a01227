//! Nothing that the user's module shadows is needed by the generated code.
#![deny(warnings)]
#![allow(dead_code)]

mod config {
    struct Option;
    struct Result;
    struct String;
    struct Vec;
    struct Box;
    struct Some;
    struct None;
    struct Ok;
    struct Err;
    trait Clone {}
    trait Default {}
    trait Config {}
    mod core {}
    mod std {}
    type A = u8;

    #[derive(flux::Flux)]
    pub(super) struct Section {
        #[flux(default = 1, range = 1..=5, message = "no")]
        a: A,
        b: ::core::option::Option<u8>,
        #[flux(default = "1s")]
        c: ::std::time::Duration,
        #[flux(nested)]
        inner: Inner,
    }

    #[derive(flux::Flux)]
    struct Inner {
        name: ::std::string::String,
        #[flux(each(non_empty), default = ["x"])]
        list: ::std::vec::Vec<::std::string::String>,
    }
}

fn main() {}
