//! flux-tests
