//! Which of Loading, Healthy, Degraded and Empty follows which outcome.

use std::fmt;

/// The state of a capacitor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// No outcome yet.
    Loading,
    /// The newest content of every layer is applied.
    Healthy,
    /// The newest change was refused; the previous configuration is kept.
    Degraded,
    /// The first load was refused and nothing was ever applied.
    Empty,
}

impl State {
    /// `loading`, `healthy`, `degraded` or `empty`.
    pub const fn as_str(self) -> &'static str {
        match self {
            State::Loading => "loading",
            State::Healthy => "healthy",
            State::Degraded => "degraded",
            State::Empty => "empty",
        }
    }

    /// The state after an update that ended with `outcome`.
    #[must_use]
    pub(crate) const fn after(self, outcome: UpdateOutcome) -> State {
        match (self, outcome) {
            (_, UpdateOutcome::Applied) => State::Healthy,
            (_, UpdateOutcome::Partly) => State::Degraded,
            (State::Loading | State::Empty, UpdateOutcome::Refused) => State::Empty,
            (State::Healthy | State::Degraded, UpdateOutcome::Refused) => State::Degraded,
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How an update ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UpdateOutcome {
    /// The newest content of every layer is what readers see.
    Applied,
    /// Readers see what could be applied, but the newest content of some layer is refused.
    Partly,
    /// Nothing changed for readers.
    Refused,
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATES: [State; 4] = [
        State::Loading,
        State::Healthy,
        State::Degraded,
        State::Empty,
    ];

    #[test]
    fn nothing_leads_back_to_loading() {
        for state in STATES {
            for outcome in [
                UpdateOutcome::Applied,
                UpdateOutcome::Partly,
                UpdateOutcome::Refused,
            ] {
                assert_ne!(state.after(outcome), State::Loading);
            }
        }
    }

    #[test]
    fn a_refusal_is_empty_before_the_first_success_and_degraded_after_it() {
        assert_eq!(State::Loading.after(UpdateOutcome::Refused), State::Empty);
        assert_eq!(State::Empty.after(UpdateOutcome::Refused), State::Empty);
        assert_eq!(
            State::Healthy.after(UpdateOutcome::Refused),
            State::Degraded
        );
        assert_eq!(
            State::Degraded.after(UpdateOutcome::Refused),
            State::Degraded
        );
    }

    #[test]
    fn success_heals_every_state() {
        for state in STATES {
            assert_eq!(state.after(UpdateOutcome::Applied), State::Healthy);
        }
    }

    #[test]
    fn states_print_in_lower_case() {
        let printed: Vec<_> = STATES.iter().map(State::to_string).collect();
        assert_eq!(printed, ["loading", "healthy", "degraded", "empty"]);
    }
}
