//! Performs what the engine decides: the only place with tasks, clocks, the disk, `tracing` and metrics. It is compiled once, too:
//! it knows no config type.
//!
//! A [`Spec`] is what was declared; a [`Plan`] is that with its layers opened. An [`Instance`] is what a task, readers and owners share; [`lifecycle`]
//! starts and stops it. The `driver` polls the watchers, the timer, the pipeline and the program's orders inside one task,
//! and hands what happened to the engine; [`listeners`] are notified of every decision.

#[cfg(feature = "json")]
mod claim;
mod clock;
mod command;
#[cfg(feature = "json")]
mod differing;
#[cfg(feature = "json")]
mod disk;
mod driver;
mod error;
#[cfg(feature = "json")]
mod fallback_start;
#[cfg(feature = "json")]
mod file_place;
#[cfg(all(test, feature = "derive", feature = "yaml"))]
mod hanging_disk;
#[cfg(feature = "json")]
mod held_contents;
mod inside;
mod instance;
#[cfg(feature = "json")]
mod keeper;
#[cfg(feature = "json")]
mod kept_document;
#[cfg(feature = "cli")]
mod kept_offline;
#[cfg(feature = "json")]
mod last_known_good;
pub(crate) mod lifecycle;
mod listeners;
mod load;
mod order;
mod outage;
mod plan;
#[cfg(feature = "json")]
mod process;
pub(crate) mod recorder_hook;
mod run;
#[cfg(feature = "json")]
mod saver;
#[cfg(feature = "signal")]
mod signal;
mod spec;
#[cfg(feature = "json")]
mod start_mark;
mod task;
#[cfg(feature = "json")]
mod trial_file;
#[cfg(feature = "cli")]
mod trust_offline;

pub(crate) use clock::now;
#[cfg(feature = "testing")]
pub(crate) use command::obey;
pub(crate) use command::{pin, rehearse, reload, report_unhealthy, rollback, trust};
pub use error::Error;
#[cfg(feature = "json")]
pub(crate) use held_contents::HeldContents;
pub(crate) use instance::{Instance, Outlet, Owner};
#[cfg(feature = "cli")]
pub(crate) use kept_offline::KeptConfiguration;
#[cfg(feature = "json")]
pub use last_known_good::Secrets;
#[cfg(feature = "cli")]
pub(crate) use last_known_good::{KeptDefault, KeptDefaults};
pub(crate) use load::load;
#[cfg(feature = "testing")]
pub(crate) use order::Command;
pub(crate) use plan::{Plan, given};
#[cfg(feature = "signal")]
pub use signal::Signal;
pub(crate) use spec::Spec;
#[cfg(feature = "cli")]
pub(crate) use task::{BoxedTask, Companion};
#[cfg(feature = "cli")]
pub(crate) use trust_offline::{processes_are_seen, trust_offline};
