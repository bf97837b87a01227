//! How the condition of a running process is printed, and its exit code.

use super::{Answering, GOOD, REFUSED};
use crate::{
    State, cli::output::OutputFormat, engine::Status, inspect::ConfigFingerprint, time::ago,
};
use serde_json::json;
use std::io;

impl Answering<'_> {
    /// Prints the state, the generation, its age and its fingerprint, and every layer; none of a fingerprint before the first
    /// generation. The code is that of good where the newest content of every layer is applied.
    pub(in crate::cli) fn status(
        &mut self,
        status: &Status,
        fingerprint: Option<ConfigFingerprint>,
        notes: &[String],
    ) -> io::Result<u8> {
        for note in notes {
            writeln!(self.err, "note: {note}")?;
        }
        if self.output == OutputFormat::Json {
            let fingerprint = fingerprint.map(|one| {
                json!({
                    "fingerprint": one,
                    "is_partial": one.is_partial(),
                    // There is no key for them here.
                    "secrets_compared": false,
                })
            });
            self.json(&json!({ "status": status, "fingerprint": fingerprint, "notes": notes }))?;
        } else {
            let text = status.to_string();
            let (state, rest) = text.split_once('\n').unwrap_or((&text, ""));
            writeln!(self.out, "{state}")?;
            if let Some(applied) = status.applied {
                write!(self.out, "  applied {}", ago(applied))?;
                if let Some(fingerprint) = fingerprint {
                    let partial = match fingerprint.is_partial() {
                        true => ", of the values that are known",
                        false => "",
                    };
                    write!(
                        self.out,
                        ", fingerprint {fingerprint}{partial} (secrets are not compared)"
                    )?;
                }
                writeln!(self.out)?;
            }
            if !rest.is_empty() {
                writeln!(self.out, "{rest}")?;
            }
        }
        Ok(match status.state {
            State::Healthy => GOOD,
            State::Loading | State::Degraded | State::Empty => REFUSED,
        })
    }
}
