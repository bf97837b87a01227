//! How a source URI is read (`file:`, `env:`, `args:`, servers), what is refused in it, and where a password must not be.

use crate::{
    Dotenv, Naming, Pattern, Remote, Scheme, Template, nearest,
    remote::{self, secret_written_down},
    scheme::SHAPES,
    search::{self, Searched},
    template::find,
};
use std::{fmt, ops::Range};

/// Where a layer comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Uri {
    /// `file:PATH`
    File {
        /// The path, whose last part may be a [`Pattern`](crate::Pattern).
        path: Template,
    },
    /// `file:PATH?search=FOLDER,FOLDER`: the file in the first folder that has it.
    Search {
        /// The path in each folder.
        file: Template,
        /// The folders, the best one first.
        folders: Vec<Template>,
    },
    /// `env` and `env:PREFIX_`
    Env {
        /// The prefix of the variables' names, empty for none, with the options of [`Naming`].
        prefix: Template,
    },
    /// `dotenv:PATH`: a file of variables.
    Dotenv {
        /// The path, with the options of [`Dotenv`](crate::Dotenv).
        file: Template,
    },
    /// `args`: the arguments of the process.
    Args,
    /// A document on a server, or a folder.
    Remote(Remote),
    /// A URI that comes from the environment as a whole: `${APP_CONFIG:-file:app.yaml}`.
    Whole(Template),
}

/// Why a text is no source URI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UriError {
    /// What is wrong and how to fix it. Never holds a password.
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

/// Reads a source URI.
///
/// # Errors
/// No scheme or an unknown one, a missing path, an option that is none, a password, a `${` that is not closed.
pub fn parse_uri(text: &str) -> Result<Uri, UriError> {
    if let Some(span) = password(text) {
        let mut message = secret_written_down("a password");
        if text[span.clone()].contains('/') {
            message.push_str(NO_PASSWORD);
        }
        return Err(UriError { message, span });
    }
    read(text)
}

/// Whether a text that is no source URI may have a user and a password in it: an `@`, or something behind the host's colon that is no
/// port, as in `redis://user:password/key`, whose `@` was forgotten.
pub fn may_hold_password(text: &str) -> bool {
    let is_port = |port: &str| port.bytes().all(|digit| digit.is_ascii_digit());
    let behind = text.split_once("//").or_else(|| text.split_once(':'));
    let authority = behind.map_or(text, |(_, rest)| rest);
    let authority = authority.split(['/', '?', '#']).next().unwrap_or_default();
    let is_server = |server: &str| {
        let server = server.rsplit_once(']').map_or(server, |(_, port)| port);
        server.split_once(':').is_none_or(|(_, port)| is_port(port))
    };
    text.contains('@') || !authority.split(',').all(is_server)
}

/// Reads a source URI that came from the environment: it may hold a password, and `$` is a character like any other.
///
/// # Errors
/// As [`parse_uri`]; where there may be a password or a query in it, the message repeats nothing of the text.
pub fn parse_given_uri(text: &str) -> Result<Uri, UriError> {
    let whole = |message: &str| UriError {
        message: message.to_owned(),
        span: 0..text.len(),
    };
    // With a number in front of its `/`, the beginning of a password is a port, and the rest of it the path.
    if password(text).is_some_and(|span| text[span].contains('/')) {
        return Err(whole(&format!("{NO_URI}{NO_PASSWORD}")));
    }
    let is_local = ["env:", "dotenv:"].iter().any(|own| text.starts_with(own));
    // Credentials may be in a query, also in a misspelt option of it.
    let query = text.find(['?', '#']).filter(|_| !is_local);
    let query = query.map_or("", |at| &text[at + 1..]);
    let pieces = || {
        query
            .split(['&', '=', '?', '#'])
            .filter(|piece| !piece.is_empty())
    };
    let quotes_query = |message: &str| pieces().any(|piece| message.contains(piece));
    read(&text.replace('$', "$$")).map_err(|error| match text {
        _ if !text.is_empty() && !text.contains(':') => whole(NO_SCHEME),
        _ if may_hold_password(text) || quotes_query(&error.message) => whole(NO_URI),
        _ => UriError {
            span: undoubled(text, error.span.start)..undoubled(text, error.span.end),
            message: given_message(&error.message),
        },
    })
}

/// What is said of a text without a colon, which may be anything: a password too.
const NO_SCHEME: &str = "it has no scheme; a file is written `file:PATH`, and others as `redis://host/key`; what a variable brings is not shown";

/// What is added where an `@` may be one of a path.
const NO_PASSWORD: &str = ". If no password is meant: an `@` in a path or a query is written `%40`";

/// What is said of a text that may hold a password.
pub const NO_URI: &str = "it is no source URI such as `redis://user:password@host:6379/key`; in a password, characters that are not letters or digits are written like `%2F`";

/// What is wrong with a text that has its dollars doubled, and in which no variable is replaced any more.
fn given_message(message: &str) -> String {
    let secrets = ["a secret", "a token"].map(remote::secret_written_down);
    if secrets.iter().any(|known| known == message) {
        return "credentials come only from variables of their own, and in a URI that comes from a variable no other one is replaced: declare the source with `?token=${NAME}`, and set NAME".to_owned();
    }
    message.replace("$$", "$")
}

/// The place in the text of what is at `at` where its dollars are doubled.
fn undoubled(text: &str, at: usize) -> usize {
    let mut doubled = 0;
    let found = text.char_indices().find(|(_, c)| {
        let here = doubled >= at;
        doubled += c.len_utf8() + usize::from(*c == '$');
        here
    });
    found.map_or(text.len(), |(position, _)| position)
}

fn read(text: &str) -> Result<Uri, UriError> {
    let fail = |message: String, span: Range<usize>| Err(UriError { message, span });
    let whole = 0..text.len();
    if text.is_empty() {
        return fail(
            "the source is empty; write one, such as `file:app.yaml` or `env:APP_`".into(),
            whole,
        );
    }
    let template = |span: Range<usize>| {
        Template::parse(&text[span.clone()]).map_err(|error| {
            let error = error.shifted(span.start);
            UriError {
                message: error.message,
                span: error.span,
            }
        })
    };
    if text.starts_with("${") {
        return template(whole).map(Uri::Whole);
    }
    if text == "env" {
        return Ok(Uri::Env {
            prefix: Template::new(Vec::new()),
        });
    }
    if text == "args" {
        return Ok(Uri::Args);
    }
    let Some(colon) = find(text, &[':']) else {
        return match text {
            "file" => fail("`file` needs a path: `file:app.yaml`".into(), whole),
            "dotenv" => fail("`dotenv` needs a path: `dotenv:.env`".into(), whole),
            _ => fail(
                format!("`{text}` has no scheme; for a file write `file:{text}`"),
                whole,
            ),
        };
    };
    let (scheme, start) = (&text[..colon], colon + 1);
    match scheme {
        "file" => {
            let path = local_path(text, start, "file:app.yaml")?;
            if let Some(Searched { file, folders }) = search::read(text, path.clone())? {
                return Ok(Uri::Search { file, folders });
            }
            if text[path.clone()].contains("://") {
                return fail(
                    "behind `file:` is a path, and this is another URI; write one of them".into(),
                    start..text.len(),
                );
            }
            let file = template(path.clone())?;
            match Pattern::of_template(&file) {
                Ok(_) => Ok(Uri::File { path: file }),
                Err(message) => fail(message, path),
            }
        }
        "dotenv" => {
            let span = local_path(text, start, "dotenv:.env")?;
            let file = template(span.clone())?;
            match file.as_literal().map(Dotenv::parse) {
                Some(Err(message)) => fail(message, span),
                _ => Ok(Uri::Dotenv { file }),
            }
        }
        "env" => {
            let prefix = template(start..text.len())?;
            match prefix.as_literal().map(Naming::parse) {
                Some(Err(message)) => fail(message, start..text.len()),
                _ => Ok(Uri::Env { prefix }),
            }
        }
        "args" => fail(
            "the arguments of a process have no address and no options; write `args`".into(),
            colon..text.len(),
        ),
        "dir" if text[start..].contains('*') => fail(
            "in a `dir:` source every file is one key, and none is chosen by a pattern; where each file is a document write `file:conf.d/*.yaml`".into(),
            start..text.len(),
        ),
        _ => match Scheme::named(scheme) {
            Some((shape, secure)) => remote::parse(shape, secure, text, start).map(Uri::Remote),
            None => {
                let names = SHAPES
                    .iter()
                    .flat_map(|shape| shape.names)
                    .map(|(name, _)| *name);
                let known: Vec<&str> = ["file", "env"]
                    .into_iter()
                    .chain(names)
                    .chain(["dotenv", "args"])
                    .collect();
                let hint = match nearest(scheme, known.iter().copied()) {
                    Some("args") => "did you mean `args`?".to_owned(),
                    Some(near) => format!("did you mean `{near}:`?"),
                    None => format!("the schemes are {}", known.join(", ")),
                };
                fail(
                    format!("unknown scheme `{scheme}:`; {hint}"),
                    0..scheme.len(),
                )
            }
        },
    }
}

/// Where the path of `file:PATH` or `dir:PATH` is.
pub(crate) fn local_path(
    text: &str,
    start: usize,
    example: &str,
) -> Result<Range<usize>, UriError> {
    let scheme = &text[..start];
    let rest = &text[start..];
    let path = match rest.strip_prefix("//") {
        Some(path) if path.starts_with('/') || path.starts_with("${") => path,
        Some(_) => {
            return Err(UriError {
                message: format!(
                    "a `{scheme}` source has no host; write `{scheme}PATH` or `{scheme}///PATH`"
                ),
                span: start..text.len(),
            });
        }
        None => rest,
    };
    if path.is_empty() || path == "/" && scheme == "file:" {
        return Err(UriError {
            message: format!("the path is missing: `{example}`"),
            span: 0..text.len(),
        });
    }
    Ok(text.len() - path.len()..text.len())
}

/// Where a literal password is in `scheme://user:password@host`. A password may hold any character, so everything up to the
/// last `@` counts.
fn password(text: &str) -> Option<Range<usize>> {
    text.match_indices("://").find_map(|(at, separator)| {
        let start = at + separator.len();
        let rest = &text[start..];
        let (user, _) = rest.rsplit_once('@')?;
        let colon = match Template::parse(user) {
            Ok(_) => find(user, &[':'])?,
            Err(_) => user.find(':')?,
        };
        let (name, secret) = (&user[..colon], &user[colon + 1..]);
        let variable = Template::parse(secret).is_ok_and(|secret| secret.is_variable());
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
    fn a_pattern_is_possible_in_the_name_of_files_alone() {
        assert_eq!(
            parse_uri("file:/etc/conf.d/*.yaml"),
            Ok(file("/etc/conf.d/*.yaml"))
        );
        assert!(parse_uri("file:${FOLDER:-/etc/*}/*.yaml").is_ok());
        assert!(refused("file:/etc/*/app.yaml").contains("not in that of a folder"));
        assert!(refused("file:/etc/*/${NAME}/app.yaml").contains("not in that of a folder"));
        assert!(refused("file:conf.d/**.yaml").contains("write one `*`"));
        assert!(refused("file:*.yaml?search=.,/etc").contains("one file"));
        assert!(refused("dotenv:env.d/*.env").contains("a source of its own"));
        assert!(refused("dir:/etc/*").contains("write `file:conf.d/*.yaml`"));
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
        assert!(parse_uri("env:APP_?separator=__").is_ok());
        assert!(refused("env:APP_?seperator=__").contains("did you mean `separator`?"));
    }

    #[test]
    fn a_file_of_variables_has_a_path_and_options() {
        let file = |file: &str| Ok(Uri::Dotenv { file: file.into() });
        assert_eq!(parse_uri("dotenv:.env"), file(".env"));
        assert_eq!(parse_uri("dotenv:///etc/app/env"), file("/etc/app/env"));
        assert_eq!(
            parse_uri("dotenv:.env?prefix=APP_"),
            file(".env?prefix=APP_")
        );
        assert!(refused("dotenv").contains("needs a path: `dotenv:.env`"));
        assert!(refused("dotenv:").contains("the path is missing: `dotenv:.env`"));
        assert!(refused("dotenv://host/.env").contains("no host"));
        assert!(refused("dotenv:.env?prefix=APP-").contains("cannot begin"));
        assert!(refused("dotnev:.env").contains("did you mean `dotenv:`?"));
    }

    #[test]
    fn the_arguments_have_no_address() {
        assert_eq!(parse_uri("args"), Ok(Uri::Args));
        assert!(refused("args:--port").contains("write `args`"));
        assert!(refused("arg:").contains("did you mean `args`?"));
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
        assert!(refused("ectd://127.0.0.1:2379/key").contains("did you mean `etcd:`?"));
        assert!(refused("gopher://x").contains("the schemes are file, env, redis"));
        assert!(refused("file:${X").contains("no closing"));
        assert!(refused("").contains("empty"));
    }

    #[test]
    fn a_password_is_refused_and_not_repeated() {
        let error = parse_uri("redis://user:hunter2@host/key").expect_err("a password");
        assert!(!error.message.contains("hunter2"));
        assert_eq!(error.span, 13..20);
        assert!(parse_uri("redis://user:${PW}@host/key").is_ok());
        assert!(parse_uri("redis://${USER:-bob}@host/key").is_ok());
        assert!(parse_uri("${URL:-redis://u:${PW}@host/key}").is_ok());
        for hidden in [
            "redis://u:hunter2/w@host",
            "env:redis://u:hunter2/w@host",
            "env:a://b/c://u:hunter2@h",
            "${redis://u:hunter2/w@h}",
            "${URL:-redis://u:hunter2@h}",
            "redis://u:${PW}hunter2@h",
            "redis://u:${PW:-hunter2}@h",
            "redis://u:${PW:-${OLD:-hunter2}}@h",
            "redis://${X:hunter2@h",
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

    #[test]
    fn what_is_behind_the_colon_of_a_host_may_be_a_password_unless_it_is_a_port() {
        for (text, may) in [
            ("redis://u:p@h/k", true),
            ("redis://u:p/k", true),
            ("redis://u:p", true),
            ("etcd://a:1,b:x/k", true),
            ("redis://[::1]:p/k", true),
            ("etcd://a:1,b:2/k?x=y:z", false),
            ("redis://[::1]:6379/k", false),
            ("redis://h/a:b", false),
            ("file:app.yaml", false),
            ("env:APP_", false),
        ] {
            assert_eq!(may_hold_password(text), may, "{text}");
        }
    }

    #[test]
    fn what_the_environment_gives_may_hold_a_password_that_no_message_repeats() {
        let Ok(Uri::Remote(remote)) = parse_given_uri("redis://u:a%2Fb$c@host/key") else {
            panic!("a URI");
        };
        assert_eq!(remote.password, Some("a/b$c".into()));
        assert!(!format!("{remote:?}").contains("a/b"));
        for wrong in [
            "redis://u:hunter2/w@host",
            "redis://u:hunter2@host:port/key",
            "hunter2@host",
            "redis://u:hunter2@host",
            "nats://u:hunter2@h/b/*",
            "redis://u:hunter2/key",
            "k8s://u:hunter2/configmap/app",
            "redis://u:1234/hunter2@host/key",
            "etcd://u:1234/hunter2@a:1,b:2/key",
        ] {
            let message = parse_given_uri(wrong).expect_err(wrong).message;
            assert!(!message.contains("hunter2"), "{message}");
        }
        let dollars = parse_given_uri("a$b:x").expect_err("no scheme").message;
        assert!(dollars.contains("`a$b:`"), "{dollars}");
        let dollars = parse_given_uri("env:${PREFIX}").expect_err("no prefix");
        assert_eq!(dollars.span, 4..13);
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_inside_itself(text in ".*") {
            for read in [parse_uri(&text), parse_given_uri(&text)] {
                if let Err(error) = read {
                    prop_assert!(text.get(error.span).is_some());
                }
            }
        }

        #[test]
        fn any_plain_path_is_a_file(path in "[a-z./_-]{1,40}") {
            prop_assume!(!path.starts_with("//") && path != "/");
            prop_assert_eq!(parse_uri(&format!("file:{path}")), Ok(file(&path)));
        }
    }
}
