//! A file of variables: what follows `dotenv:` in a source URI.

use crate::{Naming, nearest};

/// The path of a file of variables, and the options behind it, which are about the names in it: `.env?prefix=APP_&separator=__`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Dotenv<'t> {
    /// Where the file is.
    pub path: &'t str,
    /// What the names begin with; none where they begin as those of the environment do.
    pub prefix: Option<&'t str>,
    /// The other options, those of [`Naming`]; empty for none.
    options: String,
}

/// The options of a file of variables.
const OPTIONS: [&str; 3] = ["prefix", "separator", "empty"];

impl<'t> Dotenv<'t> {
    /// Reads the path and its options.
    ///
    /// # Errors
    /// A sentence: no path, an option that is none, a value that the option does not take.
    pub fn parse(text: &'t str) -> Result<Self, String> {
        let (path, written) = text.split_once('?').unwrap_or((text, ""));
        if path.is_empty() {
            return Err("`dotenv` needs a path: `dotenv:.env`".to_owned());
        }
        if path.contains('*') {
            return Err(
                "a `*` is possible in a `file:` source; each file of variables is a source of its own"
                    .to_owned(),
            );
        }
        let (mut prefix, mut options) = (None, Vec::new());
        for option in written.split('&').filter(|option| !option.is_empty()) {
            match option.split_once('=') {
                Some(("prefix", value)) => prefix = Some(value),
                Some(("separator" | "empty", _)) => options.push(option),
                other => {
                    let name = other.map_or(option, |(name, _)| name);
                    let hint = match nearest(name, OPTIONS) {
                        Some(near) if near == name => format!("`{name}` needs a value"),
                        Some(near) => format!("did you mean `{near}`?"),
                        None => {
                            "a file of variables has `prefix`, `separator` and `empty`".to_owned()
                        }
                    };
                    return Err(format!("unknown option `{name}`; {hint}"));
                }
            }
        }
        let options = options.join("&");
        let file = Dotenv {
            path,
            prefix,
            options,
        };
        Naming::parse(&file.naming(""))?;
        Ok(file)
    }

    /// How the names are made, as [`Naming`] reads it: by the options, and what they leave open as `usual` has it.
    pub fn naming(&self, usual: &str) -> String {
        // Such a file names no other files.
        let usual = Naming::without_files(usual);
        let (usual_prefix, usual_options) = usual.split_once('?').unwrap_or((&usual, ""));
        let prefix = self.prefix.unwrap_or(usual_prefix);
        let last = |name: &str| {
            let mut options = usual_options.split('&').chain(self.options.split('&'));
            options.rfind(|one| one.split('=').next() == Some(name))
        };
        let options: Vec<&str> = ["separator", "empty"]
            .into_iter()
            .filter_map(last)
            .collect();
        match options.as_slice() {
            [] => prefix.to_owned(),
            options => format!("{prefix}?{}", options.join("&")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_options_leave_open_is_as_in_the_environment() {
        for (text, path, naming) in [
            (".env", ".env", "APP_?separator=__"),
            (".env?prefix=DB_", ".env", "DB_?separator=__"),
            (".env?prefix=", ".env", "?separator=__"),
            (".env?empty=value", ".env", "APP_?separator=__&empty=value"),
            ("a/b.env?separator=_", "a/b.env", "APP_?separator=_"),
            (
                ".env?prefix=DB_&empty=value&separator=__",
                ".env",
                "DB_?separator=__&empty=value",
            ),
        ] {
            let read = Dotenv::parse(text).expect(text);
            let found = (read.path, read.naming("APP_?files=true&separator=__"));
            assert_eq!(found, (path, naming.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_is_no_path_and_no_option_is_refused_with_what_is() {
        for (text, sentence) in [
            ("", "needs a path: `dotenv:.env`"),
            ("?prefix=APP_", "needs a path: `dotenv:.env`"),
            (".env?prefiks=APP_", "did you mean `prefix`?"),
            (".env?prefix", "`prefix` needs a value"),
            (".env?x=1", "has `prefix`, `separator` and `empty`"),
            (".env?prefix=APP-", "cannot begin a variable's name"),
            (".env?empty=yes", "`empty` is `value` or `unset`, not `yes`"),
        ] {
            let refused = Dotenv::parse(text).expect_err(text);
            assert!(refused.contains(sentence), "{refused}");
        }
    }
}
