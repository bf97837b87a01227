//! Secrets that can be recognised in every place of random documents, quoted by everything that can fail, and looked for in all that
//! Flux prints, writes or sends. `FLUX_MARKERS=SECONDS` goes on for so long; a run without it takes a share.

mod commented;
mod deep;
mod generate;
mod given;
mod guesses;
mod layout;
mod made;
mod orders;
mod outputs;
mod pairs;
mod places;
mod program;
mod search;
mod steady;

use flux::{Capacitor, Format, Secrets, Source, source::Channel};
use outputs::{Outputs, written};
use program::{App, Failing, Lost, Pipe};
use proptest::{prelude::*, test_runner::TestRunner};
use std::time::{Duration, Instant};

/// What becomes of a random program.
#[derive(Debug, Clone)]
struct Case {
    format: usize,
    /// Secrets of the lower and the upper document, and of the one after them.
    secrets: Vec<String>,
    /// What else is wrong in the second document.
    wrong: usize,
    fails: Failing,
    encoding: usize,
}

fn cases() -> impl Strategy<Value = Case> {
    (
        0..FORMATS.len(),
        prop::collection::vec("[a-zA-Z0-9+/%]{10,24}", 6),
        0_usize..8,
        program::failing(),
        0_usize..6,
    )
        .prop_map(|(format, secrets, wrong, fails, encoding)| Case {
            format,
            // Two letters that no word of Flux begins with: no secret is a piece of a sentence by chance.
            secrets: secrets.iter().map(|text| format!("zq{text}qz")).collect(),
            wrong,
            fails,
            encoding,
        })
}

const FORMATS: [Format; 5] = [
    Format::Json,
    Format::Yaml,
    Format::Toml,
    Format::Jsonc,
    Format::Json5,
];

/// A document with secrets in every place that is one.
fn document(case: &Case, secrets: &[String], wrong: usize) -> String {
    let mut value = serde_json::json!({
        "password": secrets[0],
        "tokens": {"a": secrets[1]},
        "vault": {"key": secrets[0], "slots": 3},
        "tenants": {"t": {"key": secrets[1], "slots": 3}},
        "port": 80,
    });
    match wrong {
        1 => value["port"] = secrets[0].clone().into(),
        2 => value["passwrod"] = secrets[1].clone().into(),
        3 => value["vault"] = secrets[0].clone().into(),
        4 => value["labels"] = serde_json::json!({"a": {"password": secrets[0]}}),
        5 => value["password"] = serde_json::json!([secrets[0]]),
        6 => value["tenants"]["t"]["slots"] = secrets[1].clone().into(),
        7 => value["host"] = secrets[0].clone().into(),
        _ => {}
    }
    match case.format {
        0 => serde_json::to_string_pretty(&value).unwrap(),
        1 => serde_yaml::to_string(&value).unwrap(),
        number @ 3.. => {
            // Its comments have secrets of the case.
            let old = &case.secrets[0];
            let json = serde_json::to_string_pretty(&value).unwrap();
            let lines = json.lines().map(|line| match number {
                3 => format!("{line} // {old}\n"),
                _ => format!("/* {old} */ {line}\n"),
            });
            lines.collect()
        }
        _ => {
            let entries = value.as_object().unwrap().iter();
            let lines = entries.map(|(key, value)| format!("{key} = {}\n", in_toml(value)));
            lines.collect()
        }
    }
}

/// A value in TOML, on one line.
fn in_toml(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Object(entries) => {
            let entries = entries.iter();
            let entries = entries.map(|(key, value)| format!("{key} = {}", in_toml(value)));
            format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
        }
        serde_json::Value::Array(items) => {
            let items: Vec<_> = items.iter().map(in_toml).collect();
            format!("[{}]", items.join(", "))
        }
        scalar => scalar.to_string(),
    }
}

async fn run(case: &Case) -> Outputs {
    let (outputs, guard) = Outputs::collect();
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("kept.json");
    let format = FORMATS[case.format];
    let (lower, below) = Channel::buffered("lower", 4);
    let (upper, above) = Channel::buffered("upper", 4);
    let pipe = Pipe::new(case.fails.clone(), case.encoding);
    let builder = Capacitor::<App>::builder()
        .clear_sources()
        .source(Source::watcher(below).format(format))
        .source(Source::watcher(above).format(format))
        .source(
            Source::watcher(Lost(written(&case.secrets[0], case.encoding)))
                .format(format)
                .optional(),
        )
        .last_known_good(kept.to_str().unwrap().to_owned(), Secrets::Omit)
        .history(4)
        .probation(Duration::from_secs(60));
    let capacitor = pipe.around(builder).build().unwrap();
    let page = flux::page::Page::new(&capacitor).allow(flux::page::Control);
    let first = document(case, &case.secrets[..2], 0);
    lower.send(first.as_bytes()).await.unwrap();
    upper.send(first.as_bytes()).await.unwrap();
    let started = capacitor.start().await;
    outputs.error(&started.err());
    pipe.begin();
    for (sender, secrets, wrong) in [
        (&upper, &case.secrets[2..4], case.wrong),
        (&upper, &case.secrets[2..4], 0),
        (&lower, &case.secrets[4..6], case.wrong),
    ] {
        let text = document(case, secrets, wrong);
        sender.send(text.as_bytes()).await.unwrap();
        tokio::time::sleep(Duration::from_secs(3)).await;
        outputs.capacitor(&capacitor);
        outputs.page(&page).await;
    }
    let reason = format!("unhealthy: {}", written(&case.secrets[2], case.encoding));
    capacitor.report_unhealthy(reason);
    tokio::time::sleep(Duration::from_secs(3)).await;
    outputs.capacitor(&capacitor);
    outputs.page(&page).await;
    capacitor.stop().await;
    outputs.text(&std::fs::read_to_string(&kept).unwrap_or_default());
    drop(guard);
    outputs
}

fn holds(case: &Case) -> Result<(), TestCaseError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    let outputs = runtime.block_on(run(case));
    let texts = outputs.take();
    prop_assert!(texts.len() > 4, "nothing was said");
    for text in &texts {
        for secret in &case.secrets {
            for encoding in 0..6 {
                let marker = written(secret, encoding);
                prop_assert!(!text.contains(&marker), "{marker} ({secret}) in {text}");
            }
        }
    }
    Ok(())
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// Panics of programs are a part of the search; those of the search itself are printed.
fn silent() {
    std::panic::set_hook(Box::new(|panic| {
        let payload = panic.payload();
        let text = payload.downcast_ref::<&str>().copied();
        let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        let text = text.unwrap_or_default();
        let is_of_search = panic
            .location()
            .is_some_and(|at| at.file().contains("markers/"));
        if is_of_search && !text.starts_with("no port for") && !text.starts_with("cannot log in") {
            eprintln!("{text} at {:?}", panic.location());
        }
    }));
}

/// `FLUX_MARKERS_SEED=N` runs one program again, or with `FLUX_MARKERS=SECONDS` those from there on.
#[test]
fn no_secret_of_any_place_is_in_any_answer() {
    search(search::run::<deep::Deep>, 8);
}

/// The seed decides which of the types of `structs.in` the program has.
#[test]
fn no_secret_of_any_type_is_in_any_answer() {
    search(made::run_any, generate::ROOTS as u64);
}

/// Runs so many programs, or for as long as is asked.
fn search(run: fn(u64) -> usize, programs: u64) {
    silent();
    let (first, seconds) = (number("FLUX_MARKERS_SEED"), number("FLUX_MARKERS"));
    if let (Some(seed), None) = (first, seconds) {
        run(seed);
        return;
    }
    let began = Instant::now();
    let first = first.unwrap_or(0);
    let (mut documents, mut seed) = (0, first);
    while seed < first + programs || began.elapsed().as_secs() < seconds.unwrap_or(0) {
        documents += run(seed);
        seed += 1;
    }
    println!("{} programs with {documents} documents", seed - first);
}

#[test]
fn no_secret_leaves_by_any_way() {
    silent();
    let seconds = number("FLUX_MARKERS");
    let began = Instant::now();
    let mut cases_run = 0;
    loop {
        let config = ProptestConfig {
            cases: 64,
            failure_persistence: None,
            ..ProptestConfig::default()
        };
        let result = TestRunner::new(config).run(&cases(), |case| holds(&case));
        if let Err(error) = result {
            // The hook is silent, and a failure must not be.
            let _ = std::panic::take_hook();
            panic!("{error}");
        }
        cases_run += 64;
        if began.elapsed().as_secs() >= seconds.unwrap_or(0) {
            break;
        }
    }
    println!("{cases_run} programs");
}

/// A type without a secret, so that those of the URI are all that there are.
#[cfg(feature = "redis")]
#[derive(flux::Flux, Clone)]
#[flux(source("file:never-there.json", optional), debounce = "0s")]
struct Plain {
    #[flux(default = 80)]
    port: u16,
}

#[cfg(feature = "redis")]
#[test]
fn no_secret_of_a_uri_present_or_past_is_quoted_by_code_of_the_program() {
    use flux::pipeline::Request;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    let (outputs, guard) = Outputs::collect();
    runtime.block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("password");
        std::fs::write(&file, "zqfirst-passwordqz").unwrap();
        let uri = format!(
            "redis://bob:${{file:{}}}@127.0.0.1:1/app.json",
            file.display()
        );
        let (sender, channel) = Channel::buffered("upper", 8);
        let capacitor = Capacitor::<Plain>::builder()
            .clear_sources()
            .source(Source::uri(uri).optional().wait(Duration::from_secs(1)))
            .source(Source::watcher(channel).format(Format::Json))
            .effect(|request: Request<Plain>| {
                let port = request.current.port;
                async move {
                    match port {
                        80 => Ok(()),
                        81 => Err("cannot log in: zqfirst-passwordqz".into()),
                        _ => Err(flux::pipeline::BoxError::from(
                            "cannot log in: zqsecond-passwordqz",
                        )),
                    }
                }
            })
            .build()
            .unwrap();
        sender.send(*b"{\"port\": 80}").await.unwrap();
        capacitor.start().await.unwrap();
        for (password, port) in [("zqfirst", 81), ("zqsecond", 82), ("zqsecond", 81)] {
            std::fs::write(&file, format!("{password}-passwordqz")).unwrap();
            // The source connects again and again meanwhile, each time with the password of the file.
            tokio::time::sleep(Duration::from_secs(600)).await;
            let text = format!("{{\"port\": {port}}}");
            sender.send(text.as_bytes()).await.unwrap();
            tokio::time::sleep(Duration::from_secs(2)).await;
            let error = capacitor.last_error().unwrap().to_string();
            assert!(error.contains("not shown"), "{error}");
            outputs.text(&error);
            outputs.debugged(&capacitor.status());
            outputs.data(&*capacitor.status());
        }
        capacitor.stop().await;
    });
    drop(guard);
    for text in outputs.take() {
        assert!(!text.contains("passwordqz"), "{text}");
    }
}
