//! Which schemes of URIs exist, and which parts and options each kind of server takes: one table, for compile time and for run
//! time.

use crate::{Format, parse_duration};
use std::str::FromStr;

/// A kind of place that is not this machine's environment or a single file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scheme {
    /// `redis://`, `rediss://`
    Redis,
    /// `consul://`
    Consul,
    /// `etcd://`
    Etcd,
    /// `nats://`
    Nats,
    /// `k8s://`
    K8s,
    /// `zookeeper://`
    ZooKeeper,
    /// `firestore://`
    Firestore,
    /// `https://`, `http://`
    Https,
    /// `dir:`
    Dir,
}

/// What is between `scheme://` and the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Authority {
    /// One server, or several where the client takes them.
    Servers { port: u16, many: bool },
    /// Nothing of its own: it is the first piece of the path.
    Piece,
}

/// What an option's value must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value {
    Text,
    /// Never written down: only a variable.
    Secret,
    Number,
    Flag,
    Duration,
    Format,
}

/// An option of the query.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Opt {
    pub(crate) name: &'static str,
    pub(crate) value: Value,
    /// It distinguishes one source from another, so reports show it.
    pub(crate) shown: bool,
    /// A connection depends on it.
    pub(crate) connects: bool,
}

impl Opt {
    /// An option that concerns one source.
    const fn of_source(name: &'static str, value: Value) -> Opt {
        Opt {
            name,
            value,
            shown: false,
            connects: false,
        }
    }

    /// An option that concerns the connection.
    const fn of_connection(name: &'static str, value: Value) -> Opt {
        Opt {
            connects: true,
            ..Opt::of_source(name, value)
        }
    }

    /// It is part of the source's name.
    const fn shown(self) -> Opt {
        Opt {
            shown: true,
            ..self
        }
    }
}

const FORMAT: Opt = Opt::of_source("format", Value::Format);
const RESYNC: Opt = Opt::of_source("resync", Value::Duration);
const USER: Opt = Opt::of_connection("user", Value::Text);
const PASSWORD: Opt = Opt::of_connection("password", Value::Secret);
const TOKEN: Opt = Opt::of_connection("token", Value::Secret);
const TLS: Opt = Opt::of_connection("tls", Value::Flag);
const CA: Opt = Opt::of_connection("ca", Value::Text);
const CERT: Opt = Opt::of_connection("cert", Value::Text);
const CERT_KEY: Opt = Opt::of_connection("cert_key", Value::Text);

/// The form of a scheme's URIs.
#[derive(Debug)]
pub(crate) struct Shape {
    pub(crate) scheme: Scheme,
    /// As it is written, and whether it means TLS.
    pub(crate) names: &'static [(&'static str, bool)],
    pub(crate) example: &'static str,
    pub(crate) authority: Authority,
    /// What the pieces of the path are; the last takes the rest.
    pub(crate) pieces: &'static [&'static str],
    pub(crate) options: &'static [Opt],
}

pub(crate) const SHAPES: &[Shape] = &[
    Shape {
        scheme: Scheme::Redis,
        names: &[("redis", false), ("rediss", true)],
        example: "redis://127.0.0.1:6379/app?db=0",
        authority: Authority::Servers {
            port: 6379,
            many: false,
        },
        pieces: &["key"],
        options: &[
            Opt::of_connection("db", Value::Number).shown(),
            Opt::of_source("poll", Value::Duration),
            FORMAT,
            RESYNC,
            USER,
            PASSWORD,
            TLS,
            CA,
            CERT,
            CERT_KEY,
        ],
    },
    Shape {
        scheme: Scheme::Consul,
        names: &[("consul", false)],
        example: "consul://127.0.0.1:8500/app/config",
        authority: Authority::Servers {
            port: 8500,
            many: false,
        },
        pieces: &["key"],
        options: &[
            Opt::of_source("dc", Value::Text).shown(),
            Opt::of_source("wait", Value::Duration),
            TOKEN,
            FORMAT,
            RESYNC,
            TLS,
            CA,
            CERT,
            CERT_KEY,
        ],
    },
    Shape {
        scheme: Scheme::Etcd,
        names: &[("etcd", false)],
        example: "etcd://127.0.0.1:2379/app/config",
        authority: Authority::Servers {
            port: 2379,
            many: true,
        },
        pieces: &["key"],
        options: &[FORMAT, RESYNC, USER, PASSWORD, TLS, CA, CERT, CERT_KEY],
    },
    Shape {
        scheme: Scheme::Nats,
        names: &[("nats", false)],
        example: "nats://127.0.0.1:4222/BUCKET/KEY",
        authority: Authority::Servers {
            port: 4222,
            many: true,
        },
        pieces: &["bucket", "key"],
        options: &[
            TOKEN,
            Opt::of_connection("creds", Value::Text),
            FORMAT,
            RESYNC,
            USER,
            PASSWORD,
            TLS,
            CA,
            CERT,
            CERT_KEY,
        ],
    },
    Shape {
        scheme: Scheme::K8s,
        names: &[("k8s", false)],
        example: "k8s://default/configmap/app/app.yaml",
        authority: Authority::Piece,
        pieces: &["namespace", "kind", "name", "key"],
        options: &[
            Opt::of_connection("context", Value::Text).shown(),
            Opt::of_connection("kubeconfig", Value::Text),
            Opt::of_source("wait", Value::Duration),
            FORMAT,
            RESYNC,
        ],
    },
    Shape {
        scheme: Scheme::ZooKeeper,
        names: &[("zookeeper", false)],
        example: "zookeeper://127.0.0.1:2181/app/config",
        authority: Authority::Servers {
            port: 2181,
            many: true,
        },
        pieces: &["path"],
        options: &[FORMAT, RESYNC, USER, PASSWORD, TLS, CA, CERT, CERT_KEY],
    },
    Shape {
        scheme: Scheme::Firestore,
        names: &[("firestore", false)],
        example: "firestore://PROJECT/COLLECTION/DOCUMENT?field=data",
        authority: Authority::Piece,
        pieces: &["project", "document"],
        options: &[
            Opt::of_source("field", Value::Text).shown(),
            Opt::of_connection("database", Value::Text).shown(),
            Opt::of_connection("emulator", Value::Text),
            TOKEN,
            FORMAT,
            RESYNC,
        ],
    },
    Shape {
        scheme: Scheme::Https,
        names: &[("https", true), ("http", false)],
        example: "https://config.example.com/app.json",
        // The port that is not written is the scheme's own, which depends on TLS.
        authority: Authority::Servers {
            port: 0,
            many: false,
        },
        pieces: &["path"],
        options: &[
            Opt::of_source("poll", Value::Duration),
            TOKEN,
            FORMAT,
            RESYNC,
            CA,
            CERT,
            CERT_KEY,
        ],
    },
    Shape {
        scheme: Scheme::Dir,
        names: &[("dir", false)],
        example: "dir:/etc/app.d",
        authority: Authority::Piece,
        pieces: &["path"],
        options: &[],
    },
];

impl Scheme {
    /// The shape of this scheme's URIs, and the name and TLS that `name` means.
    pub(crate) fn named(name: &str) -> Option<(&'static Shape, bool)> {
        SHAPES.iter().find_map(|shape| {
            let (_, tls) = shape.names.iter().find(|(known, _)| *known == name)?;
            Some((shape, *tls))
        })
    }

    /// The shape of this scheme's URIs.
    pub(crate) fn shape(self) -> &'static Shape {
        SHAPES
            .iter()
            .find(|shape| shape.scheme == self)
            .unwrap_or(&SHAPES[0])
    }

    /// The scheme as it is written, and the cargo feature of `flux` that has it.
    pub fn as_str(self) -> &'static str {
        self.shape().names[0].0
    }

    /// Whether a piece of the path can be what it is declared to be.
    pub(crate) fn check_piece(self, piece: usize, text: &str) -> Result<(), String> {
        let name = self.shape().pieces.get(piece).copied().unwrap_or("path");
        if text.is_empty() {
            return Err(format!("the {name} is missing: `{}`", self.shape().example));
        }
        let only =
            |fits: &dyn Fn(char) -> bool, allowed: &str| match text.chars().find(|c| !fits(*c)) {
                None => Ok(()),
                Some(wrong) => Err(format!(
                    "the {name} `{text}` cannot hold `{wrong}`; it is made of {allowed}"
                )),
            };
        let plain = |c: char| c.is_ascii_alphanumeric();
        match (self, name) {
            (Scheme::Nats, "bucket") => only(
                &|c| plain(c) || matches!(c, '-' | '_'),
                "letters, digits, `-` and `_`",
            ),
            (Scheme::Nats, _) if text.contains(['*', '>']) => Err(format!(
                "`{text}` is a wildcard; a source is one key: name it"
            )),
            (Scheme::Nats, _) if text.starts_with('.') || text.ends_with('.') => {
                Err(format!("the key `{text}` cannot begin or end with a dot"))
            }
            (Scheme::Nats, _) if text.contains("..") => {
                Err(format!("the key `{text}` cannot hold two dots in a row"))
            }
            (Scheme::Nats, _) => only(
                &|c| plain(c) || matches!(c, '-' | '_' | '=' | '.' | '/'),
                "letters, digits, `-`, `_`, `=`, `.` and `/`",
            ),
            (Scheme::K8s, "kind") if matches!(text, "configmap" | "secret") => Ok(()),
            (Scheme::K8s, "kind") => Err(format!(
                "`{text}` cannot be watched; write `configmap` or `secret`, as in `{}`",
                self.shape().example
            )),
            (Scheme::K8s, "key") => only(
                &|c| plain(c) || matches!(c, '-' | '_' | '.'),
                "letters, digits, `-`, `_` and `.`",
            ),
            (Scheme::K8s, _) => only(
                &|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.'),
                "lower-case letters, digits, `-` and `.`",
            ),
            (Scheme::Consul, _) if text.starts_with('/') => Err(format!(
                "the key `{text}` begins with `/`, which no key of Consul does; remove it"
            )),
            // A slash at the end is one of the key.
            (Scheme::Consul, _) if unclean(text.strip_suffix('/').unwrap_or(text)) => Err(format!(
                "the key `{text}` has an empty step, `.` or `..` between its slashes, and such keys cannot be asked for"
            )),
            (Scheme::ZooKeeper, _) if unclean(text) => Err(format!(
                "`/{text}` is no path of a node: every step between the slashes needs a name"
            )),
            (Scheme::ZooKeeper, _) if text.contains(in_no_node) => {
                let wrong = text.chars().find(|c| in_no_node(*c)).unwrap_or_default();
                Err(format!(
                    "the path cannot hold the character {}, which no node has in its name",
                    wrong.escape_unicode()
                ))
            }
            (Scheme::Firestore, "document")
                if text.split('/').any(str::is_empty) || text.split('/').count() % 2 == 1 =>
            {
                Err(format!(
                    "`{text}` is no document; its path is pairs of a collection and a document: `{}`",
                    self.shape().example
                ))
            }
            _ => Ok(()),
        }
    }
}

/// Whether a step between the slashes is empty or leads elsewhere.
fn unclean(path: &str) -> bool {
    path.split('/').any(|step| matches!(step, "" | "." | ".."))
}

/// What ZooKeeper takes in no path: control characters, and what is outside of the first plane, is private or no character.
fn in_no_node(c: char) -> bool {
    c.is_control() || matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{fff0}'..)
}

impl Value {
    /// Whether `text` can be the value of the option `name`. Never repeats a secret.
    pub(crate) fn check(self, name: &str, text: &str) -> Result<(), String> {
        if text.is_empty() {
            return Err(format!("`{name}=` has no value"));
        }
        let wrong = |expected: &str| Err(format!("`{name}={text}`: expected {expected}"));
        match self {
            Value::Text | Value::Secret => Ok(()),
            Value::Number if text.parse::<u32>().is_ok() => Ok(()),
            Value::Number => wrong("a number, such as `0`"),
            Value::Flag if matches!(text, "true" | "false") => Ok(()),
            Value::Flag => wrong("`true` or `false`"),
            Value::Duration if parse_duration(text).is_ok_and(|time| !time.is_zero()) => Ok(()),
            Value::Duration => wrong("a duration, such as `30s` or `5m`"),
            Value::Format => match Format::from_str(text) {
                Ok(_) => Ok(()),
                Err(error) => Err(format!("`{name}={text}`: {error}")),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scheme_has_one_shape_whose_example_it_reads() {
        for shape in SHAPES {
            assert_eq!(shape.scheme.shape().example, shape.example);
            assert!(
                crate::parse_uri(shape.example).is_ok(),
                "{:?}",
                crate::parse_uri(shape.example)
            );
        }
    }
}
