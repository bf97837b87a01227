//! The warning of variables that are not read, though they look as if they were meant to be.

use super::{
    Environment, Variable, in_rust,
    names::variables,
    readings::ReachedName,
    single_value::PartOfValue,
    step,
    suspect::{Meant, SuspectVariable},
};
use crate::{
    problem::{Dotted, Fix, Flaw, ProblemKind, Seg, What},
    report::Entry,
    schema::Kind,
};
use flux_syntax::{nearest, nearest_and_slips};
use std::collections::HashSet;

impl<L> Environment<'_, L> {
    /// Variables under the prefix that no field has, and whose names are near to those of fields or begin with the name of a list
    /// or of a map of sections, or of a value that has parts; those that differ from a name that is read in small and capital letters
    /// alone; and the names of fields in Rust, where serde renames them. Others belong to somebody else.
    pub(crate) fn misspelt(&self) -> Vec<SuspectVariable> {
        let mut names = self.others(false);
        names.extend(self.beside_prefix());
        let inside = self.unread_inside();
        let inside_names = inside.iter().filter_map(|one| one.entry.variable.as_ref());
        let inside_names: HashSet<_> = inside_names.cloned().collect();
        names.retain(|name| !inside_names.contains(name));
        let suspect = |name: String| {
            let meant = self
                .suspect_without_files(&name)
                .filter(|_| self.near_to(&name).is_none())
                .or_else(|| self.suspect(&name))
                .or_else(|| self.suspect_file(&name));
            let (near, what, is_uncertain) = meant?;
            if self.is_read_elsewhere(&name) {
                return None;
            }
            let text = format!("this variable is not read{what}");
            let to = what
                .split('`')
                .nth(1)
                .filter(|_| what.contains("did you mean"));
            let read = to.and_then(|to| self.path_read(to));
            let is_strict = self.is_in_strict_section(&name, read.as_ref().unwrap_or(&near));
            let fix = to.map(|to| Fix::Rename { to: to.to_owned() });
            let what = What::plain(ProblemKind::UnknownKey, text);
            let mut entry = Entry::new("environment", Flaw { path: near, what }).fix(fix);
            entry.variable = Some(name);
            Some(SuspectVariable {
                entry,
                is_strict,
                is_uncertain,
            })
        };
        let others = names.into_iter().filter_map(suspect);
        inside.into_iter().chain(others).collect()
    }

    /// The path of a name that is read.
    pub(in crate::source) fn path_read(&self, name: &str) -> Option<Vec<Seg>> {
        let fixed = self.fixed.iter().find(|fixed| fixed.name == name);
        let entry = || {
            let read = self.readings_alone(name);
            let found = read.found.first()?;
            Some(step::path_of(&found.steps))
        };
        fixed.map(|fixed| fixed.path.clone()).or_else(entry)
    }

    /// The same for a name that a field would have, or has without its prefix, if it had no variable of its own.
    fn of_own_variable(&self, name: &str) -> Option<(Vec<Seg>, String)> {
        let prefix = self.naming.prefix;
        let one = self.unread_names().iter().find(|one| {
            let with_prefix = name.strip_prefix(prefix) == Some(one.own) && !prefix.is_empty();
            one.computed.name == name || with_prefix
        })?;
        let path = one.computed.path.clone();
        Some((path, format!(", did you mean `{}`?", one.own)))
    }

    /// What is behind "is not read" for a name, and the path that was meant.
    pub(super) fn suspect(&self, name: &str) -> Option<Meant> {
        let is_free = self.readings_alone(name).found.is_empty();
        if let Some((path, why)) = self.by_name_in_rust(name).filter(|_| is_free) {
            return Some((path, why, false));
        }
        let below = || {
            let meant = self.meant_in_rust(name).filter(|_| is_free)?;
            match meant.has_fields {
                true => self.near_or_part(&meant.name, true),
                // Behind the name of a value there can only be a part of it.
                false => Some(self.part_of_value(&meant.name)?.meant()),
            }
        };
        self.near_or_part(name, is_free)
            .or_else(below)
            .or_else(|| self.behind_section(name).filter(|_| is_free))
    }

    /// The same for a name that is near to another one, or is that of a part of a value.
    fn near_or_part(&self, name: &str, is_free: bool) -> Option<Meant> {
        let part = self.part_of_value(name).filter(|_| is_free);
        let near = self.near_to(name);
        // What is near to the whole value was meant for a part of it.
        let is_near_another = |part: &PartOfValue| {
            let near = near.as_ref();
            let whole = format!("`{}`", part.whole);
            near.is_some_and(|(_, why)| !why.contains(&whole))
        };
        let is_own = self.of_own_variable(name).is_some();
        let wins = |part: &PartOfValue| match part.is_exact {
            true => !is_own,
            false => !is_near_another(part),
        };
        if let Some(part) = part.filter(wins) {
            return Some(part.meant());
        }
        let in_letters = || {
            let meant = self.in_letters_of_prefix(name)?;
            Some(self.part_of_value(&meant)?.meant())
        };
        let near = near.map(|(path, why)| (path, why, false));
        near.or_else(in_letters)
    }

    /// What is behind "is not read" for a name that is near to another one, and the path of that.
    fn near_to(&self, name: &str) -> Option<(Vec<Seg>, String)> {
        let prefix = self.naming.prefix;
        let all = &self.fixed;
        if let Some(meant) = self.in_letters_of_prefix(name) {
            return match self.path_read(&meant) {
                Some(path) => Some((path, format!(", did you mean `{meant}`?"))),
                None => self
                    .of_own_variable(&meant)
                    .or_else(|| self.by_name_in_rust(&meant))
                    .or_else(|| self.of_prefix_without_end(name, &meant)),
            };
        }
        if let Some(meant) = self.behind_shorter_prefix(name) {
            let Some(path) = self.path_read(&meant) else {
                let in_rust = self.by_name_in_rust(&meant);
                return in_rust.or_else(|| self.joined_by_default(name));
            };
            return Some((path, format!(", did you mean `{meant}`?")));
        }
        if let Some(found) = self.of_own_variable(name) {
            return Some(found);
        }
        let read = self.readings_alone(name);
        if !read.found.is_empty() {
            return None;
        }
        let has_single_items = |one: &ReachedName| one.kind.table().is_none();
        if !read.reached.iter().any(has_single_items)
            && let Some(found) = self.joined_by_default(name)
        {
            return Some(found);
        }
        if let Some(reached) = read.reached.first() {
            let why = self.why_unread(name, reached);
            return Some((reached.path.clone(), why));
        }
        let rest = name.strip_prefix(prefix).filter(|_| !prefix.is_empty())?;
        // A name of an earlier version is no suggestion.
        let all = || all.iter().filter(|one| !one.is_old);
        let known = || all().filter_map(|one| one.name.strip_prefix(prefix));
        let path = |near: &str| {
            all()
                .find(|one| one.name.strip_prefix(prefix) == Some(near))
                .map(|one| one.path.clone())
        };
        let sections = self.sections();
        if let Some(section) = sections.iter().find(|one| one.name == name)
            && let Some(why) = self.why_no_variable(section)
        {
            return Some((section.path.clone(), why));
        }
        let sections = || (sections.iter()).filter_map(|one| one.name.strip_prefix(prefix));
        // A misspelt map or list, with an entry or an item behind it.
        let cuts = || rest.match_indices(self.naming.separator);
        // What is nearer to another name as a whole has no part that was meant.
        let whole = nearest_and_slips(rest, known());
        let most = whole.map_or(usize::MAX, |(_, slips)| slips);
        let meant = |end: usize| {
            let separator = self.naming.separator;
            let parts = |name: &str| name.matches(separator).count();
            let of_as_many = |one: &str| parts(one) == parts(&rest[..end]);
            // Another separator than `_` separates exactly: a part of the name is no slip.
            let candidates = known().filter(|one| separator == "_" || of_as_many(one));
            let near = nearest_and_slips(&rest[..end], candidates);
            // Of what is as near, a name with other parts was meant as a whole: `MODEE_0` by `MODE_0`.
            let is_nearer =
                |(one, slips): &(&str, usize)| *slips < most || *slips == most && of_as_many(one);
            let (near, slips) = near.filter(is_nearer)?;
            let meant = format!("{prefix}{near}{}", &rest[end..]);
            let read = self.readings_alone(&meant);
            Some(((near, slips), read, meant))
        };
        let entry = cuts().find_map(|(end, _)| {
            let ((near, _), read, meant) = meant(end)?;
            let path = path(near)?;
            (!read.found.is_empty()).then(|| (path, format!(", did you mean `{meant}`?")))
        });
        let reached = || {
            cuts().find_map(|(end, _)| {
                let (near, read, meant) = meant(end)?;
                // Another name that is as near as a whole helps more than how the parts of this one are written.
                let is_best = near.1 < most || whole == Some(near);
                let reached = read.reached.first().filter(|_| is_best)?;
                let why = self.why_unread(&meant, reached);
                Some((reached.path.clone(), why))
            })
        };
        let is_own = |head: &str| known().chain(sections()).any(|one| one == head);
        let is_of_another = || cuts().any(|(end, _)| is_own(&rest[..end]));
        if let Some(found) = entry.or_else(|| reached().filter(|_| !is_of_another())) {
            return Some(found);
        }
        if let Some(behind) = rest.strip_prefix('_').filter(|_| !prefix.ends_with('_')) {
            let bare = behind.trim_start_matches('_').replace("__", "_");
            if let Some(path) = path(&bare) {
                let why = match behind == bare {
                    true => format!(
                        ": the prefix `{prefix}` has no `_` at its end; write `env:{prefix}_`"
                    ),
                    false => format!(
                        ": the prefix `{prefix}` has no `_` at its end, and one `_` joins the parts of a name; write `env:{prefix}_` and \
                         `{prefix}_{bare}`, or `env:{prefix}__?separator=__`"
                    ),
                };
                return Some((path, why));
            }
        }
        let (near, _) = whole?;
        Some((path(near)?, format!(", did you mean `{prefix}{near}`?")))
    }

    /// A section has no variable as a whole.
    fn why_no_variable(&self, section: &Variable) -> Option<String> {
        let begin = format!("{}{}", section.name, self.naming.separator);
        let is_in =
            |one: &&Variable| one.path.starts_with(&section.path) && one.name.starts_with(&begin);
        let field = self.fixed.iter().find(is_in)?;
        Some(format!(
            ": `{}` is a section, and its fields have variables, such as `{}`",
            Dotted(&section.path),
            field.name
        ))
    }

    fn why_unread(&self, name: &str, reached: &ReachedName) -> String {
        let separator = self.naming.separator;
        let begin = format!("{}{separator}", reached.stem);
        let rest = name.strip_prefix(&begin).unwrap_or_default();
        let place = Dotted(&reached.path);
        let Some(inner) = reached.kind.table() else {
            if let Some(why) = self.part_of_item(reached, rest) {
                return why;
            }
            return match reached.is_map {
                true => format!(
                    ": behind `{begin}` is the key of an entry of `{place}`, and nothing else"
                ),
                false => {
                    format!(": behind `{begin}` is the number of an item of `{place}`, from 0")
                }
            };
        };
        let fields: Vec<String> = variables(inner, &format!("?separator={separator}"))
            .into_iter()
            .map(|one| one.name)
            .collect();
        let mut cuts = rest.match_indices(separator);
        let meant = cuts.find_map(|(end, _)| {
            let behind = end + separator.len();
            let part = &rest[behind..];
            let in_rust = in_rust::meant_in_section(inner, separator, part);
            let near = || nearest(part, fields.iter().map(String::as_str)).map(str::to_owned);
            let near = in_rust.or_else(near)?;
            let meant = format!("{begin}{}{near}", &rest[..behind]);
            let read = self.readings_alone(&meant);
            (!read.found.is_empty()).then_some(meant)
        });
        match (meant, reached.kind) {
            (Some(meant), _) => format!(", did you mean `{meant}`?"),
            (None, Kind::List(_)) => format!(
                ": behind `{begin}` is the number of an item of `{place}`, from 0, and the name of one of its fields"
            ),
            (None, _) => format!(
                ": behind `{begin}` is the key of an entry of `{place}` and the name of one of its fields"
            ),
        }
    }
}

#[cfg(test)]
#[cfg(all(feature = "derive", feature = "json"))]
mod tests {
    use std::collections::BTreeMap;

    #[derive(Debug, flux_derive::Flux)]
    #[flux(crate = crate)]
    struct NumberedApp {
        #[flux(default)]
        port_67: BTreeMap<String, String>,
        #[flux(default)]
        labels: BTreeMap<String, String>,
    }

    /// What the warning of this variable suggests.
    async fn suggested(name: &str) -> String {
        let source = crate::Source::env("APP_").variables([(name, "1")]);
        let builder = crate::Capacitor::<NumberedApp>::builder()
            .manual()
            .source(source);
        let capacitor = builder.build().unwrap();
        capacitor.start().await.unwrap();
        let warnings = &capacitor.status().warnings;
        warnings[0].message.split('`').nth(1).unwrap().to_owned()
    }

    #[tokio::test]
    async fn the_name_that_is_nearest_as_a_whole_is_meant_and_no_entry_of_it() {
        for (name, meant) in [
            ("APP_PORT_76", "APP_PORT_67"),
            ("APP_PROT_67_HTTP", "APP_PORT_67_HTTP"),
            ("APP_LABLES_APP", "APP_LABELS_APP"),
        ] {
            assert_eq!(suggested(name).await, meant, "{name}");
        }
        let app = crate::Capacitor::<NumberedApp>::builder().manual();
        let source =
            crate::Source::env("APP_").variables([("APP_PORT_67_76", "1"), ("APP_LABELS_A", "2")]);
        let app = app.source(source).build().unwrap();
        app.start().await.unwrap();
        assert_eq!(app.get().port_67["76"], "1");
        assert_eq!(app.get().labels["a"], "2");
    }
}
