//! The option `search` of `file:`: in which folders a file is looked for, `app.yaml?search=.,/etc/app`.

use crate::{Template, UriError, nearest, template::find};
use std::ops::Range;

/// A file and the folders that are searched for it, the best one first.
pub(crate) struct Searched {
    pub(crate) file: Template,
    pub(crate) folders: Vec<Template>,
}

/// Reads the options behind the path of a file; none where it has none. A question mark in the name of a file is one of its characters.
pub(crate) fn read(text: &str, path: Range<usize>) -> Result<Option<Searched>, UriError> {
    let Some(mark) = find(&text[path.clone()], &['?']).map(|at| path.start + at) else {
        return Ok(None);
    };
    let options = mark + 1..path.end;
    let name_ends = text[options.clone()].find(|c: char| !c.is_ascii_lowercase());
    let is_option = match name_ends {
        Some(0) => false,
        Some(end) => text[options.start + end..].starts_with('='),
        None => &text[options.clone()] == SEARCH,
    };
    if !is_option {
        return Ok(None);
    }
    let mut folders: Option<Vec<Template>> = None;
    for option in split(text, options, '&') {
        let written = &text[option.clone()];
        let fail = |message: String| {
            Err(UriError {
                message,
                span: option.clone(),
            })
        };
        match written.split_once('=') {
            Some((SEARCH, _)) if folders.is_some() => {
                return fail(
                    "`search` is written twice; it is one list: `?search=.,/etc/app`".to_owned(),
                );
            }
            Some((SEARCH, list)) if list.chars().any(|c| c != ',') => {
                let list = option.end - list.len()..option.end;
                folders = Some(read_folders(text, list)?);
            }
            Some((SEARCH, _)) | None if written.starts_with(SEARCH) => {
                return fail("`search` needs folders: `?search=.,/etc/app`".to_owned());
            }
            other => {
                let name = other.map_or(written, |(name, _)| name);
                let hint = match nearest(name, [SEARCH]) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => {
                        "a file has `search` alone, the folders that it is looked for in".to_owned()
                    }
                };
                return fail(format!("unknown option `{name}`; {hint}"));
            }
        }
    }
    let file = template(text, path.start..mark)?;
    if text[path.start..mark].contains('*') {
        return Err(UriError {
            message: ONE_FILE.to_owned(),
            span: path.start..mark,
        });
    }
    if text[path.start..mark].starts_with(['/', '~']) {
        return Err(UriError {
            message: "a path that is looked for in folders begins in them; write it without the folders before it".to_owned(),
            span: path.start..mark,
        });
    }
    if mark == path.start {
        return Err(UriError {
            message: "the path is missing: `file:app.yaml?search=.,/etc/app`".to_owned(),
            span: path,
        });
    }
    Ok(folders.map(|folders| Searched { file, folders }))
}

const SEARCH: &str = "search";

/// Why a pattern is not looked for.
pub(crate) const ONE_FILE: &str = "`search` looks for one file, and `*` means several; name the file, or the folder of the several: `file:/etc/app/conf.d/*.yaml`";

fn read_folders(text: &str, list: Range<usize>) -> Result<Vec<Template>, UriError> {
    let mut folders = Vec::new();
    for folder in split(text, list, ',') {
        let written = &text[folder.clone()];
        if let Some(name) = unexpanded(written) {
            return Err(UriError {
                message: format!("no shell expands `${name}` here; write `${{{name}}}`"),
                span: folder,
            });
        }
        if !written.is_empty() {
            folders.push(template(text, folder)?);
        }
    }
    Ok(folders)
}

/// The name of a variable that is written as in a shell, `$NAME`.
fn unexpanded(text: &str) -> Option<&str> {
    let (_, behind) = text.split_once('$')?;
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let end = behind.find(|c| !is_of_name(c)).unwrap_or(behind.len());
    (end > 0).then(|| &behind[..end])
}

fn split(text: &str, range: Range<usize>, by: char) -> Vec<Range<usize>> {
    let (mut all, mut start) = (Vec::new(), range.start);
    while let Some(at) = find(&text[start..range.end], &[by]) {
        all.push(start..start + at);
        start += at + by.len_utf8();
    }
    all.push(start..range.end);
    all
}

fn template(text: &str, span: Range<usize>) -> Result<Template, UriError> {
    Template::parse(&text[span.clone()]).map_err(|error| {
        let error = error.shifted(span.start);
        UriError {
            message: error.message,
            span: error.span,
        }
    })
}

#[cfg(test)]
mod tests {
    use crate::{Uri, parse_uri};

    fn searched(text: &str) -> (String, Vec<String>) {
        let Ok(Uri::Search { file, folders }) = parse_uri(text) else {
            panic!("{text}: {:?}", parse_uri(text));
        };
        let folders = folders.iter().map(ToString::to_string).collect();
        (file.to_string(), folders)
    }

    #[test]
    fn folders_are_a_list_with_variables() {
        let list = "${XDG_CONFIG_HOME:-~/.config}/app,${A:-b,c}/x";
        let (file, folders) = searched(&format!("file:app.yaml?search=.,{list},,/etc/app"));
        assert_eq!(file, "app.yaml");
        let expected = [
            ".",
            "${XDG_CONFIG_HOME:-~/.config}/app",
            "${A:-b,c}/x",
            "/etc/app",
        ];
        assert_eq!(folders, expected);
        let (file, _) = searched("file:${NAME:-a?b}.yaml?search=.");
        assert_eq!(file, "${NAME:-a?b}.yaml");
    }

    #[test]
    fn a_question_mark_in_a_name_is_one_of_its_characters() {
        for text in ["file:what?.yaml", "file:a?b", "file:a?", "file:a?B=c"] {
            assert!(matches!(parse_uri(text), Ok(Uri::File { .. })), "{text}");
        }
    }

    #[test]
    fn what_is_misspelt_or_missing_is_refused() {
        for (text, span, message) in [
            (
                "file:a?serach=.",
                7..15,
                "unknown option `serach`; did you mean `search`?",
            ),
            (
                "file:a?search=.&poll=1s",
                16..23,
                "unknown option `poll`; a file has `search` alone",
            ),
            ("file:a?search=", 7..14, "`search` needs folders"),
            ("file:a?search=,", 7..15, "`search` needs folders"),
            ("file:a?search", 7..13, "`search` needs folders"),
            (
                "file:a?search=.&search=b",
                16..24,
                "`search` is written twice",
            ),
            ("file:/etc/a?search=.", 5..11, "begins in them"),
            (
                "file:a?search=.,$HOME/x",
                16..23,
                "no shell expands `$HOME` here; write `${HOME}`",
            ),
            ("file:a?search=.,${HOME", 16..22, "no closing"),
        ] {
            let error = parse_uri(text).expect_err(text);
            assert_eq!(error.span, span, "{text}");
            assert!(error.message.contains(message), "{text}: {}", error.message);
        }
    }
}
