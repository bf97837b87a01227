//! How a program that uses Flux is tested with `flux::testing`: its parts with plain values, its rules, layers and parties with
//! documents of the test, its timing with a clock that the test turns.
//!
//! `cargo test --example testing` runs the tests below. None of them touches a file or the environment, and none waits for real
//! time, so that all of them run beside each other.

use flux::{
    Flux,
    change::{Change, Party},
};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Settings of the mailer.
#[derive(Flux)]
#[flux(source = "file:mailer.yaml", override = "env:MAILER_")]
struct Settings {
    #[flux(email)]
    sender: String,
    #[flux(nested)]
    limits: Limits,
}

#[derive(Flux, Clone, PartialEq)]
#[flux(validate = Limits::check)]
struct Limits {
    /// Mails at once.
    #[flux(default = 10, range = 1..=1000)]
    burst: u32,
    /// Mails an hour.
    #[flux(default = 100)]
    hourly: u32,
    #[flux(default = "30s")]
    patience: Duration,
}

impl Limits {
    fn check(&self) -> Result<(), String> {
        match self.burst <= self.hourly {
            true => Ok(()),
            false => Err(format!(
                "burst ({}) is more than hourly ({})",
                self.burst, self.hourly
            )),
        }
    }

    /// Takes what it needs, not the whole configuration: a test hands it a plain value.
    fn admits(&self, sent_this_hour: u32, wanted: u32) -> bool {
        wanted <= self.burst && sent_this_hour + wanted <= self.hourly
    }
}

/// What stands under every mail.
fn signature() -> String {
    format!("-- {}", Settings::get().sender)
}

/// The connection to the mail server: it takes part in every change. Clones are the same connection.
#[derive(Clone, Default)]
struct Mailer(Arc<Mutex<Connection>>);

#[derive(Default)]
struct Connection {
    sender: String,
    /// The sender that the mail server does not accept.
    barred: String,
}

impl Mailer {
    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
    fn sender(&self) -> String {
        self.connection().sender.clone()
    }
    fn bar(&self, sender: &str) {
        self.connection().barred = sender.to_owned();
    }
}

impl Party<Settings> for Mailer {
    type Prepared = String;
    type Error = String;

    async fn prepare(&self, change: &Change<Settings>) -> Result<String, String> {
        let sender = change.current.sender.clone();
        match sender == self.connection().barred {
            true => Err(format!("{sender} may not send")),
            false => Ok(sender),
        }
    }

    fn commit(&self, sender: String) {
        self.connection().sender = sender;
    }
}

#[tokio::main]
async fn main() -> Result<(), flux::Error> {
    if !std::path::Path::new("mailer.yaml").exists() {
        println!("this one is about its tests: cargo test --example testing");
        return Ok(());
    }
    let mailer = Mailer::default();
    mailer.bar("root@example.org");
    Settings::builder().party(mailer.clone()).start().await?;
    let admitted = Settings::get().limits.admits(0, 1);
    println!(
        "{} {}, a mail may be sent: {admitted}",
        mailer.sender(),
        signature()
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use flux::{
        Error, Source, State,
        testing::{Harness, Override as _, Script, config_from, harness},
    };

    const GOOD: &str = "sender: ops@example.org\nlimits: { burst: 5, hourly: 50 }";

    // 1. Code that takes what it needs is handed a plain value, or one made of the lines that matter and the defaults.

    #[test]
    fn a_burst_beyond_the_hour_is_not_admitted() {
        let limits: Limits = config_from("{ burst: 5, hourly: 50 }");
        assert!(limits.admits(45, 5));
        assert!(!limits.admits(46, 5));
        assert_eq!(limits.patience, Duration::from_secs(30), "the default");
    }

    // 2. Code that calls `Settings::get()` sees what the test puts in its place, on the test's own thread.

    #[test]
    fn the_signature_follows_the_sender() {
        let _settings = Settings::override_from("sender: sales@example.org");
        assert_eq!(signature(), "-- sales@example.org");
    }

    // 3. Rules, layers and what operators are told: the declared layers, with documents and variables of the test.

    fn mailer() -> Harness<Settings> {
        harness::<Settings>().document("mailer.yaml", GOOD)
    }

    #[tokio::test]
    async fn a_bad_first_document_says_all_that_is_wrong() {
        let bad = "sender: nobody\nlimits: { burst: 0 }";
        let start = harness::<Settings>().document("mailer.yaml", bad);
        let (_, report) = start.start_refused().await;
        let told = report.to_string();
        assert!(told.contains("sender: must be an email address"), "{told}");
        let burst = "limits.burst: must be in 1..=1000, found 0";
        assert!(told.contains(burst), "{told}");
    }

    #[tokio::test]
    async fn a_bad_edit_changes_nothing_and_a_good_one_heals() {
        let app = mailer().start().await;
        let edit = GOOD.replace("burst: 5", "burst: 500");
        let report = app.set("mailer.yaml", edit).await.expect_err("a rule");
        assert_eq!(report.problems()[0].path, "limits");
        assert_eq!((app.state(), app.get().limits.burst), (State::Degraded, 5));

        let edit = GOOD.replace("burst: 5", "burst: 50");
        app.set("mailer.yaml", edit).await.expect("a good edit");
        assert_eq!((app.state(), app.get().limits.burst), (State::Healthy, 50));
    }

    #[tokio::test]
    async fn a_variable_wins_over_the_file() {
        let app = mailer().variable("MAILER_LIMITS_BURST", "7").start().await;
        assert_eq!((app.get().limits.burst, app.get().limits.hourly), (7, 50));
    }

    // 4. Parties.

    #[tokio::test]
    async fn a_sender_that_is_barred_is_vetoed() {
        let mail = Mailer::default();
        let party = mail.clone();
        let app = mailer().with(|builder| builder.party(party)).start().await;

        mail.bar("root@example.org");
        let edit = GOOD.replace("ops", "root");
        let report = app.set("mailer.yaml", edit).await.expect_err("barred");
        let told = "`Mailer` refused it: root@example.org may not send";
        assert!(report.to_string().contains(told), "{report}");
        assert_eq!(mail.sender(), "ops@example.org");
    }

    // 5. Timing: the engine as it runs in production, under a clock that jumps to whatever is waited for next.

    #[tokio::test(start_paused = true)]
    async fn what_was_vetoed_is_tried_again_until_it_applies() -> Result<(), Error> {
        let mail = Mailer::default();
        mail.bar("root@example.org");
        let script = Script::new("mailer.yaml")
            .value(GOOD)
            .after(Duration::from_secs(5))
            .value(GOOD.replace("ops", "root"));
        let source = Source::watcher(script).format(flux::Format::Yaml);
        let builder = Settings::builder().clear_sources().source(source);
        let app = builder.party(mail.clone()).build()?;
        app.start().await?;

        let mut changes = app.subscribe();
        tokio::time::sleep(Duration::from_secs(600)).await;
        assert_eq!(app.state(), State::Degraded);

        mail.bar("nobody@example.org");
        let change = changes.changed().await.expect("it runs");
        assert_eq!(change.paths(), ["sender"]);
        assert_eq!(mail.sender(), "root@example.org");
        app.stop().await;
        Ok(())
    }

    #[tokio::test(start_paused = true)]
    async fn changes_in_quick_succession_are_one() -> Result<(), Error> {
        let mut script = Script::new("mailer.yaml").value(GOOD);
        for hourly in ["60", "70", "80"] {
            let soon = script.after(Duration::from_millis(500));
            script = soon.value(GOOD.replace("50", hourly));
        }
        let source = Source::watcher(script).format(flux::Format::Yaml);
        let builder = Settings::builder().clear_sources().source(source);
        let app = builder.debounce(Duration::from_secs(1)).build()?;
        app.start().await?;

        let change = app.subscribe().changed().await.expect("it runs");
        assert_eq!(change.current.limits.hourly, 80);
        assert_eq!(flux::Snapshot::generation(&change.current), 2);
        app.stop().await;
        Ok(())
    }
}
