//! How the text of a server's URI is taken apart, and the error where it is malformed.

use super::{Remote, known, server};
use crate::{
    Scheme, Template, UriError, nearest,
    scheme::{Authority, Shape, Value},
    template::find,
};
use std::ops::Range;

/// Reads what follows `scheme:` at `start` of `text`.
pub(crate) fn parse(
    shape: &'static Shape,
    secure: bool,
    text: &str,
    start: usize,
) -> Result<Remote, UriError> {
    let example = shape.example;
    let fail = |message: String, span: Range<usize>| Err(UriError { message, span });
    if shape.scheme == Scheme::Dir {
        let path = crate::uri::local_path(text, start, example)?;
        return Ok(Remote::new(shape.scheme).piece(template(text, path, false)?));
    }
    let Some(rest) = text[start..].strip_prefix("//") else {
        return fail(
            format!("`//` is missing behind the scheme: `{example}`"),
            0..text.len(),
        );
    };
    let mut remote = Remote::new(shape.scheme);
    remote.secure = secure;
    let begin = text.len() - rest.len();
    // The query of a web address is the server's; there the options are behind `#`, which is never sent.
    let web = shape.scheme == Scheme::Https;
    let (body, query) = cut(text, begin..text.len(), if web { '#' } else { '?' });
    if let Some(query) = query {
        options(&mut remote, shape, text, query)?;
    }
    let user_alone = remote.user.is_some() && remote.password.is_none();
    let path = match shape.authority {
        Authority::Piece => body,
        Authority::Servers { port, many } => {
            let end = find(&text[body.clone()], &['/', '?']).map_or(body.end, |at| body.start + at);
            servers(&mut remote, text, body.start..end, port, many)?;
            match web {
                true => end..body.end,
                false => (end + 1).min(body.end)..body.end,
            }
        }
    };
    if shape.scheme == Scheme::Nats && user_alone && remote.password.is_none() {
        return fail(
            "a user is named and no password; a token is written `token=${NAME}`".to_owned(),
            0..text.len(),
        );
    }
    let tls = remote.get("tls").and_then(Template::as_literal);
    if let Err(message) = remote.check_options(tls) {
        return fail(message, 0..text.len());
    }
    if web && path.is_empty() {
        return Ok(remote.piece("/"));
    }
    let mut rest = Some(path.clone());
    for (at, name) in shape.pieces.iter().enumerate() {
        let Some(left) = rest.take() else {
            return fail(format!("the {name} is missing: `{example}`"), 0..text.len());
        };
        let (piece, more) = match at + 1 == shape.pieces.len() {
            true => (left, None),
            false => cut(text, left, '/'),
        };
        rest = more;
        let value = template(text, piece.clone(), !web)?;
        if let Some(literal) = value.as_literal()
            && let Err(message) = shape.scheme.check_piece(at, literal)
        {
            let span = if piece.is_empty() {
                0..text.len()
            } else {
                piece
            };
            return fail(message, span);
        }
        remote.path.push(value);
    }
    Ok(remote)
}

fn servers(
    remote: &mut Remote,
    text: &str,
    authority: Range<usize>,
    port: u16,
    many: bool,
) -> Result<(), UriError> {
    let fail = |message: String, span: Range<usize>| Err(UriError { message, span });
    let mut hosts = authority.clone();
    let (first, second) = cut(text, authority, '@');
    if let Some(behind) = second {
        hosts = behind;
        let (user, password) = cut(text, first, ':');
        let named = !user.is_empty();
        let name = template(text, user.clone(), true)?;
        if remote.scheme == Scheme::Nats && password.is_none() && !name.is_variable() {
            return fail(secret_written_down("a token"), user);
        }
        if let Some(password) = password.filter(|span| !span.is_empty()) {
            if remote.password.is_some() {
                return fail(
                    "the password is set twice: here and as `password=`".to_owned(),
                    password,
                );
            }
            remote.password = Some(template(text, password, true)?);
        }
        if named {
            if remote.user.is_some() {
                return fail(
                    "the user is named twice: here and as `user=`".to_owned(),
                    user,
                );
            }
            remote.user = Some(name);
        }
    }
    loop {
        let (one, more) = cut(text, hosts, ',');
        let host = template(text, one.clone(), true)?;
        if let Some(literal) = host.as_literal()
            && let Err(message) = server(literal, port)
        {
            let span = if one.is_empty() { 0..text.len() } else { one };
            return fail(message, span);
        }
        remote.hosts.push(host);
        match more {
            None => return Ok(()),
            Some(more) if many => hosts = more,
            Some(more) => {
                return fail(
                    format!("a `{}:` source has one host", remote.scheme.as_str()),
                    more,
                );
            }
        }
    }
}

fn options(
    remote: &mut Remote,
    shape: &'static Shape,
    text: &str,
    query: Range<usize>,
) -> Result<(), UriError> {
    let fail = |message: String, span: Range<usize>| Err(UriError { message, span });
    let mut rest = Some(query);
    while let Some(left) = rest {
        let (one, more) = cut(text, left, '&');
        rest = more;
        let (name, value) = cut(text, one.clone(), '=');
        let word = &text[name.clone()];
        let Some(opt) = known(shape, word) else {
            let names = || shape.options.iter().map(|opt| opt.name);
            let hint = match nearest(word, names()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("it has {}", names().collect::<Vec<_>>().join(", ")),
            };
            let scheme = shape.names[0].0;
            let message = match word.contains('@') {
                false => format!("`{word}` is not an option of a `{scheme}:` source; {hint}"),
                // It may be the rest of a password.
                true => format!(
                    "what is behind `?` is not an option of a `{scheme}:` source; in a user or a password `?` is written `%3F`; {hint}"
                ),
            };
            return fail(message, one);
        };
        let Some(value) = value else {
            return fail(format!("`{word}` needs a value: `{word}=..`"), one);
        };
        let span = value.clone();
        let value = template(text, value, true)?;
        if opt.value == Value::Secret && !value.is_variable() {
            return fail(secret_written_down("a secret"), span);
        }
        if let Some(literal) = value.as_literal()
            && let Err(message) = opt.value.check(opt.name, literal)
        {
            return fail(message, one);
        }
        let place = match opt.name {
            "user" => Some(&mut remote.user),
            "password" => Some(&mut remote.password),
            _ => None,
        };
        let twice = match place {
            Some(place) => place.replace(value).is_some(),
            None => {
                let twice = remote.get(opt.name).is_some();
                remote.options.push((opt.name, value));
                twice
            }
        };
        if twice {
            return fail(format!("`{word}` is set twice"), one);
        }
    }
    Ok(())
}

pub(crate) fn secret_written_down(what: &str) -> String {
    format!("{what} does not belong into a source URI; take it from the environment: `${{NAME}}`")
}

/// What is before and behind the first `separator` that is not inside a variable.
fn cut(text: &str, span: Range<usize>, separator: char) -> (Range<usize>, Option<Range<usize>>) {
    match find(&text[span.clone()], &[separator]) {
        Some(at) => {
            let at = span.start + at;
            (span.start..at, Some(at + separator.len_utf8()..span.end))
        }
        None => (span, None),
    }
}

/// A piece of the text as a template; `%2F` is the character where `decoded`.
fn template(text: &str, span: Range<usize>, decoded: bool) -> Result<Template, UriError> {
    let wrong = |message: String| UriError {
        message,
        span: span.clone(),
    };
    let read = Template::parse(&text[span.clone()]).map_err(|error| {
        let error = error.shifted(span.start);
        UriError {
            message: error.message,
            span: error.span,
        }
    })?;
    match decoded {
        true => read.map_text(&percent_decoded).map_err(wrong),
        false => Ok(read),
    }
}

fn percent_decoded(text: String) -> Result<String, String> {
    if !text.contains('%') {
        return Ok(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|c| char::from(c).to_digit(16));
        match (digit(), digit()) {
            (Some(high), Some(low)) => bytes.push((high * 16 + low) as u8),
            _ => {
                return Err(
                    "a `%` is followed by two hexadecimal digits; for the character itself write `%25`"
                        .to_owned(),
                );
            }
        }
    }
    String::from_utf8(bytes)
        .map_err(|_| "the characters that `%` encodes are not Unicode".to_owned())
}
