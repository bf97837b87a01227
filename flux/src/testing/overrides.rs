//! The guard with which a test puts another value in the place of the one that `AppConfig::get()` reads, and where that value
//! holds.

use super::usual_decoder;
use crate::{
    Config, Report, Root, Snapshot,
    codec::Unknown,
    engine::{self, LayerState, Schema},
    handle::Overrides,
    park,
    problem::Cx,
    report::{Entry, Keeping, secrets::SecretSources},
    runtime,
    source::{Content, Observation},
};
use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

/// While it lives, the functions on the type (`get`, `try_get`, `snapshot`, `reader` and the `hot` accessors) give the override
/// **on the thread that made it**, and what they would give anyway on every other one. So tests that run side by side do not
/// disturb each other. The tasks of a current-thread runtime, the default of `#[tokio::test]`, all run on the test's own thread;
/// for a task of a multi-thread runtime there is [`scope`](Overridden::scope), for a thread
/// [`here_too`](Overridden::here_too).
///
/// Overrides nest: the newest of a thread counts, whatever the order in which they are dropped. The capacitor is not touched:
/// it need not be started, and goes on if it is.
#[must_use = "the override ends when this is dropped"]
pub struct Overridden<C: Root> {
    snapshot: Arc<Snapshot<C>>,
    number: u64,
}

fn change<C: Root, T>(change: impl FnOnce(&Overrides<C>) -> T) -> T {
    C::global()
        .handle
        .change_overrides(change, |seen| match seen {
            Some(value) => value.publish_hot(),
            None => C::unpublish_hot(),
        })
}

impl<C: Root> Overridden<C> {
    fn new(snapshot: Arc<Snapshot<C>>) -> Self {
        let entered = Arc::clone(&snapshot);
        let number = change::<C, _>(|overrides| overrides.enter(entered));
        Overridden { snapshot, number }
    }

    /// The same override on the calling thread, for as long as what is returned lives.
    ///
    /// ```
    /// # use flux::{Flux, testing::Override as _};
    /// # #[derive(Flux)]
    /// # #[flux(optional_source = "file:app.yaml")]
    /// # struct AppConfig { #[flux(default = 8080)] port: u16 }
    /// let overridden = AppConfig::override_from("port: 1");
    /// std::thread::scope(|scope| {
    ///     scope.spawn(|| {
    ///         let _here = overridden.here_too();
    ///         assert_eq!(AppConfig::get().port, 1);
    ///     });
    /// });
    /// ```
    pub fn here_too(&self) -> Overridden<C> {
        Overridden::new(Arc::clone(&self.snapshot))
    }

    /// A future that sees the override on whatever thread it is polled, also after this guard is dropped. What it spawns does not.
    ///
    /// ```
    /// # use flux::{Flux, testing::Override as _};
    /// # #[derive(Flux)]
    /// # #[flux(optional_source = "file:app.yaml")]
    /// # struct AppConfig { #[flux(default = 8080)] port: u16 }
    /// # #[tokio::main]
    /// # async fn main() {
    /// let task = AppConfig::override_from("port: 1").scope(async { AppConfig::get().port });
    /// assert_eq!(tokio::spawn(task).await.unwrap(), 1);
    /// # }
    /// ```
    pub fn scope<F: Future>(&self, future: F) -> Scope<C, F> {
        Scope {
            snapshot: Arc::clone(&self.snapshot),
            future: Box::pin(future),
        }
    }
}

impl<C: Root> Drop for Overridden<C> {
    fn drop(&mut self) {
        // Dropped out here: its drop is user code, which may read the configuration.
        let left = change::<C, _>(|overrides| overrides.leave(self.number));
        park::<C>();
        drop(left);
    }
}

impl<C: Root> fmt::Debug for Overridden<C> {
    /// Without the value, which may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Overridden")
            .field("config", &C::NAME)
            .finish_non_exhaustive()
    }
}

/// From [`Overridden::scope`].
#[must_use = "futures do nothing unless polled"]
pub struct Scope<C, F> {
    snapshot: Arc<Snapshot<C>>,
    future: Pin<Box<F>>,
}

impl<C: Root, F: Future> Future for Scope<C, F> {
    type Output = F::Output;
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let _here = Overridden::new(Arc::clone(&self.snapshot));
        self.future.as_mut().poll(cx)
    }
}

impl<C, F> fmt::Debug for Scope<C, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope").finish_non_exhaustive()
    }
}

/// Puts `value` in the place of what `C::get()` reads, on this thread, until the guard is dropped. Its generation is 0. The
/// rules are not checked: a test may need a value that no document could make.
pub fn override_for_test<C: Root>(value: C) -> Overridden<C> {
    Overridden::new(Arc::new(Snapshot::new(value, 0)))
}

/// A configuration made from one document and the defaults, as a start would make it; a test names only what matters to it.
/// Declared stages that only compute (`transform`, `mutate`) run, those that may do something else do not.
/// YAML, where that feature is on (JSON is YAML too), or else JSON.
///
/// ```
/// # use flux::Flux;
/// #[derive(Flux)]
/// struct Pool {
///     #[flux(default = 10, range = 1..=100)]
///     max_size: u32,
///     #[flux(default = 0)]
///     min_size: u32,
/// }
/// let pool: Pool = flux::testing::config_from("max_size: 20");
/// assert_eq!((pool.max_size, pool.min_size), (20, 0));
/// ```
///
/// # Panics
/// With the report, where the document has an unknown key, lacks a required value or breaks a rule.
#[track_caller]
pub fn config_from<C: Config>(document: &str) -> C {
    match try_config_from(document) {
        Ok(value) => value,
        Err(report) => panic!("{}: {report}", C::NAME),
    }
}

fn try_config_from<C: Config>(document: &str) -> Result<C, Report> {
    const ORIGIN: &str = "the test's document";
    let now = runtime::now();
    let mut layer = LayerState::new(ORIGIN.to_owned(), Some(usual_decoder()), true);
    let bytes: Arc<[u8]> = document.as_bytes().into();
    let content = Content {
        bytes,
        revision: None,
    };
    layer.observe(Observation::Value(content), now);
    let judged = engine::evaluate(engine::EvaluationInput {
        unknown: Unknown::Deny,
        ..engine::EvaluationInput::of_start(Schema::of::<C>(), vec![layer], now)
    });
    let value = match (judged.value, judged.refused) {
        (Some(value), None) => value,
        (_, Some(report)) => return Err(report),
        (None, None) => unreachable!("a value that is missing is a problem here"),
    };
    let snapshot = value.typed::<C>();
    drop(value);
    let Some(snapshot) = Arc::into_inner(snapshot) else {
        unreachable!("nobody else has what was made just now")
    };
    let mut cx = Cx::default();
    let value = Snapshot::into_value(snapshot).transformed(&mut cx);
    let problems = cx.into_problems().into_iter();
    let entries: Vec<Entry> = problems.map(|one| Entry::new(ORIGIN, one)).collect();
    match value {
        Some(value) if entries.is_empty() => Ok(value),
        _ => Err(Report::compose(
            C::fields(),
            entries,
            Keeping::Nothing,
            &SecretSources::default(),
        )),
    }
}

/// [`override_for_test`] and its kin as functions of the config type: `use flux::testing::Override as _;`.
///
/// ```
/// use flux::{Flux, testing::Override as _};
///
/// #[derive(Flux)]
/// #[flux(source = "file:app.yaml")]
/// struct AppConfig {
///     #[flux(default = 8080)]
///     port: u16,
/// }
///
/// fn address() -> String {
///     format!("localhost:{}", AppConfig::get().port)
/// }
///
/// // In a test:
/// let _config = AppConfig::override_from("port: 1");
/// assert_eq!(address(), "localhost:1");
/// {
///     let _other = AppConfig::override_for_test(AppConfig { port: 2 });
///     assert_eq!(address(), "localhost:2");
/// }
/// assert_eq!(address(), "localhost:1");
/// ```
pub trait Override: Root {
    /// See [`override_for_test`].
    fn override_for_test(value: Self) -> Overridden<Self> {
        override_for_test(value)
    }

    /// Overrides with what one document and the defaults make: see [`config_from`].
    ///
    /// # Panics
    /// As [`config_from`].
    #[track_caller]
    fn override_from(document: &str) -> Overridden<Self> {
        override_for_test(config_from(document))
    }

    /// Overrides with the defaults, changed by `adjust`.
    ///
    /// # Panics
    /// As [`config_from`]: a struct with a required field has no defaults.
    #[track_caller]
    fn override_with(adjust: impl FnOnce(&mut Self)) -> Overridden<Self> {
        let mut value = config_from("");
        adjust(&mut value);
        override_for_test(value)
    }
}

impl<C: Root> Override for C {}
