//! The events that the engine leaves of what it decided, for the log, the status, the recorder and the disk. Every listener
//! receives these, and nothing else of it.

use super::{state::State, trial_record::Aftermath};
use crate::Report;

/// Something that happened.
#[derive(Debug, Clone)]
pub(crate) enum EngineEvent {
    /// A source has other content than before.
    ChangeReceived {
        layer: usize,
    },
    /// The connection to a source is another one.
    HealthChanged {
        layer: usize,
    },
    /// What is pending is taken up, by the update with this number.
    TakenUp,
    /// What became of the newest content of a layer.
    #[cfg_attr(not(test), allow(dead_code, reason = "for those who acknowledge"))]
    Judged {
        layer: usize,
        verdict: LayerVerdict,
    },
    /// Documents have keys that no field has.
    Warned(Report),
    /// New values of these paths wait for a restart of the program.
    WaitsForRestart {
        paths: Vec<String>,
    },
    StateChanged {
        from: State,
        to: State,
    },
    /// Readers see this generation.
    Committed {
        generation: u64,
    },
    /// The newest content, or a part of it, is refused.
    Refused {
        stage: RefusedStage,
        report: Report,
    },
    /// The configuration on trial is taken back.
    Unhealthy {
        #[cfg_attr(
            not(feature = "testing"),
            allow(dead_code, reason = "for the recorder")
        )]
        reason: String,
    },
    /// The configuration on trial has passed.
    Confirmed,
    /// A process before died while a configuration was on trial.
    #[cfg_attr(
        not(feature = "json"),
        allow(dead_code, reason = "what outlives a process is kept as JSON")
    )]
    ProcessDied(Aftermath),
    /// Readers see a configuration that is on trial, also across the death of the process.
    OnTrial {
        generation: u64,
    },
    /// What readers see is trusted: it becomes the last known good one.
    TrialPassed,
    /// What readers see was kept on disk, or could not be.
    #[cfg(feature = "json")]
    Kept,
    /// Content is not in quarantine any more.
    Lifted,
    /// Nothing newer is taken up from now on, or it is taken up again.
    Pinned,
}

/// What became of a layer's newest content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LayerVerdict {
    Applied,
    Refused,
}

/// Where an update was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RefusedStage {
    /// A document could not be decoded, or was absent.
    Transform,
    /// Values are missing or break a rule.
    Validation,
    /// The pipeline, a party, a group or a pin refused.
    Apply,
}
