//! How a command asks a running program: how long it waits, and which socket it trusts.

use super::{LARGEST_REQUEST, connect::connect};
use crate::problem::escaped;
use serde_json::Value;
use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::Shutdown,
    os::unix::net::UnixStream,
    path::Path,
    time::Duration,
};

/// How long an answer may take: longer than a dry run of the parties. A watching client is sent something more often.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a connection may take that the program does not accept.
const CONNECTING: Duration = Duration::from_secs(10);
/// The longest line that is read of an answer.
const LARGEST: u64 = 64 << 20;

/// A running program that has a request.
pub(in crate::cli) struct AdminConnection(BufReader<UnixStream>);

/// What is to be printed.
pub(in crate::cli) struct AdminLine {
    pub(in crate::cli) out: String,
    pub(in crate::cli) err: String,
    pub(in crate::cli) code: u8,
    /// Which process it is of, and where that runs; none of an older one.
    pub(in crate::cli) by: Option<String>,
}

/// Sends a request; none where nobody listens at the path.
pub(in crate::cli) fn ask(path: &Path, request: &Value) -> io::Result<Option<AdminConnection>> {
    let connected = match connect(path, CONNECTING) {
        Ok(connected) => connected,
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused
            ) =>
        {
            return Ok(None);
        }
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
            return Err(io::Error::other(
                "it takes no connection, and many wait for it already; it may be stopped or hang",
            ));
        }
        Err(error) => return Err(error),
    };
    if !is_trusted(connected.users) {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "who answers there is another user, who would get the documents; remove the file if the program does not run",
        ));
    }
    let mut stream = connected.stream;
    let request = format!("{request}\n");
    if request.len() > LARGEST_REQUEST {
        return Err(io::Error::other(
            "the request is larger than 4 MiB with its documents",
        ));
    }
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let sent = stream.write_all(request.as_bytes());
    sent.map_err(unanswered)?;
    Ok(Some(AdminConnection(BufReader::new(stream))))
}

/// Whether the answering process has the own user, or the administrator's; the administrator may ask anybody's.
fn is_trusted((other, myself): (u32, u32)) -> bool {
    other == myself || other == 0 || myself == 0
}

impl AdminConnection {
    /// The next line; none at the end.
    pub(in crate::cli) fn next(&mut self) -> io::Result<Option<AdminLine>> {
        loop {
            let mut line = String::new();
            let read = (&mut self.0).take(LARGEST).read_line(&mut line);
            read.map_err(unanswered)?;
            if line.is_empty() {
                return Ok(None);
            }
            let wrong = |_| io::Error::other("what was answered is no answer of Flux");
            let json: Value = serde_json::from_str(&line).map_err(wrong)?;
            // A sign of life.
            let Some(code) = json.get("code").and_then(Value::as_u64) else {
                continue;
            };
            let text = |key: &str| json[key].as_str().unwrap_or_default().to_owned();
            let code = u8::try_from(code).unwrap_or(2);
            let by = json.get("by").and_then(Value::as_str);
            return Ok(Some(AdminLine {
                out: text("out"),
                err: text("err"),
                code,
                by: by.map(|by| escaped(by).into_owned()),
            }));
        }
    }
}

/// The system's error of a time that is over is "resource temporarily unavailable".
fn unanswered(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
            io::Error::other("no answer within 30 s; it may serve eight other clients")
        }
        _ => error,
    }
}

impl Drop for AdminConnection {
    fn drop(&mut self) {
        let _ = self.0.get_ref().shutdown(Shutdown::Both);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_users_process_is_trusted_by_the_administrator_alone() {
        for (users, is) in [
            ((1000, 1000), true),
            ((1001, 1000), false),
            ((0, 1000), true),
            ((1001, 0), true),
        ] {
            assert_eq!(is_trusted(users), is, "{users:?}");
        }
    }
}
