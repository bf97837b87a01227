//! Tries a watcher with everything that can go wrong with a source.
//!
//! A test declares of its watcher what the kit needs to know ([`Subject`]: make one, write, delete, read back, and the faults that it can
//! make), and [`check`] tries it: ends, errors of each kind, absences, bursts, duplicates, older news after newer, slow consumers,
//! sessions dropped at any await, panics, stops. What is judged is the same throughout: once the faults stop, what was seen last is
//! what the source holds, within a bound; what was seen is what the source held, in its order, each once, also where it went back; a
//! source that is silent is not called live for longer than the watcher promises; one that is down is not flooded with requests.
//!
//! Against a source in memory a paused clock (`#[tokio::test(start_paused = true)]`) makes it a matter of milliseconds; against a real
//! server it takes real time.

mod behaviours;
mod oracle;
mod report;
mod runner;
mod subject;
mod trial;

pub use report::{Conformance, Finding, Verdict};
pub use subject::{Cannot, Fault, Limits, Subject};

use crate::source::DynWatcher;
use trial::{CaseTrial, Stop};

/// Tries every behaviour, each with a new watcher. See [`Subject`] for an example.
///
/// # Panics
/// Where the subject's own code panics.
pub async fn check<S: Subject>(mut subject: S) -> Conformance {
    let origin = DynWatcher::origin(&subject.watcher());
    let mut findings = Vec::with_capacity(behaviours::ALL.len());
    let mut number = 0;
    for behaviour in behaviours::ALL {
        let mut trial = CaseTrial::new(&mut subject, &mut number);
        let outcome = behaviour.try_on(&mut trial).await;
        trial.subject.heal().await;
        trial.stop().await;
        findings.push(Finding {
            behaviour: behaviour.sentence(),
            verdict: match outcome {
                Ok(()) => Verdict::Passed,
                Err(Stop::Failed(why)) => Verdict::Failed(why),
                Err(Stop::Cannot(why)) => Verdict::NotApplicable(why.to_string()),
            },
        });
    }
    Conformance { origin, findings }
}
