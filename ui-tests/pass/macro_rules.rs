//! A struct written by a macro, whose types and values come in as fragments.
#![deny(warnings)]
#![allow(dead_code)]

use std::time::Duration;

macro_rules! section {
    ($name:ident { $($field:ident: $ty:ty = $default:expr,)* }) => {
        #[derive(flux::Flux, Debug)]
        struct $name {
            $(#[flux(default = $default)] $field: $ty,)*
        }
    };
}

section!(Limits {
    most: u16 = 10,
    name: String = "x",
    wait: Duration = "5s",
    maybe: Option<u8> = 3,
    ratio: f64 = 1,
});

macro_rules! list {
    ($item:ty) => {
        #[derive(flux::Flux)]
        struct Lists {
            #[flux(merge = "append", each(range = 1..5))]
            items: Vec<$item>,
            #[flux(nested)]
            limits: Option<Limits>,
        }
    };
}

list!(u8);

fn main() {}
