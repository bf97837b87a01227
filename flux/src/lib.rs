//! Live, layered, validated configuration.
