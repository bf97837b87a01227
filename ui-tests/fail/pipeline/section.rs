//! A section has no pipeline: that belongs to the struct with the sources.
use flux::Flux;

#[derive(Flux)]
#[flux(retry(attempts = 3, base = "100ms", max = "10s"), timeout = "5s", fallback = other, transform = double)]
#[flux(circuit_breaker(failures = 5, recovery = "30s"), rate_limit(per_second = 10, burst = 20), on_apply = apply)]
#[flux(max_wait = "2s", history = 10, generations = 5, probation = "30s", health_check = check, on_stop = stop)]
#[flux(last_known_good = "state.json", mutate(when = big, with = double))]
struct Section {
    port: u16,
}

fn main() {}
