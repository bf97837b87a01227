//! Only a struct with named fields and concrete, owned types is a config.
use flux::Flux;

#[derive(Flux)]
enum Enum {
    One,
}

#[derive(Flux)]
union Union {
    one: u8,
}

#[derive(Flux)]
struct Tuple(u8);

#[derive(Flux)]
struct Unit;

#[derive(Flux)]
#[flux(source = "file:app.yaml")]
struct Generic<T> {
    one: T,
}

#[derive(Flux)]
struct Lifetime<'a> {
    one: &'a str,
}

#[derive(Flux)]
#[flux(source = "file:app.yaml")]
struct Borrowed {
    one: &'static str,
    two: Option<Vec<&'static str>>,
}

fn main() {
    let _ = Borrowed::get().one;
    is_config::<Enum>();
    is_config::<Tuple>();
    is_config::<Unit>();
    is_config::<Generic<u8>>();
}

fn is_config<C: flux::Config>() {}
