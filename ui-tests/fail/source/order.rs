//! The environment below what it is to override.
use flux::Flux;

#[derive(Flux)]
#[flux(source = "env:APP_", source = "file:app.yaml", optional_source = "file:local.yaml?search=.,/etc")]
struct Confique {
    port: u16,
}

#[derive(Flux)]
#[flux(source = "env", source = "${SETTINGS}", source("dir:/etc/app", wait = "5s"))]
struct Folder {
    port: u16,
}

fn main() {}
