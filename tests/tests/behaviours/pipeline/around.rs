//! The other layers of the kit: rate limits, filters, fallbacks, error handlers, correlation.

use super::*;

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
