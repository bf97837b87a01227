//! What the Flux macro reads at compile time and the Flux runtime reads at start.
