//! flux-bench
