//! Real servers: one conformance suite, run over every source, and what is particular to each. A further server is a file in
//! `tests/src/servers/` and a line here.

#[cfg(feature = "redis")]
mod redis;
#[macro_use]
mod suite;
mod watched;

#[cfg(feature = "redis")]
conformance!(redis_conforms, flux_tests::servers::Redis);
