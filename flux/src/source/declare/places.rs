//! In which places a file is looked for: `search` of its URI, with variables and the home folder.

use super::expand::expand;
use crate::source::environment::Variables;
use flux_syntax::Template;
use std::{io::ErrorKind, path::Path};

/// The name of the file, and the path to it in each folder, the best one first. A folder that is empty is left out.
pub(super) fn searched(
    file: &Template,
    folders: &[Template],
    variables: &Variables,
) -> Result<(String, Vec<String>), String> {
    let file = expand(file, variables)?;
    if Path::new(&file).is_absolute() {
        return Err(format!(
            "`{file}` is an absolute path, which is the same in every folder; name the file alone"
        ));
    }
    if file.contains('*') {
        return Err(format!(
            "`{file}`: `search` looks for one file, and `*` means several; name the file, or the folder of the several"
        ));
    }
    let mut places = Vec::new();
    for folder in folders {
        let folder = at_home(expand(folder, variables)?, variables)?;
        match folder.as_str() {
            "" => {}
            "." => places.push(file.clone()),
            folder => places.push(format!("{}/{file}", folder.trim_end_matches('/'))),
        }
    }
    match places.is_empty() {
        true => Err(format!(
            "`{file}` is looked for in no folder: all of the list are empty"
        )),
        false => Ok((file, places)),
    }
}

/// The first of the places that has a file. What is not allowed to be read is there all the same.
pub(super) fn first_there(places: &[String]) -> Option<&String> {
    places.iter().find(|place| {
        let absent = [ErrorKind::NotFound, ErrorKind::NotADirectory];
        let found = std::fs::metadata(place);
        found.map_or_else(|error| !absent.contains(&error.kind()), |_| true)
    })
}

/// The folder with the home folder in the place of `~`, as a shell has it.
fn at_home(folder: String, variables: &Variables) -> Result<String, String> {
    let Some(rest) = folder.strip_prefix('~') else {
        return Ok(folder);
    };
    if !rest.is_empty() && !rest.starts_with('/') {
        return Ok(folder);
    }
    let home = variables
        .get("HOME")
        .and_then(|home| home.into_string().ok());
    match home.filter(|home| !home.is_empty()) {
        Some(home) => Ok(format!("{}{rest}", home.trim_end_matches('/'))),
        None => Err(format!(
            "`{folder}`: the environment variable HOME, which `~` stands for, is not set"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(file: &str, folders: &[&str]) -> Result<Vec<String>, String> {
        let variables = [("HOME", "/users/u"), ("EMPTY", ""), ("APP", "/srv")];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.into()));
        let variables = Variables::given(variables.into());
        let folders = folders.iter().map(|folder| Template::parse(folder));
        let folders: Vec<Template> = folders.collect::<Result<_, _>>().unwrap();
        searched(&file.into(), &folders, &variables).map(|(_, places)| places)
    }

    #[test]
    fn folders_are_expanded_and_empty_ones_left_out() {
        let folders = [
            ".",
            "~",
            "~/.config/app/",
            "${EMPTY:-}",
            "${APP}/conf",
            "/",
            "~app",
        ];
        let expected = [
            "app.yaml",
            "/users/u/app.yaml",
            "/users/u/.config/app/app.yaml",
            "/srv/conf/app.yaml",
            "/app.yaml",
            "~app/app.yaml",
        ];
        assert_eq!(places("app.yaml", &folders).unwrap(), expected);
    }

    #[test]
    fn what_cannot_be_looked_for_is_refused() {
        for (file, folders, problem) in [
            ("app.yaml", vec!["${EMPTY:-}"], "in no folder"),
            ("/app.yaml", vec!["."], "an absolute path"),
            ("app.yaml", vec!["${UNSET}"], "UNSET is not set"),
        ] {
            let error = places(file, &folders).unwrap_err();
            assert!(error.contains(problem), "{error}");
        }
    }
}
