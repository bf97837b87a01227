//! URIs of servers: who answers, who asks, which document, and how.

use crate::{
    Format, Scheme, Template, UriError, nearest,
    scheme::{Authority, Opt, Shape, Value},
    template::find,
};
use std::{fmt, ops::Range, str::FromStr, time::Duration};

/// A document on a server. `T` is a [`Template`] until the program starts, then a `String`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Remote<T = Template> {
    /// What kind of server.
    pub scheme: Scheme,
    /// Whether the scheme itself asks for TLS; [`Remote::tls`] knows the whole truth.
    pub secure: bool,
    /// The user's name.
    pub user: Option<T>,
    /// The user's password, or the token.
    pub password: Option<T>,
    /// `host:port` of each server; the port may be missing.
    pub hosts: Vec<T>,
    /// The pieces of the path, as the scheme has them.
    pub path: Vec<T>,
    /// The options that are set.
    pub options: Vec<(&'static str, T)>,
}

impl<T> Remote<T> {
    /// Nothing but the scheme.
    pub fn new(scheme: Scheme) -> Self {
        Remote {
            scheme,
            secure: false,
            user: None,
            password: None,
            hosts: Vec::new(),
            path: Vec::new(),
            options: Vec::new(),
        }
    }

    /// The scheme asks for TLS.
    #[must_use]
    pub fn secure(mut self) -> Self {
        self.secure = true;
        self
    }

    /// The user's name.
    #[must_use]
    pub fn user(mut self, user: impl Into<T>) -> Self {
        self.user = Some(user.into());
        self
    }

    /// The user's password.
    #[must_use]
    pub fn password(mut self, password: impl Into<T>) -> Self {
        self.password = Some(password.into());
        self
    }

    /// One more server.
    #[must_use]
    pub fn host(mut self, host: impl Into<T>) -> Self {
        self.hosts.push(host.into());
        self
    }

    /// One more piece of the path.
    #[must_use]
    pub fn piece(mut self, piece: impl Into<T>) -> Self {
        self.path.push(piece.into());
        self
    }

    /// An option.
    #[must_use]
    pub fn option(mut self, name: &'static str, value: impl Into<T>) -> Self {
        self.options.push((name, value.into()));
        self
    }

    /// The value of an option.
    pub fn get(&self, name: &str) -> Option<&T> {
        let found = self.options.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value)
    }
}

impl Remote<Template> {
    /// Puts the variables in, and checks what they brought.
    ///
    /// # Errors
    /// A variable that is not set, or a value that cannot stand where it was put. Never repeats a secret.
    pub fn expand(
        &self,
        lookup: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Remote<String>, String> {
        let expand = |template: &Template| template.expand(lookup).map_err(|e| e.to_string());
        let all = |templates: &[Template]| templates.iter().map(expand).collect::<Result<_, _>>();
        let shape = self.scheme.shape();
        let mut hosts: Vec<String> = all(&self.hosts)?;
        if let Authority::Servers { many: true, .. } = shape.authority {
            let one_each = |host: String| host.split(',').map(str::to_owned).collect::<Vec<_>>();
            hosts = hosts.into_iter().flat_map(one_each).collect();
        }
        let remote = Remote {
            scheme: self.scheme,
            secure: self.secure,
            user: self.user.as_ref().map(expand).transpose()?,
            password: self.password.as_ref().map(expand).transpose()?,
            hosts,
            path: all(&self.path)?,
            options: self
                .options
                .iter()
                .map(|(name, value)| Ok((*name, expand(value)?)))
                .collect::<Result<_, String>>()?,
        };
        remote.check()?;
        Ok(remote)
    }

    /// The format that the URI names, or the document's extension; none where only the start can tell.
    ///
    /// JSON where there is nothing to tell it by.
    pub fn format(&self) -> Option<Format> {
        if let Some(named) = self.get("format") {
            return Format::from_str(named.as_literal()?).ok();
        }
        match self.path.last()?.parts.last()? {
            crate::Part::Text(text) => Some(of_document(self.scheme, text)),
            crate::Part::Var { .. } => None,
        }
    }
}

impl Remote<String> {
    /// Whether every part can be what it is said to be.
    ///
    /// # Errors
    /// What is wrong, and how to mend it. Never repeats a secret.
    pub fn check(&self) -> Result<(), String> {
        let shape = self.scheme.shape();
        if let Authority::Servers { port, .. } = shape.authority {
            for host in &self.hosts {
                if host.contains('@') {
                    return Err(
                        "a host holds no user and no password; write `user:${PASSWORD}@host`"
                            .to_owned(),
                    );
                }
                server(host, port)?;
            }
        }
        for (at, piece) in self.path.iter().enumerate() {
            self.scheme.check_piece(at, piece)?;
        }
        for (name, value) in &self.options {
            if let Some(opt) = known(shape, name) {
                opt.value.check(name, value)?;
            }
        }
        Ok(())
    }

    /// The server and who asks it, without what is asked: what may share a connection is equal in it.
    pub fn server(&self) -> Remote<String> {
        let mut server = self.clone();
        server.path.clear();
        server
            .options
            .retain(|(name, _)| known(self.scheme.shape(), name).is_some_and(|opt| opt.connects));
        server.options.sort();
        server
    }

    /// The value of an option that is a duration.
    pub fn duration(&self, name: &str) -> Option<Duration> {
        crate::parse_duration(self.get(name)?).ok()
    }

    /// Host and port of each server.
    pub fn servers(&self) -> Vec<(String, u16)> {
        let port = match self.scheme.shape().authority {
            Authority::Servers { port: 0, .. } if self.tls() => 443,
            Authority::Servers { port: 0, .. } => 80,
            Authority::Servers { port, .. } => port,
            Authority::Piece => 0,
        };
        let known = |host: &String| server(host, port).ok();
        self.hosts.iter().filter_map(known).collect()
    }

    /// `host:port` of each server, with the port.
    pub fn addresses(&self) -> Vec<String> {
        let written = |(host, port): (String, u16)| match host.contains(':') {
            true => format!("[{host}]:{port}"),
            false => format!("{host}:{port}"),
        };
        self.servers().into_iter().map(written).collect()
    }

    /// Whether the connection is to be secured, because of the scheme or of an option.
    pub fn tls(&self) -> bool {
        match self.get("tls") {
            Some(tls) => tls == "true",
            None => self.secure || self.get("ca").is_some() || self.get("cert").is_some(),
        }
    }

    /// The piece of the path at `index`; empty where there is none.
    pub fn at(&self, index: usize) -> &str {
        self.path.get(index).map_or("", String::as_str)
    }

    /// The format of the document.
    pub fn format(&self) -> Format {
        let named = self.get("format").and_then(|name| name.parse().ok());
        let last = self.path.last().map_or("", String::as_str);
        named.unwrap_or_else(|| of_document(self.scheme, last))
    }

    /// What reports call it: the URI without credentials and without options that do not tell it from another.
    pub fn origin(&self) -> String {
        let shape = self.scheme.shape();
        let name = match (shape.names, self.secure) {
            ([(name, _)], _) => name,
            (names, secure) => names
                .iter()
                .find(|(_, tls)| *tls == secure)
                .map_or(names[0].0, |(name, _)| *name),
        };
        let mut path = self.path.join("/");
        if self.scheme == Scheme::Https {
            // A query may hold tokens.
            path = path.split('?').next().unwrap_or_default().to_owned();
        }
        let mut origin = match shape.authority {
            Authority::Servers { .. } => {
                let slash = if path.starts_with('/') && self.scheme == Scheme::Https {
                    ""
                } else {
                    "/"
                };
                format!("{name}://{}{slash}{path}", self.hosts.join(","))
            }
            Authority::Piece if self.scheme == Scheme::Dir => format!("{name}:{path}"),
            Authority::Piece => format!("{name}://{path}"),
        };
        let mut separator = '?';
        for (name, value) in &self.options {
            if known(shape, name).is_some_and(|opt| opt.shown) {
                origin.push_str(&format!("{separator}{name}={value}"));
                separator = '&';
            }
        }
        origin
    }
}

impl<T: fmt::Debug> fmt::Debug for Remote<T> {
    /// Without the password and the secret options.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shape = self.scheme.shape();
        let options: Vec<_> = self
            .options
            .iter()
            .filter(|(name, _)| known(shape, name).is_none_or(|opt| opt.value != Value::Secret))
            .collect();
        f.debug_struct("Remote")
            .field("scheme", &self.scheme)
            .field("secure", &self.secure)
            .field("hosts", &self.hosts)
            .field("path", &self.path)
            .field("options", &options)
            .finish_non_exhaustive()
    }
}

fn of_document(scheme: Scheme, name: &str) -> Format {
    let name = match scheme {
        Scheme::Https => name.split('?').next().unwrap_or(name),
        _ => name,
    };
    Format::of_path(name).unwrap_or(Format::Json)
}

fn known<'a>(shape: &'a Shape, name: &str) -> Option<&'a Opt> {
    shape.options.iter().find(|opt| opt.name == name)
}

/// Host and port of `host`, `host:port`, `[::1]:port`.
fn server(text: &str, default: u16) -> Result<(String, u16), String> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let closed = rest
                .split_once(']')
                .ok_or_else(|| format!("`{text}` has no closing `]`"))?;
            (closed.0, closed.1.strip_prefix(':'))
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let odd = |c: char| c.is_whitespace() || matches!(c, '/' | '?' | '#' | '@' | ',');
    if host.is_empty() {
        return Err("the host is missing".to_owned());
    }
    if host.contains(odd) {
        return Err(format!("`{text}` is not a host"));
    }
    let port = match port {
        None => default,
        Some(port) => port
            .parse()
            .ok()
            .filter(|port| *port > 0)
            .ok_or_else(|| format!("`{port}` is not a port; write a number from 1 to 65535"))?,
    };
    Ok((host.to_owned(), port))
}

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
    // The query of a web address is the server's; there the options stand behind `#`, which is never sent.
    let web = shape.scheme == Scheme::Https;
    let (body, query) = cut(text, begin..text.len(), if web { '#' } else { '?' });
    if let Some(query) = query {
        options(&mut remote, shape, text, query)?;
    }
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
            return fail(
                format!(
                    "`{word}` is not an option of a `{}:` source; {hint}",
                    shape.names[0].0
                ),
                one,
            );
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

/// What stands before and behind the first `separator` that is not inside a variable.
fn cut(text: &str, span: Range<usize>, separator: char) -> (Range<usize>, Option<Range<usize>>) {
    match find(&text[span.clone()], &[separator]) {
        Some(at) => {
            let at = span.start + at;
            (span.start..at, Some(at + separator.len_utf8()..span.end))
        }
        None => (span, None),
    }
}

/// A piece of the text as a template; `%2F` stands for the character where `decoded`.
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
    String::from_utf8(bytes).map_err(|_| "what the `%` stand for is not Unicode".to_owned())
}

#[cfg(test)]
mod tests;
