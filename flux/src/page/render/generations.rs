//! How the page shows the generations that readers saw, newest first, and the refusals.

use super::{
    super::{
        diffs::GenerationDiffs,
        html::{Html, ReadAt},
    },
    problems::{headline, paths},
};
use crate::{
    Status,
    capacitor::{Generation, GenerationOutcome, Refusal},
    engine::LayerContent,
};

pub(super) fn generations(status: &Status, diffs: &GenerationDiffs, now: ReadAt) -> Html {
    let mut html = Html::new();
    let mut served = status.served.contents.iter();
    if status.generations.is_empty() {
        match status.generation {
            0 => html.raw("<p>None was applied yet.</p>"),
            now if served.any(|one| matches!(one, LayerContent::Kept(_))) => {
                html.raw("<p>What readers see, generation ").text(now);
                html.raw(", is from the last known good file: sources have not made one since the start.</p>")
            }
            _ => html.raw("<p>The program keeps none.</p>"),
        };
    } else {
        html.raw("<ol>");
        for one in status.generations.iter().rev() {
            generation(&mut html, one, one.number == status.generation, now);
            diff(&mut html, diffs.lines(one.number), one.changed.len());
            html.raw("</li>");
        }
        html.raw("</ol>");
    }
    if !status.history.is_empty() {
        html.raw("<h3>Refused</h3><ol>");
        for one in status.history.iter().rev() {
            refusal(&mut html, one, now);
        }
        html.raw("</ol>");
    }
    html
}

/// When, until when, and why; more than one problem is folded.
fn refusal(html: &mut Html, one: &Refusal, now: ReadAt) {
    html.raw("<li>").time(one.at, now);
    if let Some(healed) = one.healed {
        html.raw(", over at ").time(healed, now);
    }
    let problems = one.report.problems();
    let is_folded = problems.len() > 1;
    if is_folded {
        html.raw("<details><summary>").text(headline(&one.report));
        html.raw("</summary>");
    }
    html.raw("<ul class=\"diff\">");
    for problem in problems {
        html.raw("<li>");
        if !problem.path.is_empty() {
            html.text(&problem.path).raw(": ");
        }
        html.text(&problem.message);
        if let Some(place) = problem.place() {
            html.raw(" (").text(place).raw(")");
        }
        html.raw("</li>");
    }
    html.raw(if is_folded {
        "</ul></details></li>"
    } else {
        "</ul></li>"
    });
}

fn generation(html: &mut Html, one: &Generation, is_current: bool, now: ReadAt) {
    html.raw("<li><b>Generation ")
        .text(one.number)
        .raw("</b>, ");
    html.time(one.at, now);
    if is_current {
        html.raw(" <span class=\"health good\">what readers see</span>");
    }
    match &one.outcome {
        GenerationOutcome::Applied => {}
        GenerationOutcome::OnProbation => {
            html.raw(" <span class=\"health warn\">on probation</span>");
        }
        GenerationOutcome::TakenBack(reason) => {
            html.raw(" <span class=\"health bad\">taken back</span> ")
                .short(reason);
        }
    }
    if !one.origins.is_empty() {
        html.raw(" by ");
        paths(html, &one.origins);
    }
}

/// What a generation changed; many lines are folded.
fn diff(html: &mut Html, lines: &[String], count: usize) {
    match count {
        0 => return,
        1..=3 => {}
        _ => {
            html.raw("<details><summary>changed ").text(count);
            html.raw(" settings</summary>");
        }
    }
    html.raw("<ul class=\"diff\">");
    for line in lines {
        html.raw("<li>").short(line).raw("</li>");
    }
    if count > lines.len() {
        html.raw("<li>and ")
            .text(count - lines.len())
            .raw(" more</li>");
    }
    html.raw("</ul>");
    if count > 3 {
        html.raw("</details>");
    }
}
