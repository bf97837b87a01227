//! How a program that uses Flux is tested: its parts without Flux, its rules and its parties with an instance of their own, its
//! timing with a clock that the test turns.
//!
//! `cargo test --example testing` runs the tests below. None of them touches a file, the environment or the static handle, and
//! none waits for real time, so that all of them run beside each other.

use flux::{
    Flux,
    change::{Change, Party},
};
use std::{
    sync::{Arc, Mutex},
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

/// The connection to the mail server: it takes part in every change.
#[derive(Clone, Default)]
struct Mailer {
    sender: Arc<Mutex<String>>,
    /// Senders that the mail server does not accept.
    barred: Arc<Mutex<Vec<String>>>,
}

impl Party<Settings> for Mailer {
    type Prepared = String;
    type Error = String;

    async fn prepare(&self, change: &Change<Settings>) -> Result<String, String> {
        let sender = change.current.sender.clone();
        match self
            .barred
            .lock()
            .expect("no test panics with it")
            .contains(&sender)
        {
            true => Err(format!("{sender} may not send")),
            false => Ok(sender),
        }
    }

    fn commit(&self, sender: String) {
        *self.sender.lock().expect("no test panics with it") = sender;
    }
}

#[tokio::main]
async fn main() -> Result<(), flux::Error> {
    if !std::path::Path::new("mailer.yaml").exists() {
        println!("this one is about its tests: cargo test --example testing");
        return Ok(());
    }
    Settings::builder().party(Mailer::default()).start().await?;
    println!(
        "a mail may be sent: {}",
        Settings::get().limits.admits(0, 1)
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use flux::{
        Builder, Capacitor, Error, Format, Source, State,
        source::{Channel, ChannelSender},
    };

    const GOOD: &str = "sender: ops@example.org\nlimits: { burst: 5, hourly: 50 }";

    /// The declared options with a document of the test's own in the place of the declared layers.
    fn declared() -> (Builder<Settings>, ChannelSender) {
        let (sender, channel) = Channel::latest("mailer.yaml");
        let document = Source::watcher(channel).format(Format::Yaml);
        (Settings::builder().clear_sources().source(document), sender)
    }

    /// Started by hand: nothing happens before the test says so, and it is over when `process` returns.
    async fn by_hand(document: &str) -> Result<(Capacitor<Settings>, ChannelSender), Error> {
        let (builder, sender) = declared();
        let capacitor = builder.manual().build()?;
        sender.try_send(document.as_bytes()).expect("it is watched");
        capacitor.start().await?;
        Ok((capacitor, sender))
    }

    async fn edit(capacitor: &Capacitor<Settings>, sender: &ChannelSender, document: &str) {
        sender.try_send(document.as_bytes()).expect("it is watched");
        capacitor.process().await.expect("it is by hand");
    }

    /// The paths that a report complains of.
    fn complaints(capacitor: &Capacitor<Settings>) -> Vec<String> {
        let report = capacitor.last_error().expect("it is refused");
        report
            .problems()
            .iter()
            .map(|problem| problem.path.clone())
            .collect()
    }

    // 1. Code that takes a section needs no Flux.

    #[test]
    fn a_burst_beyond_the_hour_is_not_admitted() {
        let limits = Limits {
            burst: 5,
            hourly: 50,
            patience: Duration::from_secs(30),
        };
        assert!(limits.admits(45, 5));
        assert!(!limits.admits(46, 5));
    }

    // 2. Rules, defaults and what operators are told.

    #[tokio::test]
    async fn what_is_not_said_has_its_default() -> Result<(), Error> {
        let (capacitor, _sender) = by_hand("sender: ops@example.org").await?;
        assert_eq!(capacitor.get().limits.burst, 10);
        assert_eq!(capacitor.get().limits.patience, Duration::from_secs(30));
        Ok(())
    }

    #[tokio::test]
    async fn a_bad_first_document_says_all_that_is_wrong() {
        let refused = by_hand("sender: nobody\nlimits: { burst: 0 }").await;
        let Err(Error::Refused(report)) = refused else {
            panic!("a sender that is no address must be refused");
        };
        let told = report.to_string();
        assert!(told.contains("sender: must be an email address"), "{told}");
        assert!(
            told.contains("limits.burst: must be in 1..=1000, found 0"),
            "{told}"
        );
    }

    #[tokio::test]
    async fn a_bad_edit_changes_nothing_and_a_good_one_heals() -> Result<(), Error> {
        let (capacitor, sender) = by_hand(GOOD).await?;
        edit(&capacitor, &sender, &GOOD.replace("burst: 5", "burst: 500")).await;
        assert_eq!(capacitor.state(), State::Degraded);
        assert_eq!(capacitor.get().limits.burst, 5);
        assert_eq!(complaints(&capacitor), ["limits"]);

        edit(&capacitor, &sender, &GOOD.replace("burst: 5", "burst: 50")).await;
        assert_eq!(capacitor.state(), State::Healthy);
        assert_eq!(capacitor.get().limits.burst, 50);
        Ok(())
    }

    // 3. Layers: a provider stands in for the environment, which belongs to the whole process.

    #[tokio::test]
    async fn an_upper_layer_wins() -> Result<(), Error> {
        let (builder, sender) = declared();
        let above = Source::provider(("limits.burst", 7));
        let capacitor = builder.override_with(above).manual().build()?;
        sender.try_send(GOOD.as_bytes()).expect("it is watched");
        capacitor.start().await?;
        assert_eq!(
            (capacitor.get().limits.burst, capacitor.get().limits.hourly),
            (7, 50)
        );
        Ok(())
    }

    // 4. Parties.

    #[tokio::test]
    async fn a_sender_that_is_barred_is_vetoed() -> Result<(), Error> {
        let mailer = Mailer::default();
        let (builder, sender) = declared();
        let capacitor = builder.party(mailer.clone()).manual().build()?;
        sender.try_send(GOOD.as_bytes()).expect("it is watched");
        capacitor.start().await?;

        mailer
            .barred
            .lock()
            .unwrap()
            .push("root@example.org".to_owned());
        edit(&capacitor, &sender, &GOOD.replace("ops", "root")).await;
        assert_eq!(capacitor.state(), State::Degraded);
        assert_eq!(*mailer.sender.lock().unwrap(), "ops@example.org");
        let told = capacitor.last_error().expect("it is refused").to_string();
        assert!(
            told.contains("`Mailer` refused it: root@example.org may not send"),
            "{told}"
        );
        Ok(())
    }

    // 5. Timing: the engine as it runs in production, under a clock that jumps to whatever is waited for next.

    #[tokio::test(start_paused = true)]
    async fn what_was_vetoed_is_tried_again_until_it_applies() -> Result<(), Error> {
        let mailer = Mailer::default();
        let (builder, sender) = declared();
        let capacitor = builder.party(mailer.clone()).build()?;
        sender.try_send(GOOD.as_bytes()).expect("it is watched");
        capacitor.start().await?;

        mailer
            .barred
            .lock()
            .unwrap()
            .push("root@example.org".to_owned());
        let mut changes = capacitor.subscribe();
        sender
            .try_send(GOOD.replace("ops", "root").into_bytes())
            .expect("it is watched");
        tokio::time::sleep(Duration::from_secs(600)).await;
        assert_eq!(capacitor.state(), State::Degraded);

        mailer.barred.lock().unwrap().clear();
        let change = changes.changed().await.expect("it runs");
        assert_eq!(change.paths(), ["sender"]);
        assert_eq!(*mailer.sender.lock().unwrap(), "root@example.org");
        capacitor.stop().await;
        Ok(())
    }

    #[tokio::test(start_paused = true)]
    async fn changes_in_quick_succession_are_one() -> Result<(), Error> {
        let (builder, sender) = declared();
        let capacitor = builder.debounce(Duration::from_secs(1)).build()?;
        sender.try_send(GOOD.as_bytes()).expect("it is watched");
        capacitor.start().await?;

        let mut changes = capacitor.subscribe();
        for hourly in [60, 70, 80] {
            let document = GOOD.replace("50", &hourly.to_string());
            sender
                .try_send(document.into_bytes())
                .expect("it is watched");
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        let change = changes.changed().await.expect("it runs");
        assert_eq!(change.current.limits.hourly, 80);
        assert_eq!(flux::Snapshot::generation(&change.current), 2);
        Ok(())
    }
}
