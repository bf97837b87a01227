//! Pages for people: how Flux is used, and how one comes to it from elsewhere.

#[doc = include_str!("docs/patterns.md")]
pub mod patterns {}

#[doc = include_str!("docs/migration.md")]
pub mod migration {}
