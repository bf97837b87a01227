//! The engine: decides what becomes of what the sources hold. Pure, and compiled once.
//!
//! It knows a config type by its [`Schema`] alone: a table and a dozen functions. It reads no clock, no disk and no environment, starts no task
//! and writes no log: every call is given the time, answers with an [`Action`], and leaves [`EngineEvent`]s for the listeners. The
//! runtime performs.
//!
//! The way of one update: [`Engine::reported`] marks a layer as changed; [`Engine::due`] decides when the changes are taken up
//! (`debounce`, `agenda`); [`Engine::take_up`] decodes what changed (`layer_state`), folds the layers and builds the struct with all rules
//! (`resolve`) and makes a `proposal` of it; the pipeline's answer comes back through [`Engine::answered`], the swap through
//! [`Engine::swapped`]. What was refused is tried again by `retry`; what is on trial is watched by `probation` and taken back to one
//! of the `generations`; what was taken back waits in `quarantine`. What of that outlives the process is decided by `trials` over a
//! `trial_record`.

mod agenda;
mod condition;
mod content;
mod debounce;
mod decide;
mod decoded;
mod disk_status;
mod evaluate;
mod event;
mod fingerprint;
mod generations;
mod history;
mod identity;
mod judge;
mod layer_state;
mod layers;
mod locate;
mod now;
mod probation;
mod proposal;
mod quarantine;
mod renumbered;
mod retry;
mod schema;
mod seen;
mod served;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod small;
mod state;
mod status;
#[cfg(test)]
mod tests;
#[cfg_attr(
    not(feature = "json"),
    allow(dead_code, reason = "what outlives a process is kept as JSON")
)]
mod trial_record;
mod trusted;
mod value;

pub(crate) use agenda::Due;
pub(crate) use content::{GivenContent, KeptDocument, KeptPart, LayerContent};
pub(crate) use decide::{Engine, Settings, whole_entry};
#[cfg(feature = "json")]
pub(crate) use decide::{Past, TrialRules};
#[cfg(feature = "json")]
pub(crate) use disk_status::DiskStatus;
pub use disk_status::{LastKnownGood, TrialRecordFile};
pub(crate) use evaluate::{Evaluation, EvaluationInput, RunningConfiguration, evaluate};
pub(crate) use event::{EngineEvent, RefusedStage};
pub(crate) use fingerprint::{Fingerprint, FingerprintKey};
pub(crate) use generations::GenerationContents;
pub use generations::{Generation, GenerationOutcome};
pub use history::Refusal;
#[cfg(feature = "testing")]
pub(crate) use judge::broken_rules;
pub(crate) use judge::check;
pub(crate) use judge::decode;
pub(crate) use layer_state::LayerState;
#[cfg(feature = "json")]
pub(crate) use layer_state::{FillReason, KeptContent};
#[cfg(feature = "json")]
pub(crate) use layers::keys_of;
#[cfg(feature = "cli")]
pub(crate) use layers::{DeclaredNames, KeyedLayer, keys};
pub(crate) use layers::{Layers, Reducer};
pub(crate) use now::Now;
pub(crate) use probation::ProbationStep;
pub(crate) use proposal::{Action, Denial, Passed, Question};
pub(crate) use renumbered::Renumbered;
pub(crate) use schema::Schema;
pub(crate) use served::{NewestContents, Served, ServedLayer, WaitingPath, WithdrawnWaits};
pub use state::State;
pub use status::{LayerStatus, ProbationStatus, QuarantineStatus, Status, TrialStatus};
pub(crate) use trial_record::{Aftermath, listed};
#[cfg(feature = "json")]
pub(crate) use trial_record::{Fingerprints, InARow, OnTrial, QuarantinedContent, TrialRecord};
pub use trusted::Trusted;
pub(crate) use value::{AnyLayer, AnySnapshot, discard, take_drop_panics};
