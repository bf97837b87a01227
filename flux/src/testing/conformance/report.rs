//! The verdicts of the conformance kit, and how they are printed.

use std::fmt;

/// What a watcher does right and what not: one line a behaviour when it is printed.
#[derive(Debug, Clone)]
pub struct Conformance {
    pub(super) origin: String,
    pub(super) findings: Vec<Finding>,
}

/// One behaviour.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The behaviour, as a sentence.
    pub behaviour: &'static str,
    /// What was found.
    pub verdict: Verdict,
}

/// What was found of a behaviour.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// It is as it must be.
    Passed,
    /// It is not, and what was seen.
    Failed(String),
    /// It could not be tried, and why.
    NotApplicable(String),
}

impl Conformance {
    /// Every behaviour, in the order in which they were tried.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The behaviours that are not as they must be.
    pub fn failed(&self) -> Vec<&'static str> {
        self.behaviours(|verdict| matches!(verdict, Verdict::Failed(_)))
    }

    /// The behaviours that were tried and are as they must be.
    pub fn passed(&self) -> Vec<&'static str> {
        self.behaviours(|verdict| *verdict == Verdict::Passed)
    }

    /// Fails the test where a behaviour is not as it must be.
    ///
    /// # Panics
    /// With the whole report.
    #[track_caller]
    pub fn assert_passed(&self) {
        assert!(self.failed().is_empty(), "{self}");
    }

    fn behaviours(&self, which: impl Fn(&Verdict) -> bool) -> Vec<&'static str> {
        let all = self.findings.iter();
        let found = all.filter(|finding| which(&finding.verdict));
        found.map(|finding| finding.behaviour).collect()
    }
}

impl fmt::Display for Conformance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (passed, failed) = (self.passed().len(), self.failed().len());
        write!(
            f,
            "the watcher of {}: {passed} behaviours passed, {failed} failed, {} not applicable",
            self.origin,
            self.findings.len() - passed - failed
        )?;
        for Finding { behaviour, verdict } in &self.findings {
            match verdict {
                Verdict::Passed => write!(f, "\n  passed  {behaviour}")?,
                Verdict::Failed(why) => write!(f, "\n  FAILED  {behaviour}\n          {why}")?,
                Verdict::NotApplicable(why) => write!(f, "\n  -       {behaviour} ({why})")?,
            }
        }
        Ok(())
    }
}
