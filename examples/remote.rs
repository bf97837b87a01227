//! Watches any source and prints what is seen of it: every change, every refusal, every turn of state and health.
//!
//! ```text
//! cargo run --example remote -- file:app.yaml
//! cargo run --example remote --features redis -- redis://127.0.0.1:6379/app
//! cargo run --example remote --features etcd -- 'etcd://app:${ETCD_PASSWORD}@127.0.0.1:2379/app/config' --for 1m
//! ```
//!
//! Each server is a cargo feature, as it is of flux: `redis`, `etcd`, `nats`, `consul`, `k8s`, `zookeeper`, `firestore`, `https`. It
//! ends with Ctrl-C, with the end of its input, or after `--for`.

use flux::{
    Capacitor, Flux, Snapshot, Source, State, Status,
    change::{Change, Event},
    source::Health,
};
use std::{
    collections::BTreeMap,
    error::Error,
    io::{self, Read},
    process::ExitCode,
    thread,
    time::{Duration, Instant},
};
use tokio::{sync::oneshot, time};
use tracing_subscriber::{Layer, filter::filter_fn, fmt, layer::SubscriberExt};

/// What the document says. All of it may be left out.
#[derive(Flux)]
struct Settings {
    #[flux(default = "localhost", non_empty)]
    host: String,
    #[flux(default = 8080, range = 1..=65535)]
    port: u16,
    #[flux(default = "30s")]
    timeout: Duration,
    #[flux(default)]
    limits: BTreeMap<String, u64>,
    #[flux(secret)]
    password: Option<String>,
}

const USAGE: &str = "usage: cargo run --example remote [--features SERVER] -- URI [--for 5s]";

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let (uri, limit) = arguments()?;
    warnings_of_flux()?;

    // An instance of its own: the URI is known only now. A scheme whose feature is off is refused here, with the feature's name.
    let capacitor = Capacitor::<Settings>::builder()
        .source(Source::uri(uri))
        .build()?;
    let mut events = capacitor.events();
    // State and health have no event of their own; the status holds both and costs nothing to look at.
    let mut look = time::interval(Duration::from_millis(20));
    let mut log = Log::new();

    // The start ends with the first document, good or bad, which a server that is down does not give; so it is not waited for.
    let start = tokio::spawn({
        let capacitor = capacitor.clone();
        async move { capacitor.start().await }
    });
    let end = end(limit);
    tokio::pin!(end);
    loop {
        tokio::select! {
            event = events.next() => match event {
                Some(Event::Applied(change)) => log.applied(&change),
                Some(Event::Refused(report)) => log.line("refused", &report.to_string()),
                Some(_) => {}
                None => break,
            },
            _ = look.tick() => log.status(&capacitor.status()),
            why = &mut end => {
                log.line("end", why?);
                break;
            }
        }
    }
    start.abort();
    capacitor.stop().await;
    Ok(())
}

/// Prints lines with the time since the beginning, and remembers what the last status said.
struct Log {
    begin: Instant,
    state: State,
    health: Vec<String>,
}

impl Log {
    fn new() -> Self {
        Log {
            begin: Instant::now(),
            state: State::Loading,
            health: Vec::new(),
        }
    }

    fn line(&self, what: &str, text: &str) {
        let seconds = self.begin.elapsed().as_secs_f64();
        for (n, line) in text.lines().enumerate() {
            match n {
                0 => println!("{seconds:9.3} s  {what:8} {line}"),
                _ => println!("{:21}{line}", ""),
            }
        }
    }

    fn applied(&self, change: &Change<Settings>) {
        let now = &change.current;
        self.line(
            "change",
            &format!(
                "generation {}: {}\nhost {}, port {}, timeout {:?}, limits {:?}, password {}",
                Snapshot::generation(now),
                change.paths().join(", "),
                now.host,
                now.port,
                now.timeout,
                now.limits,
                now.password.as_ref().map_or("not set", |_| "set"),
            ),
        );
    }

    fn status(&mut self, status: &Status) {
        self.health.resize(status.layers.len(), String::new());
        for (n, layer) in status.layers.iter().enumerate() {
            let health = match &layer.health {
                Health::Starting => "starting".to_owned(),
                Health::Live if layer.present => "live".to_owned(),
                Health::Live => "live, but there is no document".to_owned(),
                Health::Stale { error, .. } => format!("stale ({}): {error}", error.kind()),
                Health::Closed => "closed".to_owned(),
                other => format!("{other:?}"),
            };
            if self.health[n] != health {
                self.line("health", &format!("{}: {health}", layer.origin));
                self.health[n] = health;
            }
        }
        if self.state != status.state {
            self.line("state", &format!("{} -> {}", self.state, status.state));
            self.state = status.state;
        }
    }
}

/// Resolves when it is time to end.
async fn end(limit: Option<Duration>) -> io::Result<&'static str> {
    let (closed, input) = oneshot::channel();
    if limit.is_none() {
        // A thread of its own: nothing waits for it when the program ends.
        thread::spawn(move || {
            let _ = io::stdin().read_to_end(&mut Vec::new());
            closed.send(())
        });
    }
    tokio::select! {
        () = async { time::sleep(limit.unwrap_or_default()).await }, if limit.is_some() => Ok("the time is over"),
        Ok(()) = input => Ok("the input has ended"),
        interrupted = tokio::signal::ctrl_c() => interrupted.map(|()| "interrupted"),
    }
}

fn arguments() -> Result<(String, Option<Duration>), Box<dyn Error>> {
    let (mut uri, mut limit) = (None, None);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--for" => {
                let text = arguments.next().ok_or(USAGE)?;
                limit = Some(duration(&text).ok_or("`--for` needs a time such as `5s` or `2m`")?);
            }
            _ if uri.is_none() && !argument.starts_with('-') => uri = Some(argument),
            _ => return Err(USAGE.into()),
        }
    }
    Ok((uri.ok_or(USAGE)?, limit))
}

fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let seconds = match unit {
        "s" => number.parse().ok()?,
        "m" => number.parse::<u64>().ok()?.checked_mul(60)?,
        _ => return None,
    };
    Some(Duration::from_secs(seconds))
}

/// What flux warns of: unknown keys, a server that tells of no change. Refusals are printed as they come, so not here.
fn warnings_of_flux() -> Result<(), Box<dyn Error>> {
    let wanted = filter_fn(|event| {
        *event.level() <= tracing::Level::WARN
            && event.target().starts_with("flux")
            && !event.name().ends_with(".failed")
    });
    let lines = fmt::layer().without_time().with_ansi(false);
    let registry = tracing_subscriber::registry().with(lines.with_filter(wanted));
    tracing::subscriber::set_global_default(registry)?;
    Ok(())
}
