//! Files of variables as layers.
use flux::Flux;

#[derive(Flux)]
#[flux(override = "env:APP_", override = "dotenv:.env")]
struct Above {
    port: u16,
}

#[derive(Flux)]
#[flux(source = "env", source = "dotenv:.env?prefix=APP_")]
struct Behind {
    port: u16,
}

#[derive(Flux)]
#[flux(source("dotenv:.env", format = "yaml"), source = "dotenv", source = "dotenv:")]
struct Forms {
    port: u16,
}

#[derive(Flux)]
#[flux(source = "dotenv:.env?prefiks=APP_", source = "dotenv:.env?prefix=APP", source = "dotenv:.env?empty=yes")]
struct Options {
    port: u16,
}

fn main() {}
