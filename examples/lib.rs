//! Runnable examples of Flux; each is one page.
