//! The behaviour tests of Flux stand in `tests/`; this library is empty.
