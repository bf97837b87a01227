//! Options in brackets: unknown, missing, twice, and of the wrong form.
use flux::Flux;

#[derive(Flux)]
#[flux(source = "file:app.yaml")]
#[flux(retry = 3, circuit_breaker, rate_limit = 10, mutate = double)]
#[flux(retry(attempts = 3), circuit_breaker(), rate_limit(burst = 1))]
#[flux(mutate(when = big), mutate(with = double))]
struct Missing {
    port: u16,
}

#[derive(Flux)]
#[flux(source = "file:app.yaml")]
#[flux(retry(atempts = 3, base = "100ms", max = "1s", max = "2s"))]
#[flux(circuit_breaker(failures = 5, timeout = "30s"), rate_limit(per_secnod = 10, burst = 20))]
#[flux(mutate(if = big, with = double))]
#[flux(timeot = "5s", falback = other, xyzzy, on_aply = apply, immutable)]
struct Unknown {
    port: u16,
    #[flux(timeout = "5s")]
    field: u16,
}

#[derive(Flux)]
#[flux(source = "file:app.yaml")]
#[flux(timeout = "1s", timeout = "2s", fallback = a, fallback = b, on_apply = a, on_apply = b)]
#[flux(retry(attempts = 3, base = "1s", max = "1s"), retry(attempts = 3, base = "1s", max = "1s"))]
#[flux(history = 1, history = 2, on_stop = a, on_stop = b)]
struct Twice {
    port: u16,
}

#[derive(Flux)]
#[flux(source = "file:app.yaml")]
#[flux(retry(attempts = "3", base = 100, max = TEN), timeout = 5, rate_limit(per_second = fast, burst = 1.5))]
#[flux(fallback, filter = 5, transform(double), effect = "no path!", enrich = |request| request)]
#[flux(history = "10", generations = FIVE, probation = 30, health_check = "?", last_known_good = state)]
struct Form {
    port: u16,
}

fn main() {
    let _ = Unknown::get().port;
}
