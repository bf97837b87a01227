//! What is reported of a required file that is not there: where it was looked for, and what is there instead.

use super::mounts::Mounts;
use std::{fs, path::Path};

/// A folder may hold anything; so many of its entries are compared.
const MOST: usize = 4096;

/// Says of `path` why there is nothing; the folder is named unless `shown`, as people know it, names it.
pub(crate) fn missing(path: &Path, shown: &str) -> String {
    // A name alone has no folder.
    let absolute = std::path::absolute(path);
    let path = absolute.as_deref().unwrap_or(path);
    let (shown, is_folder) = match shown.strip_prefix("dir:") {
        Some(shown) => (shown, true),
        None => (shown, false),
    };
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return "does not exist, and this layer is required".to_owned();
    };
    if let Some(variable) = home(shown) {
        return format!(
            "does not exist, and this layer is required; no shell expands `{variable}` here, write `${{HOME}}`"
        );
    }
    if let Ok(target) = fs::read_link(path) {
        let target = target.display();
        return format!("is a link to {target}, which does not exist, and this layer is required");
    }
    if !folder.is_dir() {
        let folder = folder.display();
        return format!("does not exist: there is no folder {folder}; this layer is required");
    }
    let place = match Path::new(shown).is_absolute() {
        true => String::new(),
        false => format!(" in {}", folder.display()),
    };
    let near = match neighbour(folder, &name.to_string_lossy(), is_folder) {
        Some(near) => format!("; did you mean `{near}`?"),
        None => String::new(),
    };
    format!("does not exist{place}, and this layer is required{near}")
}

/// What was written where a shell would put the home directory.
fn home(shown: &str) -> Option<&'static str> {
    let begins = |text: &str| shown == text || shown.starts_with(&format!("{text}/"));
    ["~", "$HOME"].into_iter().find(|text| begins(text))
}

/// A file (or, for a folder of values, a folder) in `folder` with nearly this name, or a file with the ending of another format.
fn neighbour(folder: &Path, name: &str, is_folder: bool) -> Option<String> {
    // A network mount may hang.
    if Mounts::read().silent(folder) {
        return None;
    }
    let mut names: Vec<String> = fs::read_dir(folder)
        .ok()?
        .take(MOST)
        .flatten()
        .filter(|entry| match is_folder {
            true => entry.path().is_dir(),
            false => entry.path().is_file(),
        })
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort_unstable();
    let near = flux_syntax::nearest(name, names.iter().map(String::as_str));
    let stem = |name: &str| name.rsplit_once('.').map(|(stem, _)| stem.to_owned());
    let sibling = || {
        let mut siblings = names.iter().filter(|other| {
            flux_syntax::Format::of_path(other).is_some() && stem(other) == stem(name)
        });
        siblings.next().map(String::as_str).filter(|_| !is_folder)
    };
    near.or_else(sibling).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_and_the_neighbour_of_a_missing_file_are_named() {
        let temp = tempfile::tempdir().unwrap();
        let folder = temp.path();
        fs::write(folder.join("app.yml"), "").unwrap();
        fs::create_dir(folder.join("app.yaml.d")).unwrap();
        fs::write(folder.join("server.toml"), "").unwrap();
        let shown = folder.display();
        for (name, sentence) in [
            (
                "app.yaml",
                format!(
                    "does not exist in {shown}, and this layer is required; did you mean `app.yml`?"
                ),
            ),
            (
                "server.json",
                format!(
                    "does not exist in {shown}, and this layer is required; did you mean `server.toml`?"
                ),
            ),
            (
                "other.json",
                format!("does not exist in {shown}, and this layer is required"),
            ),
            (
                "conf/app.yml",
                format!("does not exist: there is no folder {shown}/conf; this layer is required"),
            ),
        ] {
            assert_eq!(missing(&folder.join(name), name), sentence);
        }
        let absolute = folder.join("app.yaml");
        assert_eq!(
            missing(&absolute, &absolute.display().to_string()),
            "does not exist, and this layer is required; did you mean `app.yml`?"
        );
    }

    #[test]
    fn a_name_alone_is_looked_for_in_the_working_directory() {
        let here = std::env::current_dir().unwrap();
        let here = here.display();
        assert_eq!(
            missing(Path::new("never-there.json"), "never-there.json"),
            format!("does not exist in {here}, and this layer is required")
        );
    }

    #[test]
    fn a_home_directory_that_no_shell_expanded_is_told() {
        for (shown, variable) in [("~/app.yaml", "~"), ("$HOME/conf/app.yaml", "$HOME")] {
            let path = Path::new("/srv").join(shown);
            assert_eq!(
                missing(&path, shown),
                format!(
                    "does not exist, and this layer is required; no shell expands `{variable}` here, write `${{HOME}}`"
                )
            );
        }
        assert_eq!(home("~user/app.yaml"), None);
        assert!(missing(Path::new("/srv/~/d"), "dir:~/d").contains("write `${HOME}`"));
    }

    #[test]
    fn a_folder_of_values_that_is_missing_is_compared_with_folders() {
        let temp = tempfile::tempdir().unwrap();
        fs::create_dir(temp.path().join("secrets")).unwrap();
        fs::write(temp.path().join("secret"), "").unwrap();
        let path = temp.path().join("secretz");
        let text = missing(&path, &format!("dir:{}", path.display()));
        assert!(text.ends_with("did you mean `secrets`?"), "{text}");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_nowhere_is_told_as_such() {
        let temp = tempfile::tempdir().unwrap();
        let link = temp.path().join("app.yaml");
        std::os::unix::fs::symlink("..data/app.yaml", &link).unwrap();
        assert_eq!(
            missing(&link, "app.yaml"),
            "is a link to ..data/app.yaml, which does not exist, and this layer is required"
        );
    }
}
