//! Which process wrote a file, and whether it lives.

/// One process of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ProcessId {
    pub(super) id: u32,
    /// When it began, in the system's own terms: numbers are given again. Empty where the system does not reveal it.
    pub(super) began: String,
}

impl ProcessId {
    /// This process.
    pub(super) fn own() -> Self {
        let id = std::process::id();
        ProcessId {
            id,
            began: began(id).unwrap_or_default(),
        }
    }

    /// Whether it is another process than this one, and lives. What cannot be known counts as gone: in another container, or where
    /// the system does not reveal it.
    pub(super) fn is_another_that_lives(&self) -> bool {
        let own = ProcessId::own();
        *self != own && !self.began.is_empty() && began(self.id).as_ref() == Some(&self.began)
    }

    pub(super) fn is_own(&self) -> bool {
        *self == ProcessId::own()
    }
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
