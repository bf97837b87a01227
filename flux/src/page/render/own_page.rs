//! Pages of their own: what a document would change, what has no effect, and why an order was not carried out.

use super::{super::html::Html, document::BEGIN};
use crate::inspect::{PartyVerdict, PlannedUpdate, SilentSetting};

const END: &str = "<p><a href=\"?\">Back to the page</a></p></section></main></body></html>";

/// What a document would change.
pub(in super::super) fn planned(plan: &PlannedUpdate) -> Html {
    let is_any = |is: fn(&PartyVerdict) -> bool| plan.parties.iter().any(|one| is(&one.verdict));
    let is_refused = plan.refused.is_some() || is_any(|one| matches!(one, PartyVerdict::Vetoed(_)));
    let is_unknown =
        !plan.unasked.is_empty() || is_any(|one| matches!(one, PartyVerdict::NoAnswer));
    let mut html = Html::new();
    html.raw(BEGIN)
        .raw("What a document would change</title></head><body><main>");
    html.raw(match (is_refused, is_unknown) {
        (true, _) => "<section class=\"refused\"><h2>It would be refused</h2>",
        _ if !plan.quarantined.is_empty() => {
            "<section class=\"refused\"><h2>It would not be applied: content of it is in quarantine</h2>"
        }
        _ if plan.standing.is_some() => {
            "<section class=\"refused\"><h2>Nothing in it would be refused, and content of another layer is</h2>"
        }
        (false, true) => {
            "<section class=\"refused\"><h2>Not known: not everything that has a part in it gave an answer</h2>"
        }
        (false, false) => "<section><h2>Nothing in it would be refused</h2>",
    });
    html.raw(match plan.parties.is_empty() {
        true => "<p>Nothing was done. Stages of the program were not asked.</p><pre>",
        false => {
            "<p>Nothing was applied: what parties of the program prepared was rolled back. Its stages were not asked.</p><pre>"
        }
    });
    for line in plan.to_string().lines() {
        html.line(line).raw("\n");
    }
    html.raw("</pre>").raw(END);
    html
}

/// What is written in a layer and has no effect on what readers see.
pub(in super::super) fn silent(all: &[SilentSetting]) -> Html {
    let mut html = Html::new();
    html.raw(BEGIN)
        .raw("What has no effect</title></head><body><main><section><h2>What is written and has no effect</h2>");
    if all.is_empty() {
        html.raw("<p>There is nothing of that kind.</p>");
    } else {
        html.raw("<p>Without it the configuration would be the same.</p><ul>");
        for one in all {
            html.raw("<li>").short(&one.to_string()).raw("</li>");
        }
        html.raw("</ul>");
    }
    html.raw(END);
    html
}

/// What answers an order that was not carried out.
pub(in super::super) fn refused_order(error: &str) -> Html {
    let mut html = Html::new();
    html.raw(BEGIN).raw(
        "Not done</title></head><body><main><section class=\"refused\"><h2>Nothing was done</h2>",
    );
    for line in error.lines() {
        html.raw("<p>").short(line).raw("</p>");
    }
    html.raw(END);
    html
}
