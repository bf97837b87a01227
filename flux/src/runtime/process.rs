//! Whether the process that wrote a file still lives.

use std::{
    hash::{BuildHasher, RandomState},
    sync::OnceLock,
    time::{Instant, SystemTime},
};

/// One process of this machine, from its start or its last `exec` on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ProcessId {
    pub(super) id: u32,
    /// When it began, in the system's own terms: numbers are given again. Empty where the system does not reveal it.
    pub(super) began: String,
    /// Drawn by this process: in a container each one may have the number 1, and on some systems nothing else is known of it.
    pub(super) token: String,
}

impl ProcessId {
    /// This process.
    pub(super) fn own() -> Self {
        let id = std::process::id();
        ProcessId {
            id,
            began: began(id).unwrap_or_default(),
            token: token().to_owned(),
        }
    }

    /// Whether it is another process than this one, and lives. What cannot be known counts as gone: in another container, or where
    /// the system does not reveal it.
    pub(super) fn is_another_that_lives(&self) -> bool {
        let own = ProcessId::own();
        // An earlier one that had everything in common with this one: what is found of it now is this process.
        let has_our_place = self.id == own.id && self.began == own.began;
        !self.is_own()
            && !has_our_place
            && !self.began.is_empty()
            && began(self.id).as_ref() == Some(&self.began)
    }

    /// Whether the system reveals which processes live.
    #[cfg(feature = "cli")]
    pub(super) fn others_are_seen() -> bool {
        began(std::process::id()).is_some()
    }

    /// A child of a test, which lives.
    #[cfg(all(test, feature = "cli", feature = "derive", target_os = "linux"))]
    pub(super) fn of_child(child: &std::process::Child) -> Self {
        ProcessId {
            id: child.id(),
            began: began(child.id()).expect("it runs"),
            token: "of the child".to_owned(),
        }
    }

    /// A fork has another number.
    pub(super) fn is_own(&self) -> bool {
        self.id == std::process::id() && self.token == token()
    }
}

/// Random, from the keys that the standard library draws for its maps.
fn token() -> &'static str {
    static TOKEN: OnceLock<String> = OnceLock::new();
    TOKEN.get_or_init(|| {
        let drawn = || RandomState::new().hash_one((SystemTime::now(), Instant::now()));
        format!("{:016x}{:016x}", drawn(), drawn())
    })
}

/// The boot and the time in it at which a process began.
#[cfg(target_os = "linux")]
fn began(id: u32) -> Option<String> {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name of the program, in parentheses, may contain anything.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace();
    let state = fields.next()?;
    // A zombie is gone, though its parent has not noticed.
    if matches!(state, "Z" | "X" | "x") {
        return None;
    }
    let ticks = fields.nth(18)?;
    Some(format!("{}/{ticks}", boot.trim()))
}

#[cfg(not(target_os = "linux"))]
fn began(_: u32) -> Option<String> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_process_is_no_other_one() {
        let own = ProcessId::own();
        assert!(own.is_own() && !own.is_another_that_lives());
    }

    #[test]
    fn an_earlier_process_with_the_same_number_and_the_same_begin_is_another_one_that_is_gone() {
        for began in [ProcessId::own().began, String::new()] {
            let earlier = ProcessId {
                began,
                token: "of an earlier one".to_owned(),
                ..ProcessId::own()
            };
            assert!(!earlier.is_own() && !earlier.is_another_that_lives());
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn another_process_lives_until_it_ends_and_its_number_alone_does_not_count() {
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let process = ProcessId {
            id: child.id(),
            began: began(child.id()).unwrap(),
            token: "of the child".to_owned(),
        };
        assert!(process.is_another_that_lives());
        let earlier = ProcessId {
            began: "another boot/1".to_owned(),
            ..process.clone()
        };
        assert!(!earlier.is_another_that_lives());
        child.kill().unwrap();
        assert!(matches!(child.try_wait(), Ok(None | Some(_))));
        child.wait().unwrap();
        assert!(!process.is_another_that_lives());
    }
}
