//! Without a layer a struct is a section, or is built by `Capacitor::builder()`.
use flux::Flux;

#[derive(Flux)]
struct AppConfig {
    #[flux(default = 80)]
    port: u16,
}

async fn run() {
    let _ = AppConfig::start().await;
}

fn main() {
    let _ = run();
}
