//! Source URIs.

use crate::{Template, nearest};
use std::{fmt, ops::Range};

/// Where a layer comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Uri {
    /// `file:PATH`
    File {
        /// The path.
        path: Template,
    },
    /// `env` and `env:PREFIX_`
    Env {
        /// The prefix of the variables' names; empty for none.
        prefix: Template,
    },
    /// A URI that comes from the environment as a whole: `${APP_CONFIG:-file:app.yaml}`.
    Whole(Template),
}

/// Why a text is no source URI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UriError {
    /// What is wrong and how to mend it. Never holds a password.
    pub message: String,
    /// Where in the text, in bytes.
    pub span: Range<usize>,
}

impl fmt::Display for UriError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for UriError {}

const KNOWN: [&str; 2] = ["file", "env"];
const REMOTE: [&str; 10] = [
    "redis",
    "consul",
    "etcd",
    "nats",
    "k8s",
    "zookeeper",
    "firestore",
    "http",
    "https",
    "dir",
];

/// Reads a source URI.
///
/// # Errors
/// No scheme or an unknown one, a missing path, a password, a `${` that is not closed.
pub fn parse_uri(text: &str) -> Result<Uri, UriError> {
    let fail = |message: String, span: Range<usize>| Err(UriError { message, span });
    let whole = 0..text.len();
    if text.is_empty() {
        return fail(
            "the source is empty; write one, such as `file:app.yaml` or `env:APP_`".into(),
            whole,
        );
    }
    if let Some(span) = password(text) {
        return fail(
            "a password does not belong into a source URI; take it from the environment: `${NAME}`"
                .into(),
            span,
        );
    }
    let template = |from: usize| {
        Template::parse(&text[from..]).map_err(|error| UriError {
            message: error.message,
            span: error.span.start + from..error.span.end + from,
        })
    };
    if text.starts_with("${") {
        return template(0).map(Uri::Whole);
    }
    if text == "env" {
        return Ok(Uri::Env {
            prefix: Template::new(Vec::new()),
        });
    }
    let Some((scheme, rest)) = text.split_once(':') else {
        return match text {
            "file" => fail("`file` needs a path: `file:app.yaml`".into(), whole),
            _ => fail(
                format!("`{text}` has no scheme; for a file write `file:{text}`"),
                whole,
            ),
        };
    };
    let start = scheme.len() + 1;
    match scheme {
        "file" => {
            let path = match rest.strip_prefix("//") {
                Some(path) if path.starts_with('/') || path.starts_with("${") => path,
                Some(_) => {
                    return fail(
                        "a `file:` source has no host; write `file:PATH` or `file:///PATH`".into(),
                        start..text.len(),
                    );
                }
                None => rest,
            };
            if path.is_empty() || path == "/" {
                return fail("the path is missing: `file:app.yaml`".into(), whole);
            }
            Ok(Uri::File {
                path: template(text.len() - path.len())?,
            })
        }
        "env" => {
            let prefix = template(start)?;
            let fits = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
            match prefix.as_literal() {
                Some(literal) if !fits(literal) => fail(
                    format!(
                        "`{literal}` cannot begin a variable's name; use letters, digits and `_`, as in `env:APP_`"
                    ),
                    start..text.len(),
                ),
                _ => Ok(Uri::Env { prefix }),
            }
        }
        _ if REMOTE.contains(&scheme) => fail(
            format!("this version of flux has no `{scheme}:` source; it has `file:` and `env`"),
            0..scheme.len(),
        ),
        _ => {
            let hint = match nearest(scheme, KNOWN.into_iter().chain(REMOTE)) {
                Some(known) => format!("did you mean `{known}:`?"),
                None => "this version of flux has `file:` and `env`".to_owned(),
            };
            fail(
                format!("unknown scheme `{scheme}:`; {hint}"),
                0..scheme.len(),
            )
        }
    }
}

/// Where a literal password stands in `scheme://user:password@host`. A password may hold any character, so everything up to the
/// last `@` counts.
fn password(text: &str) -> Option<Range<usize>> {
    text.match_indices("://").find_map(|(at, separator)| {
        let start = at + separator.len();
        let rest = &text[start..];
        let (user, _) = rest.rsplit_once('@')?;
        let (name, secret) = user.split_once(':')?;
        let variable = secret.starts_with("${") && secret.find('}') == Some(secret.len() - 1);
        let from = start + name.len() + 1;
        let literal = !rest.starts_with('/') && !secret.is_empty() && !variable;
        literal.then(|| from..from + secret.len())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn file(path: &str) -> Uri {
        Uri::File { path: path.into() }
    }

    fn refused(text: &str) -> String {
        parse_uri(text).expect_err(text).message
    }

    #[test]
    fn files_are_read_in_every_form() {
        assert_eq!(parse_uri("file:app.yaml"), Ok(file("app.yaml")));
        assert_eq!(parse_uri("file:/etc/app.toml"), Ok(file("/etc/app.toml")));
        assert_eq!(parse_uri("file:///etc/app.toml"), Ok(file("/etc/app.toml")));
    }

    #[test]
    fn the_environment_has_an_optional_prefix() {
        assert_eq!(
            parse_uri("env:APP_"),
            Ok(Uri::Env {
                prefix: "APP_".into()
            })
        );
        assert!(
            matches!(parse_uri("env"), Ok(Uri::Env { prefix }) if prefix.as_literal() == Some(""))
        );
        assert!(refused("env:APP-").contains("cannot begin a variable's name"));
    }

    #[test]
    fn a_uri_may_come_from_the_environment() {
        assert!(matches!(
            parse_uri("${APP_CONFIG:-file:app.yaml}"),
            Ok(Uri::Whole(_))
        ));
        assert!(matches!(
            parse_uri("file:${DIR:-/etc}/app.yaml"),
            Ok(Uri::File { .. })
        ));
    }

    #[test]
    fn mistakes_are_told_with_their_mend() {
        assert!(refused("app.yaml").contains("file:app.yaml"));
        assert!(refused("fiel:app.yaml").contains("did you mean `file:`?"));
        assert!(refused("file:").contains("path is missing"));
        assert!(refused("file://host/x").contains("no host"));
        assert!(refused("etcd://127.0.0.1:2379/key").contains("no `etcd:` source"));
        assert!(refused("file:${X").contains("no closing"));
        assert!(refused("").contains("empty"));
    }

    #[test]
    fn a_password_is_refused_and_not_repeated() {
        let error = parse_uri("redis://user:hunter2@host/key").expect_err("a password");
        assert!(!error.message.contains("hunter2"));
        assert_eq!(error.span, 13..20);
        assert!(!refused("redis://user:${PW}@host/key").contains("password"));
        for hidden in [
            "redis://u:hunter2/w@host",
            "env:redis://u:hunter2/w@host",
            "env:a://b/c://u:hunter2@h",
            "${redis://u:hunter2/w@h}",
            "${URL:-redis://u:hunter2@h}",
            "redis://u:${PW}hunter2@h",
        ] {
            let message = refused(hidden);
            assert!(
                message.contains("password") && !message.contains("hunter2"),
                "{message}"
            );
        }
        assert_eq!(
            parse_uri("file:///etc/a:b@c.yaml"),
            Ok(file("/etc/a:b@c.yaml"))
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_inside_itself(text in ".*") {
            if let Err(error) = parse_uri(&text) {
                prop_assert!(text.get(error.span).is_some());
            }
        }

        #[test]
        fn any_plain_path_is_a_file(path in "[a-z./_-]{1,40}") {
            prop_assume!(!path.starts_with("//") && path != "/");
            prop_assert_eq!(parse_uri(&format!("file:{path}")), Ok(file(&path)));
        }
    }
}
