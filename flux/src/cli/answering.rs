//! Which exit code a command has, and how verdicts and answers are printed.

use super::{
    events::WatchEvent,
    output::{Annotation, Annotations, OutputFormat, data},
};
use crate::{
    Report,
    engine::Trusted,
    inspect::{
        Blame, CheckError, Checked, Effective, Explanation, PartyVerdict, PlannedChange,
        PlannedUpdate, SilentSetting,
    },
    report::Problem,
};
use flux_syntax::Format;
use serde::Serialize;
use serde_json::json;
use std::{
    io::{self, Write},
    path::PathBuf,
};

pub(super) const GOOD: u8 = 0;
pub(super) const REFUSED: u8 = 1;
/// Of an order: there was nothing to do.
pub(super) const NOTHING_DONE: u8 = 1;
pub(super) const NOT_LOOKED_AT: u8 = 2;

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
            OutputFormat::Human => writeln!(self.out, "{}", event.text)?,
            _ => {
                serde_json::to_writer(&mut *self.out, &event.data)?;
                writeln!(self.out)?;
            }
        }
        self.out.flush()
    }

    pub(super) fn text(&mut self, text: &str) -> io::Result<u8> {
        write!(self.out, "{text}")?;
        Ok(GOOD)
    }

    fn json(&mut self, value: &impl Serialize) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut self.out, value)?;
        writeln!(self.out)
    }

    fn findings(
        &mut self,
        files: &[Option<PathBuf>],
        problems: Vec<Annotation<'_>>,
    ) -> io::Result<()> {
        let findings = Annotations { problems, files };
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
            (Ok(checked), OutputFormat::Human) => human(self, &checked)?,
            (Ok(checked), OutputFormat::Json) => {
                self.json(&json!({ "verdict": "good", "checked": checked }))?;
            }
            (Ok(checked), _) => {
                let warnings = checked.warnings.iter().map(Annotation::warning);
                let to_come = checked.missing.iter().map(Annotation::to_come);
                self.findings(files, warnings.chain(to_come).collect())?;
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

    /// Prints what would change, and the warnings of the documents that would change it.
    pub(super) fn changes(
        &mut self,
        files: &[Option<PathBuf>],
        changes: &[PlannedChange],
        warnings: &[Problem],
        (notes, standing): (&[String], Option<&Report>),
    ) -> io::Result<u8> {
        let refused = || standing.iter().flat_map(|report| report.problems());
        let annotations = || {
            let warnings = warnings.iter().map(Annotation::warning);
            refused().map(Annotation::refusal).chain(warnings).collect()
        };
        let (verdict, code) = match standing {
            Some(_) => ("refused", REFUSED),
            None => ("good", GOOD),
        };
        match self.output {
            OutputFormat::Json => {
                let mut found =
                    json!({ "verdict": verdict, "changes": changes, "warnings": warnings });
                if !notes.is_empty() {
                    found["notes"] = json!(notes);
                }
                if let Some(report) = standing {
                    found["standing"] = json!(report);
                }
                self.json(&found)?;
            }
            OutputFormat::Sarif => self.findings(files, annotations())?,
            OutputFormat::Human | OutputFormat::GitHub => {
                match (changes.is_empty(), standing) {
                    (true, None) => {
                        writeln!(self.out, "nothing would change; secrets are not compared")?
                    }
                    (true, Some(_)) => writeln!(
                        self.out,
                        "nothing would change beside what is refused now; secrets are not compared"
                    )?,
                    (false, _) => {}
                }
                for change in changes {
                    writeln!(self.out, "{change}")?;
                }
                if self.output == OutputFormat::GitHub {
                    self.findings(files, annotations())?;
                } else {
                    for warning in warnings {
                        writeln!(self.out, "warning: {}", warning.after_word())?;
                    }
                    for note in notes {
                        writeln!(self.err, "note: {note}")?;
                    }
                    if let Some(report) = standing {
                        writeln!(
                            self.err,
                            "refused now, and not part of what this is compared with:\n{report}"
                        )?;
                    }
                }
            }
        }
        Ok(code)
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

    pub(super) fn planned(&mut self, planned: &PlannedUpdate) -> io::Result<u8> {
        let is_refused = |verdict: &PartyVerdict| matches!(verdict, PartyVerdict::Vetoed(_));
        let is_unknown = |verdict: &PartyVerdict| matches!(verdict, PartyVerdict::NoAnswer);
        let any = |is: &dyn Fn(&PartyVerdict) -> bool| {
            let mut parties = planned.parties.iter();
            parties.any(|one| is(&one.verdict))
        };
        let is_asked_in_vain = planned.unasked.is_some() || any(&is_unknown);
        let refused = || planned.standing.iter().chain(&planned.refused);
        let (verdict, code) = match refused().next().is_some() || any(&is_refused) {
            true => ("refused", REFUSED),
            false if is_asked_in_vain => ("unknown", NOT_LOOKED_AT),
            false => ("good", GOOD),
        };
        match self.output {
            OutputFormat::Human => writeln!(self.out, "{planned}")?,
            OutputFormat::Json => self.json(&json!({ "verdict": verdict, "plan": planned }))?,
            _ => {
                let refused = refused().flat_map(|report| report.problems());
                let warnings = planned.warnings.iter().map(Annotation::warning);
                let problems = refused.map(Annotation::refusal).chain(warnings).collect();
                self.findings(&planned.files, problems)?;
                let parties = planned.parties.iter();
                let parties =
                    parties.filter(|one| is_refused(&one.verdict) || is_unknown(&one.verdict));
                let parties = parties.map(ToString::to_string);
                for line in parties.chain(planned.unasked.clone()) {
                    // It is about no place in a file.
                    match self.output {
                        OutputFormat::GitHub => {
                            writeln!(self.out, "::error title=party::{}", data(&line))?;
                        }
                        _ => writeln!(self.err, "error: {line}")?,
                    }
                }
            }
        }
        Ok(code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::PartyAnswer;

    fn printed(output: OutputFormat, planned: &PlannedUpdate) -> (u8, String, String) {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut answer = Answering {
            output,
            width: None,
            out: &mut out,
            err: &mut err,
        };
        let code = answer.planned(planned).unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (code, text(out), text(err))
    }

    #[test]
    fn a_plan_whose_parties_give_no_answer_is_not_good() {
        let of = |verdicts: &[PartyVerdict], unasked: Option<&str>| PlannedUpdate {
            changes: Vec::new(),
            refused: None,
            standing: None,
            hidden: Vec::new(),
            warnings: Vec::new(),
            parties: (verdicts.iter())
                .map(|verdict| PartyAnswer {
                    party: "`pool`".to_owned(),
                    verdict: verdict.clone(),
                })
                .collect(),
            notes: unasked.iter().map(|one| (*one).to_owned()).collect(),
            unasked: unasked.map(str::to_owned),
            files: Vec::new(),
        };
        let vetoed = PartyVerdict::Vetoed("full".to_owned());
        for (verdicts, unasked, code, word) in [
            (&[][..], None, GOOD, "good"),
            (
                &[PartyVerdict::Ready, PartyVerdict::NotAsked],
                None,
                GOOD,
                "good",
            ),
            (
                &[PartyVerdict::Ready, PartyVerdict::NoAnswer],
                None,
                NOT_LOOKED_AT,
                "unknown",
            ),
            (&[], Some("not asked"), NOT_LOOKED_AT, "unknown"),
            (&[PartyVerdict::NoAnswer, vetoed], None, REFUSED, "refused"),
        ] {
            let plan = of(verdicts, unasked);
            for output in [
                OutputFormat::Human,
                OutputFormat::Json,
                OutputFormat::GitHub,
                OutputFormat::Sarif,
            ] {
                let (found, out, err) = printed(output, &plan);
                assert_eq!(found, code, "{output:?} {plan:?}");
                // Whatever is not good has a reason.
                let text = out.clone() + &err;
                let reasons = ["did not answer", "not asked", "no_answer"];
                let has_reason = reasons.iter().any(|reason| text.contains(reason));
                assert!(code == GOOD || has_reason, "{output:?} {text}");
                if output == OutputFormat::Json {
                    assert!(out.contains(&format!("\"verdict\": \"{word}\"")), "{out}");
                }
            }
        }
    }
}
