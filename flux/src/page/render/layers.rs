//! How the page shows the layers, highest precedence first, with their health.

use super::super::html::{Html, ReadAt};
use crate::{Status, capacitor::LayerStatus, source::Health};

pub(super) fn layers(status: &Status, now: ReadAt) -> Html {
    let mut html = Html::new();
    if status.layers.is_empty() {
        html.raw("<p>None is known yet.</p>");
        return html;
    }
    html.raw(
        "<table><thead><tr><th scope=\"col\">Layer, the highest first</th><th scope=\"col\">Health</th><th scope=\"col\">Changed</th>\
         <th scope=\"col\">Last known to be current</th></tr></thead><tbody>",
    );
    for layer in status.layers.iter().rev() {
        row(&mut html, layer, now);
    }
    html.raw("</tbody></table>");
    html
}

fn row(html: &mut Html, layer: &LayerStatus, now: ReadAt) {
    html.raw("<tr><th scope=\"row\"><code>")
        .short(&layer.origin)
        .raw("</code>");
    if let Some(revision) = &layer.revision {
        html.raw(" <small>revision ")
            .short(revision)
            .raw("</small>");
    }
    let (tone, word) = match &layer.health {
        Health::Starting => ("warn", "starting"),
        Health::Live => ("good", "live"),
        Health::Stale { .. } => ("bad", "stale"),
        Health::Closed => ("warn", "closed"),
    };
    html.raw("</th><td><span class=\"health ")
        .raw(tone)
        .raw("\">")
        .raw(word);
    html.raw("</span>");
    if !layer.present {
        html.raw(" no document");
    }
    if layer.refused {
        html.raw(" <b class=\"not-applied\">newest content not applied</b>");
    }
    html.raw("</td>");
    for at in [layer.changed, layer.proven()] {
        html.raw("<td>");
        match at {
            Some(at) => html.time(at, now),
            None => html.raw("never"),
        };
        html.raw("</td>");
    }
    html.raw("</tr>");
}
