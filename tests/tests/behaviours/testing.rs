//! The kit with which users test their own config code and watchers.

mod harness;
mod overrides;
mod record;
mod script;
