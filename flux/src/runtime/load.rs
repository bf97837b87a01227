//! `load`: when a configuration that is read once, for programs that do not watch, counts as loaded or as failed.

use super::{error::Error, instance::Instance, lifecycle};
use std::{sync::Arc, time::Duration};

/// How long a read that is stuck in the operating system can delay the return.
const STUCK: Duration = Duration::from_millis(100);

/// Starts the capacitor on a thread of its own, which ends with the outcome of the first configuration. The caller needs no
/// runtime, and may be inside one.
pub(crate) fn load(instance: &Arc<Instance>) -> Result<(), Error> {
    let cannot = |error: std::io::Error| Error::Declaration {
        name: instance.name.clone(),
        problem: format!("no thread for reading the sources: {error}"),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(cannot)?;
    let loading = Arc::clone(instance);
    let thread = std::thread::Builder::new()
        .name(format!("flux-{}", instance.name))
        .spawn(move || {
            let outcome = runtime.block_on(outcome(&loading));
            runtime.shutdown_timeout(STUCK);
            outcome
        })
        .map_err(cannot)?;
    thread
        .join()
        .unwrap_or_else(|_| Err(instance.not_running()))
}

/// Every layer must be good: no later reading can make the rest so.
async fn outcome(instance: &Arc<Instance>) -> Result<(), Error> {
    lifecycle::start(instance).await?;
    let status = instance.status.load_full();
    lifecycle::stop(instance).await;
    match &status.error {
        Some(report) => Err(Error::Refused(report.clone())),
        None => Ok(()),
    }
}
