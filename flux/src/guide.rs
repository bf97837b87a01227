//! Pages for people: how Flux is used, how one comes to it from elsewhere, and what its errors mean.

#[doc = include_str!("docs/patterns.md")]
pub mod patterns {}

#[doc = include_str!("docs/migration.md")]
pub mod migration {}

#[doc = include_str!("docs/errors.md")]
pub mod errors {}
