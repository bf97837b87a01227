//! URIs that cannot be a source, and formats that are not known.
use flux::Flux;

#[derive(Flux)]
#[flux(source = "", source = "app.yaml", source = "fil:app.yaml", source = "file:", source = "redis://host/key")]
#[flux(source = "http://user:hunter2@host/app", source = "env:APP-", source = "file:${NAME")]
#[flux(source = "file:app", source = "file:${APP_FILE}", override = "file:app.conf")]
#[flux(source("file:app.conf", format = "ymal"), source("file:app.conf", format = "ini"))]
#[flux(override("env:APP_", optional, format = "yaml"), source(optional))]
struct Config {
    port: u16,
}

fn main() {
    let _ = Config::get().port;
}
