//! `Builder::load`: the configuration as a plain value, for programs that do not watch.

use super::Builder;
use crate::{
    Config, Error, Snapshot,
    handle::HandleRef,
    runtime::{self, Instance, Plan},
};
use std::sync::Arc;

impl<C: Config> Builder<C> {
    /// Reads every layer once and returns the value, for programs that do not watch: command-line tools, build scripts, one-shot
    /// jobs. It needs no Tokio runtime, and leaves nothing running.
    ///
    /// The value is the one that [`start`](Builder::start) would apply: stages run, and every rule is checked. What belongs to a
    /// running program does not take part: [`on_apply`](Builder::on_apply), parties, the group, the last known good file and
    /// [`on_stop`](Builder::on_stop). `AppConfig::get()` is not affected.
    ///
    /// It waits for remote sources for at most the [`startup_timeout`](Builder::startup_timeout), 30 s where none is declared. The
    /// calling thread is blocked meanwhile; in async code call it through `tokio::task::spawn_blocking`, or use `start`.
    ///
    /// ```
    /// use flux::{Capacitor, Flux, Source};
    ///
    /// #[derive(Flux)]
    /// struct Tool {
    ///     #[flux(default = 4)]
    ///     threads: usize,
    /// }
    ///
    /// # fn main() -> Result<(), flux::Error> {
    /// let tool: Tool = Capacitor::<Tool>::builder().source(Source::env("TOOL_")).load()?;
    /// assert_eq!(tool.threads, 4);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Refused`] with the report of `start` where any layer is bad, [`Error::StartupTimeout`] where a source did not
    /// answer in time, [`Error::Declaration`] where the layers cannot work, or where a stage keeps a copy of the value.
    pub fn load(mut self) -> Result<C, Error> {
        if let Some(parts) = &mut self.spec.options.pipeline {
            parts.without_parties();
        }
        let name = self.spec.options.name.clone();
        let handle = HandleRef::<C>::Shared(Arc::default());
        let instance = Arc::new(Instance::new(name.clone(), Box::new(handle.clone())));
        instance.install(Plan::of(self.spec.once())?)?;
        runtime::load(&instance)?;
        let loaded = handle.get().load();
        drop((instance, handle));
        let value = loaded.and_then(|snapshot| Arc::try_unwrap(snapshot).ok());
        value
            .map(Snapshot::into_value)
            .ok_or_else(|| Error::Declaration {
                name,
                problem: "a stage keeps the configuration that `load()` is to return; let it copy what it needs".to_owned(),
            })
    }
}
