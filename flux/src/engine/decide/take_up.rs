//! Takes up the newest content: that an equal configuration is no change, what is proposed to the pipeline, and what its answer
//! leads to.

use super::{Engine, dotted, whole_entry};
use crate::{
    engine::{
        event::{EngineEvent, RefusedStage},
        judge::check,
        layers::resolve::{Beside, Resolved},
        locate::set_in,
        now::Now,
        proposal::{Action, Denial, Direction, Passed, Proposal, Question},
        retry::RetryTarget,
        schema::{Built, Stamp},
    },
    problem::{Dotted, Flaw, ProblemKind, What, caught},
    report::{Entry, Keeping},
};

/// So many of the paths that a refused update would change are named in the words of its report.
const MOST_NAMED: usize = 3;

impl Engine {
    /// Takes up everything that is pending.
    pub(crate) fn take_up(&mut self, now: Now) -> Action {
        self.agenda.debounce.clear();
        self.agenda.loaded = true;
        self.update += 1;
        self.events.push(EngineEvent::TakenUp);
        let resolved = caught(|| self.resolve(now));
        let action = resolved.unwrap_or_else(|panic| self.panicked(&panic, now));
        if matches!(action, Action::Settled) {
            self.forget_reading();
            self.agenda.retry.clear_newest();
        }
        action
    }

    fn resolve(&mut self, now: Now) -> Action {
        let warnings = self.layers.take_up(self.update);
        if !warnings.is_empty() {
            self.note_warnings(warnings);
        }
        let beside = Beside {
            current: self.current.as_ref(),
            running: self.before_pipeline.as_ref().filter(|_| self.begun),
            stamp: Stamp {
                generation: self.last_generation + 1,
                applied: now.wall,
            },
        };
        match self.layers.resolve(&beside) {
            Resolved::Good {
                built,
                chosen,
                refused,
            } => self.propose(built, chosen, refused, now),
            Resolved::Undecodable(entries) => self.refuse(RefusedStage::Transform, entries, now),
            Resolved::Invalid(entries) => self.refuse(RefusedStage::Validation, entries, now),
        }
    }

    /// A valid configuration: to the pipeline with it, unless readers see it already.
    #[inline]
    pub(super) fn propose(
        &mut self,
        built: Built,
        chosen: Vec<bool>,
        refused: Vec<Entry>,
        now: Now,
    ) -> Action {
        if self.settings.grouped && self.current.is_some() && !refused.is_empty() {
            return self.refuse(RefusedStage::Validation, refused, now);
        }
        let mut candidates = self.layers.states.iter().zip(&chosen);
        let opaque = candidates.any(|(state, candidate)| *candidate && state.changes_something());
        let before = self.before_pipeline.as_ref().filter(|_| self.begun);
        let differences = self.layers.schema.differences;
        let changed = before.map(|before| differences(&built.snapshot, before, opaque));
        let same = changed.as_ref().is_some_and(Vec::is_empty);
        if self.pinned && self.current.is_some() && !same {
            let number = self.generation();
            let text = format!(
                "is pinned at generation {number}: what is newer waits until it is unpinned"
            );
            let mut entries = vec![whole_entry("", text).kind(ProblemKind::Pinned)];
            entries.extend(refused);
            return self.refuse(RefusedStage::Apply, entries, now);
        }
        let pending_restart = dotted(&built.pending_restart);
        if same {
            self.adopt(&chosen);
            if let Some(kept) = self.kept(pending_restart, now) {
                self.generations.renew(kept);
            }
            self.settle(refused, Keeping::Previous, now);
            self.review_trial(false, now);
            return Action::Settled;
        }
        let snapshot = built.snapshot;
        let question = self.settings.asks.then(|| Question {
            previous: self.current.clone(),
            proposed: snapshot.clone(),
            raw: self.layers.raw(&chosen),
            back: false,
            transition: self.begun,
            update: self.update,
            secrets: self.secret_book(),
        });
        if let Some(question) = &question {
            let schema = self.layers.schema;
            (question.secrets).note(|| schema.built_secrets(&question.proposed, false));
        }
        let changed = changed.unwrap_or_default();
        let before_pipeline = snapshot.clone();
        let action = match question {
            Some(question) => Action::Ask(question),
            None => Action::Swap {
                snapshot,
                alone: self.is_last_known_good(&chosen),
            },
        };
        let action = self.record_first(action, &chosen, &changed, now);
        self.proposal = Some(Proposal {
            direction: Direction::Forward {
                chosen,
                refused,
                pending_restart,
                changed,
            },
            number: self.last_generation + 1,
            before_pipeline,
            since: now,
        });
        action
    }

    /// The pipeline has answered.
    pub(crate) fn answered(&mut self, answer: Result<Passed, Denial>, now: Now) -> Action {
        let denial = match answer.and_then(|passed| self.admit(passed)) {
            Ok(action) => return action,
            Err(denial) => denial,
        };
        let (stage, may_pass, mut entries) = match denial {
            Denial::Invalid(problems) => {
                let entries = problems.into_iter().map(|p| Entry::new("pipeline", p));
                (RefusedStage::Validation, false, entries.collect::<Vec<_>>())
            }
            Denial::Failed(text) => (
                RefusedStage::Apply,
                true,
                vec![whole_entry("pipeline", text + &self.would_change())],
            ),
        };
        let Some(proposal) = self.proposal.take() else {
            return Action::Nothing;
        };
        let target = proposal.target();
        self.withdraw_trial();
        let mut would_change = Vec::new();
        match proposal.direction {
            Direction::Back { by_hand: true, .. } => {
                let report = self.report(entries, Keeping::Previous);
                self.events.push(EngineEvent::Refused {
                    stage,
                    report: report.clone(),
                });
                return Action::Denied(report);
            }
            Direction::Forward {
                refused, changed, ..
            } => {
                entries.extend(refused);
                would_change = dotted(&changed);
            }
            Direction::Back { .. } => {}
        }
        self.deny_first(&entries, may_pass);
        self.refuse_change(stage, entries, would_change, now);
        match target {
            RetryTarget::Newest if !may_pass => self.agenda.retry.clear_newest(),
            target => self.agenda.retry.failed(now.instant, target),
        }
        Action::Settled
    }

    /// What is said behind the words of the program's own code, which names no setting: what the update would change, and where that
    /// comes from.
    fn would_change(&mut self) -> String {
        let Some(Proposal {
            direction: Direction::Forward {
                chosen, changed, ..
            },
            ..
        }) = &self.proposal
        else {
            return String::new();
        };
        // A start that is refused ends.
        let again = match self.current {
            Some(_) => "; it is tried again",
            None => "",
        };
        let layers = &mut self.layers;
        let named = changed.iter().take(MOST_NAMED).map(|path| {
            let from = set_in(layers.schema, &mut layers.states, path, chosen);
            let from = from.map_or(String::new(), |from| format!(" ({from})"));
            format!("`{}`{from}", Dotted(path))
        });
        let named = named.collect::<Vec<_>>().join(", ");
        match changed.len().saturating_sub(MOST_NAMED) {
            0 if named.is_empty() => again.to_owned(),
            0 => format!("; it would change {named}{again}"),
            more => format!("; it would change {named} and {more} more{again}"),
        }
    }

    /// What the pipeline has let through, unless it is something else than what was asked about, or breaks a rule.
    fn admit(&self, passed: Passed) -> Result<Action, Denial> {
        let Some(proposal) = &self.proposal else {
            return Ok(Action::Nothing);
        };
        let number = passed.snapshot.generation();
        if number != proposal.number {
            let text = format!(
                "generation {number} was put in the place of generation {}; make the new value with `Request::with`",
                proposal.number
            );
            let what = What::message(ProblemKind::Callback, text);
            return Err(Denial::Invalid(vec![Flaw::whole(what)]));
        }
        if !passed.checked {
            let transition = self.begun && !proposal.goes_back();
            let previous = self.current.as_ref().filter(|_| transition);
            check(self.layers.schema, &passed.snapshot, previous).map_err(Denial::Invalid)?;
        }
        let alone = match &proposal.direction {
            Direction::Forward { chosen, .. } => self.is_last_known_good(chosen),
            Direction::Back { .. } => true,
        };
        Ok(Action::Swap {
            snapshot: passed.snapshot,
            alone,
        })
    }

    /// Whether a first configuration is what was served before this start, or in part from the disk. It is no news that a group
    /// could hold back: without it nothing would be served.
    fn is_last_known_good(&self, chosen: &[bool]) -> bool {
        if self.current.is_some() {
            return false;
        }
        let mut served = self.layers.states.iter().zip(chosen);
        let kept = served.any(|(state, candidate)| !candidate && state.content().is_kept());
        kept || self.is_trusted_content(chosen)
    }

    /// Another member of the group is refused. The group asks again once that is over, so nothing is tried before.
    pub(crate) fn vetoed(&mut self, by: &[String], now: Now) {
        self.proposal = None;
        self.withdraw_trial();
        self.agenda.retry.clear_newest();
        let text = format!(
            "waits for its group: the newest content of {} is refused",
            by.join(", ")
        );
        self.refuse(RefusedStage::Apply, vec![whole_entry("group", text)], now);
    }

    /// What was proposed is taken back: something newer has come, or the capacitor stops.
    pub(crate) fn withdraw(&mut self) {
        self.proposal = None;
        self.withdraw_trial();
    }

    /// Code of the program panicked where nothing else caught it.
    pub(crate) fn panicked(&mut self, text: &str, now: Now) -> Action {
        self.proposal = None;
        self.withdraw_trial();
        let entry =
            whole_entry("", format!("taking it up panicked: {text}")).kind(ProblemKind::Panic);
        self.refuse(RefusedStage::Validation, vec![entry], now)
    }
}
