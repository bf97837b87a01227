//! Which exit code a command has, and how verdicts and answers are printed.

mod plans;
mod process_status;

pub(super) use plans::{Comparison, NOT_APPLIED};

use super::{
    events::WatchEvent,
    output::{Annotation, Annotations, OutputFormat, data},
};
use crate::{
    engine::Trusted,
    inspect::{
        Blame, CheckError, Checked, Effective, Explanation, Placeless, SilentSetting, called,
    },
    problem::escaped_json,
    report::Problem,
    time::clock_time,
};
use flux_syntax::Format;
use serde::Serialize;
use serde_json::json;
use std::{
    io::{self, Write},
    path::PathBuf,
};

/// So many are named beside another answer.
const MOST_WARNINGS: usize = 3;

pub(super) const GOOD: u8 = 0;
pub(super) const REFUSED: u8 = 1;
/// Of an order: there was nothing to do.
pub(super) const NOTHING_DONE: u8 = 1;
pub(super) const NOT_LOOKED_AT: u8 = 2;

/// The verdict on what is good, and would not be applied all the same.
const QUARANTINED: &str = "quarantined";

/// Where answers go.
pub(super) struct Answering<'a> {
    pub(super) output: OutputFormat,
    /// The columns of the terminal that the answer is for, where it is for one.
    pub(super) width: Option<usize>,
    pub(super) out: &'a mut dyn Write,
    pub(super) err: &'a mut dyn Write,
}

impl Answering<'_> {
    /// Prints one event: a line of JSON for programs.
    pub(super) fn event(&mut self, event: &WatchEvent) -> io::Result<()> {
        match self.output {
            OutputFormat::Human => {
                writeln!(self.out, "{}  {}", clock_time(event.at), event.text)?;
            }
            _ => {
                let json = serde_json::to_string(&event.data)?;
                writeln!(self.out, "{}", escaped_json(&json))?;
            }
        }
        self.out.flush()
    }

    pub(super) fn text(&mut self, text: &str) -> io::Result<u8> {
        write!(self.out, "{text}")?;
        Ok(GOOD)
    }

    fn json(&mut self, value: &impl Serialize) -> io::Result<()> {
        let json = serde_json::to_string_pretty(value)?;
        writeln!(self.out, "{}", escaped_json(&json))
    }

    fn findings(
        &mut self,
        files: &[Option<PathBuf>],
        problems: Vec<Annotation<'_>>,
    ) -> io::Result<()> {
        self.annotated(&Annotations {
            problems,
            files,
            placeless: &[],
        })
    }

    fn annotated(&mut self, findings: &Annotations<'_>) -> io::Result<()> {
        match self.output {
            OutputFormat::GitHub => findings.github(self.out),
            _ => self.json(&findings.sarif()),
        }
    }

    /// It could not be looked at.
    pub(super) fn cannot(&mut self, why: &str) -> io::Result<u8> {
        match self.output {
            OutputFormat::Human => writeln!(self.err, "error: {why}")?,
            OutputFormat::Json => self.json(&json!({ "verdict": "unknown", "error": why }))?,
            OutputFormat::GitHub => {
                writeln!(self.out, "::error title=flux::{}", data(why))?;
            }
            OutputFormat::Sarif => {
                self.findings(&[], Vec::new())?;
                writeln!(self.err, "error: {why}")?;
            }
        }
        Ok(NOT_LOOKED_AT)
    }

    /// Prints a verdict; `human` what is good, for people.
    pub(super) fn checked(
        &mut self,
        files: &[Option<PathBuf>],
        checked: Result<Checked, CheckError>,
        human: impl FnOnce(&mut Self, &Checked) -> io::Result<()>,
    ) -> io::Result<u8> {
        match (checked, self.output) {
            (Ok(checked), output) => {
                let is_quarantined = checked.is_quarantined();
                match output {
                    OutputFormat::Human => human(self, &checked)?,
                    OutputFormat::Json => {
                        let verdict = if is_quarantined { QUARANTINED } else { "good" };
                        self.json(&json!({ "verdict": verdict, "checked": checked }))?;
                    }
                    _ => {
                        let warnings = checked.warnings.iter().map(Annotation::warning);
                        let to_come = checked.missing.iter().map(Annotation::to_come);
                        let held = checked.quarantined().into_iter();
                        let held: Vec<Placeless> = held.map(Placeless::of_layer).collect();
                        self.annotated(&Annotations {
                            problems: warnings.chain(to_come).collect(),
                            files,
                            placeless: &held,
                        })?;
                    }
                }
                if is_quarantined {
                    return Ok(REFUSED);
                }
            }
            (Err(CheckError::Inputs(error)), _) => return self.cannot(&error.to_string()),
            (Err(CheckError::Refused(report)), output) => {
                match output {
                    OutputFormat::Human => writeln!(self.err, "{report}")?,
                    OutputFormat::Json => {
                        self.json(&json!({ "verdict": "refused", "report": report }))?;
                    }
                    _ => self.findings(
                        files,
                        report.problems().iter().map(Annotation::refusal).collect(),
                    )?,
                }
                return Ok(REFUSED);
            }
        }
        Ok(GOOD)
    }

    /// Prints an answer about what is good, or why it is not.
    pub(super) fn only_good(
        &mut self,
        files: &[Option<PathBuf>],
        checked: Result<Checked, CheckError>,
        answer: impl FnOnce(&mut Self, &Checked) -> io::Result<u8>,
    ) -> io::Result<u8> {
        match checked {
            Ok(checked) => answer(self, &checked),
            refused => self.checked(files, refused, |_, _| Ok(())),
        }
    }

    /// What of the configuration has no effect, or another one than was meant: it may be why a value is what it is.
    pub(super) fn note_warnings(&mut self, warnings: &[Problem]) -> io::Result<()> {
        for warning in warnings.iter().take(MOST_WARNINGS) {
            let path = called(&warning.path);
            write!(self.err, "note: warning: {path}: {}", warning.message)?;
            match warning.place() {
                Some(place) => writeln!(self.err, " ({place})")?,
                None => writeln!(self.err)?,
            }
        }
        match warnings.len().saturating_sub(MOST_WARNINGS) {
            0 => Ok(()),
            more => writeln!(self.err, "note: {more} more warnings; `check` has them"),
        }
    }

    pub(super) fn explain(&mut self, checked: &Checked, path: Option<&str>) -> io::Result<u8> {
        let all = match path {
            Some(path) => match checked.explain(path) {
                Ok(one) => vec![one],
                Err(error) => return self.cannot(&error.to_string()),
            },
            None => checked.explain_all(),
        };
        self.explained(&all, path.is_some())
    }

    pub(super) fn effective(
        &mut self,
        effective: Effective,
        format: Format,
        with_origins: bool,
    ) -> io::Result<u8> {
        let effective = match with_origins {
            true => effective.with_origins(),
            false => effective,
        };
        if format == Format::Json {
            // It has no comments.
            for line in effective.pending() {
                writeln!(self.err, "note: {line}")?;
            }
        }
        self.text(&effective.print(format))
    }

    /// Prints explanations: of one path, or of all.
    pub(super) fn explained(&mut self, all: &[Explanation], is_one: bool) -> io::Result<u8> {
        match (self.output, is_one) {
            (OutputFormat::Json, true) => self.json(&all.first())?,
            (OutputFormat::Json, false) => self.json(&all)?,
            _ => {
                for (number, one) in all.iter().enumerate() {
                    let blank = if number > 0 { "\n" } else { "" };
                    match self.width {
                        Some(width) => writeln!(self.out, "{blank}{one:.width$}")?,
                        None => writeln!(self.out, "{blank}{one}")?,
                    }
                }
            }
        }
        Ok(GOOD)
    }

    /// Prints the settings without effect.
    pub(super) fn silent(&mut self, silent: &[SilentSetting]) -> io::Result<u8> {
        match self.output {
            OutputFormat::Json => self.json(&silent)?,
            _ if silent.is_empty() => writeln!(self.out, "every setting has an effect")?,
            _ => {
                for one in silent {
                    writeln!(self.out, "{one}")?;
                }
            }
        }
        Ok(GOOD)
    }

    /// Prints who changed a path.
    pub(super) fn blame(&mut self, blame: &Blame) -> io::Result<u8> {
        match self.output {
            OutputFormat::Json => self.json(blame)?,
            _ => writeln!(self.out, "{blame}")?,
        }
        Ok(GOOD)
    }

    /// Prints what became of trials and quarantines; `text` for people.
    pub(super) fn trusted(
        &mut self,
        trusted: &Trusted,
        text: &dyn std::fmt::Display,
    ) -> io::Result<u8> {
        let (verdict, code) = match trusted.is_nothing() {
            true => ("nothing", NOTHING_DONE),
            false => ("trusted", GOOD),
        };
        match self.output {
            OutputFormat::Json => self.json(&json!({ "verdict": verdict, "trusted": trusted }))?,
            OutputFormat::Sarif => {
                self.findings(&[], Vec::new())?;
                writeln!(self.err, "{text}")?;
            }
            OutputFormat::Human | OutputFormat::GitHub => writeln!(self.out, "{text}")?,
        }
        Ok(code)
    }
}
