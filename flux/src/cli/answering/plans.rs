//! How a plan, or a comparison of two configurations, is printed, and its exit code.

use super::{Answering, GOOD, NOT_LOOKED_AT, QUARANTINED, REFUSED};
use crate::{
    Report,
    cli::output::{Annotation, Annotations, OutputFormat},
    inspect::{PartyVerdict, Placeless, PlannedChange, PlannedUpdate, SilentSetting},
    report::Problem,
};
use serde_json::json;
use std::{io, path::PathBuf};

/// What documents would change in another configuration, and what is to be known of it.
pub(in crate::cli) struct Comparison<'a> {
    pub(in crate::cli) changes: &'a [PlannedChange],
    pub(in crate::cli) warnings: &'a [Problem],
    /// What comes from elsewhere.
    pub(in crate::cli) missing: &'a [Problem],
    /// What higher layers hide of the documents.
    pub(in crate::cli) hidden: &'a [SilentSetting],
    pub(in crate::cli) notes: &'a [String],
    /// Why newest content of other layers is refused now.
    pub(in crate::cli) standing: Option<&'a Report>,
    /// Whether a secret that differs is among the changes.
    pub(in crate::cli) has_secrets: bool,
}

/// Of content that is compared.
pub(in crate::cli) const NOT_APPLIED: &str = "in quarantine, and not applied";

impl Answering<'_> {
    /// Prints what would change, and the warnings of the documents that would change it.
    pub(in crate::cli) fn changes(
        &mut self,
        files: &[Option<PathBuf>],
        found: &Comparison<'_>,
    ) -> io::Result<u8> {
        let refused = || found.standing.iter().flat_map(|report| report.problems());
        let (verdict, code) = match found.standing {
            Some(_) => ("refused", REFUSED),
            None => ("good", GOOD),
        };
        match self.output {
            OutputFormat::Json => {
                let mut json = json!({
                    "verdict": verdict,
                    "changes": found.changes,
                    "warnings": found.warnings,
                    "missing": found.missing,
                    "hidden": found.hidden,
                    "secrets_compared": found.has_secrets,
                });
                if !found.notes.is_empty() {
                    json["notes"] = json!(found.notes);
                }
                if let Some(report) = found.standing {
                    json["standing"] = json!(report);
                }
                self.json(&json)?;
            }
            OutputFormat::Sarif => self.findings(files, annotations(refused(), found))?,
            OutputFormat::Human | OutputFormat::GitHub => {
                let compared = match found.has_secrets {
                    true => "",
                    false => "; neither secrets nor variables are compared",
                };
                match (found.changes.is_empty(), found.standing) {
                    (true, None) => writeln!(self.out, "nothing would change{compared}")?,
                    (true, Some(_)) => writeln!(
                        self.out,
                        "nothing would change beside what is refused now{compared}"
                    )?,
                    (false, _) => {}
                }
                for change in found.changes {
                    writeln!(self.out, "{change}")?;
                }
                for hidden in found.hidden {
                    writeln!(self.out, "{hidden}")?;
                }
                if self.output == OutputFormat::GitHub {
                    self.findings(files, annotations(refused(), found))?;
                } else {
                    for missing in found.missing {
                        writeln!(self.out, "to come: {}", missing.after_word())?;
                    }
                    for warning in found.warnings {
                        writeln!(self.out, "warning: {}", warning.after_word())?;
                    }
                    for note in found.notes {
                        writeln!(self.err, "note: {note}")?;
                    }
                    if let Some(report) = found.standing {
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

    pub(in crate::cli) fn planned(&mut self, planned: &PlannedUpdate) -> io::Result<u8> {
        let is_refused = |verdict: &PartyVerdict| matches!(verdict, PartyVerdict::Vetoed(_));
        let is_unknown = |verdict: &PartyVerdict| matches!(verdict, PartyVerdict::NoAnswer);
        let any = |is: &dyn Fn(&PartyVerdict) -> bool| {
            let mut parties = planned.parties.iter();
            parties.any(|one| is(&one.verdict))
        };
        let is_asked_in_vain = !planned.unasked.is_empty() || any(&is_unknown);
        let refused = || planned.standing.iter().chain(&planned.refused);
        let (verdict, code) = match refused().next().is_some() || any(&is_refused) {
            true => ("refused", REFUSED),
            false if !planned.quarantined.is_empty() => (QUARANTINED, REFUSED),
            false if is_asked_in_vain => ("unknown", NOT_LOOKED_AT),
            false => ("good", GOOD),
        };
        let parties = planned.parties.iter();
        let parties = parties.filter(|one| is_refused(&one.verdict) || is_unknown(&one.verdict));
        let placeless: Vec<Placeless> = parties
            .map(|one| Placeless::of_party(one.to_string()))
            .chain(planned.quarantined.iter().cloned().map(Placeless::of_layer))
            .chain(planned.unasked.clone())
            .collect();
        match self.output {
            OutputFormat::Human => writeln!(self.out, "{planned}")?,
            OutputFormat::Json => self.json(&json!({ "verdict": verdict, "plan": planned }))?,
            OutputFormat::Sarif | OutputFormat::GitHub => {
                let refused = refused().flat_map(|report| report.problems());
                let problems = refused.map(Annotation::refusal);
                let to_come = planned.missing.iter().map(Annotation::to_come);
                let warnings = planned.warnings.iter().map(Annotation::warning);
                let findings = Annotations {
                    problems: problems.chain(to_come).chain(warnings).collect(),
                    files: &planned.files,
                    placeless: &placeless,
                };
                self.annotated(&findings)?;
            }
        }
        Ok(code)
    }
}

fn annotations<'a>(
    refused: impl Iterator<Item = &'a Problem>,
    found: &Comparison<'a>,
) -> Vec<Annotation<'a>> {
    let to_come = found.missing.iter().map(Annotation::to_come);
    let warnings = found.warnings.iter().map(Annotation::warning);
    let refused = refused.map(Annotation::refusal);
    refused.chain(to_come).chain(warnings).collect()
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
        let of = |verdicts: &[PartyVerdict], unasked: Option<&Placeless>| PlannedUpdate {
            changes: Vec::new(),
            quarantined: Vec::new(),
            refused: None,
            standing: None,
            hidden: Vec::new(),
            warnings: Vec::new(),
            missing: Vec::new(),
            parties: (verdicts.iter())
                .map(|verdict| PartyAnswer {
                    party: "`pool`".to_owned(),
                    verdict: verdict.clone(),
                })
                .collect(),
            notes: unasked.iter().map(|one| one.text.clone()).collect(),
            unasked: unasked.into_iter().cloned().collect(),
            files: Vec::new(),
        };
        let vetoed = PartyVerdict::Vetoed("full".to_owned());
        let text = "not asked".to_owned();
        let party = Placeless::of_party(text.clone());
        let about = "layer";
        let layer = Placeless { about, text };
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
            (&[], Some(&party), NOT_LOOKED_AT, "unknown"),
            (&[], Some(&layer), NOT_LOOKED_AT, "unknown"),
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
                let about = unasked.map_or("party", |one| one.about);
                if output == OutputFormat::GitHub && code != GOOD {
                    assert!(out.contains(&format!("::error title={about}::")), "{out}");
                }
                if output == OutputFormat::Sarif && code != GOOD {
                    // Who reads the log alone is not to take it for clean.
                    let log: serde_json::Value = serde_json::from_str(&out).unwrap();
                    let first = &log["runs"][0]["results"][0];
                    assert_eq!(
                        (&first["level"], &first["ruleId"]),
                        (&json!("error"), &json!(about))
                    );
                }
                if output == OutputFormat::Json {
                    assert!(out.contains(&format!("\"verdict\": \"{word}\"")), "{out}");
                }
            }
        }
    }
}
