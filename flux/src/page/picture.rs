//! What a page shows at one moment, and which parts of it differ from what it showed before.

use super::{
    diffs::GenerationDiffs,
    html::Html,
    render::{self, PageParts},
    subject::PageSubject,
};
use crate::{
    Status,
    engine::Served,
    inspect::{Explanation, Survey, SurveyedSetting},
    problem::KeyPath,
};
use serde_json::{Value, json};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

/// Everything of a page that changes.
pub(super) struct Picture {
    /// Increases with each picture that looks different.
    pub(super) number: u64,
    pub(super) status: Arc<Status>,
    /// Without ages, which the browser computes.
    pub(super) parts: PageParts,
    pub(super) rows: Arc<[Arc<Row>]>,
    pub(super) diffs: GenerationDiffs,
    /// Of what the rows are made; none before the first configuration.
    pub(super) survey: Option<Arc<Survey>>,
}

/// One setting.
#[derive(PartialEq, Eq)]
pub(super) struct Row {
    pub(super) path: KeyPath,
    pub(super) html: Html,
    /// What a search looks at, in lower case.
    pub(super) words: String,
}

impl Picture {
    /// The picture of this status. What `before` has of the same configuration is used again.
    pub(super) fn take(
        subject: &dyn PageSubject,
        status: Arc<Status>,
        before: Option<&Picture>,
    ) -> Self {
        let same = before.filter(|before| is_of_same(&before.status, &status));
        let survey = match same {
            Some(same) => same.survey.clone(),
            None => subject.survey(&status).map(Arc::new),
        };
        let known = before.and_then(|before| before.survey.as_deref());
        let rows = match (same, survey.as_deref()) {
            (Some(same), _) => Arc::clone(&same.rows),
            (None, Some(survey)) => rows_of(survey, before),
            (None, None) => Arc::default(),
        };
        let diffs = before.map(|before| &before.diffs);
        let diffs = GenerationDiffs::of(subject, &status, diffs, known, survey.as_deref());
        let fingerprint = survey.as_ref().map(|survey| survey.fingerprint);
        let parts = PageParts::of(&status, &diffs, fingerprint, None);
        let number = match before {
            Some(before) if before.parts == parts && Arc::ptr_eq(&before.rows, &rows) => {
                before.number
            }
            Some(before) => before.number + 1,
            None => 1,
        };
        Picture {
            number,
            status,
            parts,
            rows,
            diffs,
            survey,
        }
    }

    /// What must be replaced in a page that shows `before`: as little as possible, or everything.
    pub(super) fn changes_since(&self, before: Option<&Picture>, is_controlled: bool) -> Value {
        let old = before.map(|before| before.parts.each());
        let parts = self.parts.each().into_iter().enumerate();
        let parts: serde_json::Map<String, Value> = parts
            .filter(|(_, (name, _))| is_controlled || *name != "control")
            .filter(|(at, (_, part))| old.as_ref().is_none_or(|old| old[*at].1 != *part))
            .map(|(_, (name, part))| (name.to_owned(), part.as_str().into()))
            .collect();
        let title = render::title(&self.status);
        let rows = match before {
            Some(before) if Arc::ptr_eq(&before.rows, &self.rows) => json!({}),
            before => before
                .and_then(|before| rows_since(&before.rows, &self.rows))
                .unwrap_or_else(
                    || json!({ "all": all(self.rows.iter().map(|row| &**row)).as_str() }),
                ),
        };
        json!({ "title": title, "parts": parts, "rows": rows })
    }
}

/// Every row, one behind the other.
pub(super) fn all<'r>(rows: impl IntoIterator<Item = &'r Row>) -> Html {
    let mut html = Html::new();
    for row in rows {
        html.html(&row.html);
    }
    html
}

/// Whether the rows of both are the same.
fn is_of_same(before: &Status, now: &Status) -> bool {
    let contents = |status: &Status| {
        let Served { contents, .. } = &status.served;
        Arc::clone(contents)
    };
    before.generation == now.generation
        && Arc::ptr_eq(&contents(before), &contents(now))
        && before.pending_restart == now.pending_restart
}

/// The rows of a survey. Those of `before` that are the same are used again; where all are, the whole of them.
fn rows_of(survey: &Survey, before: Option<&Picture>) -> Arc<[Arc<Row>]> {
    let before = before.and_then(|before| Some((before.survey.as_deref()?, &before.rows)));
    let known = before.map_or(&[][..], |(_, rows)| rows);
    let paths: Vec<&KeyPath> = known.iter().map(|row| &row.path).collect();
    let settings = survey.settings(before.map(|(survey, _)| (survey, &paths[..])));
    let row = |one: SurveyedSetting| match one {
        SurveyedSetting::Known(number) => Arc::clone(&known[number]),
        SurveyedSetting::New(one) => Arc::new(Row::of(&one)),
    };
    let rows: Vec<Arc<Row>> = settings.into_iter().map(row).collect();
    match before {
        Some((_, known)) if is_same(known, &rows) => Arc::clone(known),
        _ => rows.into(),
    }
}

/// Whether both look the same.
fn is_same(known: &[Arc<Row>], rows: &[Arc<Row>]) -> bool {
    let mut both = known.iter().zip(rows);
    known.len() == rows.len() && both.all(|(known, row)| Arc::ptr_eq(known, row) || known == row)
}

impl Row {
    fn of(one: &Explanation) -> Self {
        Row {
            path: one.path.clone(),
            html: render::row(one),
            words: render::words(one),
        }
    }

    /// As an event has it.
    fn change(&self, behind: Option<&str>) -> Value {
        json!([self.path, self.html.as_str(), behind])
    }
}

/// The rows that are new or different, each with the path of the one before it; none where the order of the others is another one,
/// or more than half would be replaced.
fn rows_since(old: &[Arc<Row>], new: &[Arc<Row>]) -> Option<Value> {
    let mut both = old.iter().zip(new);
    let is_beside = old.len() == new.len() && both.all(|(old, new)| old.path == new.path);
    let (changed, gone) = match is_beside {
        true => (changed_beside(old, new), Vec::new()),
        false => moved(old, new)?,
    };
    if new.len() > 50 && changed.len() > new.len() / 2 {
        return None;
    }
    Some(json!({ "changed": changed, "gone": gone }))
}

/// What changed where the paths are the same.
fn changed_beside(old: &[Arc<Row>], new: &[Arc<Row>]) -> Vec<Value> {
    let both = old.iter().zip(new);
    let changed = both.filter(|(old, new)| !Arc::ptr_eq(old, new) && old.html != new.html);
    // Where they are is known.
    changed.map(|(_, row)| row.change(None)).collect()
}

/// What is new or changed, and the paths that are gone.
fn moved<'r>(old: &'r [Arc<Row>], new: &[Arc<Row>]) -> Option<(Vec<Value>, Vec<&'r str>)> {
    let known: HashMap<&str, (usize, &Row)> = (old.iter().enumerate())
        .map(|(at, row)| (row.path.as_str(), (at, &**row)))
        .collect();
    let now: HashSet<&str> = new.iter().map(|row| row.path.as_str()).collect();
    let (mut changed, mut last, mut behind) = (Vec::new(), None, None);
    for row in new {
        let known = known.get(row.path.as_str());
        if let Some((at, _)) = known {
            if last.is_some_and(|last| last > *at) {
                return None;
            }
            last = Some(*at);
        }
        if known.is_none_or(|(_, old)| old.html != row.html) {
            changed.push(row.change(behind));
        }
        behind = Some(row.path.as_str());
    }
    let gone = old.iter().map(|row| row.path.as_str());
    Some((changed, gone.filter(|path| !now.contains(path)).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Seg;
    use proptest::prelude::*;

    /// What the script of the page does.
    fn apply(old: &[(String, String)], change: &Value, all: &[Arc<Row>]) -> Vec<(String, String)> {
        if change.get("changed").is_none() {
            let all = all.iter();
            return all
                .map(|row| (row.path.to_string(), row.html.as_str().to_owned()))
                .collect();
        }
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let mut rows = old.to_vec();
        let gone: Vec<String> = change["gone"]
            .as_array()
            .unwrap()
            .iter()
            .map(text)
            .collect();
        rows.retain(|(path, _)| !gone.contains(path));
        for one in change["changed"].as_array().unwrap() {
            let (path, html) = (text(&one[0]), text(&one[1]));
            match rows.iter().position(|(known, _)| *known == path) {
                Some(at) => rows[at].1 = html,
                None => {
                    let behind = one[2].as_str();
                    let at = rows
                        .iter()
                        .position(|(known, _)| Some(known.as_str()) == behind);
                    rows.insert(at.map_or(0, |at| at + 1), (path, html));
                }
            }
        }
        rows
    }

    fn rows(paths: &[(u8, u8)]) -> Vec<Arc<Row>> {
        let mut seen = HashSet::new();
        let paths = paths.iter().filter(|(path, _)| seen.insert(*path));
        let row = |(path, value): &(u8, u8)| {
            let mut html = Html::new();
            html.text(value);
            Arc::new(Row {
                path: KeyPath::new(&[Seg::Key(format!("p{path}").into())]),
                html,
                words: String::new(),
            })
        };
        paths.map(row).collect()
    }

    proptest! {
        #[test]
        fn what_changed_makes_the_new_rows_of_the_old_ones(
            old in prop::collection::vec((0_u8..20, 0_u8..3), 0..20),
            new in prop::collection::vec((0_u8..20, 0_u8..3), 0..20),
        ) {
            let (old, new) = (rows(&old), rows(&new));
            let plain = |rows: &[Arc<Row>]| {
                let rows = rows.iter();
                rows.map(|row| (row.path.to_string(), row.html.as_str().to_owned())).collect::<Vec<_>>()
            };
            let change = rows_since(&old, &new).unwrap_or_else(|| json!({}));
            prop_assert_eq!(apply(&plain(&old), &change, &new), plain(&new));
        }
    }
}
