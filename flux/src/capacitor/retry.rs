//! When what was refused for a reason that can pass is tried again.

use crate::source::backoff::ceiling;
use std::time::Duration;
use tokio::time::Instant;

/// The first pause; doubled each time, up to [`CAP`].
const BASE: Duration = Duration::from_secs(1);
const CAP: Duration = Duration::from_secs(60);

/// What the next try is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Aim {
    /// The newest content of the layers.
    Newest,
    /// An earlier generation, and why.
    Back(u64, String),
}

/// The schedule of one refused value.
#[derive(Debug, Clone, Default)]
pub(super) struct Retry(Option<(Instant, u32, Aim)>);

impl Retry {
    /// Refused at `now`; the next pause is longer.
    pub(super) fn failed(&mut self, now: Instant, aim: Aim) {
        let failures = match &self.0 {
            Some((_, failures, before)) if *before == aim => failures + 1,
            _ => 1,
        };
        self.0 = Some((now + ceiling(failures, BASE, CAP), failures, aim));
    }

    /// It applied, or something newer came.
    pub(super) fn clear(&mut self) {
        self.0 = None;
    }

    /// When the next try is.
    pub(super) fn at(&self) -> Option<Instant> {
        self.0.as_ref().map(|(at, _, _)| *at)
    }

    /// What the next try is for.
    pub(super) fn aim(&self) -> Option<&Aim> {
        self.0.as_ref().map(|(_, _, aim)| aim)
    }

    /// Nothing newer came that would replace a way back.
    pub(super) fn newer_content(&mut self) {
        if matches!(self.aim(), Some(Aim::Newest)) {
            self.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_minute() {
        let (mut retry, now) = (Retry::default(), Instant::now());
        let pauses: Vec<u64> = (0..9)
            .map(|_| {
                retry.failed(now, Aim::Newest);
                (retry.at().unwrap() - now).as_secs()
            })
            .collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        retry.failed(now, Aim::Back(1, String::new()));
        assert_eq!(retry.at().unwrap() - now, BASE, "another aim begins anew");
        retry.clear();
        assert_eq!(retry.at(), None);
    }
}
