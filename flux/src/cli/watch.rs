//! `config watch` where no process of the program runs: the sources are watched in this process, and what becomes of them is
//! printed as it happens.

use super::{
    answering::{Answering, GOOD, REFUSED},
    events::events,
    live::declared_without_parties,
};
use crate::{Capacitor, Error, Root, engine::Status, inspect::Inspector};
use std::{io, sync::Arc, time::Duration};

/// How often the status is looked at.
pub(super) const LOOK: Duration = Duration::from_millis(50);

/// Watches until so many lines are printed, or the reader has gone.
pub(super) fn watch<C: Root>(answer: &mut Answering<'_>, changes: Option<u64>) -> io::Result<u8> {
    let mut builder = declared_without_parties::<C>();
    builder.spec = builder.spec.looked_on();
    let capacitor = match builder.build() {
        Ok(capacitor) => capacitor,
        Err(error) => return answer.cannot(&error.to_string()),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return answer.cannot(&format!("no runtime for watching: {error}")),
    };
    // The watching goes on beside the printing, which may wait for its reader; the caller may be on a thread of another runtime.
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let (started, start) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            runtime.block_on(async {
                let outcome = capacitor.start().await;
                let _ = started.send(outcome);
                let _ = stopped.await;
                capacitor.stop().await;
            });
        });
        let printed = match start.recv() {
            // What is refused at first may be set right later.
            Ok(Ok(()) | Err(Error::Refused(_))) => print_events(answer, &capacitor, changes),
            Ok(Err(error)) => answer.cannot(&error.to_string()),
            Err(_) => answer.cannot("the watching ended by itself"),
        };
        drop(stop);
        printed
    })
}

fn print_events<C: Root>(
    answer: &mut Answering<'_>,
    capacitor: &Capacitor<C>,
    changes: Option<u64>,
) -> io::Result<u8> {
    let mut left = changes.unwrap_or(u64::MAX);
    let inspector = Inspector::of(capacitor);
    let mut seen: Option<Arc<Status>> = None;
    let code = |status: &Status| match status.error {
        Some(_) => REFUSED,
        None => GOOD,
    };
    loop {
        let status = capacitor.status();
        let is_news = seen.as_ref().is_none_or(|seen| !Arc::ptr_eq(seen, &status));
        if is_news {
            for mut event in events(inspector, seen.as_deref(), &status) {
                if seen.is_none() {
                    event.of_no_process();
                }
                answer.event(&event)?;
                left -= 1;
                if left == 0 {
                    return Ok(code(&status));
                }
            }
            if !status.running {
                return Ok(code(&status));
            }
            seen = Some(status);
        }
        std::thread::sleep(LOOK);
    }
}
