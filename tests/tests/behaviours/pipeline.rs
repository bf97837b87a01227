//! Stages and the layers around them: their order, what they may do, and what each failure means.

use crate::kit::{App, Clock, Count, Ear, Log, Teller, app, pass, running, say, settle, write};
use flux::{
    Snapshot, State,
    pipeline::{Applied, BoxError, BreakerOpen, Next, Request, Stage, TimeoutLayer},
};
use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tower_layer::Layer;
use tower_service::Service;

const SECOND: Duration = Duration::from_secs(1);

/// A tower layer of the user's own.
#[derive(Clone, Copy)]
struct Around<F>(F);

#[derive(Clone)]
struct Inside<F> {
    next: Next<App>,
    around: F,
}

impl<F: Clone> Layer<Next<App>> for Around<F> {
    type Service = Inside<F>;
    fn layer(&self, next: Next<App>) -> Inside<F> {
        let around = self.0.clone();
        Inside { next, around }
    }
}

type Answer = Pin<Box<dyn Future<Output = Result<Applied<App>, BoxError>> + Send>>;

impl<F: Fn(Next<App>, Request<App>) -> Answer> Service<Request<App>> for Inside<F> {
    type Response = Applied<App>;
    type Error = BoxError;
    type Future = Answer;
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }
    fn call(&mut self, request: Request<App>) -> Answer {
        (self.around)(self.next.clone(), request)
    }
}

/// Tells when a request enters and leaves it.
fn gate(
    log: &Log<String>,
    name: &'static str,
) -> Around<impl Fn(Next<App>, Request<App>) -> Answer + Clone + use<>> {
    let log = log.clone();
    Around(move |mut next: Next<App>, request| -> Answer {
        let log = log.clone();
        log.say(format!("into {name}"));
        Box::pin(async move {
            let answer = next.call(request).await;
            log.say(format!("out of {name}"));
            answer
        })
    })
}

fn plus(request: Request<App>, more: u32) -> Request<App> {
    let n = request.current.n + more;
    request.with(app(n))
}

#[tokio::test(start_paused = true)]
async fn the_first_listed_layer_is_the_innermost() {
    let log = Log::default();
    let (_capacitor, _sender) = running(|builder| {
        builder
            .tower_layer(gate(&log, "first"))
            .party(Teller::new("the party", &log))
            .tower_layer(gate(&log, "second"))
    })
    .await;
    let told = [
        "into second",
        "into first",
        "the party prepares 1",
        "out of first",
        "out of second",
        "the party commits 1",
    ];
    assert_eq!(log.take(), told);
}

#[tokio::test(start_paused = true)]
async fn stages_run_in_their_order_and_the_callback_last() {
    let log = Log::default();
    let told = |name: &'static str| {
        let log = log.clone();
        move |request: &Request<App>| log.say(format!("{name} {}", request.current.n))
    };
    let (capacitor, _sender) = running(|builder| {
        let (a, b, c, d, e) = (
            told("transform"),
            told("apply"),
            told("effect"),
            told("mutate"),
            told("enrich"),
        );
        let last = log.clone();
        builder
            .on_apply(move |_, next: Arc<Snapshot<App>>| {
                last.say(format!("callback {}", next.n));
                async { Ok::<_, BoxError>(()) }
            })
            .transform(move |request| {
                a(&request);
                plus(request, 1)
            })
            .apply(move |request| {
                b(&request);
                async { Ok::<_, BoxError>(plus(request, 1)) }
            })
            .effect(move |request| {
                c(&request);
                async { Ok::<_, BoxError>(()) }
            })
            .mutate(
                |_| true,
                move |request| {
                    d(&request);
                    plus(request, 1)
                },
            )
            .enrich(move |request| {
                e(&request);
                async { Ok::<_, BoxError>(plus(request, 1)) }
            })
    })
    .await;
    let told = [
        "transform 1",
        "apply 2",
        "effect 3",
        "mutate 3",
        "enrich 4",
        "callback 5",
    ];
    assert_eq!(log.take(), told);
    assert_eq!(capacitor.get().n, 5);
    assert_eq!(capacitor.status().generation, 1);
}

#[tokio::test(start_paused = true)]
async fn apply_and_effect_may_refuse_and_nobody_after_them_is_asked() {
    let refuses: [fn() -> Stage<App>; 2] = [
        || {
            Stage::apply(|request: Request<App>| async move {
                (request.current.n != 2).then_some(request).ok_or("no twos")
            })
        },
        || {
            Stage::effect(|request: Request<App>| async move {
                (request.current.n != 2).then_some(()).ok_or("no twos")
            })
        },
    ];
    for stage in refuses {
        let log = Log::default();
        let party = Teller::new("the party", &log);
        let (capacitor, sender) = running(|builder| builder.stage(stage()).party(party)).await;
        log.take();
        say(&sender, 2).await;
        settle().await;
        assert_eq!((capacitor.state(), capacitor.get().n), (State::Degraded, 1));
        let error = capacitor.last_error().unwrap().to_string();
        assert!(error.contains("no twos"), "{error}");
        assert!(log.take().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn mutate_replaces_only_where_its_condition_holds() {
    let (capacitor, sender) =
        running(|builder| builder.mutate(|request| request.current.n > 50, |r| r.with(app(50))))
            .await;
    for (said, seen) in [(49, 49), (51, 50), (50, 50), (2, 2)] {
        say(&sender, said).await;
        settle().await;
        assert_eq!(capacitor.get().n, seen, "{said}");
    }
}

#[tokio::test(start_paused = true)]
async fn enrich_is_passed_over_where_it_fails_and_the_value_goes_on_as_it_was() {
    let (ear, _listening) = Ear::listen();
    let (capacitor, sender) = running(|builder| {
        builder.enrich(|request: Request<App>| async move {
            match request.current.n {
                2 => Err("no connection"),
                _ => Ok(plus(request, 10)),
            }
        })
    })
    .await;
    assert_eq!(capacitor.get().n, 11);
    ear.take();
    say(&sender, 2).await;
    settle().await;
    assert_eq!((capacitor.state(), capacitor.get().n), (State::Healthy, 2));
    assert!(ear.text().contains("no connection"));
}

#[tokio::test(start_paused = true)]
async fn a_stage_may_have_a_condition_and_layers_of_its_own() {
    let (capacitor, sender) = running(|builder| {
        let slow = Stage::apply(|request: Request<App>| async move {
            pass(f64::from(request.current.n)).await;
            Ok::<_, BoxError>(plus(request, 50))
        });
        builder.stage(
            slow.tower_layer(TimeoutLayer::new(3 * SECOND))
                .when(|request| request.current.n > 1),
        )
    })
    .await;
    assert_eq!(capacitor.get().n, 1, "the condition does not hold");
    say(&sender, 2).await;
    pass(2.1).await;
    assert_eq!(capacitor.get().n, 52);
    say(&sender, 4).await;
    pass(3.1).await;
    let error = capacitor.last_error().unwrap().to_string();
    assert!(error.contains("it took longer than 3s"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn what_stages_change_is_validated_before_any_party_is_asked_and_not_tried_again() {
    let log = Log::default();
    let stages = Count::default();
    let (capacitor, sender) = running(|builder| {
        let stages = stages.clone();
        builder
            .transform(move |request| {
                stages.add();
                plus(request, 90)
            })
            .party(Teller::new("the party", &log))
            .retry(flux::pipeline::Retry::attempts(5).base(SECOND).max(SECOND))
    })
    .await;
    assert_eq!(
        log.take(),
        ["the party prepares 91", "the party commits 91"]
    );
    say(&sender, 10).await;
    pass(600.0).await;
    assert!(log.take().is_empty(), "a party was asked about 100");
    assert_eq!(stages.get(), 2, "a value that breaks rules is tried once");
    assert_eq!(
        (capacitor.state(), capacitor.get().n),
        (State::Degraded, 91)
    );
    let report = capacitor.last_error().unwrap();
    let problem = &report.problems()[0];
    assert_eq!((problem.path.as_str(), &*problem.origin), ("n", "pipeline"));
}

#[tokio::test(start_paused = true)]
async fn what_outer_layers_and_fallbacks_make_is_validated_too() {
    let log = Log::default();
    let outer = Around(|mut next: Next<App>, request: Request<App>| -> Answer {
        let n = request.current.n;
        Box::pin(async move { next.call(request.with(app(n + 95))).await })
    });
    let answer = Around(|_, request: Request<App>| -> Answer {
        let n = request.current.n;
        Box::pin(async move { Ok(Applied::from(request.with(app(n + 95)))) })
    });
    for around in [true, false] {
        let party = Teller::new("the party", &log);
        let (capacitor, sender) = running(|builder| {
            let builder = builder.party(party);
            match around {
                true => builder.tower_layer(outer),
                false => builder.tower_layer(answer),
            }
        })
        .await;
        assert_eq!(capacitor.get().n, 96);
        log.take();
        say(&sender, 5).await;
        settle().await;
        assert_eq!(
            (capacitor.state(), capacitor.get().n),
            (State::Degraded, 96)
        );
        assert!(log.take().is_empty());
    }
    let (capacitor, sender) = running(|builder| {
        builder
            .effect(
                |request| async move { (request.current.n < 5).then_some(()).ok_or("too many") },
            )
            .fallback(|request| async move { Ok::<_, BoxError>(request.with(app(100))) })
    })
    .await;
    say(&sender, 5).await;
    settle().await;
    assert_eq!((capacitor.state(), capacitor.get().n), (State::Degraded, 1));
    let report = capacitor.last_error().unwrap();
    assert_eq!(report.problems()[0].path, "n");
}

#[tokio::test(start_paused = true)]
async fn a_stage_that_puts_an_older_configuration_in_place_is_refused_with_the_mend() {
    let (capacitor, sender) = running(|builder| {
        builder.transform(|mut request| {
            if let Some(previous) = &request.previous
                && request.current.n == 3
            {
                request.current = Arc::clone(previous);
            }
            request
        })
    })
    .await;
    for n in [2, 3] {
        say(&sender, n).await;
        settle().await;
    }
    assert_eq!((capacitor.state(), capacitor.get().n), (State::Degraded, 2));
    let error = capacitor.last_error().unwrap().to_string();
    assert!(error.contains("Request::with"), "{error}");
    say(&sender, 4).await;
    settle().await;
    assert_eq!(capacitor.status().generation, 3);
}

#[tokio::test(start_paused = true)]
async fn a_request_has_the_previous_value_the_current_one_and_the_documents() {
    let log = Log::default();
    let seen = log.clone();
    let (_capacitor, sender) = running(|builder| {
        builder
            .override_with(flux::Source::env("FLUX_NO_SUCH_PREFIX_"))
            .effect(move |request: Request<App>| {
                let raw = request.raw.iter().map(|document| {
                    document
                        .as_ref()
                        .map(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
                });
                seen.push((
                    request.previous.as_ref().map(|previous| previous.n),
                    request.current.n,
                    raw.collect::<Vec<_>>(),
                ));
                async { Ok::<_, BoxError>(()) }
            })
    })
    .await;
    say(&sender, 2).await;
    settle().await;
    let document = |text: &str| vec![Some(text.to_owned()), None];
    assert_eq!(
        log.take(),
        [(None, 1, document("n: 1")), (Some(1), 2, document("n: 2"))]
    );
}

type Asked = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

/// A callback that fails where `fails` says so, with the attempts' values and seconds.
fn failing<F>(
    clock: Clock,
    log: &Log<(u32, u64)>,
    fails: F,
) -> impl Fn(Option<Arc<Snapshot<App>>>, Arc<Snapshot<App>>) -> Asked + use<F>
where
    F: Fn(u32, usize) -> bool + Send + Sync + 'static,
{
    let log = log.clone();
    let calls = Count::default();
    move |_, next| {
        log.push((next.n, clock.seconds()));
        let failed = fails(next.n, calls.add());
        Box::pin(async move {
            if failed {
                Err("not now".to_owned())
            } else {
                Ok(())
            }
        })
    }
}

#[tokio::test(start_paused = true)]
async fn each_retry_gets_a_request_of_its_own() {
    let log = Log::default();
    let callback = failing(Clock::start(), &log, |_, call| call < 3);
    let (capacitor, _sender) = running(|builder| {
        builder
            .transform(|request| plus(request, 1))
            .on_apply(callback)
            .retry(flux::pipeline::Retry::attempts(4).base(SECOND).max(SECOND))
    })
    .await;
    let values: Vec<u32> = log.take().into_iter().map(|(n, _)| n).collect();
    assert_eq!(values, [2, 2, 2, 2]);
    assert_eq!(capacitor.get().n, 2);
}

#[tokio::test(start_paused = true)]
async fn retries_are_bounded_in_number_and_their_pauses_in_length() {
    let calls = Log::default();
    let begin = tokio::time::Instant::now();
    let log = calls.clone();
    let (builder, sender) = crate::kit::over_a_channel::<App>();
    let capacitor = builder
        .on_apply(move |_, _| {
            log.push(begin.elapsed());
            async { Err::<(), _>("never") }
        })
        .retry(
            flux::pipeline::Retry::attempts(6)
                .base(8 * SECOND)
                .max(40 * SECOND),
        )
        .build()
        .unwrap();
    say(&sender, 1).await;
    capacitor.start().await.expect_err("it never succeeds");
    let times = calls.take();
    assert_eq!(times.len(), 6);
    for (pause, below) in times.windows(2).zip([8, 16, 32, 40, 40]) {
        let pause = pause[1] - pause[0];
        assert!(pause <= below * SECOND, "{pause:?} is not below {below} s");
    }
    assert_eq!(capacitor.state(), State::Empty);
}

#[tokio::test(start_paused = true)]
async fn a_timeout_inside_a_retry_limits_each_try_and_outside_of_it_all_of_them() {
    for (inside, tries, took) in [(true, 3, 15), (false, 1, 5)] {
        let clock = Clock::start();
        let count = Count::default();
        let calls = count.clone();
        let (builder, sender) = crate::kit::over_a_channel::<App>();
        let builder = builder.on_apply(move |_, _| {
            calls.add();
            async {
                pass(3_600.0).await;
                Ok::<_, BoxError>(())
            }
        });
        let (limit, none) = (5 * SECOND, Duration::ZERO);
        let builder = match inside {
            true => builder
                .timeout(limit)
                .retry(flux::pipeline::Retry::attempts(3).base(none).max(none)),
            false => builder
                .retry(flux::pipeline::Retry::attempts(3).base(none).max(none))
                .timeout(limit),
        };
        let capacitor = builder.build().unwrap();
        say(&sender, 1).await;
        let error = capacitor.start().await.expect_err("too slow").to_string();
        assert!(error.contains("it took longer than 5s"), "{error}");
        assert_eq!((count.get(), clock.seconds()), (tries, took));
    }
}

#[tokio::test(start_paused = true)]
async fn a_callback_that_timed_out_is_dropped_and_never_overwrites_a_newer_value() {
    let written = Log::default();
    let log = written.clone();
    let (capacitor, sender) = running(|builder| {
        builder
            .on_apply(move |_, next: Arc<Snapshot<App>>| {
                let log = log.clone();
                async move {
                    if next.n == 2 {
                        pass(30.0).await;
                    }
                    log.push(next.n);
                    Ok::<_, BoxError>(())
                }
            })
            .timeout(SECOND)
    })
    .await;
    say(&sender, 2).await;
    pass(0.5).await;
    say(&sender, 3).await;
    pass(600.0).await;
    assert_eq!(written.take(), [1, 3]);
    assert_eq!((capacitor.state(), capacitor.get().n), (State::Healthy, 3));
}

#[tokio::test(start_paused = true)]
async fn what_parties_had_prepared_before_a_timeout_is_rolled_back() {
    let log = Log::default();
    let (capacitor, sender) = running(|builder| {
        builder
            .party(Teller::new("one", &log))
            .party(Teller::new("two", &log))
            .effect(|_| async { Ok::<_, BoxError>(()) })
            .on_apply(|_, next: Arc<Snapshot<App>>| async move {
                if next.n == 2 {
                    pass(30.0).await;
                }
                Ok::<_, BoxError>(())
            })
            .timeout(SECOND)
    })
    .await;
    log.take();
    say(&sender, 2).await;
    pass(1.5).await;
    let told = [
        "one prepares 2",
        "two prepares 2",
        "two rolls back 2",
        "one rolls back 2",
    ];
    assert_eq!(log.take(), told);
    assert_eq!(capacitor.get().n, 1);
}

/// Seconds at which the callback is called while nothing but the schedule tries again: 0, 1, 3, 7, 15, 31, 63, 123, 183, ...
#[tokio::test(start_paused = true)]
async fn a_refused_value_is_tried_again_after_one_second_doubling_to_a_minute() {
    let log = Log::default();
    let (builder, sender) = crate::kit::over_a_channel::<App>();
    let clock = Clock::start();
    let capacitor = builder
        .on_apply(failing(clock, &log, |_, call| call < 10))
        .build()
        .unwrap();
    say(&sender, 1).await;
    capacitor.start().await.expect_err("refused");
    pass(1_000.0).await;
    let times: Vec<u64> = log.take().into_iter().map(|(_, at)| at).collect();
    assert_eq!(times, [0, 1, 3, 7, 15, 31, 63, 123, 183, 243, 303]);
    assert_eq!(capacitor.state(), State::Healthy);
}

#[tokio::test(start_paused = true)]
async fn newer_content_replaces_a_refused_value_and_begins_the_schedule_anew() {
    let log = Log::default();
    let clock = Clock::start();
    let (capacitor, sender) =
        running(|builder| builder.on_apply(failing(clock, &log, |n, _| (2..=3).contains(&n))))
            .await;
    say(&sender, 2).await;
    pass(10.0).await;
    say(&sender, 3).await;
    pass(5.0).await;
    let tried = [
        (1, 0),
        (2, 0),
        (2, 1),
        (2, 3),
        (2, 7),
        (3, 10),
        (3, 11),
        (3, 13),
    ];
    assert_eq!(log.take(), tried);
    say(&sender, 4).await;
    pass(600.0).await;
    assert_eq!(log.take(), [(4, 15)]);
    assert_eq!((capacitor.state(), capacitor.get().n), (State::Healthy, 4));
}

#[tokio::test(start_paused = true)]
async fn a_refused_value_is_not_tried_again_once_the_source_went_back_to_what_is_applied() {
    let log = Log::default();
    let clock = Clock::start();
    let (capacitor, sender) =
        running(|builder| builder.on_apply(failing(clock, &log, |n, _| n == 2))).await;
    for n in [2, 1] {
        say(&sender, n).await;
        settle().await;
    }
    assert_eq!(capacitor.state(), State::Healthy);
    pass(600.0).await;
    assert_eq!(log.take(), [(1, 0), (2, 0)]);
}

#[tokio::test(start_paused = true)]
async fn a_slow_callback_does_not_block_watching_and_the_newest_value_waits() {
    let applied = Log::default();
    let log = applied.clone();
    let (capacitor, sender) = running(|builder| {
        builder.on_apply(move |_, next: Arc<Snapshot<App>>| {
            log.push(next.n);
            async move {
                if next.n == 2 {
                    pass(10.0).await;
                }
                Ok::<_, BoxError>(())
            }
        })
    })
    .await;
    for n in 2..=5 {
        say(&sender, n).await;
        settle().await;
    }
    sender
        .fail(flux::source::SourceError::transient("cut"))
        .await
        .unwrap();
    settle().await;
    let stale = |status: &flux::Status| {
        matches!(status.layers[0].health, flux::source::Health::Stale { .. })
    };
    assert!(stale(&capacitor.status()), "health is seen meanwhile");
    assert_eq!(capacitor.get().n, 1);
    assert_eq!(applied.len(), 2);
    pass(10.0).await;
    assert_eq!(applied.take(), [1, 2, 5]);
    assert_eq!(capacitor.get().n, 5);
    assert_eq!(capacitor.status().layers[0].received, 5);
}

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

#[tokio::test(start_paused = true)]
async fn a_rate_limit_waits_and_keeps_the_newest() {
    let log = Log::default();
    let clock = Clock::start();
    let (capacitor, sender) = running(|builder| {
        builder
            .on_apply(failing(clock, &log, |_, _| false))
            .rate_limit(flux::pipeline::RateLimit::per_second(0.1).burst(2))
    })
    .await;
    for n in 2..=9 {
        say(&sender, n).await;
        settle().await;
    }
    assert_eq!(log.take(), [(1, 0), (2, 0)], "the burst");
    assert_eq!(capacitor.state(), State::Healthy, "waiting is no refusal");
    pass(100.0).await;
    assert_eq!(
        log.take(),
        [(3, 10), (9, 20)],
        "one in ten seconds, skipping 4 to 8"
    );
    assert_eq!(capacitor.get().n, 9);
}

#[tokio::test(start_paused = true)]
async fn a_filter_lets_what_it_does_not_select_pass_without_asking_anybody() {
    let log = Log::default();
    let (capacitor, sender) = running(|builder| {
        builder
            .effect(|_| async { Err::<(), _>("always") })
            .party(Teller::new("the party", &log))
            .filter(|request| request.current.n > 10)
    })
    .await;
    assert_eq!(capacitor.get().n, 1);
    say(&sender, 11).await;
    settle().await;
    assert_eq!((capacitor.state(), capacitor.get().n), (State::Degraded, 1));
    say(&sender, 10).await;
    settle().await;
    assert_eq!((capacitor.state(), capacitor.get().n), (State::Healthy, 10));
    assert!(log.take().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_fallback_answers_where_everything_inside_failed_and_no_party_is_asked() {
    let log = Log::default();
    let asked = Log::default();
    let seen = asked.clone();
    let (capacitor, sender) = running(|builder| {
        builder
            .transform(|request| plus(request, 20))
            .party(Teller::new("the party", &log).vetoing(|app| app.n != 21))
            .fallback(move |request: Request<App>| {
                seen.push(request.current.n);
                async move {
                    match request.current.n {
                        3 => Err("out of ideas"),
                        _ => Ok(request.with(app(7))),
                    }
                }
            })
    })
    .await;
    assert!(asked.take().is_empty(), "not where it succeeds");
    say(&sender, 2).await;
    settle().await;
    assert_eq!(asked.take(), [2], "the request as it came in");
    assert_eq!((capacitor.state(), capacitor.get().n), (State::Healthy, 7));
    assert_eq!(log.take().last().unwrap(), "the party vetoes 22");
    say(&sender, 3).await;
    settle().await;
    let error = capacitor.last_error().unwrap().to_string();
    assert!(
        error.contains("not 23") && error.contains("out of ideas"),
        "{error}"
    );
    assert_eq!((capacitor.state(), capacitor.get().n), (State::Degraded, 7));
}

#[tokio::test(start_paused = true)]
async fn an_error_handler_sees_what_failed_and_changes_nothing() {
    let seen = Log::default();
    let log = seen.clone();
    let (capacitor, sender) = running(|builder| {
        builder
            .on_apply(failing(Clock::start(), &Log::default(), |n, _| n == 2))
            .error_handler(move |request, error| log.push((request.current.n, error.to_string())))
    })
    .await;
    assert!(seen.take().is_empty(), "not where it succeeds");
    say(&sender, 2).await;
    settle().await;
    let told = "the apply callback refused it: not now".to_owned();
    assert_eq!(seen.take(), [(2, told)]);
    assert_eq!((capacitor.state(), capacitor.get().n), (State::Degraded, 1));
}

#[tokio::test(start_paused = true)]
async fn every_update_has_a_correlation_id_the_same_over_retries_and_in_its_events() {
    let (ear, _listening) = Ear::listen();
    let log = Log::default();
    let seen = log.clone();
    let (_capacitor, sender) = running(|builder| {
        builder
            .effect(move |request: Request<App>| {
                assert_eq!(request.capacitor(), "App");
                seen.push((request.current.n, request.correlation_id()));
                tracing::info!(target: "flux", "in the stage");
                let failed = request.current.n == 2;
                async move { if failed { Err("not now") } else { Ok(()) } }
            })
            .retry(
                flux::pipeline::Retry::attempts(3)
                    .base(Duration::ZERO)
                    .max(Duration::ZERO),
            )
    })
    .await;
    say(&sender, 2).await;
    settle().await;
    write(&sender, "n: 100").await;
    settle().await;
    say(&sender, 3).await;
    settle().await;
    let ids = log.take();
    let id = |n| ids.iter().find(|(value, _)| *value == n).unwrap().1;
    assert_eq!(
        ids.iter().filter(|one| **one == (2, id(2))).count(),
        3,
        "constant over retries: {ids:?}"
    );
    assert!(id(1) < id(2) && id(2) < id(3));
    let told = ear.take();
    let ids_of = |message: &str| -> Vec<Option<String>> {
        let found = told.iter().filter(|told| told.message == message);
        found.map(|told| told.update.clone()).collect()
    };
    let text = |id: u64| Some(id.to_string());
    let stages = [id(1), id(2), id(2), id(2), id(3)].map(text);
    assert_eq!(ids_of("in the stage"), stages);
    let spans = |name: &str| ids_of(&format!("flux.capacitor.{name}"));
    assert_eq!(spans("apply.succeeded"), [text(id(1)), text(id(3))]);
    assert_eq!(spans("apply.failed"), [text(id(2))]);
    for told in &told {
        if let Some(update) = told.fields.get("update") {
            assert_eq!(Some(update), told.update.as_ref(), "{told:?}");
        }
    }
    let refused = spans("validation.failed");
    assert!(
        refused.len() == 1 && !stages.contains(&refused[0]),
        "a refused update has an id of its own: {refused:?}"
    );
}
