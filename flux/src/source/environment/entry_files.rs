//! Entries whose variable looks as if it named the file with their value: `APP_LABELS_TEAM_FILE`. Only fields have such variables, and an
//! entry may be called anything, so that the path becomes the value of an entry `team_file`.

use super::{
    EntryVariable, Environment,
    files::SUFFIX,
    step::{PathStep, path_of},
};
use crate::{
    problem::{Flaw, ProblemKind, What},
    report::Entry,
};

impl<L> Environment<'_, L> {
    /// What is reported of such a variable where variables name files, unless a layer below has that very entry.
    pub(super) fn file_of_entry(&self, variable: &EntryVariable) -> Option<Entry> {
        let name = &variable.name;
        let meant = name.strip_suffix(SUFFIX).filter(|_| self.naming.files)?;
        let (PathStep::Entry(key), map) = variable.steps.split_last()? else {
            return None;
        };
        if !variable.is_new || self.is_bracketed(name) {
            return None;
        }
        let meant = meant.trim_end_matches('_');
        let map = path_of(map);
        let whole = self.fixed.iter();
        let whole = whole.filter(|one| one.path == map && name.starts_with(&one.name));
        let whole = whole.map(|one| one.name.as_str()).next();
        let value = (whole != Some(meant)).then(|| format!("`{meant}` to the value"));
        let file = whole.map(|whole| format!("`{whole}{SUFFIX}` to a file with the whole map"));
        let instead: Vec<String> = value.into_iter().chain(file).collect();
        // A name in small letters is the key itself, and no slip.
        let begin = name.strip_suffix(&key.to_uppercase());
        let exact = begin.map_or_else(String::new, |begin| {
            format!("; if this key is meant, `{begin}{key}` sets it without a warning")
        });
        let text = format!(
            "{name} sets an entry with the key `{key}` to its own text, since entries have no variables that name files; set {}{exact}",
            instead.join(", or ")
        );
        let what = What::plain(ProblemKind::UnknownKey, text);
        let path = path_of(&variable.steps);
        let mut entry = Entry::new("environment", Flaw { path, what });
        entry.variable = Some(name.clone());
        Some(entry)
    }

    /// Whether the text is a list or a map in brackets, which is no path.
    fn is_bracketed(&self, name: &str) -> bool {
        let text = self.variables.get(name).unwrap_or_default();
        text.to_string_lossy().trim_start().starts_with(['{', '['])
    }
}

#[cfg(test)]
#[cfg(all(feature = "derive", feature = "json", feature = "testing"))]
mod tests {
    use crate::{Capacitor, Format, Source, testing::Channel};
    use std::collections::BTreeMap;

    #[derive(Debug, flux_derive::Flux)]
    #[flux(crate = crate)]
    struct LabelledApp {
        #[flux(default)]
        labels: BTreeMap<String, String>,
        #[flux(nested, default)]
        teams: BTreeMap<String, LabelledTeam>,
        #[flux(default, env = "OWN")]
        own: BTreeMap<String, Vec<String>>,
    }

    #[derive(Debug, flux_derive::Flux)]
    #[flux(crate = crate)]
    struct LabelledTeam {
        #[flux(default)]
        labels: BTreeMap<String, String>,
        #[flux(default)]
        log_file: String,
    }

    /// The warnings of this variable above this document.
    async fn told(prefix: &str, name: &str, text: &str, below: &str) -> Vec<String> {
        let (channel, base) = Channel::buffered("base", 1);
        let capacitor = Capacitor::<LabelledApp>::builder()
            .source(Source::watcher(base).format(Format::Json))
            .source(Source::env(prefix).variables([(name, text)]))
            .build()
            .unwrap();
        channel.send(below.as_bytes().to_vec()).await.unwrap();
        capacitor.start().await.unwrap();
        let warnings = &capacitor.status().warnings;
        let told = warnings.iter().map(|one| one.to_string());
        told.collect()
    }

    #[tokio::test]
    async fn a_variable_of_an_entry_that_looks_as_if_it_named_a_file_is_a_warning() {
        for (prefix, name, sentence) in [
            (
                "APP_?files=true",
                "APP_LABELS_A_FILE",
                "labels.a_file: APP_LABELS_A_FILE sets an entry with the key `a_file` to its own text, since entries have no variables that \
                 name files; set `APP_LABELS_A` to the value, or `APP_LABELS_FILE` to a file with the whole map; if this key is meant, \
                 `APP_LABELS_a_file` sets it without a warning",
            ),
            (
                "APP_?files=true",
                "APP_LABELS_a_FILE",
                "set `APP_LABELS_a` to the value, or `APP_LABELS_FILE` to a file with the whole map",
            ),
            (
                "APP_?files=true",
                "OWN_A_FILE",
                "set `OWN_A` to the value, or `OWN_FILE` to a file with the whole map; if this key is meant, `OWN_a_file` sets it",
            ),
            (
                "APP_?files=true",
                "APP_TEAMS_X_LABELS_A_FILE",
                "set `APP_TEAMS_X_LABELS_A` to the value; if this key is meant, `APP_TEAMS_X_LABELS_a_file` sets it",
            ),
            (
                "APP_?files=true",
                "APP_TEAMS_X_LABELS_FILE",
                "set `APP_TEAMS_X_LABELS` to the value; if this key is meant, `APP_TEAMS_X_LABELS_file` sets it",
            ),
            (
                "APP__?separator=__&files=true",
                "APP__LABELS__A_FILE",
                "set `APP__LABELS__A` to the value, or `APP__LABELS_FILE` to a file with the whole map",
            ),
            (
                "APP__?separator=__&files=true",
                "APP__LABELS__FILE",
                "set `APP__LABELS_FILE` to a file with the whole map; if this key is meant, `APP__LABELS__file` sets it",
            ),
        ] {
            let told = told(prefix, name, "/run/x", "{}").await;
            assert!(
                told.len() == 1 && told[0].contains(sentence),
                "{name}: {told:?}"
            );
        }
    }

    #[tokio::test]
    async fn an_entry_that_is_called_like_a_file_on_purpose_is_no_warning() {
        for (prefix, name, text, below) in [
            ("APP_", "APP_LABELS_A_FILE", "/run/x", "{}"),
            ("APP_?files=true", "APP_LABELS_a_file", "/run/x", "{}"),
            ("APP_?files=true", "APP_LABELS_PROFILE", "/run/x", "{}"),
            (
                "APP_?files=true",
                "APP_LABELS_A_FILE",
                "/run/x",
                r#"{"labels": {"a-file": "y"}}"#,
            ),
            ("APP_?files=true", "APP_TEAMS_X_LOG_FILE", "/run/x", "{}"),
            ("APP_?files=true", "APP_TEAMS_X_FILE", "{log_file=y}", "{}"),
        ] {
            let told = told(prefix, name, text, below).await;
            assert!(told.is_empty(), "{name}: {told:?}");
        }
    }
}
