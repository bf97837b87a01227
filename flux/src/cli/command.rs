//! The subcommands of `config` and their arguments, as clap reads them.

mod ask;
mod execute;

pub(super) use execute::{parser, program};

use super::output::OutputFormat;
use crate::inspect::Inputs;
use clap::{Arg, ArgAction, ArgMatches, parser::ValueSource, value_parser};
use flux_syntax::Format;
use std::path::PathBuf;

/// The subcommands of a configuration, to be mounted in the program's own clap parser: `Config(flux::cli::Command)` in an enum that derives
/// `clap::Subcommand`, or [`augment_args`](clap::Args::augment_args) on a `clap::Command`. [`in_parser`](ConfigCommand::in_parser) makes
/// the completions those of the whole program.
///
/// ```
/// use clap::{Args as _, FromArgMatches as _};
/// use flux::{Flux, cli};
///
/// #[derive(Flux)]
/// #[flux(source = "file:app.yaml")]
/// struct AppConfig {
///     port: u16,
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let config = cli::Command::augment_args(clap::Command::new("config"));
/// let parser = clap::Command::new("app").subcommand(config);
/// let matches = parser.try_get_matches_from(["app", "config", "template"])?;
/// if let Some(("config", matches)) = matches.subcommand() {
///     let (mut out, mut err) = (Vec::new(), Vec::new());
///     let code = cli::Command::from_arg_matches(matches)?.write::<AppConfig>(&mut out, &mut err)?;
///     assert_eq!((code, &*String::from_utf8(out)?), (0, "# required\n# port:\n"));
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct ConfigCommand {
    pub(super) action: ConfigAction,
    pub(super) output: OutputFormat,
    /// A running program is not asked.
    #[cfg_attr(not(unix), allow(dead_code, reason = "there is no socket to ask at"))]
    pub(super) is_offline: bool,
    /// The program's own parser. In a box, since the command is a variant beside small ones.
    pub(super) parser: Option<Box<clap::Command>>,
}

#[derive(Debug, Clone)]
pub(super) enum ConfigAction {
    Check(Inputs),
    Show {
        inputs: Inputs,
        format: Format,
        with_origins: bool,
    },
    Explain {
        inputs: Inputs,
        path: Option<String>,
    },
    Silent(Inputs),
    Blame(String),
    Status,
    Diff(Inputs),
    Plan(Inputs),
    Watch {
        changes: Option<u64>,
    },
    Completions(clap_complete::Shell),
    Schema {
        of_layer: bool,
    },
    Template(Format),
    Reference {
        prefix: Option<String>,
        is_manual: bool,
    },
    Variables(Option<String>),
    Trust,
}

impl ConfigAction {
    /// Whether what it prints is a file, and no message.
    fn prints_document(&self) -> bool {
        matches!(
            self,
            ConfigAction::Show { .. }
                | ConfigAction::Completions(_)
                | ConfigAction::Schema { .. }
                | ConfigAction::Template(_)
                | ConfigAction::Reference { .. }
                | ConfigAction::Variables(_)
        )
    }
}

fn files() -> Arg {
    Arg::new("file")
        .value_name("FILE")
        .value_parser(value_parser!(PathBuf))
        .action(ArgAction::Append)
        .help("A document for the layer that reads a file of this path or name")
}

/// What documents are given by, beside files.
fn inputs() -> [Arg; 4] {
    [
        Arg::new("layer")
            .long("layer")
            .value_name("NAME=PATH")
            .value_parser(layer_and_path)
            .action(ArgAction::Append)
            .help("A document for the layer of this name, file name or number"),
        Arg::new("without")
            .long("without")
            .value_name("NAME")
            .action(ArgAction::Append)
            .help(
                "Leaves a layer out, as if at a start without it; what is missing may come from it",
            ),
        Arg::new("only-given")
            .long("only-given")
            .action(ArgAction::SetTrue)
            .help("Leaves out every layer for which no document is given, the environment too"),
        Arg::new("partial")
            .long("partial")
            .action(ArgAction::SetTrue)
            .help("Values that are missing come later"),
    ]
}

fn layer_and_path(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((name, path)) if !name.is_empty() && !path.is_empty() => {
            Ok((name.to_owned(), PathBuf::from(path)))
        }
        _ => Err("write a layer and a file, as in `app.yaml=deploy/app.yaml`".to_owned()),
    }
}

fn document_format() -> Arg {
    Arg::new("as")
        .long("as")
        .value_name("FORMAT")
        .value_parser(["yaml", "toml", "json"])
        .default_value("yaml")
        .help("The format of the document")
}

fn prefix() -> Arg {
    Arg::new("prefix").long("prefix").value_name("PREFIX").help(
        "What the names of variables begin with; by default as the program reads them, or APP_",
    )
}

impl clap::Args for ConfigCommand {
    fn augment_args(command: clap::Command) -> clap::Command {
        let sub = |name: &'static str, about: &'static str| clap::Command::new(name).about(about);
        let output = Arg::new("format")
            .long("format")
            .value_name("FORMAT")
            .value_parser(["human", "json", "github", "sarif"])
            .default_value("human")
            .global(true)
            .help("How verdicts and answers are printed");
        let offline = Arg::new("offline")
            .long("offline")
            .action(ArgAction::SetTrue)
            .global(true)
            .help("Does not ask the running process: files are read here, and variables are those of this shell");
        let about = match command.get_about() {
            Some(_) => command,
            None => command.about("Checks and explains the configuration"),
        };
        about.subcommand_required(true).arg_required_else_help(true).arg(output).arg(offline).subcommands([
            sub("check", "Judges documents as a start would, and applies nothing")
                .arg(files())
                .args(inputs()),
            sub("show", "Prints the configuration of the running process, or what a start would apply where none can be asked; without its secrets")
                .arg(files().long("file"))
                .args(inputs())
                .arg(document_format())
                .arg(
                    Arg::new("origins")
                        .long("origins")
                        .action(ArgAction::SetTrue)
                        .help("Adds to each line where its value comes from"),
                ),
            sub("explain", "Prints which layer sets a value, and what it hides: in the running process, or at a start where none can be asked")
                .arg(Arg::new("path").value_name("PATH").help("As in reports: `pool.max_size`; every setting by default"))
                .arg(files().long("file"))
                .args(inputs()),
            sub("silent", "Prints the settings without effect: hidden ones, repeated ones, keys that no field has")
                .arg(files().long("file"))
                .args(inputs()),
            sub("blame", "Prints who changed a value: generations and refusals that the running process remembers").arg(
                Arg::new("path").value_name("PATH").required(true).help("As in reports: `pool.max_size`, or a section: `pool`"),
            ),
            sub("status", "Prints the state of the running process: generation, age, fingerprint, layers, what is refused; 1 unless it is healthy"),
            sub("diff", "Prints what documents would change in what runs; or, where no process is asked, in what ran last or a start would apply")
                .arg(files())
                .args(inputs()),
            sub("plan", "Reads every source as it is now, and prints what documents would change, with the rules on changes")
                .arg(files())
                .args(inputs()),
            sub("watch", "Prints every change, refusal and loss of a source as it happens").arg(
                Arg::new("changes")
                    .long("changes")
                    .value_name("COUNT")
                    .value_parser(value_parser!(u64).range(1..))
                    .help("Ends after so many lines; otherwise it ends with the process"),
            ),
            sub("trust", "Ends trials and quarantines: content that the process died with is tried again at once, and one more death puts it back"),
            sub("completions", "Prints the completions of a shell for these commands").arg(
                Arg::new("shell")
                    .value_name("SHELL")
                    .value_parser(value_parser!(clap_complete::Shell))
                    .required(true),
            ),
            sub("schema", "Prints the JSON Schema of the configuration").arg(
                Arg::new("of-layer")
                    .long("of-layer")
                    .action(ArgAction::SetTrue)
                    .help("Of one layer of several, in which nothing is required"),
            ),
            sub("template", "Prints a commented document with every setting and its default")
                .arg(document_format()),
            sub("reference", "Prints a page with every setting").arg(prefix()).arg(
                Arg::new("as")
                    .long("as")
                    .value_name("FORMAT")
                    .value_parser(["markdown", "man"])
                    .default_value("markdown")
                    .help("Markdown, or a manual page for `man`"),
            ),
            sub("variables", "Prints every environment variable, for a file `.env`").arg(prefix()),
        ])
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

impl clap::FromArgMatches for ConfigCommand {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let Some((name, own)) = matches.subcommand() else {
            return Err(clap::Error::new(clap::error::ErrorKind::MissingSubcommand));
        };
        let text = |key: &str| own.get_one::<String>(key).cloned();
        let format = || match text("as").as_deref() {
            Some("toml") => Format::Toml,
            Some("json") => Format::Json,
            _ => Format::Yaml,
        };
        let output = own.get_one::<String>("format");
        let output = output.or_else(|| matches.get_one::<String>("format"));
        let output = OutputFormat::named(output.map_or("human", String::as_str));
        let (formats, why) = formats_of(name);
        if !formats.contains(&output) {
            let (format, kind) = (output.name(), clap::error::ErrorKind::InvalidValue);
            let names: Vec<String> = (formats.iter())
                .map(|format| format!("`{}`", format.name()))
                .collect();
            let names = names.join(" or ");
            let text = format!("`{name}` {why}, and has no `--format {format}`; take {names}\n");
            // Formatted here: clap's derive would print the usage of a parser that does not know what the program is called.
            let parser = clap::Command::new("config").bin_name(format!("{} config", program()));
            return Err(clap::Error::raw(kind, text)
                .format(&mut <Self as clap::Args>::augment_args(parser)));
        }
        let action = match name {
            "check" => ConfigAction::Check(inputs_of(own)),
            "show" => ConfigAction::Show {
                inputs: inputs_of(own),
                format: match (own.value_source("as"), output) {
                    (Some(ValueSource::CommandLine), _) => format(),
                    // Programs read the answer itself.
                    (_, OutputFormat::Json) => Format::Json,
                    _ => format(),
                },
                with_origins: own.get_flag("origins"),
            },
            "explain" => ConfigAction::Explain {
                inputs: inputs_of(own),
                path: text("path"),
            },
            "silent" => ConfigAction::Silent(inputs_of(own)),
            "blame" => ConfigAction::Blame(text("path").unwrap_or_default()),
            "status" => ConfigAction::Status,
            "diff" => ConfigAction::Diff(inputs_of(own)),
            "plan" => ConfigAction::Plan(inputs_of(own)),
            "schema" => ConfigAction::Schema {
                of_layer: own.get_flag("of-layer"),
            },
            "template" => ConfigAction::Template(format()),
            "watch" => ConfigAction::Watch {
                changes: own.get_one::<u64>("changes").copied(),
            },
            "completions" => match own.get_one::<clap_complete::Shell>("shell") {
                Some(shell) => ConfigAction::Completions(*shell),
                None => {
                    return Err(clap::Error::new(
                        clap::error::ErrorKind::MissingRequiredArgument,
                    ));
                }
            },
            "reference" => ConfigAction::Reference {
                prefix: text("prefix"),
                is_manual: text("as").as_deref() == Some("man"),
            },
            "trust" => ConfigAction::Trust,
            "variables" => ConfigAction::Variables(text("prefix")),
            _ => return Err(clap::Error::new(clap::error::ErrorKind::InvalidSubcommand)),
        };
        Ok(ConfigCommand {
            action,
            is_offline: matches.get_flag("offline") || own.get_flag("offline"),
            output,
            parser: None,
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// In which formats a command answers, and why in no others.
fn formats_of(name: &str) -> (&'static [OutputFormat], &'static str) {
    use OutputFormat::{GitHub, Human, Json, Sarif};
    match name {
        "show" | "explain" | "silent" | "blame" | "status" | "watch" | "trust" => {
            (&[Human, Json], "has no verdict to annotate")
        }
        "schema" => (&[Human, Json], "prints a document of JSON"),
        "template" | "reference" => (&[Human], "prints a document, whose format `--as` sets"),
        "variables" | "completions" => (&[Human], "prints a file"),
        _ => (&[Human, Json, GitHub, Sarif], ""),
    }
}

fn inputs_of(matches: &ArgMatches) -> Inputs {
    let mut inputs = Inputs::new();
    for file in matches.get_many::<PathBuf>("file").into_iter().flatten() {
        inputs = inputs.file(file);
    }
    for (name, path) in matches
        .get_many::<(String, PathBuf)>("layer")
        .into_iter()
        .flatten()
    {
        inputs = inputs.layer_file(name, path);
    }
    for name in matches.get_many::<String>("without").into_iter().flatten() {
        inputs = inputs.without(name);
    }
    if matches.get_flag("only-given") {
        inputs = inputs.only_given();
    }
    if matches.get_flag("partial") {
        inputs = inputs.partial();
    }
    inputs
}
