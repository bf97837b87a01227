//! What the report says of a setting whose newest content is not applied: an explanation is about what readers see, and its places are
//! those of the content before.

use crate::{engine::Status, inspect::explanation::Explanation, problem::escaped, report::Problem};

/// So many problems are quoted; the report has all.
const MOST: usize = 3;

/// The notes on what is explained: of each layer whose newest content is wrong there.
pub(super) fn notes(one: &Explanation, status: &Status) -> Vec<String> {
    let problems = status.error.as_ref().map(|report| report.problems());
    let path = one.path.steps();
    let is_about = |problem: &&Problem| {
        let steps = problem.path.steps();
        !problem.is_warning()
            && !steps.is_empty()
            && (steps.starts_with(path) || path.starts_with(steps))
    };
    let mut notes = Vec::new();
    for (layer, known) in status.layers.iter().enumerate() {
        if !known.refused {
            continue;
        }
        let problems = problems.into_iter().flatten();
        let about = problems.filter(|problem| problem.layer == Some(layer));
        let told: Vec<String> = about
            .filter(is_about)
            .map(|problem| quoted(problem, one))
            .collect();
        if told.is_empty() {
            continue;
        }
        let origin = escaped(&known.origin);
        let more = match told.len().saturating_sub(MOST) {
            0 => String::new(),
            more => format!("; and {more} more"),
        };
        let told: Vec<_> = told.into_iter().take(MOST).collect();
        let told = told.join("; ");
        let is_set = one.settings.iter().any(|setting| setting.layer == layer);
        let before = match is_set {
            true => "; above are the value and the place of before",
            false => "",
        };
        notes.push(format!(
            "the newest content of {origin} is not applied: {told}{more}{before}"
        ));
    }
    notes
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
