//! The formats of verdicts: text for people, JSON, and annotations for continuous integration.

use crate::{inspect::Placeless, problem::escaped, report::Problem};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    fmt::Write as _,
    io::{self, Write},
    path::{Path, PathBuf, is_separator},
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
    pub(super) placeless: &'a [Placeless],
}

/// A problem, and how much it weighs.
#[derive(Clone, Copy)]
pub(super) struct Annotation<'a> {
    problem: &'a Problem,
    level: AnnotationLevel,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum AnnotationLevel {
    Error,
    /// It refuses nothing.
    Warning,
    /// A value that is missing in what was judged, and comes from elsewhere.
    ToCome,
}

impl<'a> Annotation<'a> {
    pub(super) fn refusal(problem: &'a Problem) -> Self {
        let level = match problem.is_warning() {
            true => AnnotationLevel::Warning,
            false => AnnotationLevel::Error,
        };
        Annotation { problem, level }
    }

    pub(super) fn to_come(problem: &'a Problem) -> Self {
        Annotation {
            problem,
            level: AnnotationLevel::ToCome,
        }
    }

    pub(super) fn warning(problem: &'a Problem) -> Self {
        Annotation {
            problem,
            level: AnnotationLevel::Warning,
        }
    }

    /// As code scanning calls it, but for what is to come: that has a name of its own in each format.
    fn level(self, to_come: &'static str) -> &'static str {
        match self.level {
            AnnotationLevel::Error => "error",
            AnnotationLevel::Warning => "warning",
            AnnotationLevel::ToCome => to_come,
        }
    }

    /// Without its place, which annotations have.
    fn sentence(self) -> String {
        let problem = self.problem;
        let to_come = match self.level {
            AnnotationLevel::ToCome => "to come: ",
            _ => "",
        };
        let name = problem.variable.as_ref().or(problem.argument.as_ref());
        let by = name.map_or(String::new(), |name| format!(" ({name})"));
        match problem.path.is_empty() {
            true => format!("{to_come}{}{by}", problem.message),
            false => format!("{to_come}{}: {}{by}", problem.path, problem.message),
        }
    }
}

impl Annotations<'_> {
    /// The file that a problem is in, as it was given.
    fn file(&self, problem: &Problem) -> Option<&Path> {
        self.files.get(problem.layer?)?.as_deref()
    }

    /// Workflow commands of GitHub Actions, one a line.
    pub(super) fn github(&self, out: &mut dyn Write) -> io::Result<()> {
        for finding in &self.problems {
            let (problem, level) = (finding.problem, finding.level("notice"));
            let mut properties = Vec::new();
            if let Some(file) = self.file(problem) {
                properties.push(format!("file={}", property(&file.display().to_string())));
                properties.extend(problem.line.map(|line| format!("line={line}")));
                properties.extend(problem.column.map(|column| format!("col={column}")));
            }
            properties.push(format!("title={}", property(problem.kind.as_str())));
            let message = data(&finding.sentence());
            writeln!(out, "::{level} {}::{message}", properties.join(","))?;
        }
        for Placeless { about, text } in self.placeless {
            writeln!(out, "::error title={about}::{}", data(text))?;
        }
        Ok(())
    }

    /// A SARIF log, version 2.1.0.
    pub(super) fn sarif(&self) -> Value {
        let kinds: BTreeSet<&str> = self
            .problems
            .iter()
            .map(|one| one.problem.kind.as_str())
            .chain(self.placeless.iter().map(|one| one.about))
            .collect();
        let rules: Vec<Value> = kinds
            .into_iter()
            .map(|kind| json!({ "id": kind }))
            .collect();
        let result = |finding: &Annotation<'_>| {
            let problem = finding.problem;
            let mut result = json!({
                "ruleId": problem.kind.as_str(),
                "level": finding.level("note"),
                "message": { "text": finding.sentence() },
            });
            if let Some(file) = self.file(problem) {
                let mut place = json!({ "artifactLocation": { "uri": uri(file) } });
                if let (Some(line), Some(column)) = (problem.line, problem.column) {
                    place["region"] = json!({ "startLine": line, "startColumn": column });
                }
                result["locations"] = json!([{ "physicalLocation": place }]);
            }
            result
        };
        let placeless = self.placeless.iter().map(
            |one| json!({ "ruleId": one.about, "level": "error", "message": { "text": one.text } }),
        );
        let results: Vec<Value> = self.problems.iter().map(result).chain(placeless).collect();
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

/// The URI of a file: a relative path stays one, from which code scanning finds the file in the repository.
fn uri(file: &Path) -> String {
    let mut path = String::new();
    let is_absolute = file.is_absolute();
    for byte in file.as_os_str().as_encoded_bytes() {
        match byte {
            byte if is_separator(char::from(*byte)) => path.push('/'),
            // The letter of a drive has a colon; in a relative path, what is before one would be a scheme.
            b':' if is_absolute => path.push(':'),
            b'-' | b'.' | b'_' | b'~' => path.push(char::from(*byte)),
            byte if byte.is_ascii_alphanumeric() => path.push(char::from(*byte)),
            byte => {
                let _ = write!(path, "%{byte:02X}");
            }
        }
    }
    match (is_absolute, path.starts_with("//"), path.starts_with('/')) {
        (false, ..) => path,
        (true, true, _) => format!("file:{path}"),
        (true, false, true) => format!("file://{path}"),
        (true, false, false) => format!("file:///{path}"),
    }
}

/// Text of a workflow command, which is one line. Its log is shown by terminals, too.
pub(super) fn data(text: &str) -> String {
    let lines: Vec<_> = text.split('\n').map(escaped).collect();
    lines
        .join("\n")
        .replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    fn a_path_is_the_uri_of_its_file() {
        use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _};
        for (path, expected) in [
            ("app.yaml", "app.yaml"),
            ("deploy/a b.yaml", "deploy/a%20b.yaml"),
            ("a:b/100%.yaml", "a%3Ab/100%25.yaml"),
            ("a\\b#c?d.yaml", "a%5Cb%23c%3Fd.yaml"),
            ("/run/app.yaml", "file:///run/app.yaml"),
            ("/run/\u{fc} .yaml", "file:///run/%C3%BC%20.yaml"),
        ] {
            assert_eq!(uri(Path::new(path)), expected);
        }
        let no_unicode = Path::new(OsStr::from_bytes(b"a\xff"));
        assert_eq!(uri(no_unicode), "a%FF");
    }
}
