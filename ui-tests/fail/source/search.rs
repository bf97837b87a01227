//! Files that are looked for in several folders.
use flux::Flux;

#[derive(Flux)]
#[flux(source = "file:app.yaml?serach=.,/etc/app", source = "file:app.yaml?search=", source = "file:app.yaml?search=.&poll=1s")]
#[flux(source = "file:/etc/app.yaml?search=.,/srv", source = "file:app.yaml?search=.,$HOME/app")]
#[flux(source = "file:app?search=.,/etc/app", source = "file:app.yaml?search=.&search=/etc/app")]
struct Options {
    port: u16,
}

fn main() {}
