//! The kit with which users test their own config code and watchers.

mod conformance;
mod harness;
mod overrides;
mod record;
mod script;
