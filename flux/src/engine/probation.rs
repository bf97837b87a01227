//! When the health check of a probation is asked, and what its answers mean: passed, or taken back.

use super::now::Now;
use crate::time::after;
use std::time::{Duration, Instant, SystemTime};

/// The check runs ten times in a probation, but not more often and not less often than this.
const OFTEN: Duration = Duration::from_millis(100);
const SELDOM: Duration = Duration::from_secs(10);

/// One configuration on probation.
#[derive(Debug, Clone)]
pub(crate) struct Probation {
    pub(crate) generation: u64,
    /// By the calendar.
    pub(super) since: SystemTime,
    pub(super) window: Duration,
    until: Instant,
    every: Duration,
    /// How long one check may take.
    patience: Duration,
    /// Whether the program has a health check.
    checks: bool,
    /// When the next check begins; while one runs, when its answer is overdue.
    next: Instant,
    checking: bool,
}

/// What a probation asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ProbationStep {
    Wait,
    /// Run the health check and report its answer.
    Check,
    Passed,
    /// Why it is taken back.
    Failed(String),
}

impl Probation {
    pub(super) fn new(generation: u64, window: Duration, checks: bool, now: Now) -> Self {
        let (since, now) = (now.wall, now.instant);
        let until = after(now, window);
        let every = (window / 10).clamp(OFTEN, SELDOM);
        Probation {
            generation,
            since,
            window,
            until,
            every,
            patience: window.max(OFTEN),
            checks,
            next: if checks {
                (now + every).min(until)
            } else {
                until
            },
            checking: false,
        }
    }

    /// When to call [`step`](Probation::step) again.
    pub(super) fn deadline(&self) -> Instant {
        self.next
    }

    /// What is due. The last check runs at the end of the window; one without an answer for as long as the window is a failure.
    pub(super) fn step(&mut self, now: Instant) -> ProbationStep {
        match (self.checking, now < self.next) {
            (_, true) => ProbationStep::Wait,
            (true, false) => {
                let limit = self.patience;
                ProbationStep::Failed(format!(
                    "the health check failed: no answer within {limit:?}"
                ))
            }
            (false, false) if !self.checks => ProbationStep::Passed,
            (false, false) => {
                (self.checking, self.next) = (true, after(now, self.patience));
                ProbationStep::Check
            }
        }
    }

    /// The health check has answered.
    pub(super) fn answered(&mut self, answer: Result<(), String>, now: Instant) -> ProbationStep {
        self.checking = false;
        match answer {
            Err(error) => ProbationStep::Failed(format!("the health check failed: {error}")),
            Ok(()) if now >= self.until => ProbationStep::Passed,
            Ok(()) => {
                self.next = (now + self.every).min(self.until);
                ProbationStep::Wait
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Duration = Duration::from_secs(10);

    fn probation(checks: bool, instant: Instant) -> Probation {
        let wall = SystemTime::UNIX_EPOCH;
        Probation::new(2, WINDOW, checks, Now { instant, wall })
    }

    #[test]
    fn without_a_check_it_passes_at_the_end_of_the_window() {
        let now = Instant::now();
        let mut probation = probation(false, now);
        assert_eq!(probation.deadline(), now + WINDOW);
        assert_eq!(probation.step(now + WINDOW / 2), ProbationStep::Wait);
        assert_eq!(probation.step(now + WINDOW), ProbationStep::Passed);
    }

    #[test]
    fn the_check_runs_ten_times_and_the_last_one_at_the_end() {
        let (mut now, mut checks) = (Instant::now(), 0);
        let end = now + WINDOW;
        let mut probation = probation(true, now);
        loop {
            now = probation.deadline();
            assert_eq!(probation.step(now), ProbationStep::Check);
            checks += 1;
            if probation.answered(Ok(()), now) == ProbationStep::Passed {
                break;
            }
        }
        assert_eq!((checks, now), (10, end));
    }

    #[test]
    fn an_error_and_a_missing_answer_fail_it() {
        let now = Instant::now();
        let mut probation = probation(true, now);
        let at = probation.deadline();
        assert_eq!(probation.step(at), ProbationStep::Check);
        assert_eq!(probation.step(at), ProbationStep::Wait);
        let late = probation.step(at + WINDOW);
        assert_eq!(
            late,
            ProbationStep::Failed("the health check failed: no answer within 10s".to_owned())
        );
        let failed = probation.answered(Err("down".to_owned()), at);
        assert_eq!(
            failed,
            ProbationStep::Failed("the health check failed: down".to_owned())
        );
    }
}
