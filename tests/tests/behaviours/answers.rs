//! What the program is asked about its configuration: which layer sets what, and what readers see as a whole.

#[cfg(unix)]
mod admin;
mod arguments;
mod blame;
mod check;
pub(crate) mod cli;
mod describe;
mod dry_run;
mod effective;
mod effects;
mod explain;
mod fingerprint;
mod given;
mod last_good;
mod last_variables;
mod missing_secret;
mod own_layer;
mod plain_words;
mod plan;
mod refused_newest;
mod refused_now;
mod restart;
mod schema;
mod silent_entries;
mod waits;
