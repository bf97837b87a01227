//! How a capacitor is started and stopped, how long a start waits for all sources, and the steps of manual mode.

use super::{
    driver::Driver,
    error::Error,
    instance::{Instance, Launch, Owner},
    plan::Plan,
    task::BoxedTask,
};
use crate::{engine::discard, observe, problem::caught, report::outgoing::SafeText};
use std::{
    future::{Future, poll_fn},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    sync::{oneshot, watch},
    task::unconstrained,
};

/// Starts watching; returns with the outcome of the first configuration.
pub(crate) async fn start(instance: &Arc<Instance>) -> Result<(), Error> {
    if tokio::runtime::Handle::try_current().is_err() {
        return Err(Error::NoRuntime {
            name: instance.name.clone(),
        });
    }
    if let Some(outcome) = instance.rejoin() {
        return outcome;
    }
    if let Some(mut ended) = instance.stopping()
        && instance.outside().is_ok()
    {
        // Its runtime may be idle for ever, and then it never ends.
        let _ = tokio::time::timeout(STOPPING, ended.wait_for(|ended| *ended)).await;
    }
    if instance.needs_timers() && !has_timers() {
        return Err(Error::NoTimers {
            name: instance.name.clone(),
        });
    }
    let launch = instance.launch()?;
    let abandoned = Abandoned(instance);
    let outcome = first_outcome(instance, launch).await;
    std::mem::forget(abandoned);
    if let Err(Error::Refused(_)) = &outcome {
        instance.refused_first();
    }
    outcome
}

/// Whether the runtime was built with timers. Tokio reveals it by a panic alone.
fn has_timers() -> bool {
    std::panic::catch_unwind(|| drop(tokio::time::sleep(Duration::ZERO))).is_ok()
}

/// How long a start waits for the end of what was asked to stop.
const STOPPING: Duration = Duration::from_secs(5);

/// A start that is dropped before its outcome stops, so that a later one can begin anew.
struct Abandoned<'i>(&'i Instance);

impl Drop for Abandoned<'_> {
    fn drop(&mut self) {
        self.0.ask_to_stop();
    }
}

async fn first_outcome(instance: &Arc<Instance>, launch: Launch) -> Result<(), Error> {
    // In manual mode no task releases what an earlier runtime left behind.
    let left = instance.manual.lock().await.take();
    // Dropped after the lock: it runs the program's `on_stop`.
    drop(left);
    let plan = Arc::clone(&launch.plan);
    let first = async {
        match plan.options.manual {
            true => start_manually(instance, launch).await,
            false => start_task(instance, launch).await,
        }
    };
    let Some(limit) = plan.options.startup_timeout else {
        return first.await;
    };
    if let Ok(outcome) = tokio::time::timeout(limit, first).await {
        return outcome;
    }
    let status = instance.status.load_full();
    stop(instance).await;
    let silent = status.layers.iter().filter(|layer| layer.changed.is_none());
    Err(Error::StartupTimeout {
        name: instance.name.clone(),
        after: limit,
        waiting: silent.map(|layer| layer.origin.to_string()).collect(),
        unfit: (status.last_known_good.as_ref()).and_then(|file| file.problem.clone()),
    })
}

async fn start_task(instance: &Arc<Instance>, launch: Launch) -> Result<(), Error> {
    let (first, outcome) = oneshot::channel();
    let Launch {
        plan,
        mut stopped,
        commands,
        end,
    } = launch;
    let ended = Ended(end);
    let claim = plan.claimed().await?;
    let found = plan.found().await?;
    let companion = accompany(&plan, instance)?;
    // In a box, as it is moved into the task and from state to state of it.
    let driver = Box::new(Driver::new(
        plan,
        Arc::clone(instance),
        first,
        commands,
        found,
    ));
    let instance_of_task = Arc::clone(instance);
    tokio::spawn(async move {
        // Reported last, when nothing is left.
        let _ended = ended;
        let _claim = claim;
        let mut companion = companion;
        let mut driver = driver;
        let asked = poll_fn(|cx| {
            companion.poll(&instance_of_task.name, cx);
            match stop_was_asked(&mut stopped, cx) {
                true => Poll::Ready(true),
                false => driver.poll(cx).map(|()| false),
            }
        });
        let asked = asked.await;
        // Whoever lets the last handle go may be unwinding.
        let in_order = !asked || instance_of_task.stops_in_order();
        drop(instance_of_task);
        drop(companion);
        driver.end(in_order).await;
    });
    outcome
        .await
        .unwrap_or_else(|_| Err(instance.not_running()))
}

async fn start_manually(instance: &Arc<Instance>, launch: Launch) -> Result<(), Error> {
    let (first, mut outcome) = oneshot::channel();
    let Launch {
        plan,
        mut stopped,
        commands,
        end,
    } = launch;
    let ended = Ended(end);
    let claim = plan.claimed().await?;
    let found = plan.found().await?;
    let companion = accompany(&plan, instance)?;
    let mut driver = Box::new(Driver::new(
        plan,
        Arc::clone(instance),
        first,
        commands,
        found,
    ));
    let loaded = poll_fn(|cx| match stop_was_asked(&mut stopped, cx) {
        true => Poll::Ready(false),
        false if driver.poll_until_loaded(cx) => Poll::Ready(true),
        false => Poll::Pending,
    });
    if !loaded.await {
        return Err(instance.not_running());
    }
    let left = instance.manual.lock().await.replace(driver);
    drop(left);
    // So that it is known when the runtime is gone, without which no source can be watched.
    let name = instance.name.clone();
    tokio::spawn(async move {
        let _ended = ended;
        let _claim = claim;
        // Dropped before the end is reported, as a start that follows may need its socket.
        let mut companion = companion;
        poll_fn(|cx| {
            companion.poll(&name, cx);
            Pin::new(&mut stopped).poll(cx)
        })
        .await
        .ok();
    });
    outcome
        .try_recv()
        .unwrap_or_else(|_| Err(instance.not_running()))
}

/// What runs beside the work of a capacitor; dropped, it has ended.
struct Accompanied(Option<BoxedTask>);

impl Accompanied {
    /// A panic ends it, and is reported for the capacitor of this name.
    fn poll(&mut self, name: &str, cx: &mut Context<'_>) {
        let Some(task) = &mut self.0 else {
            return;
        };
        match caught(|| task.as_mut().poll(cx)) {
            Ok(Poll::Pending) => return,
            Ok(Poll::Ready(())) => {}
            Err(panic) => observe::panicked(name, "the socket of `admin`", &SafeText::own(&panic)),
        }
        discard(self.0.take());
    }
}

#[cfg(feature = "cli")]
fn accompany(plan: &Plan, instance: &Arc<Instance>) -> Result<Accompanied, Error> {
    let Some((address, begin)) = &plan.options.admin else {
        return Ok(Accompanied(None));
    };
    let address = crate::source::declare::expand(address, &Default::default());
    let instance_of_task = Arc::clone(instance) as _;
    // A runtime without a driver for it panics.
    let begin = |address: String| caught(|| begin(instance_of_task, &address));
    match address.and_then(|address| begin(address).unwrap_or_else(Err)) {
        Ok(task) => Ok(Accompanied(Some(task))),
        Err(problem) => Err(Error::Declaration {
            name: instance.name.clone(),
            problem,
        }),
    }
}

#[cfg(not(feature = "cli"))]
fn accompany(_: &Plan, _: &Instance) -> Result<Accompanied, Error> {
    Ok(Accompanied(None))
}

/// [`start`] on a thread of its own, which watches the sources until the capacitor is stopped.
pub(crate) fn start_blocking(owner: Arc<Owner>) -> Result<(), Error> {
    let instance = Arc::clone(&owner.0);
    if let Some(outcome) = instance.rejoin() {
        return outcome;
    }
    let cannot = |error: std::io::Error| Error::Declaration {
        name: instance.name.clone(),
        problem: format!("no thread for watching: {error}"),
    };
    let (report, outcome) = std::sync::mpsc::channel();
    // Sources on servers need more than time.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(cannot)?;
    std::thread::Builder::new()
        .name(format!("flux-{}", instance.name))
        .spawn(move || {
            runtime.block_on(async move {
                let instance = Arc::clone(&owner.0);
                let outcome = start(&instance).await;
                drop(owner);
                let started = matches!(outcome, Ok(()) | Err(Error::Refused(_)));
                // The caller waits for this; it is gone only if its thread is.
                let _ = report.send(outcome);
                if let Some(mut ended) = instance.ended().filter(|_| started) {
                    let _ = ended.wait_for(|ended| *ended).await;
                }
            });
        })
        .map_err(cannot)?;
    outcome
        .recv()
        .unwrap_or_else(|_| Err(instance.not_running()))
}

/// Ends the watching and waits until no task and no descriptor is left; from inside the own pipeline it cannot wait.
pub(crate) async fn stop(instance: &Instance) {
    instance.stop_in_order();
    let ended = instance.ask_to_stop();
    if let Err(error) = instance.outside() {
        observe::misused(&instance.name, "stop", &error.safe());
        return;
    }
    let driver = instance.manual.lock().await.take();
    if let Some(mut driver) = driver {
        driver.end(true).await;
    }
    // None in a fork: nothing is watched there.
    if let Some(mut ended) = ended {
        // An error means that the task is gone, which is what is waited for.
        let _ = ended.wait_for(|ended| *ended).await;
    }
}

/// Manual mode: takes up what the sources hold; answers whether anything had changed.
pub(crate) async fn process(instance: &Instance) -> Result<bool, Error> {
    instance.outside()?;
    let running = instance.is_running();
    match &mut *instance.manual.lock().await {
        // A test may take many steps in a row: Tokio's budget must not make a channel look empty.
        Some(driver) if running => Ok(unconstrained(driver.process()).await),
        _ => Err(Error::NotManual {
            name: instance.name.clone(),
        }),
    }
}

fn stop_was_asked(stopped: &mut oneshot::Receiver<()>, cx: &mut Context<'_>) -> bool {
    Pin::new(stopped).poll(cx).is_ready()
}

/// Reports that the watching has ended, also when the runtime drops the task.
struct Ended(watch::Sender<bool>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.send_replace(true);
    }
}

#[cfg(test)]
#[cfg(feature = "derive")]
mod tests {
    use crate::{Capacitor, Source};
    use std::{
        future::Future,
        pin::pin,
        sync::{
            Arc, OnceLock,
            atomic::{AtomicUsize, Ordering},
        },
        task::{Context, Waker},
    };

    #[derive(Debug, flux_derive::Flux)]
    #[flux(crate = crate)]
    struct ManualApp {
        #[flux(default = 1)]
        n: u32,
    }

    #[test]
    fn what_an_earlier_runtime_left_stops_without_a_lock() {
        let slot = Arc::new(OnceLock::new());
        let answered = Arc::new(AtomicUsize::new(0));
        let (in_stop, count) = (Arc::clone(&slot), Arc::clone(&answered));
        let builder = Capacitor::<ManualApp>::builder()
            .source(Source::env("MANUAL_APP_"))
            .manual();
        let builder = builder.on_stop(move |_| {
            let weak: &crate::capacitor::WeakCapacitor<ManualApp> = in_stop.get().unwrap();
            // None where the capacitor itself is dropped.
            let Some(capacitor) = weak.upgrade() else {
                return;
            };
            let mut step = pin!(capacitor.process());
            let polled = step.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            count.fetch_add(usize::from(polled.is_ready()), Ordering::SeqCst);
        });
        let capacitor = builder.build().unwrap();
        assert!(slot.set(capacitor.downgrade()).is_ok());
        for starts in 0..2 {
            let runtime = tokio::runtime::Builder::new_current_thread();
            let runtime = { runtime }.enable_all().build().unwrap();
            runtime.block_on(capacitor.start()).unwrap();
            drop(runtime);
            assert_eq!(answered.load(Ordering::SeqCst), starts);
        }
    }

    /// As where work of the program takes all of them, and none ends.
    #[cfg(feature = "json")]
    #[test]
    fn a_full_pool_of_blocking_threads_stops_no_start_that_keeps_the_last_known_good() {
        use crate::runtime::{claim::Claim, last_known_good::KeepOnDisk};
        use std::{sync::mpsc, time::Duration};
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let folder = tempfile::tempdir().unwrap();
        let kept = folder.path().join("last.json");
        // Beside another one that keeps a file, links are looked at, too.
        let other = folder.path().join("other.json").display().to_string();
        let other = KeepOnDisk::new(other, crate::Secrets::Omit, None).unwrap();
        let _other = Claim::to_keep(&other, "Other").unwrap();
        let builder = Capacitor::<ManualApp>::builder().source(Source::env("POOL_APP_"));
        let builder = builder.last_known_good(kept.to_str().unwrap(), crate::Secrets::Omit);
        let capacitor = builder.build().unwrap();
        let (release, stuck) = mpsc::channel::<()>();
        runtime.block_on(async {
            tokio::task::spawn_blocking(move || stuck.recv().is_ok());
            let started = tokio::time::timeout(Duration::from_secs(60), capacitor.start());
            started.await.expect("an outcome").unwrap();
        });
        drop(release);
    }
}
