//! Code that uses a faulty struct gets no error of its own.
use flux::Flux;

#[derive(Flux)]
#[flux(source = "fiel:app.yaml")]
struct Config {
    #[flux(hot, rnage = 1..5)]
    port: u16,
    #[flux(nested)]
    pool: Pool,
}

#[derive(Flux)]
struct Pool {
    #[flux(range = 5..1)]
    size: u16,
}

#[derive(Flux)]
#[flux(source = "file:app.yaml")]
struct Other {
    #[flux(nested)]
    pool: Option<Pool>,
}

async fn run() -> Result<(), flux::Error> {
    Config::start().await?;
    let config = Config::get();
    let _: u16 = config.pool.size;
    let _: u16 = Config::port();
    let _ = Config::try_get().map(|config| config.port);
    let _ = Config::builder();
    let _ = Config::capacitor();
    let _ = Config::snapshot().port;
    let _ = Config::reader().get().port;
    let _ = ConfigLayer::default().clone();
    let _ = Other::get();
    Config::start_blocking()
}

fn main() {
    let _ = run();
}
