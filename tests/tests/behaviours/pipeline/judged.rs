//! What stages and outer layers make is judged like what the layers make.

use super::*;

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
