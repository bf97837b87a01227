//! The whole document of the page: its parts, links, search and the form of a plan. Every link is a query alone, so that it holds
//! with and without a slash behind the prefix.

use super::{
    super::{
        html::Html,
        picture::{Picture, all},
    },
    PageParts, title,
};
use crate::{Status, engine::ServedLayer};
use std::{collections::HashMap, time::SystemTime};

/// What a page is made of.
pub(in super::super) struct PageDocument<'a> {
    pub(in super::super) picture: &'a Picture,
    /// The name of the picture.
    pub(in super::super) name: &'a str,
    /// What is looked for.
    pub(in super::super) search: &'a str,
    /// Where more than reading is allowed.
    pub(in super::super) token: Option<&'a str>,
    pub(in super::super) has_metrics: bool,
}

pub(super) const BEGIN: &str = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
    <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
    <meta name=\"color-scheme\" content=\"light dark\"><meta name=\"robots\" content=\"noindex\">\
    <link rel=\"icon\" href=\"?icon.svg\"><link rel=\"stylesheet\" href=\"?page.css\"><title>";

pub(in super::super) fn document(page: &PageDocument<'_>) -> Html {
    let status = &page.picture.status;
    let now = SystemTime::now();
    let picture = page.picture;
    let fingerprint = picture.survey.as_ref().map(|survey| survey.fingerprint);
    let parts = PageParts::of(status, &picture.diffs, fingerprint, Some(now));
    let [head, problems, control, layers, generations] = parts.each().map(|(_, part)| part);
    let mut html = Html::new();
    html.raw(BEGIN)
        .text(title(status))
        .raw("</title></head><body data-picture=\"");
    html.text(page.name)
        .raw("\"><nav aria-label=\"Parts of the page\"><a href=\"#layers\">Layers</a> <a href=\"#generations\">Generations</a> <a href=\"#settings\">Settings</a></nav>");
    html.raw("<p id=\"live\" role=\"status\"><noscript>As of ")
        .time(now, None);
    html.raw(
        "; <a href=\"?\">load it again</a> for what is new.</noscript></p><header id=\"head\">",
    );
    html.html(head)
        .raw("</header><main><div id=\"problems\">")
        .html(problems);
    html.raw("</div>");
    if let Some(token) = page.token {
        html.raw("<form class=\"orders\" method=\"post\" action=\"?\"><input type=\"hidden\" name=\"token\" value=\"");
        // The first button is the one of the Enter key, which must do nothing.
        html.text(token)
            .raw("\"><button hidden disabled></button><div id=\"control\">")
            .html(control)
            .raw("</div></form>");
        plan_form(&mut html, token, status);
    }
    html.raw("<section><h2>Layers</h2><div id=\"layers\">")
        .html(layers);
    html.raw("</div>");
    place(&mut html);
    html.raw("</section><section><h2>Generations</h2><div id=\"generations\">")
        .html(generations);
    html.raw("</div></section><section id=\"settings\"><h2>Settings</h2>");
    settings(&mut html, page);
    html.raw("</section></main><footer><p>The same as data: ");
    for (route, name) in [
        ("?status.json", "status"),
        ("?settings.json", "settings"),
        ("?effective.json", "effective configuration"),
        ("?effective.yaml", "as YAML"),
        ("?effective.toml", "as TOML"),
        ("?fingerprint.json", "fingerprint"),
        ("?silent.json", "without effect"),
        ("?healthz", "health"),
    ] {
        link(&mut html, route, name);
    }
    if page.has_metrics {
        html.raw("<a href=\"?metrics\">metrics</a> ");
    }
    html.raw("</p><p>What may be written: ");
    for (route, name) in [
        ("?reference.md", "reference"),
        ("?template.yaml", "template"),
        ("?variables.env", "variables"),
        ("?schema.json", "JSON Schema"),
    ] {
        link(&mut html, route, name);
    }
    html.raw("</p>");
    if page.token.is_none() {
        html.raw("<p>This page is read-only.</p>");
    }
    html.raw("</footer><script src=\"?page.js\"></script></body></html>");
    html
}

fn link(html: &mut Html, route: &'static str, name: &'static str) {
    html.raw("<a href=\"").raw(route).raw("\">");
    html.raw(name).raw("</a> ");
}

/// Where files with relative paths are: what a layer is called does not show it.
fn place(html: &mut Html) {
    let Ok(folder) = std::env::current_dir() else {
        return;
    };
    html.raw("<p class=\"place\">Relative paths are in <code>")
        .text(folder.display());
    html.raw("</code>, the folder of process ")
        .text(std::process::id())
        .raw(".</p>");
}

/// Asks what a document would change. It is no part that is replaced, so that a text that is being written stays.
fn plan_form(html: &mut Html, token: &str, status: &Status) {
    let served = status.served.layers.iter().enumerate();
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for (_, layer) in served.clone() {
        *counts.entry(&*layer.origin).or_default() += 1;
    }
    // A folder has no document of its own: each of its files has.
    let has_document = |(_, one): &(usize, &ServedLayer)| one.decoder.is_some() && !one.is_folder;
    let mut layers = served.rev().filter(has_document).peekable();
    if layers.peek().is_none() {
        return;
    }
    html.raw("<form class=\"orders\" method=\"post\" action=\"?plan\"><input type=\"hidden\" name=\"token\" value=\"");
    html.text(token).raw(
        "\"><details id=\"plan\"><summary>What would a document change ..</summary><p>It is judged as if the layer contained it now; \
         the parties of the program prepare and roll back, and nothing is applied.</p><p><label>Layer <select name=\"layer\">",
    );
    for (number, layer) in layers {
        // Not its number: files come and go while a text is written.
        html.raw("<option value=\"").text(&layer.origin);
        let same = |one: &&ServedLayer| one.origin == layer.origin;
        if counts.get(&*layer.origin).is_some_and(|count| *count > 1) {
            let before = status.served.layers.iter().take(number);
            html.text(format_args!("#{}", before.filter(same).count() + 1));
        }
        html.raw("\">").short(&layer.origin).raw("</option>");
    }
    html.raw(
        "</select></label></p><p><label>Document <textarea name=\"document\" rows=\"12\" spellcheck=\"false\" autocomplete=\"off\">\
         </textarea></label></p><button>Show what it would change</button></details></form>",
    );
}

/// The search, and the settings that it finds.
fn settings(html: &mut Html, page: &PageDocument<'_>) {
    html.raw("<form role=\"search\" method=\"get\" action=\"?\"><label>Search <input type=\"search\" name=\"q\" id=\"search\" value=\"");
    html.text(page.search).raw(
        "\" autocomplete=\"off\" accesskey=\"s\" placeholder=\"path, value or origin\"></label> ",
    );
    html.raw("<button>Search</button> <output id=\"count\">");
    let searched = page.search.to_lowercase();
    let wanted: Vec<&str> = searched.split_whitespace().collect();
    let rows = &page.picture.rows;
    let found: Vec<_> = (rows.iter())
        .map(|row| &**row)
        .filter(|row| wanted.iter().all(|word| row.words.contains(word)))
        .collect();
    html.text(found.len())
        .raw(" of ")
        .text(rows.len())
        .raw("</output></form>");
    // With script, the first event brings the others, and the search hides them.
    html.raw("<div id=\"rows\">")
        .html(&all(found))
        .raw("</div>");
    if rows.is_empty() {
        html.raw("<p>There are none as long as no configuration is applied.</p>");
    }
    html.raw("<div class=\"more\"><a href=\"?silent\">What is written and has no effect</a></div>");
}
