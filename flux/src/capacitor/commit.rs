//! The engine's second half: from a valid value to what readers see, and back to an earlier generation.

use super::{
    core::{Built, Core, Step},
    generations::Kept,
    slot::{Slot, Stored},
    state::{Outcome, State},
};
use crate::{
    Report, Snapshot,
    config::{Config, Diff},
    layer::{
        Problem, Seg,
        path::{Dotted, What},
    },
    observe::{self, Refused},
    pipeline::{self, Applied, BoxError, Invalid, Request},
    report::{Entry, Keeping, secrets::Secrets},
};
use std::{sync::Arc, time::SystemTime};

/// What the pipeline is working on.
pub(super) struct Flight {
    errand: Errand,
    /// Paths that keep their running values until a restart.
    held: Vec<String>,
    changed: Vec<String>,
}

enum Errand {
    /// To newer content; and which slots contribute their candidate.
    Forward {
        candidates: Vec<bool>,
        outcome: Outcome,
    },
    /// Back to an earlier generation.
    Back { to: u64, reason: String },
}

impl<C: Config> Core<C> {
    /// A valid value: to the pipeline with it, unless readers see it already.
    pub(super) fn propose(
        &mut self,
        built: Built<C>,
        candidates: Vec<bool>,
        refused: Vec<Entry>,
    ) -> Step<C> {
        let Built { value, held } = built;
        if self.grouped && self.current.is_some() && !refused.is_empty() {
            return self.refuse(Refused::Validation, refused);
        }
        let outcome = match refused.is_empty() {
            true => Outcome::Applied,
            false => Outcome::Partly,
        };
        let opaque = self.slots.iter().any(|slot| slot.fresh);
        let changed = self
            .current
            .as_deref()
            .filter(|_| self.state != State::Loading)
            .map(|current| Diff::of(&value, current, opaque));
        let same = changed.as_ref().is_some_and(Vec::is_empty);
        if self.pinned && !same {
            let number = self.generation();
            let text =
                format!("is pinned at generation {number}: what is newer waits until `unpin()`");
            return self.refuse(Refused::Apply, vec![whole_entry("", text)]);
        }
        let keeping = if same {
            Keeping::Previous
        } else {
            Keeping::Rest
        };
        self.error = match outcome {
            Outcome::Applied => None,
            _ => Some(self.report(refused, keeping)),
        };
        if same {
            self.held = held;
            self.adopt(&candidates);
            self.settle(outcome);
            return Step::Settled;
        }
        let generation = self.last_generation + 1;
        let raw = (self.slots.iter().zip(&candidates))
            .map(|(slot, candidate)| {
                let version = if *candidate {
                    &slot.candidate
                } else {
                    &slot.accepted
                };
                version.as_ref().and_then(|version| version.bytes.clone())
            })
            .collect();
        self.flight = Some(Flight {
            errand: Errand::Forward {
                candidates,
                outcome,
            },
            held,
            changed: dotted(&changed.unwrap_or_default()),
        });
        self.update += 1;
        Step::Run(Request::new(
            self.current.clone(),
            Arc::new(Snapshot::new(value, generation)),
            raw,
            self.state != State::Loading,
            self.update,
            Arc::from(self.name.as_str()),
        ))
    }

    /// Asks the pipeline to go back to an earlier generation.
    pub(crate) fn go_back(&mut self, to: u64, reason: &str) -> Option<Request<C>> {
        let kept = self.generations.find(to)?;
        let snapshot = Arc::clone(&kept.snapshot);
        let raw = kept.contents.iter().map(|stored| stored.bytes()).collect();
        let changed = self.current.as_deref();
        let changed = changed.map(|current| Diff::of::<C>(&snapshot, current, true));
        self.flight = Some(Flight {
            errand: Errand::Back {
                to,
                reason: reason.to_owned(),
            },
            held: Vec::new(),
            changed: dotted(&changed.unwrap_or_default()),
        });
        self.update += 1;
        Some(Request::new(
            self.current.clone(),
            snapshot,
            raw,
            false,
            self.update,
            Arc::from(self.name.as_str()),
        ))
    }

    /// The pipeline answered; what may be swapped in, if anything. `Err(true)`: the same may succeed later.
    pub(crate) fn answered(
        &mut self,
        answer: Result<Applied<C>, BoxError>,
    ) -> Result<Applied<C>, bool> {
        let answer = answer.and_then(|applied| {
            if applied.request().is_replaced() && !applied.checked {
                pipeline::check(applied.request())?;
            }
            Ok(applied)
        });
        let error = match answer {
            Ok(applied) => return Ok(applied),
            Err(error) => error,
        };
        self.flight = None;
        match error.downcast::<Invalid>() {
            Ok(invalid) => {
                let entries = invalid.0.into_iter().map(|p| Entry::new("pipeline", p));
                self.refuse(Refused::Validation, entries.collect());
                Err(false)
            }
            Err(error) => {
                let entry = whole_entry("pipeline", error.to_string());
                self.refuse(Refused::Apply, vec![entry]);
                Err(true)
            }
        }
    }

    /// Another member of the group is refused.
    pub(crate) fn vetoed(&mut self, by: &[String]) {
        self.flight = None;
        let text = format!(
            "waits for its group: the newest content of {} is refused",
            by.join(", ")
        );
        self.refuse(Refused::Apply, vec![whole_entry("group", text)]);
    }

    /// What was proposed is taken back: something newer has come.
    pub(crate) fn withdraw(&mut self) {
        self.flight = None;
    }

    /// Readers see `snapshot`.
    pub(crate) fn committed(&mut self, snapshot: &Arc<Snapshot<C>>) {
        let Some(flight) = self.flight.take() else {
            return;
        };
        self.current = Some(Arc::clone(snapshot));
        self.held = flight.held;
        match flight.errand {
            Errand::Forward {
                candidates,
                outcome,
            } => {
                self.last_generation = Snapshot::generation(snapshot);
                let origins = (self.slots.iter().zip(&candidates))
                    .filter(|(slot, candidate)| **candidate && slot.changes_something())
                    .map(|(slot, _)| slot.origin.clone())
                    .collect();
                self.adopt(&candidates);
                let contents: Vec<_> = self.slots.iter().map(|slot| slot.stored()).collect();
                if !contents.contains(&Stored::Kept) {
                    self.generations.push(Kept::new(
                        Arc::clone(snapshot),
                        contents,
                        origins,
                        flight.changed,
                    ));
                }
                self.settle(outcome);
            }
            Errand::Back { to, reason } => self.return_to(to, &reason),
        }
        observe::apply_succeeded(&self.name, Snapshot::generation(snapshot), self.update);
    }

    /// The layers' contents of the generation `to` count again; what differed from them is quarantined.
    fn return_to(&mut self, to: u64, reason: &str) {
        let Some(contents) = self.generations.return_to(to, reason) else {
            return;
        };
        let text = format!(
            "is taken back, and generation {to} is served again: {reason}; this content is not tried again until it changes"
        );
        let mut entries = Vec::new();
        for (slot, stored) in self.slots.iter_mut().zip(contents) {
            if slot.go_back(stored, &text) {
                entries.push(whole_entry(&slot.origin, text.clone()));
            }
        }
        if entries.is_empty() {
            entries.push(whole_entry("", text));
        }
        self.error = Some(self.report(entries, Keeping::Previous));
        self.settle(Outcome::Partly);
    }

    fn adopt(&mut self, candidates: &[bool]) {
        for (slot, candidate) in self.slots.iter_mut().zip(candidates) {
            if *candidate {
                slot.accepted = slot.candidate.take();
            }
        }
    }

    fn settle(&mut self, outcome: Outcome) {
        self.enter(self.state.after(outcome));
        match &self.error {
            None => self.history.healed(),
            Some(report) => {
                self.history.refused(report.clone());
                let undecoded = self.slots.iter().any(|slot| slot.refusal.is_some());
                let stage = if undecoded {
                    Refused::Transform
                } else {
                    Refused::Validation
                };
                observe::refused(&self.name, stage, report, self.update);
            }
        }
    }

    pub(super) fn refuse(&mut self, stage: Refused, entries: Vec<Entry>) -> Step<C> {
        let keeping = match &self.current {
            Some(_) => Keeping::Previous,
            None => Keeping::Nothing,
        };
        let report = self.report(entries, keeping);
        self.enter(self.state.after(Outcome::Refused));
        observe::refused(&self.name, stage, &report, self.update);
        self.history.refused(report.clone());
        self.error = Some(report);
        Step::Settled
    }

    /// Puts a report together, without any secret of the layers in it.
    pub(super) fn report(&self, entries: Vec<Entry>, keeping: Keeping) -> Report {
        let secrets = Secrets::of(
            C::fields(),
            self.slots.iter().flat_map(Slot::documents),
            self.slots.iter().flat_map(|slot| &slot.secrets),
        );
        Report::compose(C::fields(), entries, keeping, &secrets)
    }

    pub(super) fn enter(&mut self, state: State) {
        if state != self.state {
            observe::state_changed(&self.name, self.state, state);
            self.state = state;
            self.since = SystemTime::now();
        }
    }
}

pub(super) fn dotted(paths: &[Vec<Seg>]) -> Vec<String> {
    paths.iter().map(|path| Dotted(path).to_string()).collect()
}

/// Something to say of an origin as a whole.
pub(super) fn whole_entry(origin: &str, text: String) -> Entry {
    Entry::new(
        origin,
        Problem {
            path: Vec::new(),
            what: What::Message(text),
        },
    )
}
