//! What is taken back and kept on disk.
use flux::Flux;

#[derive(Flux)]
#[flux(source = "file:app.yaml", health_check = check, last_known_good = "")]
struct Alone {
    port: u16,
}

#[derive(Flux)]
#[flux(source = "file:app.yaml", probation = "30s", generations = 0)]
#[flux(last_known_good("file:state.json", secrets = "omti", sercets = "omit"))]
struct Nothing {
    port: u16,
}

#[derive(Flux)]
#[flux(source = "file:app.yaml", last_known_good("/var/${STATE/x", secrets = "encrypt"))]
struct Template {
    port: u16,
}

#[derive(Flux)]
#[flux(source = "file:app.yaml", last_known_good(secrets = "omit"))]
struct Pathless {
    port: u16,
}

#[derive(Flux)]
#[flux(source = "file:app.yaml", last_known_good("state.json", trial = false))]
struct NoTrial {
    port: u16,
}

#[derive(Flux)]
#[flux(source = "file:app.yaml", last_known_good("state.json", tries = 2))]
struct TriesAlone {
    port: u16,
}

#[derive(Flux)]
#[flux(source = "file:app.yaml", last_known_good("state.json", trial = "yes", tries = 0, trails = true))]
struct NoTries {
    port: u16,
}

fn main() {}
