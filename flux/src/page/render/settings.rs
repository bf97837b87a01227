//! How the page shows a setting: its value and its origin in one line, and the explanation below it.

use super::super::html::Html;
use crate::{
    inspect::{ConfigValue, Effect, Explanation, Setting, ValueOrigin},
    problem::shortened,
};

/// Longer values are cut in the line.
const WIDEST: usize = 80;

pub(in super::super) fn row(one: &Explanation) -> Html {
    let mut html = Html::new();
    html.raw("<details class=\"row\" data-path=\"")
        .text(&one.path);
    html.raw("\"><summary><code class=\"path\">")
        .short(one.path.as_str());
    html.raw("</code> <span class=\"value\">");
    value(&mut html, one);
    html.raw("</span> <span class=\"from\">")
        .short(&origin(one))
        .raw("</span>");
    let hidden = one.shadowed().count();
    if hidden > 0 {
        html.raw(" <span class=\"badge\">hides ")
            .text(hidden)
            .raw("</span>");
    }
    if !one.notes.is_empty() {
        html.raw(" <span class=\"badge warn\">note</span>");
    }
    html.raw("</summary><dl>");
    for note in &one.notes {
        term(&mut html, "note", |html| html.short(note));
    }
    for setting in &one.settings {
        let name = match setting.effect {
            Effect::Decides => "decides",
            Effect::Contributes => "part of it",
            Effect::Shadowed => "hidden",
        };
        term(&mut html, name, |html| contains(html, setting));
    }
    if let Some(default) = &one.default {
        term(&mut html, "default", |html| {
            html.short(&default.to_string())
        });
    }
    if !one.type_name.is_empty() {
        term(&mut html, "type", |html| {
            html.raw("<code>").short(one.type_name).raw("</code>");
            html.raw(if one.is_required { ", required" } else { "" })
        });
    }
    for rule in &one.rules {
        term(&mut html, "rule", |html| html.short(rule));
    }
    for rule in &one.change_rules {
        term(&mut html, "on change", |html| html.short(rule));
    }
    if !one.variables.is_empty() {
        term(&mut html, "variable", |html| {
            html.short(&one.variables.join(", "))
        });
    }
    if let Some(argument) = &one.argument {
        term(&mut html, "argument", |html| html.short(argument));
    }
    if !one.aliases.is_empty() {
        term(&mut html, "alias", |html| {
            html.short(&one.aliases.join(", "))
        });
    }
    if let Some(deprecated) = &one.deprecated {
        term(&mut html, "note", |html| html.short(deprecated));
    }
    if let Some(accessor) = one.accessor {
        term(&mut html, "hot", |html| {
            html.raw("read by <code>").short(accessor).raw("()</code>")
        });
    }
    if !one.docs.is_empty() {
        term(&mut html, "docs", |html| html.short(&one.docs));
    }
    html.raw("</dl></details>");
    html
}

/// A line of the explanation.
fn term<'h>(
    html: &'h mut Html,
    name: &'static str,
    value: impl FnOnce(&'h mut Html) -> &'h mut Html,
) {
    html.raw("<dt>").raw(name).raw("</dt><dd>");
    value(html).raw("</dd>");
}

fn contains<'h>(html: &'h mut Html, setting: &Setting) -> &'h mut Html {
    html.raw("<code>")
        .short(&setting.to_string())
        .raw("</code>");
    match &setting.value {
        Some(value) => html.raw(" ").short(&value.to_string()),
        None => html,
    }
}

fn value(html: &mut Html, one: &Explanation) {
    if let Some(words) = instead(one) {
        html.raw("<i>").raw(words).raw("</i>");
        return;
    }
    let text = match (&one.value, &one.default) {
        (Some(value), _) => value.to_string(),
        (None, Some(default)) => default.text.clone().unwrap_or_default(),
        (None, None) => String::new(),
    };
    match text.char_indices().nth(WIDEST) {
        Some((end, _)) => html.text(&text[..end]).raw(" .."),
        None => html.text(&text),
    };
}

/// What is shown in the place of a value, where there is none to show.
fn instead(one: &Explanation) -> Option<&'static str> {
    match (&one.value, one.from) {
        (Some(ConfigValue::Secret), ValueOrigin::Default) => Some("secret, its default"),
        (Some(ConfigValue::Secret), _) => Some("secret, set"),
        (Some(_), _) => None,
        (None, ValueOrigin::Parts) => Some("empty"),
        (None, ValueOrigin::Nothing) => Some("not set"),
        (None, ValueOrigin::Missing) => Some("not set by any layer that can be read"),
        (None, ValueOrigin::Default) => match &one.default {
            Some(default) if default.text.is_some() => None,
            _ => Some("its default"),
        },
        (None, ValueOrigin::Layers | ValueOrigin::Stage | ValueOrigin::Reducer) => {
            Some("known to the program alone")
        }
    }
}

/// Where the value comes from, in a few words.
fn origin(one: &Explanation) -> String {
    match one.from {
        ValueOrigin::Default => "default".to_owned(),
        ValueOrigin::Layers => {
            let settings = one.settings.iter();
            let set = settings.filter(|one| one.effect != Effect::Shadowed);
            let set: Vec<String> = set.map(ToString::to_string).collect();
            set.join(", ")
        }
        ValueOrigin::Stage => "a stage of the program".to_owned(),
        ValueOrigin::Reducer => "the program's reducer".to_owned(),
        ValueOrigin::Nothing | ValueOrigin::Missing | ValueOrigin::Parts => String::new(),
    }
}

/// What a search looks at: all that the page shows of the setting, but for the names of the lines of its explanation, which are in
/// nearly all of them. The script of the page looks at the same.
pub(in super::super) fn words(one: &Explanation) -> String {
    let mut words = one.path.to_string();
    let mut add = |text: &str| {
        words.push(' ');
        words.push_str(text);
    };
    match (instead(one), &one.value) {
        (Some(words), _) => add(words),
        (None, Some(value)) => add(&value.to_string()),
        (None, None) => {}
    }
    add(&origin(one));
    match one.shadowed().count() {
        0 => {}
        hidden => add(&format!("hides {hidden}")),
    }
    if !one.notes.is_empty() {
        add("note");
    }
    for setting in &one.settings {
        add(&setting.to_string());
        if let Some(value) = &setting.value {
            add(&shortened(&value.to_string()));
        }
    }
    if let Some(default) = &one.default {
        add(&default.to_string());
    }
    let lists = [&one.notes, &one.rules, &one.change_rules, &one.variables];
    for text in lists.into_iter().flatten().chain(&one.argument) {
        add(text);
    }
    for text in one.aliases.iter().chain(&one.accessor) {
        add(text);
    }
    add(one.type_name);
    if one.is_required {
        add("required");
    }
    add(&one.docs);
    words.to_lowercase()
}
