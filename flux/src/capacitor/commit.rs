//! The engine's second half: from a valid value to what readers see, and back to an earlier generation.

use super::{
    build::Built,
    core::{Core, Step},
    generations::Kept,
    slot::Slot,
    state::{Outcome, State},
    stored::Stored,
};
use crate::{
    Report, Snapshot,
    layer::{self, Config},
    observe::{self, Refused},
    pipeline::{self, Applied, BoxError, Invalid, Kind, Request},
    problem::{Dotted, Problem, Seg, What},
    report::{Entry, Keeping, secrets::Secrets},
};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::SystemTime,
};

/// What the pipeline is working on.
pub(super) struct Flight<C> {
    errand: Errand,
    /// The number of the configuration that is asked about.
    number: u64,
    /// What the layers say, before stages make something else of it.
    said: Arc<Snapshot<C>>,
}

enum Errand {
    /// To newer content.
    Forward {
        /// Which slots contribute their candidate.
        candidates: Vec<bool>,
        /// What of the newest content is refused already.
        refused: Vec<Entry>,
        /// Paths that keep their running values until a restart.
        held: Vec<String>,
        /// The paths in which it differs from what the layers said before.
        changed: Vec<Vec<Seg>>,
    },
    /// Back to an earlier generation.
    Back { reason: String, by_hand: bool },
}

/// What a refusal means for what comes next.
pub(crate) enum Denied {
    /// The state tells it; the same may succeed later or not.
    Told { may_pass: bool },
    /// Only the person who asked for it is told.
    ByHand(Report),
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
        let mut chosen = self.slots.iter().zip(&candidates);
        let opaque = chosen.any(|(slot, candidate)| *candidate && slot.changes_something());
        let said = self.said.as_deref().filter(|_| self.begun);
        let changed = said.map(|said| layer::differences(&value, said, opaque));
        let same = changed.as_ref().is_some_and(Vec::is_empty);
        if self.pinned && self.current.is_some() && !same {
            let number = self.generation();
            let text =
                format!("is pinned at generation {number}: what is newer waits until `unpin()`");
            let mut entries = vec![whole_entry("", text)];
            entries.extend(refused);
            return self.refuse(Refused::Apply, entries);
        }
        if same {
            self.adopt(&candidates);
            self.renew(held);
            self.settle(refused, Keeping::Previous);
            return Step::Settled;
        }
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
        let number = self.last_generation + 1;
        let said = Arc::new(Snapshot::new(value, number));
        self.flight = Some(Flight {
            errand: Errand::Forward {
                candidates,
                refused,
                held,
                changed: changed.unwrap_or_default(),
            },
            number,
            said: Arc::clone(&said),
        });
        Step::Run(Request::new(
            self.current.clone(),
            said,
            raw,
            Kind::Forward {
                transition: self.begun,
            },
            self.update,
            Arc::from(self.name.as_str()),
        ))
    }

    /// Asks the pipeline to go back to an earlier generation.
    pub(crate) fn go_back(&mut self, to: u64, reason: &str, by_hand: bool) -> Option<Request<C>> {
        let kept = self.generations.find(to)?;
        let snapshot = Arc::clone(&kept.snapshot);
        let raw = kept.contents.iter().map(Stored::bytes).collect();
        self.update += 1;
        self.flight = Some(Flight {
            errand: Errand::Back {
                reason: reason.to_owned(),
                by_hand,
            },
            number: to,
            said: Arc::clone(&kept.said),
        });
        Some(Request::new(
            self.current.clone(),
            snapshot,
            raw,
            Kind::Back,
            self.update,
            Arc::from(self.name.as_str()),
        ))
    }

    /// The pipeline answered; what may be swapped in, if anything.
    pub(crate) fn answered(
        &mut self,
        answer: Result<Applied<C>, BoxError>,
    ) -> Result<Applied<C>, Denied> {
        let answer = answer.and_then(|applied| {
            let request = applied.request();
            let number = Snapshot::generation(&request.current);
            if let Some(flight) = self.flight.as_ref().filter(|one| one.number != number) {
                let text = format!(
                    "generation {number} was put in the place of generation {}; make the new value with `Request::with`",
                    flight.number
                );
                return Err(Invalid(vec![whole_problem(text)]).into());
            }
            if request.is_replaced() && !applied.checked {
                pipeline::check(request)?;
            }
            Ok(applied)
        });
        let error = match answer {
            Ok(applied) => return Ok(applied),
            Err(error) => error,
        };
        let (stage, may_pass, mut entries) = match error.downcast::<Invalid>() {
            Ok(invalid) => {
                let entries = invalid.0.into_iter().map(|p| Entry::new("pipeline", p));
                (Refused::Validation, false, entries.collect())
            }
            Err(error) => {
                let entry = whole_entry("pipeline", error.to_string());
                (Refused::Apply, true, vec![entry])
            }
        };
        match self.flight.take().map(|flight| flight.errand) {
            Some(Errand::Back { by_hand: true, .. }) => {
                let report = self.report(entries, Keeping::Previous);
                observe::refused(&self.name, stage, &report, self.update);
                return Err(Denied::ByHand(report));
            }
            Some(Errand::Forward { refused, .. }) => entries.extend(refused),
            Some(Errand::Back { .. }) | None => {}
        }
        self.refuse(stage, entries);
        Err(Denied::Told { may_pass })
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
        let before = self.current.replace(Arc::clone(snapshot));
        let said_before = self.said.replace(Arc::clone(&flight.said));
        match flight.errand {
            Errand::Forward {
                candidates,
                refused,
                held,
                changed,
            } => {
                self.last_generation = flight.number;
                let origins = (self.slots.iter().zip(&candidates))
                    .filter(|(slot, candidate)| **candidate && slot.changes_something())
                    .map(|(slot, _)| slot.origin.clone())
                    .collect();
                self.adopt(&candidates);
                let changed = match (&before, &said_before) {
                    // No stage has made anything else of either.
                    (Some(before), Some(said))
                        if self.begun
                            && Arc::ptr_eq(before, said)
                            && Arc::ptr_eq(snapshot, &flight.said) =>
                    {
                        dotted(&changed)
                    }
                    (Some(before), _) if self.begun => differences::<C>(snapshot, before),
                    _ => Vec::new(),
                };
                if let Some(mut kept) = self.kept(held.clone()) {
                    let record = Arc::make_mut(&mut kept.record);
                    (record.origins, record.changed) = (origins, changed);
                    self.generations.push(kept);
                }
                self.held = held;
                self.settle(refused, Keeping::Rest);
            }
            Errand::Back { reason, by_hand } => {
                let from = before.as_deref().map_or(0, Snapshot::generation);
                self.return_to(flight.number, from, &reason, by_hand);
            }
        }
        observe::apply_succeeded(&self.name, flight.number, self.update);
    }

    /// The layers' contents of the generation `to` count again; what made the program go back is quarantined.
    fn return_to(&mut self, to: u64, from: u64, reason: &str, by_hand: bool) {
        let Some(back) = self.generations.return_to(to, reason) else {
            return;
        };
        let text = format!(
            "is taken back, and generation {to} is served again: {reason}; this content is not tried again until it changes"
        );
        for (i, (slot, content)) in self.slots.iter_mut().zip(&back.contents).enumerate() {
            let suspects = back.suspects.iter().map(|contents| contents[i].clone());
            let served = Some(slot.stored()).filter(|_| to < from);
            for suspect in suspects.chain(served) {
                slot.quarantine.add(&suspect, &text);
            }
            if by_hand {
                slot.give_up_candidate(&text);
            }
            slot.go_back(content, &text);
        }
        self.held = back.held;
        self.unsaved = true;
        let mut entries = self.refusals();
        if entries.is_empty() && self.waits() {
            entries.push(whole_entry("", text));
        }
        self.settle(entries, Keeping::Previous);
    }

    /// The generation `number` made the program unhealthy, and newer content came before the way back succeeded.
    pub(crate) fn condemn(&mut self, number: u64, reason: &str) {
        let text =
            format!("is taken back: {reason}; this content is not tried again until it changes");
        let Some(contents) = self.generations.take_back(number, reason) else {
            return;
        };
        for (slot, content) in self.slots.iter_mut().zip(&contents) {
            if slot.stored() != *content {
                slot.quarantine.add(content, &text);
            }
        }
    }

    fn adopt(&mut self, candidates: &[bool]) {
        for (slot, candidate) in self.slots.iter_mut().zip(candidates) {
            if *candidate {
                slot.accepted = slot.candidate.take();
                self.unsaved = true;
            }
        }
    }

    /// Whether there is content that was taken up and is not what readers see.
    pub(crate) fn waits(&self) -> bool {
        self.slots.iter().any(|slot| slot.candidate.is_some())
    }

    /// What the layers said for what readers see; none where it is partly from a file of before.
    pub(crate) fn contents(&self) -> Option<Vec<Stored>> {
        let contents: Vec<_> = self.slots.iter().map(|slot| slot.stored()).collect();
        (!contents.contains(&Stored::Kept)).then_some(contents)
    }

    /// What readers see, to be kept for a way back.
    fn kept(&self, held: Vec<String>) -> Option<Kept<C>> {
        let (current, said) = (self.current.as_ref()?, self.said.as_ref()?);
        Some(Kept::new(current, said, self.contents()?, held))
    }

    /// Readers see the same as before, from other documents.
    fn renew(&mut self, held: Vec<String>) {
        self.held.clone_from(&held);
        if let Some(kept) = self.kept(held) {
            self.generations.renew(kept);
        }
    }

    /// An update is over, and what of the newest content is `refused` is told.
    fn settle(&mut self, refused: Vec<Entry>, keeping: Keeping) {
        self.begun = true;
        if refused.is_empty() {
            self.error = None;
            self.enter(self.state.after(Outcome::Applied));
            self.history.healed();
            return;
        }
        let report = self.report(refused, keeping);
        self.enter(self.state.after(Outcome::Partly));
        let undecoded = self.slots.iter().any(|slot| slot.refusal.is_some());
        let stage = if undecoded {
            Refused::Transform
        } else {
            Refused::Validation
        };
        observe::refused(&self.name, stage, &report, self.update);
        self.history.refused(report.clone());
        self.error = Some(report);
    }

    pub(super) fn refuse(&mut self, stage: Refused, entries: Vec<Entry>) -> Step<C> {
        let (keeping, outcome) = match &self.current {
            // After a stop and a start readers see what they saw before.
            Some(_) => (Keeping::Previous, Outcome::Partly),
            None => (Keeping::Nothing, Outcome::Refused),
        };
        let report = self.report(entries, keeping);
        self.enter(self.state.after(outcome));
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

/// The paths in which two configurations differ; none that can be told where the comparison panics.
fn differences<C: Config>(new: &C, old: &C) -> Vec<String> {
    let paths = catch_unwind(AssertUnwindSafe(|| layer::differences(new, old, true)));
    dotted(&paths.unwrap_or_default())
}

pub(super) fn dotted(paths: &[Vec<Seg>]) -> Vec<String> {
    paths.iter().map(|path| Dotted(path).to_string()).collect()
}

/// Something to say of an origin as a whole.
pub(super) fn whole_entry(origin: &str, text: String) -> Entry {
    Entry::new(origin, whole_problem(text))
}

fn whole_problem(text: String) -> Problem {
    Problem {
        path: Vec::new(),
        what: What::Message(text),
    }
}
