//! The breaker around a callback.

use super::*;

/// With the schedule's tries at 0, 1, 3, 7, 15, 31, 63, 123, 183, ... s after the first.
#[tokio::test(start_paused = true)]
async fn a_breaker_opens_after_exactly_so_many_failures_in_a_row() {
    for failures in 1..=5 {
        let log = Log::default();
        let clock = Clock::start();
        let (capacitor, sender) = running(|builder| {
            builder
                .on_apply(failing(clock, &log, |n, _| n == 2))
                .circuit_breaker(
                    flux::pipeline::CircuitBreaker::failures(failures)
                        .recovery(Duration::from_secs(10_000)),
                )
        })
        .await;
        log.take();
        say(&sender, 2).await;
        pass(5_000.0).await;
        let times: Vec<u64> = log.take().into_iter().map(|(_, at)| at).collect();
        let all = [0, 1, 3, 7, 15];
        assert_eq!(times, all[..failures as usize]);
        let error = capacitor.last_error().unwrap().to_string();
        assert!(error.contains("the circuit breaker is open"), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_success_in_between_begins_the_breakers_count_anew() {
    let log = Log::default();
    let (capacitor, sender) = running(|builder| {
        builder
            .on_apply(failing(Clock::start(), &log, |n, _| n % 2 == 0))
            .circuit_breaker(
                flux::pipeline::CircuitBreaker::failures(2).recovery(Duration::from_secs(10_000)),
            )
    })
    .await;
    for n in 2..=9 {
        say(&sender, n).await;
        settle().await;
    }
    let asked: Vec<u32> = log.take().into_iter().map(|(n, _)| n).collect();
    assert_eq!(asked, (1..=9).collect::<Vec<_>>());
    assert_eq!(capacitor.get().n, 9);
}

#[tokio::test(start_paused = true)]
async fn an_open_breaker_lets_a_probe_through_after_its_recovery_and_the_probe_decides() {
    let log = Log::default();
    let clock = Clock::start();
    let (capacitor, sender) = running(|builder| {
        builder
            .on_apply(failing(clock, &log, |n, call| {
                n == 2 && call <= 4 || n > 90
            }))
            .circuit_breaker(
                flux::pipeline::CircuitBreaker::failures(3).recovery(Duration::from_secs(100)),
            )
    })
    .await;
    log.take();
    say(&sender, 2).await;
    pass(1_000.0).await;
    // Open at 3 s until 103 s; the schedule tries at 123 s, which fails and opens it until 223 s; then at 243 s.
    let times: Vec<u64> = log.take().into_iter().map(|(_, at)| at).collect();
    assert_eq!(times, [0, 1, 3, 123, 243]);
    assert_eq!((capacitor.state(), capacitor.get().n), (State::Healthy, 2));
    say(&sender, 91).await;
    pass(50.0).await;
    let tries = log.take();
    assert_eq!(
        tries.len(),
        3,
        "closed again, it takes three failures anew: {tries:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_half_open_breaker_lets_one_probe_through_at_a_time() {
    let log = Log::default();
    let clock = Clock::start();
    let refused = Log::default();
    let told = refused.clone();
    // Asks twice at the same time.
    let twice = Around(move |next: Next<App>, request: Request<App>| -> Answer {
        let (mut one, mut other) = (next.clone(), next);
        let told = told.clone();
        Box::pin(async move {
            let (one, other) = tokio::join!(one.call(request.clone()), other.call(request));
            for error in [&one, &other].into_iter().filter_map(|a| a.as_ref().err()) {
                if let Some(open) = error.downcast_ref::<BreakerOpen>() {
                    told.push(open.retry_in);
                }
            }
            one.or(other)
        })
    });
    let (builder, sender) = crate::kit::over_a_channel::<App>();
    let callback = failing(clock, &log, |_, call| call < 2);
    let capacitor = builder
        .on_apply(move |previous, next| {
            let answer = callback(previous, next);
            async move {
                pass(0.1).await;
                answer.await
            }
        })
        .circuit_breaker(
            flux::pipeline::CircuitBreaker::failures(2).recovery(Duration::from_millis(500)),
        )
        .tower_layer(twice)
        .build()
        .unwrap();
    say(&sender, 1).await;
    capacitor.start().await.expect_err("refused");
    assert_eq!(log.len(), 2, "closed, both pass");
    assert!(refused.take().is_empty());
    pass(2.0).await;
    assert_eq!(log.len(), 3, "half-open, one passes");
    assert_eq!(refused.take(), [Duration::ZERO]);
    assert_eq!(capacitor.state(), State::Healthy);
}

#[tokio::test(start_paused = true)]
async fn a_value_that_breaks_rules_says_nothing_to_a_breaker() {
    let log = Log::default();
    let (capacitor, sender) = running(|builder| {
        builder
            .mutate(|request| request.current.n == 50, |r| r.with(app(100)))
            .on_apply(failing(Clock::start(), &log, |n, _| n == 2 || n == 3))
            .circuit_breaker(
                flux::pipeline::CircuitBreaker::failures(2).recovery(Duration::from_secs(10_000)),
            )
    })
    .await;
    log.take();
    for n in [2, 50, 3, 4] {
        say(&sender, n).await;
        settle().await;
    }
    let asked: Vec<u32> = log.take().into_iter().map(|(n, _)| n).collect();
    assert_eq!(
        asked,
        [2, 3],
        "the second failure opens it, with 50 in between"
    );
    let error = capacitor.last_error().unwrap().to_string();
    assert!(error.contains("the circuit breaker is open"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_half_open_breaker_whose_probe_breaks_rules_still_wants_a_probe() {
    let log = Log::default();
    let clock = Clock::start();
    let (_capacitor, sender) = running(|builder| {
        builder
            .mutate(|request| request.current.n == 50, |r| r.with(app(100)))
            .on_apply(failing(clock, &log, |n, _| n != 1))
            .circuit_breaker(
                flux::pipeline::CircuitBreaker::failures(2).recovery(Duration::from_secs(10)),
            )
    })
    .await;
    log.take();
    for (n, at) in [(2, 0), (3, 0), (50, 12), (4, 13), (5, 14)] {
        pass(at as f64 - clock.seconds() as f64).await;
        say(&sender, n).await;
        settle().await;
    }
    // 2 and 3 open it. 50 is the probe at 12 s and breaks a rule; 4 is the next, fails, and 5 is not asked.
    assert_eq!(log.take(), [(2, 0), (3, 0), (4, 13)]);
}
