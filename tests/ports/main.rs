//! Settings structs in the manner of public programs, written for these tests. Each one derives `Deserialize` and `Flux`, and what
//! serde alone makes of a document is what Flux makes of it: in JSON, in YAML, in TOML, and with single values from variables.
//!
//! Where the two differ on purpose, the table in `differences.md` has the document and both outcomes, and the test of the same name
//! reads it.

mod backup;
mod build_tool;
mod chat_server;
mod compile_cache;
mod differences;
mod editor;
mod forms;
mod linter;
mod log_shipper;
mod mail_server;
mod object_store;
mod plugin_host;
mod prompt;
mod proxy;
mod scraper;
mod search_engine;
mod support;
mod terminal;
