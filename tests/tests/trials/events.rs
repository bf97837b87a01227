//! The events of a program that dies: each is in a file before the program goes on.

use crate::child::{LIMIT, Program};
use std::{
    collections::BTreeMap,
    fmt,
    fs::{self, File, OpenOptions},
    io::Write as _,
    path::Path,
    time::{Duration, Instant},
};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

struct WrittenEvents(File);

/// The events of this process, a line for each.
pub fn write_to(path: &Path) {
    let file = OpenOptions::new().append(true).create(true).open(path);
    tracing::subscriber::set_global_default(WrittenEvents(file.unwrap())).unwrap();
}

#[derive(Default)]
struct EventFields(BTreeMap<&'static str, String>);

impl Visit for EventFields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }
}

impl Subscriber for WrittenEvents {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "flux"
    }
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut fields = EventFields::default();
        event.record(&mut fields);
        let level = event.metadata().level();
        let message = fields.0.remove("message").unwrap_or_default();
        // One write, since the process may die after it.
        let line = format!("{level} {message} {:?}\n", fields.0);
        (&self.0).write_all(line.as_bytes()).unwrap();
    }
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

impl Program {
    /// Waits for an event of this process: its level, its name and its fields, in the order of their names.
    fn has_event(&self, wanted: &str) {
        let until = Instant::now() + LIMIT;
        loop {
            let events = fs::read_to_string(self.path("events")).unwrap_or_default();
            if events.lines().any(|line| line == wanted) {
                return;
            }
            assert!(Instant::now() < until, "never {wanted}: {events}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Whether there was an event of this name; it is asked about a process that has come to rest.
    fn had(&self, name: &str) -> bool {
        let events = fs::read_to_string(self.path("events")).unwrap();
        events.contains(&format!(" {name} "))
    }
}

#[test]
fn every_death_the_quarantine_and_its_end_are_events_with_the_paths_and_the_count() {
    let mut program = Program::new("");
    program.is_good("n: 1", 1);
    program.start();
    program.shows("healthy Some(1)");
    program.write("n: 2\ndies: later abort");
    program.dies();
    let began = |generation| {
        format!(
            "INFO flux.trial.began {{\"capacitor\": \"App\", \"changed\": \"`n`, `dies`\", \"generation\": \"{generation}\"}}"
        )
    };
    program.has_event(&began(2));
    assert!(!program.had("flux.trial.died"));
    program.start();
    program.has_event(
        "WARN flux.trial.died {\"capacitor\": \"App\", \"changed\": \"`n`, `dies`\", \"deaths\": \"1\"}",
    );
    program.dies();
    program.start();
    program.shows("degraded Some(1)");
    program.has_event(
        "ERROR flux.trial.quarantined {\"capacitor\": \"App\", \"changed\": \"`n`, `dies`\", \"deaths\": \"2\"}",
    );
    assert!(!program.had("flux.trial.died") && !program.had("flux.trial.lifted"));
    program.trusts();
    program.has_event("WARN flux.trial.lifted {\"capacitor\": \"App\"}");
    program.dies();
    // What was lifted by hand is in quarantine after one more death.
    program.start();
    program.shows("degraded Some(1)");
    program.write("n: 3");
    program.shows("healthy Some(3)");
    program.trusts();
    program.has_event("INFO flux.trial.passed {\"capacitor\": \"App\", \"generation\": \"2\"}");
}
