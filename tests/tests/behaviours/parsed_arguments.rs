//! The arguments of the configuration in the program's own clap parser.

use crate::arguments::{App, app, typed};
use clap::{Arg, ArgAction, ArgMatches, CommandFactory as _, Parser, Subcommand};
use flux::{Error, Flux, Report, Root, cli};
use proptest::prelude::*;
use std::panic::{AssertUnwindSafe, catch_unwind};

#[derive(Flux, Debug)]
#[flux(override = "env:FLUX_TEST_PARSED_", override = "args")]
struct Service {
    /// The port
    /// to listen on.
    ///
    /// Zero is any free one.
    #[flux(default = 80, range = 0..=9999, short = 'p')]
    port: u16,
    #[flux(default = "info", one_of = ["debug", "info"])]
    level: String,
    #[flux(default = false)]
    no_cache: bool,
    #[flux(nested)]
    pool: Pool,
    #[flux(secret)]
    password: Option<String>,
    #[flux(secret, arg = "token")]
    token: Option<String>,
}

#[derive(Flux, Debug)]
struct Pool {
    #[flux(default = 10)]
    #[serde(alias = "max")]
    max_size: u32,
    #[flux(default = true)]
    tls: bool,
}

fn parser() -> clap::Command {
    clap::Command::new("service")
        .no_binary_name(true)
        .arg(Arg::new("input"))
        .arg(Arg::new("verbose").short('v').action(ArgAction::Count))
}

fn matches(words: &[&str]) -> ArgMatches {
    let parser = flux::args::<Service>().augment(parser());
    let matches = parser.try_get_matches_from(words);
    matches.unwrap_or_else(|error| panic!("{words:?}: {error}"))
}

fn load(words: &[&str]) -> Result<Service, Error> {
    let found = flux::args::<Service>().typed(&matches(words));
    Service::builder().parsed_arguments(found).load()
}

fn loaded(words: &[&str]) -> Service {
    load(words).unwrap_or_else(|error| panic!("{words:?}: {error}"))
}

fn refused(words: &[&str]) -> Report {
    match load(words) {
        Err(Error::Refused(report)) => report,
        other => panic!("{words:?}: {other:?}"),
    }
}

#[test]
fn they_are_read_between_the_programs_own() {
    let words = [
        "in.csv",
        "-v",
        "--pool.max-size",
        "20",
        "-vp81",
        "--level=debug",
    ];
    let found = matches(&words);
    assert_eq!(found.get_one::<String>("input").unwrap(), "in.csv");
    assert_eq!(found.get_count("verbose"), 2);
    let app = loaded(&words);
    assert_eq!(
        (app.port, app.pool.max_size, &*app.level),
        (81, 20, "debug")
    );
}

#[test]
fn every_way_to_write_one_is_read() {
    for words in [
        &["--pool.max-size", "20"][..],
        &["--pool.max-size=20"],
        &["--pool.max_size=20"],
        &["--pool.max=20"],
        &["--set", "pool.max_size=20"],
    ] {
        assert_eq!(loaded(words).pool.max_size, 20, "{words:?}");
    }
    for (words, tls) in [
        (&["--pool.tls"][..], true),
        (&["--no-pool.tls"], false),
        (&["--pool.tls=no"], false),
        (&["in.csv"], true),
    ] {
        assert_eq!(loaded(words).pool.tls, tls, "{words:?}");
    }
    // Its name begins like a negation.
    for (words, no_cache) in [
        (&["--no-cache"][..], true),
        (&["--no-cache=false"], false),
        (&["--no-no-cache"], false),
        (&["--no-cache", "in.csv"], true),
    ] {
        assert_eq!(loaded(words).no_cache, no_cache, "{words:?}");
    }
}

#[test]
fn a_default_of_clap_does_not_count() {
    let parser = flux::args::<Service>().augment(parser());
    let parser = parser.mut_arg("--port", |port| port.default_value("99"));
    let load = |words: &[&str]| {
        let found = parser.clone().try_get_matches_from(words).unwrap();
        let found = flux::args::<Service>().typed(&found);
        Service::builder().parsed_arguments(found).load().unwrap()
    };
    assert_eq!(load(&[]).port, 80);
    assert_eq!(load(&["-p", "99"]).port, 99);
}

#[test]
fn what_is_wrong_is_in_the_report_of_the_start_with_its_name_alone() {
    let report = refused(&[
        "in.csv", "--port", "many", "--set", "prot=1", "--level", "a", "--level", "b",
    ]);
    let found: Vec<_> = report
        .problems()
        .iter()
        .map(|one| (one.path.as_str(), one.argument.as_deref(), one.position))
        .collect();
    assert_eq!(
        found,
        [
            ("prot", Some("--set"), None),
            ("level", Some("--level"), None),
            ("port", Some("--port"), None),
        ],
        "{report}"
    );
    let text = report.to_string();
    assert!(text.ends_with("\n    --> argument --port"), "{text}");
    assert!(text.contains("is set twice, by --level as well"), "{text}");
    let json = serde_json::to_value(&report.problems()[2]).unwrap();
    assert_eq!(
        (&json["argument"], &json["position"]),
        (&"--port".into(), &().into())
    );
    let report = refused(&["--port=10000"]);
    assert_eq!(
        report.problems()[0].argument.as_deref(),
        Some("--port"),
        "{report}"
    );
}

#[test]
fn secrets_have_an_argument_where_the_code_names_it_and_are_never_shown() {
    let words = ["--token", "hunter2hunter2", "--set", "level=debug"];
    let found = flux::args::<Service>().typed(&matches(&words));
    assert_eq!(
        format!("{found:?}"),
        r#"ConfigArguments["--token", "--set"]"#
    );
    assert_eq!(loaded(&words).token.as_deref(), Some("hunter2hunter2"));
    let report = refused(&["--set", "password=hunter2hunter2"]);
    assert!(
        !format!("{report}{report:?}").contains("hunter2"),
        "{report}"
    );
    let parser = flux::args::<Service>().augment(parser());
    assert!(parser.try_get_matches_from(["--password=a"]).is_err());
}

#[tokio::test]
async fn explain_names_the_argument() {
    let found = flux::args::<Service>().typed(&matches(&["-p", "81"]));
    let service = Service::builder().parsed_arguments(found).manual();
    let service = service.build().unwrap();
    service.start().await.unwrap();
    let explained = service.explain("port").unwrap().to_string();
    assert!(
        explained.starts_with("port = 81\n  --> argument --port\n"),
        "{explained}"
    );
}

fn panic_of(augment: impl FnOnce() -> clap::Command) -> String {
    let panic = catch_unwind(AssertUnwindSafe(augment)).unwrap_err();
    panic.downcast_ref::<String>().unwrap().clone()
}

#[test]
fn a_name_that_the_parser_has_already_is_named() {
    for (own, expected) in [
        (Arg::new("listen").long("port"), "--port already, `listen`"),
        (Arg::new("peer").short('p'), "-p already, `peer`"),
        (
            Arg::new("cache").long("no-no-cache"),
            "--no-no-cache already, `cache`",
        ),
        (
            Arg::new("max").long("size").alias("pool.max"),
            "--pool.max already, `max`",
        ),
        (Arg::new("values").long("set"), "--set already, `values`"),
    ] {
        let own = clap::Command::new("service").arg(own);
        let text = panic_of(|| flux::args::<Service>().augment(own));
        assert!(text.contains(expected), "{expected} in {text}");
    }
    #[derive(Flux)]
    #[flux(override = "args")]
    struct Versioned {
        #[flux(default = 1)]
        version: u8,
    }
    #[derive(Flux)]
    #[flux(override = "args")]
    struct Twice {
        #[flux(nested)]
        one: Short,
        #[flux(nested)]
        other: Short,
    }
    #[derive(Flux)]
    struct Short {
        #[flux(default = 1, short = 's')]
        size: u8,
    }
    let versioned = || clap::Command::new("service").version("1");
    let text = panic_of(|| flux::args::<Versioned>().augment(versioned()));
    assert!(text.contains("--version already"), "{text}");
    let free = versioned().disable_version_flag(true);
    flux::args::<Versioned>().augment(free).debug_assert();
    let text = panic_of(|| flux::args::<Twice>().augment(clap::Command::new("service")));
    assert!(
        text.contains("would mean both `one.size` and `other.size`"),
        "{text}"
    );
}

#[test]
fn two_types_share_a_parser_where_one_of_them_has_no_set() {
    #[derive(Flux)]
    #[flux(override = "args")]
    struct Other {
        #[flux(default = 1)]
        retries: u8,
    }
    let (first, second) = (flux::args::<Service>(), flux::args::<Other>().without_set());
    let parser = second.augment(first.augment(parser()));
    let words = ["--set=port=1", "--retries=2", "--port=3"];
    let found = parser.try_get_matches_from(&words[..2]).unwrap();
    let service = Service::builder().parsed_arguments(first.typed(&found));
    let other = Other::builder().parsed_arguments(second.typed(&found));
    assert_eq!(service.load().unwrap().port, 1);
    assert_eq!(other.load().unwrap().retries, 2);
}

#[test]
fn the_help_has_docs_defaults_rules_and_variables() {
    let mut parser = flux::args::<Service>().augment(parser());
    let short = parser.render_help().to_string();
    let port =
        "The port to listen on. [default: 80] [range: 0..=9999] [variable: FLUX_TEST_PARSED_PORT]";
    assert!(short.contains("-p, --port <u16>"), "{short}");
    let words: Vec<&str> = short.split_whitespace().collect();
    assert!(words.join(" ").contains(port), "{short}");
    assert!(short.contains("\nConfiguration:\n"), "{short}");
    assert!(short.contains("--no-pool.tls"), "{short}");
    assert!(!short.contains("--password"), "{short}");
    assert!(
        parser
            .render_long_help()
            .to_string()
            .contains("Zero is any free one.")
    );
}

/// What a command prints to both streams.
fn printed<C: Root>(command: cli::Command) -> (String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    command.write::<C>(&mut out, &mut err).unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(out), text(err))
}

#[test]
fn completions_without_a_parser_have_them_where_arguments_are_a_layer() {
    #[derive(Flux)]
    #[flux(override = "env:FLUX_TEST_PARSED_")]
    struct Plain {
        #[flux(default = 1)]
        retries: u8,
    }
    for shell in ["bash", "zsh", "fish"] {
        let command = || match CommandLine::try_parse_from(["config", "completions", shell]) {
            Ok(CommandLine {
                command: Some(Command::Config(command)),
                ..
            }) => command,
            other => panic!("{other:?}"),
        };
        let (script, note) = printed::<Service>(command());
        for part in ["pool.max-size", "no-pool.tls", "explain", "debug"] {
            assert!(script.contains(part), "{shell}: {part}");
        }
        assert!(
            !script.contains("threads") && note.contains("in_parser"),
            "{note}"
        );
        let (script, _) = printed::<Plain>(command());
        assert!(script.contains("explain") && !script.contains("retries"));
    }
}

#[test]
fn completions_of_a_parser_are_those_of_the_whole_program() {
    for shell in ["bash", "zsh", "fish"] {
        let line = CommandLine::try_parse_from(["config", "completions", shell]);
        let Some(Command::Config(command)) = line.unwrap().command else {
            panic!("another command");
        };
        let command = command.in_parser(CommandLine::command());
        let (script, note) = printed::<Service>(command);
        for part in ["serve", "threads", "pool.max-size", "config", "explain"] {
            assert!(script.contains(part), "{shell}: {part}");
        }
        assert_eq!(note, "");
    }
}

#[derive(Parser, Debug)]
#[command(no_binary_name = true)]
struct CommandLine {
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    config: cli::Arguments<Service>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand, Debug)]
enum Command {
    Serve {
        #[arg(long)]
        threads: Option<u8>,
    },
    Config(cli::Command),
}

/// Clippy asks for a box in enums whose variants differ by more than 200 bytes.
const _: () = assert!(size_of::<cli::Command>() <= 200);

#[test]
fn the_commands_are_a_variant_of_a_derived_subcommand() {
    let line = CommandLine::try_parse_from(["--port", "3", "config", "template", "--as", "toml"]);
    let line = line.unwrap();
    let Some(Command::Config(command)) = line.command else {
        panic!("{line:?}");
    };
    let (text, _) = printed::<Service>(command);
    assert!(text.contains("port = 80\n"), "{text}");
    let line = CommandLine::try_parse_from(["serve", "--threads", "2"]).unwrap();
    let Some(Command::Serve { threads }) = line.command else {
        panic!("{line:?}");
    };
    assert_eq!(threads, Some(2));
    assert!(CommandLine::try_parse_from(["config", "explian"]).is_err());
}

#[test]
fn they_are_a_field_of_a_derived_parser() {
    let words = ["--name", "a", "--port", "3", "--token=hunter2hunter2"];
    let line = CommandLine::try_parse_from(words).unwrap();
    assert_eq!(line.name.as_deref(), Some("a"));
    assert!(!format!("{line:?}").contains("hunter2"), "{line:?}");
    let service = Service::builder().parsed_arguments(line.config);
    assert_eq!(service.load().unwrap().port, 3);
}

proptest! {
    #[test]
    fn any_value_that_is_typed_is_read_as_it_was_through_a_parser_of_the_program(app in app()) {
        let words = typed(&app);
        let parser = clap::Command::new("app").no_binary_name(true);
        let arguments = flux::args::<App>();
        let found = arguments.augment(parser).try_get_matches_from(words.clone());
        let found = found.map_err(|error| TestCaseError::fail(format!("{words:?}: {error}")))?;
        let builder = App::builder().clear_sources();
        match builder.parsed_arguments(arguments.typed(&found)).load() {
            Ok(read) => prop_assert_eq!(read, app),
            Err(error) => prop_assert!(false, "{:?}: {}", words, error),
        }
    }

    #[test]
    fn any_words_mean_the_same_with_and_without_a_parser_of_the_program(
        words in prop::collection::vec(
            "--(pool.max-size|pool.url|port|tags|labels|colour|no-colour|set)(=[a-z0-9.,={}\\[\\]\"-]{0,6})?|-[tpq]{1,2}(=?[0-9]{1,2})?|-?[0-9]{1,3}|[a-z,=.]{0,5}",
            0..6,
        )
    ) {
        let parser = clap::Command::new("app").no_binary_name(true);
        let arguments = flux::args::<App>();
        // What clap does not parse has no meaning.
        if let Ok(found) = arguments.augment(parser).try_get_matches_from(words.clone()) {
            let parsed = App::builder().clear_sources().parsed_arguments(arguments.typed(&found)).load();
            let read = App::builder().clear_sources().arguments(words.clone()).load();
            match (parsed, read) {
                (Ok(parsed), Ok(read)) => prop_assert_eq!(parsed, read),
                (Err(Error::Refused(parsed)), Err(Error::Refused(read))) => {
                    prop_assert_eq!(parsed.problems().len(), read.problems().len(), "{:?}: {} {}", words, parsed, read);
                }
                (parsed, read) => prop_assert!(false, "{:?}: {:?} {:?}", words, parsed, read),
            }
        }
    }
}
