//! Patterns in the names of files.
use flux::Flux;

#[derive(Flux)]
#[flux(source = "file:/etc/*/app.yaml", source = "file:conf.d/**.yaml", source = "file:conf.d/.*.yaml")]
#[flux(source = "file:conf.d/*.conf", source = "file:*.yaml?search=.,/etc/app", source = "file:${FOLDER}/*/a.yaml")]
#[flux(source = "dotenv:env.d/*.env", source = "dir:/etc/secrets/*", source = "file:conf.d/*.yaml?format=yaml")]
struct Patterns {
    port: u16,
}

#[derive(Flux)]
#[flux(source = "file:conf.d/*", source = "file:${FOLDER:-conf.d}/*.toml", source("file:conf.d/*.conf", format = "yaml"))]
struct Good {
    port: u16,
}

fn main() {}
