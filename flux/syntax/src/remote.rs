//! What a server's URI consists of once it is read: how its variables are expanded and checked, which of it is secret, and how it
//! is shown.

mod parse;
#[cfg(test)]
mod tests;
mod together;

pub(crate) use parse::{parse, secret_written_down};

use crate::{
    Format, Scheme, Template,
    scheme::{Authority, Opt, Shape, Value},
};
use std::{cell::RefCell, fmt, str::FromStr, time::Duration};

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
    /// The values that variables brought, where they are not shown as part of the name. Never printed.
    pub given: Vec<String>,
    /// The path as it is shown, where that is not as it is.
    pub shown: Option<String>,
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
            given: Vec::new(),
            shown: None,
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
    /// A variable that is not set, or a value that cannot be where it was put. Never repeats a secret.
    pub fn expand(
        &self,
        lookup: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Remote<String>, String> {
        let broken = RefCell::new(None);
        let lookup = &|name: &str| {
            let value = lookup(name);
            if value.as_ref().is_some_and(|value| ends_a_line(value)) {
                *broken.borrow_mut() = Some(name.to_owned());
            }
            value
        };
        let expand = |template: &Template| template.expand(lookup).map_err(|e| e.to_string());
        let all = |templates: &[Template]| templates.iter().map(expand).collect::<Result<_, _>>();
        let shape = self.scheme.shape();
        let mut hosts: Vec<String> = all(&self.hosts)?;
        if let Authority::Servers { many: true, .. } = shape.authority {
            let one_each = |host: String| host.split(',').map(str::to_owned).collect::<Vec<_>>();
            hosts = hosts.into_iter().flat_map(one_each).collect();
        }
        // What the path of a web server holds may be a key to it; elsewhere the path is the document's name.
        let web = self.scheme == Scheme::Https;
        let named = self.path.iter().any(|piece| piece.as_literal().is_none());
        let shown = (web && named).then(|| {
            let names: Vec<_> = self.path.iter().map(Template::with_names).collect();
            names.join("/")
        });
        let texts = (self.options.iter())
            .filter(|(name, _)| {
                known(shape, name).is_none_or(|opt| {
                    !opt.shown && matches!(opt.value, Value::Text | Value::Secret)
                })
            })
            .map(|(_, value)| value);
        let given = (self.user.iter())
            .chain(&self.password)
            .chain(texts)
            .chain(self.path.iter().filter(|_| web))
            .flat_map(|template| template.values(lookup))
            .collect();
        let remote = Remote {
            given,
            shown,
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
        if let Some(name) = broken.take() {
            remote.check_secrets()?;
            return Err(line_break(&format!("environment variable {name}")));
        }
        // Of the names of the parts, so nothing is hidden in it.
        remote.check_together()?;
        if let Err(error) = remote.check() {
            // What is taken for a port or an option may be a password whose `@` was forgotten.
            let options = self.options.iter().map(|(_, value)| value);
            let brought = self.hosts.iter().chain(options);
            let brought: Vec<String> = brought.flat_map(|one| one.values(lookup)).collect();
            return Err(without_quoted(&error, &brought));
        }
        Ok(remote)
    }

    /// Whether a file is read for one of its values.
    pub fn reads_files(&self) -> bool {
        let options = self.options.iter().map(|(_, value)| value);
        (self.user.iter())
            .chain(&self.password)
            .chain(&self.hosts)
            .chain(&self.path)
            .chain(options)
            .any(Template::reads_files)
    }

    /// The format that the URI names, or the document's extension; none where it is known at the start only.
    ///
    /// JSON where nothing names it.
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

/// The sentence, without these values in what it quotes.
fn without_quoted(sentence: &str, values: &[String]) -> String {
    let is_quoted = |at: usize| at % 2 == 1;
    let holds = |part: &str| values.iter().any(|value| part.contains(value.as_str()));
    let parts = sentence.split('`').enumerate();
    let mut hidden = false;
    let parts = parts.map(|(at, part)| match is_quoted(at) && holds(part) {
        true => {
            hidden = true;
            "..."
        }
        false => part,
    });
    let parts: Vec<&str> = parts.collect();
    let mut sentence = parts.join("`");
    if hidden {
        sentence.push_str("; `...` is what a variable brought, and is not shown: behind a password, an `@` is needed");
    }
    sentence
}

/// No part of a URI does; a value that was written by `echo` does.
fn ends_a_line(value: &str) -> bool {
    value.ends_with(['\n', '\r'])
}

fn line_break(what: &str) -> String {
    format!(
        "the {what} ends with a line break; remove it where the variable is set, such as with `printf` in place of `echo`"
    )
}

impl Remote<String> {
    /// Whether every part can be what it is declared to be.
    ///
    /// # Errors
    /// What is wrong, and how to fix it. Never repeats a secret.
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
        self.check_together()?;
        self.check_secrets()
    }

    fn check_together(&self) -> Result<(), String> {
        self.check_options(self.get("tls").map(String::as_str))?;
        self.check_user()
    }

    fn check_secrets(&self) -> Result<(), String> {
        match self.secrets().find(|(_, secret)| ends_a_line(secret)) {
            Some((name, _)) => Err(line_break(name)),
            None => Ok(()),
        }
    }

    /// The password, the token: what is written down nowhere, by its name.
    pub fn secrets(&self) -> impl Iterator<Item = (&'static str, &String)> {
        let shape = self.scheme.shape();
        // A token is where a user would be.
        let token = (self.user.iter())
            .filter(|_| self.scheme == Scheme::Nats && self.password.is_none())
            .map(|token| ("token", token));
        let options = self
            .options
            .iter()
            .filter(|(name, _)| known(shape, name).is_some_and(|opt| opt.value == Value::Secret));
        (self.password.iter().map(|password| ("password", password)))
            .chain(token)
            .chain(options.map(|(name, value)| (*name, value)))
    }

    /// The server and the credentials, without the document: what may share a connection is equal in it.
    pub fn server(&self) -> Remote<String> {
        let mut server = self.clone();
        server.path.clear();
        server.given.clear();
        server.shown = None;
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

    /// What reports call it: the URI without credentials and without options that do not distinguish it from another.
    pub fn origin(&self) -> String {
        let shape = self.scheme.shape();
        let name = match (shape.names, self.secure) {
            ([(name, _)], _) => name,
            (names, secure) => names
                .iter()
                .find(|(_, tls)| *tls == secure)
                .map_or(names[0].0, |(name, _)| *name),
        };
        let mut path = match &self.shown {
            Some(shown) => shown.clone(),
            None => self.path.join("/"),
        };
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
        let mut shown = f.debug_struct("Remote");
        shown
            .field("scheme", &self.scheme)
            .field("secure", &self.secure)
            .field("hosts", &self.hosts);
        // The path and the query of a web server may hold tokens.
        if self.scheme != Scheme::Https {
            shown.field("path", &self.path);
        }
        shown.field("options", &options).finish_non_exhaustive()
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
