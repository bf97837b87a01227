//! When a health probe of the page passes, and the line with the reason.

use crate::{State, Status, source::Health};

/// Whether the probe passes, and a line of why.
pub(super) fn probe(status: &Status, is_strict: bool) -> (bool, String) {
    let mut line = match status.generation {
        0 => format!("{}: no configuration is applied yet", status.state),
        generation => format!("{}: generation {generation}", status.state),
    };
    let serves = status.generation > 0;
    let mut is_newest = serves && status.state == State::Healthy;
    if serves && status.state == State::Degraded {
        line.push_str("; the newest change is not applied");
    }
    if !status.running {
        is_newest = false;
        line.push_str("; nothing is watched");
    } else {
        let current = |health: &Health| matches!(health, Health::Live);
        let layers = status.layers.iter();
        let outdated = layers.filter(|layer| !current(&layer.health)).count();
        if outdated > 0 {
            is_newest = false;
            line.push_str(&format!(
                "; {outdated} of {} layers may be out of date",
                status.layers.len()
            ));
        }
    }
    line.push('\n');
    (if is_strict { is_newest } else { serves }, line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::SystemTime;

    #[test]
    fn a_probe_passes_as_soon_as_readers_see_a_configuration() {
        let mut status = Status::idle("app".to_owned(), SystemTime::now());
        for (state, generation, running, passes, passes_strictly) in [
            (State::Loading, 0, true, false, false),
            (State::Empty, 0, true, false, false),
            (State::Healthy, 1, true, true, true),
            (State::Degraded, 1, true, true, false),
            (State::Healthy, 1, false, true, false),
        ] {
            (status.state, status.generation, status.running) = (state, generation, running);
            assert_eq!(probe(&status, false).0, passes, "{state}");
            assert_eq!(probe(&status, true).0, passes_strictly, "{state}");
        }
        assert_eq!(
            probe(&status, false).1,
            "healthy: generation 1; nothing is watched\n"
        );
    }
}
