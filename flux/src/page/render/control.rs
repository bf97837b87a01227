//! The buttons of the page: roll back, pin, trust.

use super::super::html::Html;
use crate::{Status, capacitor::GenerationOutcome};

pub(super) fn control(status: &Status) -> Html {
    let mut html = Html::new();
    html.raw(match status.pinned {
        true => "<button formaction=\"?unpin\">Unpin: take up what has come meanwhile</button>",
        false => {
            "<button formaction=\"?pin\">Pin: keep this configuration, whatever comes</button>"
        }
    });
    // A probation is ended by its own check and its time alone.
    let passes = status.trial.is_some() && !status.on_probation;
    if passes || !status.quarantined.is_empty() {
        html.raw(match status.quarantined.is_empty() {
            true => "<button formaction=\"?trust\">Trust: the trial of this configuration is passed</button>",
            false => {
                "<button formaction=\"?trust\">Trust: try what is in quarantine again; one more death puts it back</button>"
            }
        });
    }
    let is_good = |outcome: &GenerationOutcome| !matches!(outcome, GenerationOutcome::TakenBack(_));
    let earlier = status.generations.iter().rev();
    let earlier = earlier.filter(|one| one.number != status.generation);
    let mut earlier = earlier.peekable();
    if earlier.peek().is_none() {
        html.raw("<p>There is no other generation to go back to.</p>");
        return html;
    }
    html.raw(
        "<details id=\"rollback\"><summary>Roll back ..</summary><p>Readers see the chosen generation at once, and what the layers contain \
         now is not tried again until it changes. The next process starts with what the sources contain then: correct them before \
         it does.</p><label>Generation <select name=\"to\">",
    );
    for one in earlier {
        html.raw("<option value=\"").text(one.number).raw("\">");
        html.text(one.number);
        if !is_good(&one.outcome) {
            html.raw(" (taken back)");
        }
        if let Some(path) = one.changed.first() {
            html.raw(", which changed ").short(path);
            if one.changed.len() > 1 {
                html.raw(" and ").text(one.changed.len() - 1).raw(" more");
            }
        }
        html.raw("</option>");
    }
    html.raw("</select></label> <button formaction=\"?rollback\">Roll back</button></details>");
    html
}
