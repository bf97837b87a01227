//! Which refusals `blame` names for a path: those of problems at it, and those of stages and parties that would have changed it.

use super::{BlameOutcome, BlamedChange, Blaming, ChangedSetting};
use crate::{
    Report,
    engine::GenerationOutcome,
    inspect::{explanation::Setting, item::Effect},
    problem::{KeyPath, ProblemKind, escaped},
    report::Problem,
};
use std::time::SystemTime;

impl Blaming<'_> {
    /// The refusals that are about the path, each once.
    pub(super) fn refused(&self) -> Vec<BlamedChange> {
        let mut all: Vec<(SystemTime, &Report)> = Vec::new();
        for refusal in &self.status.history {
            // What is tried again is refused again.
            if all.last().is_none_or(|(_, last)| **last != refusal.report) {
                all.push((refusal.at, &refusal.report));
            }
        }
        if let Some(newest) = &self.status.error
            && all.last().is_none_or(|(_, last)| *last != newest)
        {
            all.push((self.status.since, newest));
        }
        let all = all.into_iter();
        all.filter_map(|(at, report)| self.refusal(at, report))
            .collect()
    }

    fn refusal(&self, at: SystemTime, report: &Report) -> Option<BlamedChange> {
        let would_change = self.changed_by(report);
        // A layer that is gone has no number, but its name.
        let is_of_layer = |problem: &Problem| {
            problem.layer.is_some() || !["", "pipeline", "group"].contains(&&*problem.origin)
        };
        let is_whole = |problem: &Problem| {
            problem.path.is_empty() && !is_of_layer(problem) && !self.path.is_empty()
        };
        // That has a generation with its reason.
        let mut generations = self.status.generations.iter();
        let is_back = generations.any(|one| matches!(one.outcome, GenerationOutcome::TakenBack(_)));
        let is_way_back = |problem: &Problem| {
            let is_taken_back = problem.kind == ProblemKind::TakenBack;
            is_back && is_taken_back && problem.message.starts_with("is taken back")
        };
        let about = report.problems().iter().filter(|problem| {
            !problem.is_warning()
                && !is_way_back(problem)
                && match is_whole(problem) {
                    // Code of the program refused what would have changed the path.
                    true => would_change.is_some(),
                    false => self.overlaps(problem.path.steps()),
                }
        });
        let (mut origins, mut settings) = (Vec::<String>::new(), Vec::new());
        for problem in about {
            if !problem.origin.is_empty() && !origins.contains(&problem.origin) {
                origins.push(problem.origin.clone());
            }
            let by = problem.layer.map(|layer| Setting {
                origin: problem.origin.clone(),
                layer,
                variable: problem.variable.clone(),
                argument: problem.argument.clone(),
                line: problem.line,
                column: problem.column,
                revision: None,
                value: None,
                effect: Effect::Shadowed,
            });
            let path = would_change.as_ref().filter(|_| is_whole(problem));
            settings.push(ChangedSetting {
                path: path.unwrap_or(&problem.path).clone(),
                old: None,
                new: None,
                by,
                is_default: false,
                problem: Some(problem.message.clone()),
                printed: [None, None],
            });
        }
        (!settings.is_empty()).then_some(BlamedChange {
            at,
            generation: None,
            origins,
            outcome: BlameOutcome::Refused,
            settings,
        })
    }

    /// That the newest content of a layer is not applied for reasons that are not about the path: what it has there is held back too.
    pub(super) fn held_back(&self) -> Vec<String> {
        let problems = self
            .status
            .error
            .iter()
            .flat_map(|report| report.problems());
        let problems: Vec<&Problem> = problems.filter(|one| !one.is_warning()).collect();
        let layers = self.status.layers.iter().enumerate();
        let refused = layers.filter(|(_, layer)| layer.refused);
        let held = refused.filter_map(|(number, layer)| {
            let own = problems.iter().filter(|one| one.layer == Some(number));
            let own: Vec<&&Problem> = own.filter(|one| !one.path.is_empty()).collect();
            let first = own.first()?;
            if self.path.is_empty() || own.iter().any(|one| self.overlaps(one.path.steps())) {
                return None;
            }
            let place = first.place().map_or(String::new(), |place| format!(" ({place})"));
            let more = match own.len() {
                1 => String::new(),
                count => format!(" and {} more", count - 1),
            };
            Some(format!(
                "the newest content of {} is not applied, since `{}`{place}{more} is refused: what it has for this is held back with it",
                escaped(&layer.origin),
                first.path,
            ))
        });
        held.collect()
    }

    /// What the refused update would have changed at the path, as one path; none where that is nothing, or is not known.
    fn changed_by(&self, report: &Report) -> Option<KeyPath> {
        let changed = report.changed().iter();
        let changed = changed.filter_map(|path| path.parse::<KeyPath>().ok());
        let mut changed = changed.filter(|path| self.overlaps(path.steps()));
        let first = changed.next()?;
        let is_only = changed.next().is_none();
        match is_only && first.steps().starts_with(self.path) {
            true => Some(first),
            false => Some(KeyPath::new(self.path)),
        }
    }
}
