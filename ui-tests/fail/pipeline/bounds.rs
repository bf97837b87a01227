//! Numbers and times with which a step does nothing, or nothing else.
use flux::Flux;

#[derive(Flux)]
#[flux(source = "file:app.yaml")]
#[flux(retry(attempts = 0, base = "0s", max = "1s"), timeout = "0s")]
#[flux(circuit_breaker(failures = 0, recovery = "0s"), rate_limit(per_second = 0, burst = 0))]
#[flux(history = 0, generations = 0, probation = "0s", max_wait = "50ms")]
struct Zero {
    port: u16,
}

#[derive(Flux)]
#[flux(source = "file:app.yaml")]
#[flux(retry(attempts = -1, base = "2s", max = "500ms"), timeout = "5")]
#[flux(circuit_breaker(failures = 5000000000, recovery = "soon"), rate_limit(per_second = -0.5, burst = -20))]
#[flux(history = -1, probation = "long", debounce = "5s", max_wait = "2s")]
struct Beyond {
    port: u16,
}

fn main() {}
