//! The head of the page: the state in one word and colour, and when it is shown as stale.

use super::super::html::{Html, ReadAt};
use crate::{State, Status, inspect::ConfigFingerprint, source::Health};

/// The name of the page.
pub(in super::super) fn title(status: &Status) -> String {
    let name = crate::problem::escaped(&status.name);
    format!("{} · {name}", word(status))
}

/// The state in a word; one that counts more where a source is lost.
fn word(status: &Status) -> &'static str {
    match status.state {
        _ if !status.running && status.generation > 0 => "not watched",
        State::Healthy if is_stale(status) => "out of date",
        state => state.as_str(),
    }
}

/// How bad that is.
fn tone(status: &Status) -> &'static str {
    match status.state {
        State::Empty => "bad",
        State::Degraded => "bad",
        State::Loading => "warn",
        State::Healthy if is_stale(status) || !status.running => "warn",
        State::Healthy => "good",
    }
}

fn is_stale(status: &Status) -> bool {
    let mut layers = status.layers.iter();
    layers.any(|layer| matches!(layer.health, Health::Stale { .. }))
}

pub(super) fn head(status: &Status, fingerprint: Option<ConfigFingerprint>, now: ReadAt) -> Html {
    let mut html = Html::new();
    html.raw("<div class=\"state ")
        .raw(tone(status))
        .raw("\"><h1><span class=\"word\">");
    html.text(word(status)).raw("</span> <span class=\"name\">");
    html.text(&status.name).raw("</span></h1><p>");
    html.raw(match status.state {
        State::Healthy => "The newest content that is known of every layer is applied.",
        State::Degraded => {
            "The newest change is not applied; readers keep what was applied before."
        }
        State::Loading => "No configuration is applied yet.",
        State::Empty => "The first configuration is refused, and nothing is applied.",
    });
    html.raw(" In this state since ")
        .time(status.since, now)
        .raw(".</p><p>");
    match status.applied {
        Some(at) if status.generation > 0 => {
            html.raw("Readers see <b>generation <span id=\"generation\">");
            html.text(status.generation).raw("</span></b>, applied ");
            html.time(at, now).raw(".");
        }
        _ => {
            html.raw("Readers see <b>nothing</b>.");
        }
    }
    html.raw("</p>");
    if let Some(fingerprint) = fingerprint {
        html.raw("<p class=\"fingerprint\">Fingerprint <code>");
        html.text(fingerprint).raw("</code>");
        html.raw(match fingerprint.is_partial() {
            true => ", of what is known; some values are not. Secrets are not compared.</p>",
            false => ", equal in all instances with these values; secrets are not compared.</p>",
        });
    }
    let remarks = [
        (!status.running, "Its sources are not watched."),
        (
            status.pinned,
            "It is pinned: newer content waits until it is unpinned.",
        ),
    ];
    let is_tried = status.on_probation || status.trial.is_some();
    if is_tried || remarks.iter().any(|(holds, _)| *holds) {
        html.raw("<ul class=\"remarks\">");
        for (_, remark) in remarks.iter().filter(|(holds, _)| *holds) {
            html.raw("<li>").raw(remark).raw("</li>");
        }
        tried(&mut html, status, now);
        html.raw("</ul>");
    }
    html.raw("</div>");
    html
}

/// What may still be held against what readers see, and until when.
fn tried(html: &mut Html, status: &Status, now: ReadAt) {
    if status.on_probation {
        html.raw("<li>It is on probation, and taken back if the program turns unhealthy");
        if let Some(probation) = &status.probation {
            html.raw(": since ").time(probation.since, now);
            html.raw(", until ").time(probation.until, now);
        }
        html.raw(".</li>");
    }
    if let Some(trial) = &status.trial {
        html.raw("<li>It is on trial: the death of the process is held against it, since ");
        html.time(trial.since, now).raw(", until ");
        html.time(trial.until, now);
        if let Some(died) = trial.died() {
            html.raw("; ").text(died);
        }
        html.raw(".</li>");
    }
}
