//! How the page shows what is wrong: the refusal with its snippets, sources that are lost, what waits, and warnings.

use super::super::html::{Html, ReadAt};
use crate::{Report, Status, report::Problem, source::Health};

/// The most paths that are listed.
pub(super) const MOST_PATHS: usize = 50;

pub(super) fn problems(status: &Status, now: ReadAt) -> Html {
    let mut html = Html::new();
    if let Some(report) = &status.error {
        html.raw("<section class=\"refused\" aria-labelledby=\"refused\"><h2 id=\"refused\">");
        html.text(headline(report)).raw("</h2>");
        for problem in report.problems() {
            article(&mut html, problem);
        }
        html.raw("</section>");
    }
    let mut notices = Html::new();
    for layer in &status.layers {
        if let Health::Stale { since, error, .. } = &layer.health {
            notices
                .raw("<li><b>Out of date:</b> <code>")
                .short(&layer.origin);
            notices.raw("</code> since ").time(*since, now).raw(": ");
            notices.short(&error.to_string()).raw("</li>");
        }
    }
    for content in &status.quarantined {
        notices
            .raw("<li><b>In quarantine</b> until ")
            .time(content.until, now);
        notices
            .raw(": <code>")
            .short(&content.origin)
            .raw("</code>, with which ");
        notices.text(content.deaths).raw(" processes died. ");
        paths(&mut notices, &content.changed);
        notices.raw("</li>");
    }
    let disk = [
        status
            .last_known_good
            .as_ref()
            .and_then(|file| file.problem.as_ref()),
        status
            .trial_record
            .as_ref()
            .and_then(|file| file.problem.as_ref()),
    ];
    for problem in disk.into_iter().flatten() {
        notices
            .raw("<li><b>On disk:</b> ")
            .short(problem)
            .raw("</li>");
    }
    if !status.secrets_by_default.is_empty() {
        notices.raw("<li><b>By default, since the last known good file contains no secrets:</b> ");
        paths(&mut notices, &status.secrets_by_default);
        notices.raw("</li>");
    }
    if !status.pending_restart.is_empty() {
        notices.raw("<li><b>Waits for a restart of the program:</b> ");
        paths(&mut notices, &status.pending_restart);
        notices.raw("</li>");
    }
    if let Some(since) = status.under_way {
        notices
            .raw("<li><b>An update is under way</b> since ")
            .time(since, now);
        notices.raw(".</li>");
    }
    if !notices.as_str().is_empty() {
        html.raw("<section class=\"notices\"><h2>Notices</h2><ul>")
            .html(&notices);
        html.raw("</ul></section>");
    }
    if !status.warnings.is_empty() {
        html.raw("<section class=\"warnings\"><h2>Warnings</h2>");
        for problem in &status.warnings {
            article(&mut html, problem);
        }
        html.raw("</section>");
    }
    html
}

/// The first line of a report.
pub(super) fn headline(report: &Report) -> String {
    let text = report.to_string();
    text.lines().next().unwrap_or_default().to_owned()
}

/// Paths, and how many more there are.
pub(super) fn paths(html: &mut Html, paths: &[impl AsRef<str>]) {
    for (at, path) in paths.iter().take(MOST_PATHS).enumerate() {
        html.raw(if at > 0 { ", <code>" } else { "<code>" });
        html.short(path.as_ref()).raw("</code>");
    }
    if paths.len() > MOST_PATHS {
        html.raw(" and ")
            .text(paths.len() - MOST_PATHS)
            .raw(" more");
    }
}

fn article(html: &mut Html, problem: &Problem) {
    html.raw("<article class=\"problem\"><p class=\"what\">");
    if !problem.path.is_empty() {
        html.raw("<code>").text(&problem.path).raw("</code> ");
    }
    html.text(&problem.message).raw("</p>");
    if let Some(place) = problem.place() {
        html.raw("<p class=\"where\">").text(place).raw("</p>");
    }
    if let Some((line, snippet, blanks)) = problem.marked() {
        let number = line.to_string();
        let margin = " ".repeat(number.len());
        html.raw("<pre>")
            .text(&number)
            .raw(" | ")
            .line(snippet)
            .raw("\n");
        html.text(margin)
            .raw(" | ")
            .line(blanks)
            .raw("<b>^</b></pre>");
    }
    html.raw("</article>");
}
