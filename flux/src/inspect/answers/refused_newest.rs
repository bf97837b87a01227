//! What the report says of a setting whose newest content is not applied: an explanation is about what readers see, and its places are
//! those of the content before.

use crate::{
    engine::Status,
    inspect::{explanation::Explanation, path_set::PathSet},
    problem::escaped,
    report::Problem,
};

/// So many problems are quoted; the report has all.
const MOST: usize = 3;

/// What the report says of layers whose newest content is not applied.
pub(super) struct RefusedNewest<'s> {
    /// With the layer's origin.
    problems: Vec<(&'s str, &'s Problem)>,
    paths: PathSet,
}

impl<'s> RefusedNewest<'s> {
    pub(super) fn of(status: &'s Status) -> Self {
        let problems = status.error.iter().flat_map(|report| report.problems());
        let refused = problems.filter(|one| !one.is_warning() && !one.path.steps().is_empty());
        let of_layers = refused.filter_map(|one| {
            let layer = status.layers.get(one.layer?)?;
            layer.refused.then_some((&*layer.origin, one))
        });
        let problems: Vec<_> = of_layers.collect();
        let paths = problems.iter().map(|(_, one)| one.path.steps()).collect();
        RefusedNewest { problems, paths }
    }

    /// Adds a note for each layer whose newest content is wrong at what is explained. For most settings there is none.
    pub(super) fn note(&self, one: &mut Explanation) {
        let path = one.path.steps();
        if !self.paths.overlaps(path) {
            return;
        }
        let is_about = |problem: &Problem| {
            let steps = problem.path.steps();
            steps.starts_with(path) || path.starts_with(steps)
        };
        let mut told: Vec<(&str, usize, Vec<String>)> = Vec::new();
        for (origin, problem) in &self.problems {
            if !is_about(problem) {
                continue;
            }
            let at = told.iter().position(|(known, ..)| known == origin);
            let at = at.unwrap_or_else(|| {
                told.push((origin, 0, Vec::new()));
                told.len() - 1
            });
            let (_, more, texts) = &mut told[at];
            match texts.len() < MOST {
                true => texts.push(quoted(problem, one)),
                false => *more += 1,
            }
        }
        let notes = told.into_iter().map(|(origin, more, texts)| {
            let is_set = one.settings.iter().any(|setting| setting.origin == origin);
            let before = match is_set {
                true => "; above are the value and the place of before",
                false => "",
            };
            let more = match more {
                0 => String::new(),
                more => format!("; and {more} more"),
            };
            let (origin, told) = (escaped(origin), texts.join("; "));
            format!("the newest content of {origin} is not applied: {told}{more}{before}")
        });
        let notes: Vec<_> = notes.collect();
        one.notes.extend(notes);
    }
}

/// What the report says, and where.
fn quoted(problem: &Problem, one: &Explanation) -> String {
    let path = match problem.path == one.path {
        true => String::new(),
        false => format!("{}: ", problem.path),
    };
    let at = match (problem.line, problem.column, &problem.variable) {
        (Some(line), Some(column), _) => format!(" ({}:{line}:{column})", problem.origin),
        (_, _, Some(variable)) => format!(" ({variable})"),
        _ => String::new(),
    };
    format!("{path}{}{at}", problem.message)
}
