//! The formats of verdicts: text for people, JSON, and annotations for continuous integration.

use crate::report::Problem;
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    io::{self, Write},
    path::PathBuf,
};

/// How verdicts are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OutputFormat {
    Human,
    Json,
    GitHub,
    Sarif,
}

impl OutputFormat {
    pub(super) fn name(self) -> &'static str {
        match self {
            OutputFormat::Human => "human",
            OutputFormat::Json => "json",
            OutputFormat::GitHub => "github",
            OutputFormat::Sarif => "sarif",
        }
    }

    pub(super) fn named(name: &str) -> Self {
        match name {
            "json" => OutputFormat::Json,
            "github" => OutputFormat::GitHub,
            "sarif" => OutputFormat::Sarif,
            _ => OutputFormat::Human,
        }
    }
}

/// The problems of a verdict, and the file of each layer.
pub(super) struct Annotations<'a> {
    pub(super) problems: Vec<Annotation<'a>>,
    pub(super) files: &'a [Option<PathBuf>],
}

/// A problem, and whether it refuses nothing.
#[derive(Clone, Copy)]
pub(super) struct Annotation<'a> {
    problem: &'a Problem,
    is_warning: bool,
}

impl<'a> Annotation<'a> {
    pub(super) fn refusal(problem: &'a Problem) -> Self {
        let is_warning = problem.is_warning();
        Annotation {
            problem,
            is_warning,
        }
    }

    pub(super) fn warning(problem: &'a Problem) -> Self {
        Annotation {
            problem,
            is_warning: true,
        }
    }

    fn level(self) -> &'static str {
        if self.is_warning { "warning" } else { "error" }
    }
}

impl Annotations<'_> {
    /// The file that a problem is in, as it was given.
    fn file(&self, problem: &Problem) -> Option<String> {
        let file = self.files.get(problem.layer?)?.as_ref()?;
        Some(file.display().to_string())
    }

    /// Without its place, which annotations have.
    fn sentence(problem: &Problem) -> String {
        let name = problem.variable.as_ref().or(problem.argument.as_ref());
        let by = name.map_or(String::new(), |name| format!(" ({name})"));
        match problem.path.is_empty() {
            true => format!("{}{by}", problem.message),
            false => format!("{}: {}{by}", problem.path, problem.message),
        }
    }

    /// Workflow commands of GitHub Actions, one a line.
    pub(super) fn github(&self, out: &mut dyn Write) -> io::Result<()> {
        for finding in &self.problems {
            let (problem, level) = (finding.problem, finding.level());
            let mut properties = Vec::new();
            if let Some(file) = self.file(problem) {
                properties.push(format!("file={}", property(&file)));
                properties.extend(problem.line.map(|line| format!("line={line}")));
                properties.extend(problem.column.map(|column| format!("col={column}")));
            }
            properties.push(format!("title={}", property(problem.kind.as_str())));
            let message = data(&Self::sentence(problem));
            writeln!(out, "::{level} {}::{message}", properties.join(","))?;
        }
        Ok(())
    }

    /// A SARIF log, version 2.1.0.
    pub(super) fn sarif(&self) -> Value {
        let kinds: BTreeSet<&str> = self
            .problems
            .iter()
            .map(|one| one.problem.kind.as_str())
            .collect();
        let rules: Vec<Value> = kinds
            .into_iter()
            .map(|kind| json!({ "id": kind }))
            .collect();
        let result = |finding: &Annotation<'_>| {
            let problem = finding.problem;
            let mut result = json!({
                "ruleId": problem.kind.as_str(),
                "level": finding.level(),
                "message": { "text": Self::sentence(problem) },
            });
            if let Some(file) = self.file(problem) {
                let mut place = json!({ "artifactLocation": { "uri": file.replace('\\', "/") } });
                if let (Some(line), Some(column)) = (problem.line, problem.column) {
                    place["region"] = json!({ "startLine": line, "startColumn": column });
                }
                result["locations"] = json!([{ "physicalLocation": place }]);
            }
            result
        };
        let results: Vec<Value> = self.problems.iter().map(result).collect();
        json!({
            "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
            "version": "2.1.0",
            "runs": [{
                "tool": { "driver": {
                    "name": "flux",
                    "version": env!("CARGO_PKG_VERSION"),
                    "rules": rules,
                } },
                "results": results,
            }],
        })
    }
}

/// Text of a workflow command, which is one line.
pub(super) fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
