//! A panic in any code of the user's own is survived and told, and the next good change applies.

use crate::kit::{Count, Ear, over_a_channel, pass, running, say, settle, write};
use flux::{
    Builder, Capacitor, Flux, Format, Snapshot, Source, State,
    change::{Change, Party},
    codec::{Codec, Tree},
    pipeline::{Applied, BoxError, Next, Request, Stage},
    source::{Channel, Observer, SourceError, Watcher},
};
use serde::Deserialize;
use std::{
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tower_layer::Layer;
use tower_service::Service;

/// What every panic here says.
const SAID: &str = "out of cheese";

fn fails() -> bool {
    panic!("{SAID}")
}

#[derive(Flux, Debug)]
#[flux(validate = whole)]
struct Touchy {
    #[flux(default = 0, validate = one)]
    n: u32,
    #[flux(default, merge = joined)]
    list: Vec<u32>,
    #[flux(default)]
    leaf: Leaf,
}

fn one(n: &u32) -> Result<(), String> {
    assert_ne!(*n, 11, "{SAID}");
    Ok(())
}

fn whole(touchy: &Touchy) -> Result<(), String> {
    assert_ne!(touchy.n, 12, "{SAID}");
    Ok(())
}

fn joined(below: &mut Vec<u32>, top: &Vec<u32>) {
    assert!(!top.contains(&13), "{SAID}");
    below.extend(top);
}

#[derive(Debug, Default)]
struct Leaf(u32);

impl<'de> Deserialize<'de> for Leaf {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let n = u32::deserialize(deserializer)?;
        assert_ne!(n, 14, "{SAID}");
        Ok(Leaf(n))
    }
}

impl PartialEq for Leaf {
    fn eq(&self, other: &Self) -> bool {
        assert!(self.0 != 15 && other.0 != 15, "{SAID}");
        self.0 == other.0
    }
}

impl Clone for Leaf {
    fn clone(&self) -> Self {
        assert_ne!(self.0, 16, "{SAID}");
        Leaf(self.0)
    }
}

type Adjust = Box<dyn FnOnce(Builder<Touchy>) -> Builder<Touchy>>;

/// The document, the hook, and whether the change is applied all the same.
struct Case(&'static str, &'static str, Adjust, bool);

fn case(
    hook: &'static str,
    document: &'static str,
    adjust: impl FnOnce(Builder<Touchy>) -> Builder<Touchy> + 'static,
) -> Case {
    Case(hook, document, Box::new(adjust), false)
}

impl Case {
    fn applied_all_the_same(self) -> Self {
        Case(self.0, self.1, self.2, true)
    }
}

/// Panics in one of its parts where the number is 20.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    Name,
    Prepare,
    Commit,
    Rollback,
}

impl Party<Touchy> for Part {
    type Prepared = u32;
    type Error = BoxError;
    fn name(&self) -> String {
        assert!(*self != Part::Name, "{SAID}");
        "touchy".to_owned()
    }
    async fn prepare(&self, change: &Change<Touchy>) -> Result<u32, BoxError> {
        let n = change.current.n;
        assert!(*self != Part::Prepare || n != 20, "{SAID}");
        Ok(n)
    }
    fn commit(&self, n: u32) {
        assert!(*self != Part::Commit || n != 20, "{SAID}");
    }
    fn rollback(&self, n: u32) {
        assert!(*self != Part::Rollback || n != 20, "{SAID}");
    }
}

fn is_20(request: &Request<Touchy>) -> bool {
    request.current.n == 20
}

async fn refuse() -> Result<(), BoxError> {
    Err("no".into())
}

/// A tower layer of the user's own that panics before, or when it is ready to be asked.
#[derive(Clone, Copy)]
struct Tower {
    ready: bool,
}

struct Asked(Next<Touchy>, Tower, Count);

impl Layer<Next<Touchy>> for Tower {
    type Service = Asked;
    fn layer(&self, next: Next<Touchy>) -> Asked {
        Asked(next, *self, Count::default())
    }
}

impl Service<Request<Touchy>> for Asked {
    type Response = Applied<Touchy>;
    type Error = BoxError;
    type Future = <Next<Touchy> as Service<Request<Touchy>>>::Future;
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        // Asked for the first time by the configuration at start.
        assert!(!self.1.ready || self.2.add() != 1, "{SAID}");
        self.0.poll_ready(cx)
    }
    fn call(&mut self, request: Request<Touchy>) -> Self::Future {
        assert!(self.1.ready || !is_20(&request), "{SAID}");
        self.0.call(request)
    }
}

fn cases() -> Vec<Case> {
    vec![
        case("a field's validator", "n: 11", |b| b),
        case("the struct's validator", "n: 12", |b| b),
        case("a merge function", "list: [13]", |b| b),
        case("Deserialize", "leaf: 14", |b| b),
        case("PartialEq", "leaf: 15", |b| b),
        case("the reducer", "n: 20", |b| {
            let calls = Count::default();
            b.reducer(move |_, layers| {
                assert_ne!(calls.add(), 1, "{SAID}");
                Ok::<_, BoxError>(layers[0].clone())
            })
        }),
        case("transform", "n: 20", |b| {
            b.transform(|request| {
                assert!(!is_20(&request), "{SAID}");
                request
            })
        }),
        case("apply, before its future", "n: 20", |b| {
            b.apply(|request| {
                assert!(!is_20(&request), "{SAID}");
                async { Ok::<_, BoxError>(request) }
            })
        }),
        case("apply, in its future", "n: 20", |b| {
            b.apply(|request| async {
                assert!(!is_20(&request), "{SAID}");
                Ok::<_, BoxError>(request)
            })
        }),
        case("effect", "n: 20", |b| {
            b.effect(|request| async move {
                assert!(!is_20(&request), "{SAID}");
                Ok::<_, BoxError>(())
            })
        }),
        case("mutate's condition", "n: 20", |b| {
            b.mutate(|request| is_20(request) && fails(), |request| request)
        }),
        case("mutate's change", "n: 20", |b| {
            b.mutate(is_20, |request| {
                fails();
                request
            })
        }),
        case("enrich", "n: 20", |b| {
            b.enrich(|request| async move {
                assert!(!is_20(&request), "{SAID}");
                Ok::<_, BoxError>(request)
            })
        })
        .applied_all_the_same(),
        case("a stage's condition", "n: 20", |b| {
            b.stage(Stage::transform(|request| request).when(|request| is_20(request) && fails()))
        }),
        case("the callback, before its future", "n: 20", |b| {
            b.on_apply(|_, next: Arc<Snapshot<Touchy>>| {
                assert_ne!(next.n, 20, "{SAID}");
                async { Ok::<_, BoxError>(()) }
            })
        }),
        case("the callback, in its future", "n: 20", |b| {
            b.on_apply(|_, next: Arc<Snapshot<Touchy>>| async move {
                pass(0.0001).await;
                assert_ne!(next.n, 20, "{SAID}");
                Ok::<_, BoxError>(())
            })
        }),
        case("prepare", "n: 20", |b| b.party(Part::Prepare)),
        case("commit", "n: 20", |b| b.party(Part::Commit)).applied_all_the_same(),
        case("rollback", "n: 20", |b| {
            b.party(Part::Rollback)
                .on_apply(|_, next: Arc<Snapshot<Touchy>>| async move {
                    if next.n == 20 { refuse().await } else { Ok(()) }
                })
        }),
        case("a filter", "n: 20", |b| {
            b.filter(|request| !is_20(request) || fails())
        }),
        case("a fallback", "n: 20", |b| {
            b.effect(|request| async move {
                if is_20(&request) {
                    refuse().await
                } else {
                    Ok(())
                }
            })
            .fallback(|request| async {
                fails();
                Ok::<_, BoxError>(request)
            })
        }),
        case("an error handler", "n: 20", |b| {
            b.effect(|request| async move {
                if is_20(&request) {
                    refuse().await
                } else {
                    Ok(())
                }
            })
            .error_handler(|_, _| assert!(!fails()))
        }),
        case("a tower layer, when it is asked", "n: 20", |b| {
            b.tower_layer(Tower { ready: false })
        }),
        case("a tower layer, when it is to be ready", "n: 20", |b| {
            b.tower_layer(Tower { ready: true })
        }),
    ]
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_any_hook_of_an_update_is_survived_and_told() {
    for Case(hook, document, adjust, applied) in cases() {
        let (ear, listening) = Ear::listen();
        let (builder, sender) = over_a_channel::<Touchy>();
        let (under, channel) = Channel::buffered("under", 4);
        let source = Source::watcher(channel).format(Format::Yaml);
        let capacitor = adjust(builder.override_with(source)).build().unwrap();
        write(&under, "{}").await;
        write(&sender, "{n: 1, list: [1]}").await;
        capacitor
            .start()
            .await
            .unwrap_or_else(|error| panic!("{hook}: {error}"));
        ear.take();
        let to = if hook == "a merge function" {
            &under
        } else {
            &sender
        };
        write(to, document).await;
        settle().await;
        let told = ear.text();
        assert!(told.contains(SAID), "{hook}: {told}");
        let state = if applied {
            State::Healthy
        } else {
            State::Degraded
        };
        assert_eq!(capacitor.state(), state, "{hook}");
        if !applied {
            assert_eq!(capacitor.get().n, 1, "{hook}");
        }
        write(&under, "{}").await;
        write(&sender, "n: 2").await;
        settle().await;
        assert_eq!(
            (capacitor.state(), capacitor.get().n),
            (State::Healthy, 2),
            "{hook}"
        );
        capacitor.stop().await;
        drop(listening);
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_the_name_of_a_party_is_survived_and_told() {
    let (builder, sender) = over_a_channel::<Touchy>();
    let capacitor = builder.party(Part::Name).build().unwrap();
    write(&sender, "n: 1").await;
    let error = capacitor.start().await.expect_err("no name").to_string();
    assert!(error.contains(SAID), "{error}");
    assert_eq!(capacitor.state(), State::Empty);
    capacitor.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_clone_is_survived_and_told() {
    let (builder, sender) = over_a_channel::<Touchy>();
    let (over, channel) = Channel::buffered("over", 4);
    let source = Source::watcher(channel).format(Format::Yaml);
    let capacitor = builder.override_with(source).build().unwrap();
    write(&sender, "n: 1").await;
    write(&over, "leaf: 16").await;
    let outcome = capacitor.start().await;
    if let Err(error) = outcome {
        assert!(error.to_string().contains(SAID), "{error}");
    }
    for n in 2..5 {
        write(&over, "leaf: 17").await;
        write(&sender, &format!("n: {n}")).await;
        settle().await;
        let touchy = capacitor.get();
        assert_eq!((touchy.n, touchy.leaf.0), (n, 17));
    }
    assert_eq!(capacitor.state(), State::Healthy);
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_a_codec_is_survived_and_told() {
    struct Cheese;
    impl Codec for Cheese {
        fn name(&self) -> &str {
            "cheese"
        }
        fn decode(&self, text: &str) -> Result<Tree, String> {
            assert!(!text.contains("none"), "{SAID}");
            let n = text.trim().parse().map_err(|_| "not a number".to_owned())?;
            Ok(Tree::Map(vec![("n".to_owned(), Tree::U64(n))]))
        }
    }
    let (sender, channel) = Channel::buffered("channel", 4);
    let capacitor = Capacitor::<Touchy>::builder()
        .source(Source::watcher(channel).codec(Cheese))
        .debounce(Duration::ZERO)
        .build()
        .unwrap();
    write(&sender, "1").await;
    capacitor.start().await.unwrap();
    for document in ["none", "none at all"] {
        write(&sender, document).await;
        settle().await;
        assert_eq!((capacitor.state(), capacitor.get().n), (State::Degraded, 1));
        let error = capacitor.last_error().unwrap().to_string();
        assert!(error.contains(SAID), "{error}");
    }
    write(&sender, "2").await;
    settle().await;
    assert_eq!((capacitor.state(), capacitor.get().n), (State::Healthy, 2));
}

#[tokio::test(start_paused = true)]
async fn a_codec_that_panics_the_second_time_is_survived_where_documents_are_kept() {
    struct Once(Count);
    impl Codec for Once {
        fn name(&self) -> &str {
            "once"
        }
        fn decode(&self, _: &str) -> Result<Tree, String> {
            assert_eq!(self.0.add(), 0, "{SAID}");
            Ok(Tree::Map(Vec::new()))
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kept.json");
    let (ear, _listening) = Ear::listen();
    let (sender, channel) = Channel::buffered("channel", 4);
    let capacitor = Capacitor::<Touchy>::builder()
        .source(Source::watcher(channel).codec(Once(Count::default())))
        .last_known_good(path.to_str().unwrap(), flux::Secrets::Omit)
        .build()
        .unwrap();
    write(&sender, "anything").await;
    capacitor.start().await.unwrap();
    settle().await;
    assert_eq!(capacitor.state(), State::Healthy);
    assert!(ear.text().contains("is not kept"));
    capacitor.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_a_health_check_takes_the_change_back() {
    let (capacitor, sender) = running(|builder| {
        builder.probation(Duration::from_secs(10)).health_check(
            |app: Arc<Snapshot<crate::kit::App>>| async move {
                assert_ne!(app.n, 20, "{SAID}");
                Ok::<_, BoxError>(())
            },
        )
    })
    .await;
    say(&sender, 20).await;
    pass(2.0).await;
    assert_eq!((capacitor.state(), capacitor.get().n), (State::Degraded, 1));
    let error = capacitor.last_error().unwrap().to_string();
    assert!(error.contains(SAID), "{error}");
    say(&sender, 2).await;
    pass(20.0).await;
    assert_eq!((capacitor.state(), capacitor.get().n), (State::Healthy, 2));
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_on_stop_is_survived_and_told_and_stop_returns() {
    let (ear, _listening) = Ear::listen();
    let (capacitor, sender) = running(|builder| builder.on_stop(|_| assert!(!fails()))).await;
    capacitor.stop().await;
    assert!(!capacitor.status().running);
    assert!(ear.text().contains(SAID));
    say(&sender, 2).await;
    capacitor.start().await.unwrap();
    assert_eq!(capacitor.get().n, 2);
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_a_watcher_shows_in_its_layers_health_and_it_is_watched_again() {
    struct Falls(Count, fn() -> String);
    impl Watcher for Falls {
        fn origin(&self) -> String {
            (self.1)()
        }
        async fn watch(&mut self, observer: &Observer) -> Result<(), SourceError> {
            let session = self.0.add() + 1;
            observer.value(format!("n: {session}").into_bytes());
            tokio::time::sleep(Duration::from_secs(1)).await;
            assert!(session > 8, "{SAID}");
            std::future::pending().await
        }
    }
    let falls = Falls(Count::default(), || "falls".to_owned());
    let capacitor = Capacitor::<Touchy>::builder()
        .source(Source::watcher(falls).format(Format::Yaml))
        .debounce(Duration::ZERO)
        .build()
        .unwrap();
    capacitor.start().await.unwrap();
    let mut stale = None;
    // A pause between two sessions may be too short to be seen, but not all of them.
    for _ in 0..20_000 {
        pass(0.005).await;
        if let flux::source::Health::Stale { error, .. } = &capacitor.status().layers[0].health {
            stale = Some(error.to_string());
        }
    }
    assert_eq!((capacitor.state(), capacitor.get().n), (State::Healthy, 9));
    let stale = stale.expect("its health told the panic");
    assert!(stale.contains(SAID), "{stale}");
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_a_figment_provider_is_survived_and_told() {
    struct Broken;
    impl flux::figment::Provider for Broken {
        fn metadata(&self) -> flux::figment::Metadata {
            flux::figment::Metadata::named("broken")
        }
        fn data(
            &self,
        ) -> Result<
            flux::figment::value::Map<flux::figment::Profile, flux::figment::value::Dict>,
            flux::figment::Error,
        > {
            panic!("{SAID}")
        }
    }
    let (builder, sender) = over_a_channel::<Touchy>();
    let capacitor = builder.provider(Broken).build().unwrap();
    write(&sender, "n: 1").await;
    let error = capacitor.start().await.expect_err("unreadable").to_string();
    assert!(error.contains(SAID) && error.contains("broken"), "{error}");
    assert_eq!(capacitor.state(), State::Empty);
    capacitor.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_a_projection_ends_only_its_own_task() {
    let (capacitor, sender) = running(|b| b).await;
    let part = |app: &crate::kit::App| {
        assert_ne!(app.n, 20, "{SAID}");
        app.n
    };
    let mut watching = capacitor.watch(move |app| {
        part(app);
        &app.n
    });
    let task = tokio::spawn(async move { while watching.changed().await.is_some() {} });
    say(&sender, 20).await;
    settle().await;
    let panic = task.await.expect_err("it panicked");
    assert!(panic.is_panic());
    say(&sender, 2).await;
    settle().await;
    assert_eq!((capacitor.state(), capacitor.get().n), (State::Healthy, 2));
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_a_group_member_does_not_hold_or_poison_the_group() {
    let group = flux::change::Group::new();
    let start = |part: Part| {
        let (builder, sender) = over_a_channel::<Touchy>();
        let together = Duration::from_millis(100);
        let builder = builder.debounce(together).group(&group).party(part);
        (builder.build().unwrap(), sender)
    };
    for part in [Part::Commit, Part::Rollback, Part::Prepare] {
        let ((one, to_one), (other, to_other)) = (start(part), start(Part::Rollback));
        write(&to_one, "n: 1").await;
        write(&to_other, "n: 1").await;
        tokio::try_join!(one.start(), other.start()).unwrap();
        write(&to_one, "n: 20").await;
        write(&to_other, "n: 12").await;
        pass(0.2).await;
        assert_eq!((one.get().n, other.get().n), (1, 1));
        for n in [20, 21] {
            write(&to_one, &format!("n: {n}")).await;
            write(&to_other, &format!("n: {n}")).await;
            pass(0.2).await;
        }
        assert_eq!((one.get().n, other.get().n), (21, 21));
        tokio::join!(one.stop(), other.stop());
    }
}
