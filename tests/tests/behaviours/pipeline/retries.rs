//! Tries and time-outs inside the pipeline, and the tries of the schedule.

use super::*;

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
