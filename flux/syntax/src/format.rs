//! Which file names mean which format: JSON, with comments or not, JSON5, YAML or TOML.

use crate::nearest;
use std::{fmt, str::FromStr};

/// The format of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// JSON
    Json,
    /// YAML
    Yaml,
    /// TOML
    Toml,
    /// JSON with comments and trailing commas
    Jsonc,
    /// JSON5
    Json5,
}

impl Format {
    /// The names, as they are written.
    pub const NAMES: [&'static str; 5] = ["json", "yaml", "toml", "jsonc", "json5"];

    /// The format that a path's extension names.
    pub fn of_path(path: &str) -> Option<Format> {
        let name = path.rsplit(['/', '\\']).next()?;
        let (_, extension) = name.rsplit_once('.')?;
        match extension.to_ascii_lowercase().as_str() {
            "json" => Some(Format::Json),
            "yaml" | "yml" => Some(Format::Yaml),
            "toml" => Some(Format::Toml),
            "jsonc" => Some(Format::Jsonc),
            "json5" => Some(Format::Json5),
            _ => None,
        }
    }

    /// `json`, `yaml`, `toml`, `jsonc` or `json5`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Format::Json => "json",
            Format::Yaml => "yaml",
            Format::Toml => "toml",
            Format::Jsonc => "jsonc",
            Format::Json5 => "json5",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that names no format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownFormat(String);

impl fmt::Display for UnknownFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown format `{}`; ", self.0)?;
        match nearest(&self.0, Format::NAMES) {
            Some(known) => write!(f, "did you mean `{known}`?"),
            None => f.write_str("flux reads json, yaml, toml, jsonc and json5"),
        }
    }
}

impl std::error::Error for UnknownFormat {}

impl FromStr for Format {
    type Err = UnknownFormat;
    fn from_str(word: &str) -> Result<Self, UnknownFormat> {
        match word {
            "json" => Ok(Format::Json),
            "yaml" | "yml" => Ok(Format::Yaml),
            "toml" => Ok(Format::Toml),
            "jsonc" => Ok(Format::Jsonc),
            "json5" => Ok(Format::Json5),
            _ => Err(UnknownFormat(word.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extension_tells_the_format() {
        assert_eq!(Format::of_path("a/app.YML"), Some(Format::Yaml));
        assert_eq!(Format::of_path("app.json"), Some(Format::Json));
        assert_eq!(Format::of_path("app.jsonc"), Some(Format::Jsonc));
        assert_eq!(Format::of_path("app.JSON5"), Some(Format::Json5));
        assert_eq!(Format::of_path("a.toml/app"), None);
        assert_eq!(Format::of_path("app"), None);
    }

    #[test]
    fn a_near_miss_is_corrected() {
        assert_eq!(
            "jsn".parse::<Format>().expect_err("unknown").to_string(),
            "unknown format `jsn`; did you mean `json`?"
        );
    }
}
