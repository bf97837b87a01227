//! Starting, stopping, and the hand of manual mode.

use super::{Capacitor, Running, Shared, command::Commands, driver::Driver, plan::Plan};
use crate::{Config, Error};
use std::{
    future::{Future, poll_fn},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::unconstrained,
};

/// What a task is launched with.
struct Launch<C: Config> {
    plan: Arc<Plan<C>>,
    /// The order to stop.
    stopped: oneshot::Receiver<()>,
    commands: Commands,
    /// Where to tell that it ended.
    end: watch::Sender<bool>,
}

impl<C: Config> Shared<C> {
    /// Marks the capacitor as running and hands out what the task needs.
    fn launch(&self) -> Result<Launch<C>, Error> {
        let mut control = self.control();
        let Some(plan) = control.plan.clone() else {
            return Err(Error::Stopped {
                name: self.name.clone(),
            });
        };
        if control.is_running() {
            return Err(Error::AlreadyStarted {
                name: plan.name.clone(),
            });
        }
        let (stop, stopped) = oneshot::channel();
        let (sender, commands) = mpsc::unbounded_channel();
        let (end, ended) = watch::channel(false);
        control.running = Some(Running {
            stop: Some(stop),
            commands: sender,
            ended,
        });
        self.told.send_modify(|told| told.ended(false));
        Ok(Launch {
            plan,
            stopped,
            commands,
            end,
        })
    }
}

impl<C: Config> Capacitor<C> {
    /// Starts watching; returns with the outcome of the first configuration.
    ///
    /// # Errors
    /// [`Error::Refused`] where the first configuration is bad: watching goes on, the state is `Empty` until a good one comes.
    /// After [`Error::StartupTimeout`] everything is released and `start` may be called again. [`Error::AlreadyStarted`] and
    /// [`Error::NoRuntime`] where it cannot start.
    pub async fn start(&self) -> Result<(), Error> {
        if tokio::runtime::Handle::try_current().is_err() {
            return Err(Error::NoRuntime {
                name: self.shared.name.clone(),
            });
        }
        let launch = self.shared.launch()?;
        // In manual mode nobody else lets go what an earlier runtime left behind.
        drop(self.shared.manual.lock().await.take());
        let plan = Arc::clone(&launch.plan);
        let first = async {
            match plan.manual {
                true => self.start_manually(launch).await,
                false => self.start_task(launch).await,
            }
        };
        let Some(limit) = plan.startup_timeout else {
            return first.await;
        };
        if let Ok(outcome) = tokio::time::timeout(limit, first).await {
            return outcome;
        }
        let status = self.status();
        self.stop().await;
        let silent = status.layers.iter().filter(|layer| layer.changed.is_none());
        Err(Error::StartupTimeout {
            name: self.shared.name.clone(),
            after: limit,
            waiting: silent.map(|layer| layer.origin.clone()).collect(),
        })
    }

    async fn start_task(&self, launch: Launch<C>) -> Result<(), Error> {
        let (first, outcome) = oneshot::channel();
        let Launch {
            plan,
            mut stopped,
            commands,
            end,
        } = launch;
        let driver = Driver::new(plan, Arc::clone(&self.shared), first, commands);
        tokio::spawn(async move {
            // Told last, when nothing is left.
            let _ended = Ended(end);
            let mut driver = driver;
            poll_fn(|cx| match stop_was_asked(&mut stopped, cx) {
                true => Poll::Ready(()),
                false => driver.poll(cx),
            })
            .await;
            driver.end().await;
        });
        outcome.await.unwrap_or_else(|_| Err(self.not_running()))
    }

    async fn start_manually(&self, launch: Launch<C>) -> Result<(), Error> {
        let (first, mut outcome) = oneshot::channel();
        let Launch {
            plan,
            mut stopped,
            commands,
            end,
        } = launch;
        let ended = Ended(end);
        let mut driver = Driver::new(plan, Arc::clone(&self.shared), first, commands);
        let loaded = poll_fn(|cx| match stop_was_asked(&mut stopped, cx) {
            true => Poll::Ready(false),
            false if driver.poll_until_loaded(cx) => Poll::Ready(true),
            false => Poll::Pending,
        });
        if !loaded.await {
            return Err(self.not_running());
        }
        *self.shared.manual.lock().await = Some(driver);
        // So that it is known when the runtime is gone, without which no source can be watched.
        tokio::spawn(async move {
            let _ended = ended;
            let _ = stopped.await;
        });
        outcome
            .try_recv()
            .unwrap_or_else(|_| Err(self.not_running()))
    }

    pub(super) fn not_running(&self) -> Error {
        Error::Stopped {
            name: self.shared.name.clone(),
        }
    }

    /// [`start`](Capacitor::start) for programs without a Tokio runtime: a thread of its own watches the sources until the
    /// capacitor is stopped.
    ///
    /// # Errors
    /// As for [`start`](Capacitor::start).
    pub fn start_blocking(&self) -> Result<(), Error> {
        let cannot = |error: std::io::Error| Error::Declaration {
            name: self.shared.name.clone(),
            problem: format!("no thread for watching: {error}"),
        };
        let (report, outcome) = std::sync::mpsc::channel();
        let capacitor = self.clone();
        // Sources on servers need more than time.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(cannot)?;
        std::thread::Builder::new()
            .name(format!("flux-{}", self.shared.name))
            .spawn(move || {
                runtime.block_on(async move {
                    let outcome = capacitor.start().await;
                    let shared = Arc::clone(&capacitor.shared);
                    drop(capacitor);
                    let started = matches!(outcome, Ok(()) | Err(Error::Refused(_)));
                    // Whoever asked waits for this; it is gone only if its thread is.
                    let _ = report.send(outcome);
                    let ended =
                        (shared.control().running.as_ref()).map(|running| running.ended.clone());
                    if let Some(mut ended) = ended.filter(|_| started) {
                        let _ = ended.wait_for(|ended| *ended).await;
                    }
                });
            })
            .map_err(cannot)?;
        outcome.recv().unwrap_or_else(|_| Err(self.not_running()))
    }

    /// Ends the watching and waits until no task and no descriptor is left. The last configuration stays readable.
    pub async fn stop(&self) {
        let ended = self.shared.ask_to_stop();
        if let Some(mut driver) = self.shared.manual.lock().await.take() {
            driver.end().await;
        }
        if let Some(mut ended) = ended {
            // An error means that the task is gone, which is what is waited for.
            let _ = ended.wait_for(|ended| *ended).await;
        }
    }

    /// Manual mode: takes up what the sources said since the last call, applies it, and answers whether there was anything.
    ///
    /// # Errors
    /// [`Error::NotManual`] outside manual mode and before `start`.
    pub async fn process(&self) -> Result<bool, Error> {
        let running = self.shared.control().is_running();
        match &mut *self.shared.manual.lock().await {
            // A test may take many steps in a row: Tokio's budget must not make a channel look empty.
            Some(driver) if running => Ok(unconstrained(driver.process()).await),
            _ => Err(Error::NotManual {
                name: self.shared.name.clone(),
            }),
        }
    }
}

fn stop_was_asked(stopped: &mut oneshot::Receiver<()>, cx: &mut Context<'_>) -> bool {
    Pin::new(stopped).poll(cx).is_ready()
}

/// Tells that the watching has ended, also when the runtime drops the task.
struct Ended(watch::Sender<bool>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.send_replace(true);
    }
}
