//! flux-ui-tests
