//! What may follow `env:` in a source URI: the prefix of the variables and its options.

use crate::nearest;

/// The prefix of the variables' names, and the options behind it: `APP_?separator=__&empty=value&files=true`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Naming<'t> {
    /// What every name begins with; empty for none.
    pub prefix: &'t str,
    /// What is between the parts of a name.
    pub separator: &'t str,
    /// Whether a variable that is set to nothing is an empty text, and not as one that is not set.
    pub empty_is_value: bool,
    /// Whether `APP_PASSWORD_FILE` names a file with the value of `APP_PASSWORD`.
    pub files: bool,
}

impl<'t> Naming<'t> {
    /// Reads the prefix and its options.
    ///
    /// # Errors
    /// A sentence: a character that no name has, an option that is none, a value that the option does not take.
    pub fn parse(text: &'t str) -> Result<Self, String> {
        let (prefix, options) = text.split_once('?').unwrap_or((text, ""));
        let fits = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !fits(prefix) {
            return Err(format!(
                "`{prefix}` cannot begin a variable's name; use letters, digits and `_`, as in `env:APP_`"
            ));
        }
        let mut naming = Naming {
            prefix,
            separator: "_",
            empty_is_value: false,
            files: false,
        };
        for option in options.split('&').filter(|option| !option.is_empty()) {
            match option.split_once('=') {
                Some(("separator", separator)) if !separator.is_empty() && fits(separator) => {
                    naming.separator = separator;
                }
                Some(("separator", _)) => {
                    return Err(
                        "`separator` takes letters, digits and `_`, as in `separator=__`"
                            .to_owned(),
                    );
                }
                Some(("empty", "value")) => naming.empty_is_value = true,
                Some(("empty", "unset")) => naming.empty_is_value = false,
                Some(("empty", other)) => {
                    return Err(format!("`empty` is `value` or `unset`, not `{other}`"));
                }
                Some(("files", "true")) => naming.files = true,
                Some(("files", "false")) => naming.files = false,
                Some(("files", other)) => {
                    return Err(format!("`files` is `true` or `false`, not `{other}`"));
                }
                other => {
                    let name = other.map_or(option, |(name, _)| name);
                    let near = nearest(name, ["separator", "empty", "files"]);
                    let hint = near.map_or(
                        "the environment has `separator`, `empty` and `files`".to_owned(),
                        |near| format!("did you mean `{near}`?"),
                    );
                    return Err(format!("unknown option `{name}`; {hint}"));
                }
            }
        }
        Ok(naming)
    }

    /// The prefix with its options, but for `files`.
    pub fn without_files(text: &str) -> String {
        let Some((prefix, options)) = text.split_once('?') else {
            return text.to_owned();
        };
        let options = options.split('&');
        let kept = options.filter(|one| one.split('=').next() != Some("files"));
        let kept: Vec<&str> = kept.filter(|one| !one.is_empty()).collect();
        match kept.as_slice() {
            [] => prefix.to_owned(),
            kept => format!("{prefix}?{}", kept.join("&")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_has_options_behind_a_question_mark() {
        let read = |text| Naming::parse(text).map(|n| (n.prefix, n.separator, n.empty_is_value));
        assert_eq!(read(""), Ok(("", "_", false)));
        assert_eq!(read("APP_"), Ok(("APP_", "_", false)));
        assert_eq!(read("APP_?separator=__"), Ok(("APP_", "__", false)));
        assert_eq!(read("?empty=value&separator=__"), Ok(("", "__", true)));
        assert_eq!(read("APP_?empty=unset"), Ok(("APP_", "_", false)));
    }

    #[test]
    fn files_are_an_option_that_can_be_left_out() {
        let files = |text| Naming::parse(text).map(|naming| naming.files);
        assert_eq!(files("APP_?files=true"), Ok(true));
        assert_eq!(files("APP_?files=false"), Ok(false));
        assert_eq!(files("APP_"), Ok(false));
        for (text, without) in [
            ("APP_", "APP_"),
            ("APP_?files=true", "APP_"),
            (
                "APP_?separator=__&files=true&empty=value",
                "APP_?separator=__&empty=value",
            ),
        ] {
            assert_eq!(Naming::without_files(text), without);
        }
    }

    #[test]
    fn what_is_no_prefix_and_no_option_is_refused_with_what_is() {
        for (text, sentence) in [
            ("APP-", "cannot begin a variable's name"),
            ("APP_?seperator=__", "did you mean `separator`?"),
            ("APP_?x", "has `separator`, `empty` and `files`"),
            ("APP_?files=yes", "`files` is `true` or `false`, not `yes`"),
            ("APP_?separator=", "takes letters, digits and `_`"),
            ("APP_?separator=-", "takes letters, digits and `_`"),
            ("APP_?empty=yes", "`empty` is `value` or `unset`, not `yes`"),
        ] {
            let refused = Naming::parse(text).expect_err(text);
            assert!(refused.contains(sentence), "{refused}");
        }
    }
}
