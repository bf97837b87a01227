//! The order of stages and layers, and what each stage may do.

use super::*;

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
