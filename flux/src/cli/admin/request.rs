//! The questions that a command asks of a running program, as they are sent.

use crate::{cli::output::OutputFormat, inspect::Inputs};
use flux_syntax::Format;
use serde_json::{Value, json};

/// A request.
pub(in crate::cli) struct AdminRequest {
    pub(in crate::cli) output: OutputFormat,
    pub(in crate::cli) width: Option<usize>,
    /// What the asking program declares, as [`declaration`](super::declaration) has it; none of an older one.
    pub(in crate::cli) declaration: Option<String>,
    pub(in crate::cli) question: AdminQuestion,
}

pub(in crate::cli) enum AdminQuestion {
    Show {
        format: Format,
        with_origins: bool,
    },
    /// One path, or all.
    Explain(Option<String>),
    Silent,
    Blame(String),
    Status,
    Diff(Inputs),
    Plan(Inputs),
    Watch,
    /// An order: it changes what runs.
    Trust,
}

impl AdminRequest {
    /// Whether the answer goes on.
    pub(in crate::cli) fn goes_on(&self) -> bool {
        matches!(self.question, AdminQuestion::Watch)
    }

    /// Whether the answer depends on defaults and rules.
    pub(super) fn is_about_values(&self) -> bool {
        !matches!(
            self.question,
            AdminQuestion::Blame(_)
                | AdminQuestion::Status
                | AdminQuestion::Watch
                | AdminQuestion::Trust
        )
    }

    /// As it is sent.
    ///
    /// # Errors
    /// A file of the inputs cannot be read.
    pub(in crate::cli) fn to_json(&self) -> Result<Value, crate::inspect::InputError> {
        let mut json = match &self.question {
            AdminQuestion::Show {
                format,
                with_origins,
            } => {
                let name = match format {
                    Format::Toml => "toml",
                    Format::Json => "json",
                    _ => "yaml",
                };
                json!({ "do": "show", "as": name, "origins": with_origins })
            }
            AdminQuestion::Explain(path) => json!({ "do": "explain", "path": path }),
            AdminQuestion::Silent => json!({ "do": "silent" }),
            AdminQuestion::Blame(path) => json!({ "do": "blame", "path": path }),
            AdminQuestion::Status => json!({ "do": "status" }),
            AdminQuestion::Diff(inputs) => json!({ "do": "diff", "inputs": inputs.to_json()? }),
            AdminQuestion::Plan(inputs) => json!({ "do": "plan", "inputs": inputs.to_json()? }),
            AdminQuestion::Watch => json!({ "do": "watch" }),
            AdminQuestion::Trust => json!({ "do": "trust" }),
        };
        json["format"] = self.output.name().into();
        json["width"] = self.width.into();
        json["declaration"] = self.declaration.clone().into();
        Ok(json)
    }

    /// What was sent; none of what is no request.
    pub(super) fn of_json(json: &Value) -> Option<Self> {
        let text = |key: &str| json.get(key).and_then(Value::as_str);
        let inputs = || Inputs::from_json(json.get("inputs")?);
        let question = match text("do")? {
            "show" => AdminQuestion::Show {
                format: match text("as")? {
                    "toml" => Format::Toml,
                    "json" => Format::Json,
                    _ => Format::Yaml,
                },
                with_origins: json.get("origins")?.as_bool()?,
            },
            "explain" => AdminQuestion::Explain(text("path").map(str::to_owned)),
            "silent" => AdminQuestion::Silent,
            "blame" => AdminQuestion::Blame(text("path")?.to_owned()),
            "status" => AdminQuestion::Status,
            "diff" => AdminQuestion::Diff(inputs()?),
            "plan" => AdminQuestion::Plan(inputs()?),
            "watch" => AdminQuestion::Watch,
            "trust" => AdminQuestion::Trust,
            _ => return None,
        };
        Some(AdminRequest {
            output: OutputFormat::named(text("format")?),
            // No terminal is wider, and a larger precision is a panic of `format!`.
            width: (json.get("width"))
                .and_then(Value::as_u64)
                .and_then(|width| u16::try_from(width).ok())
                .map(usize::from),
            declaration: text("declaration").map(str::to_owned),
            question,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_width_of_the_terminal_is_sent_and_an_older_command_has_none() {
        let sent = AdminRequest {
            output: OutputFormat::Human,
            width: Some(60),
            declaration: None,
            question: AdminQuestion::Explain(None),
        };
        let mut json = sent.to_json().unwrap();
        assert_eq!(AdminRequest::of_json(&json).unwrap().width, Some(60));
        json["width"] = 70_000.into();
        assert_eq!(AdminRequest::of_json(&json).unwrap().width, None);
        json.as_object_mut().unwrap().remove("width");
        assert_eq!(AdminRequest::of_json(&json).unwrap().width, None);
    }
}
