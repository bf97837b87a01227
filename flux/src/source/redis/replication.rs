//! Whether a replica of Redis still follows its master, by its answers to `ROLE`.

use std::time::Duration;

use ::redis::Value;
use tokio::time::Instant;

use super::connection::texts;

/// How long a replica may receive nothing from its master, which sends it something every ten seconds (`repl-ping-replica-period`). The
/// replica itself takes a dead line for a quiet one for a minute, and one below it for ever.
const QUIET: Duration = Duration::from_secs(25);

/// What is known of a server's master.
#[derive(Default)]
pub(super) struct Replication {
    /// How far the replica was, and since when.
    at: Option<(i64, Instant)>,
    orphaned: Option<String>,
}

impl Replication {
    /// Takes the answer to `ROLE`.
    pub(super) fn answered(&mut self, role: &Value, now: Instant) {
        let Value::Array(parts) = role else {
            return;
        };
        let words = texts(role);
        // A name, a host, a port, a state and an offset; port and offset are numbers.
        let (Some("slave"), Some(state)) = (words.first().map(String::as_str), words.get(2)) else {
            *self = Replication::default();
            return;
        };
        let offset = match parts.last() {
            Some(Value::Int(offset)) => *offset,
            _ => return,
        };
        let since = match self.at {
            Some((before, since)) if before == offset => since,
            _ => now,
        };
        self.at = Some((offset, since));
        self.orphaned = if state != "connected" {
            Some(state.clone())
        } else if now.saturating_duration_since(since) >= QUIET {
            Some(format!("silent for {} s", (now - since).as_secs()))
        } else {
            None
        };
    }

    /// How a replica that has lost its master is; nothing of any other server.
    pub(super) fn orphaned(&self) -> Option<&str> {
        self.orphaned.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(state: &str, offset: i64) -> Value {
        let text = |text: &str| Value::BulkString(text.as_bytes().to_vec());
        Value::Array(vec![
            text("slave"),
            text("10.0.0.1"),
            Value::Int(6379),
            text(state),
            Value::Int(offset),
        ])
    }

    #[test]
    fn a_replica_that_receives_nothing_has_lost_its_master() {
        let (begin, mut replication) = (Instant::now(), Replication::default());
        let mut after = |seconds, state: &str, offset| {
            let now = begin + Duration::from_secs(seconds);
            replication.answered(&role(state, offset), now);
            replication.orphaned().map(str::to_owned)
        };
        assert_eq!(after(0, "connected", 14), None);
        assert_eq!(after(10, "connected", 28), None);
        assert_eq!(after(34, "connected", 28), None);
        assert!(after(35, "connected", 28).is_some(), "a dead line");
        assert_eq!(after(36, "connected", 42), None);
        assert_eq!(after(37, "connect", 42).as_deref(), Some("connect"));
        assert_eq!(after(38, "connected", 56), None);
        let master = Value::Array(vec![
            Value::BulkString(b"master".to_vec()),
            Value::Int(56),
            Value::Array(Vec::new()),
        ]);
        replication.answered(&master, begin + Duration::from_secs(99));
        assert_eq!(replication.orphaned(), None);
    }
}
