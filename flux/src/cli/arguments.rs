//! The arguments of the configuration in the program's own clap parser.

use crate::{
    Builder, Root,
    engine::Schema,
    source::arguments::{self, ArgumentForm, Arguments, DescribedArgument, SET},
};
use clap::{
    Arg, ArgAction, ArgMatches, Command,
    builder::{PossibleValue, TypedValueParser},
    parser::ValueSource,
    value_parser,
};
use std::{
    collections::HashMap,
    ffi::{OsStr, OsString},
    fmt,
    marker::PhantomData,
};

/// The arguments of a config type for the program's own clap parser: [`augment`](ConfigArguments::augment) adds them to a
/// `clap::Command`, and [`typed`](ConfigArguments::typed) takes what was typed from its matches, for
/// [`Builder::parsed_arguments`](crate::Builder::parsed_arguments).
///
/// ```
/// use flux::Flux;
///
/// #[derive(Flux)]
/// #[flux(optional_source = "file:app.yaml", override = "args")]
/// struct AppConfig {
///     /// The port to listen on.
///     #[flux(default = 8080, short = 'p')]
///     port: u16,
///     #[flux(default = false)]
///     tls: bool,
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let config = flux::args::<AppConfig>();
/// let parser = clap::Command::new("app").arg(clap::Arg::new("input"));
/// let matches = config
///     .augment(parser)
///     .try_get_matches_from(["app", "data.csv", "-p", "80", "--tls"])?;
/// let typed = config.typed(&matches);
/// let app = AppConfig::builder().parsed_arguments(typed).load()?;
/// assert_eq!((app.port, app.tls), (80, true));
/// # Ok(())
/// # }
/// ```
pub fn args<C: Root>() -> ConfigArguments<C> {
    ConfigArguments {
        words: Vec::new(),
        has_set: true,
        of: PhantomData,
    }
}

/// The arguments of a config type, and what was typed of them: what [`flux::args`](crate::args) answers, and a field of a struct that
/// derives `clap::Parser` or `clap::Args`.
///
/// ```text
/// #[derive(clap::Parser)]
/// struct CommandLine {
///     #[command(flatten)]
///     config: flux::cli::Arguments<AppConfig>,
///     input: PathBuf,
/// }
///
/// let line = CommandLine::parse();
/// AppConfig::builder().parsed_arguments(line.config).start().await?;
/// ```
///
/// Only what was typed counts: neither clap's defaults (of an argument that was changed by `mut_arg`) nor its variables. Values are read
/// when the configuration is, so that what is wrong with one is in the report of the start, beside what is wrong elsewhere; clap itself
/// refuses only names that it does not know and values that are missing. In reports an argument has its long name, and no position.
///
/// The `Debug` output has the names of what was typed, and no value.
pub struct ConfigArguments<C> {
    /// What was typed, each name with its value in one word.
    words: Vec<OsString>,
    has_set: bool,
    of: PhantomData<fn() -> C>,
}

impl<C: Root> ConfigArguments<C> {
    /// Leaves out `--set`, which sets the value at any path: for a parser that has a `--set` already, its own or that of another
    /// config type.
    #[must_use]
    pub fn without_set(mut self) -> Self {
        self.has_set = false;
        self
    }

    /// Adds the arguments to a parser, or to the subcommand that runs the service: with their docs, defaults, rules and variables as
    /// help, under a heading of their own. The id of each is its long name with the hyphens: `--pool.max-size`, and `--no-tls` for
    /// the negation of a switch.
    ///
    /// # Panics
    /// Where two fields would have one argument, or the parser has one of that name already: the panic names both, and happens
    /// whatever was typed. Arguments that are added to the parser later are compared by clap, in debug builds or by
    /// `Command::debug_assert`.
    #[must_use]
    pub fn augment(&self, mut command: Command) -> Command {
        let schema = Schema::of::<C>();
        let (fields, decode) = ((schema.fields)(), schema.decode_tree);
        if let Err(problem) = arguments::check_names(fields, decode) {
            panic!("{}: {problem}", C::NAME);
        }
        let prefixes = C::declared().variable_prefixes();
        let prefixes: Vec<&str> = prefixes.iter().map(String::as_str).collect();
        let described = arguments::described(fields, decode, &prefixes);
        let set = self.has_set.then(set);
        let taken = taken(&command);
        let named = described.into_iter().flat_map(by_name);
        let all = named.flat_map(clap_arguments).chain(set);
        for one in all {
            if let Some(clash) = clash(&taken, &one) {
                panic!("{}: {clash}", C::NAME);
            }
            command = command.arg(one.help_heading("Configuration"));
        }
        command
    }

    /// What was typed, in its order.
    ///
    /// # Panics
    /// In debug builds, where the matches are not those of the command that was [augmented](ConfigArguments::augment), as clap does.
    #[must_use]
    pub fn typed(&self, matches: &ArgMatches) -> Self {
        let schema = Schema::of::<C>();
        let described = arguments::described((schema.fields)(), schema.decode_tree, &[]);
        let mut words = Vec::new();
        let mut take = |id: String, is_negation: bool| {
            if matches.value_source(&id) != Some(ValueSource::CommandLine) {
                return;
            }
            let places = matches.indices_of(&id).into_iter().flatten();
            let values = matches.get_raw(&id).into_iter().flatten();
            for (place, value) in places.zip(values) {
                let mut word = OsString::from(&id);
                if !is_negation {
                    word.push("=");
                    word.push(value);
                }
                words.push((place, word));
            }
        };
        for one in described.into_iter().flat_map(by_name) {
            let name = &one.names[0];
            take(long(name), false);
            if one.form == ArgumentForm::Switch {
                take(negation(name), true);
            }
        }
        if self.has_set {
            take(long(SET), false);
        }
        words.sort_by_key(|(place, _)| *place);
        ConfigArguments {
            words: words.into_iter().map(|(_, word)| word).collect(),
            has_set: self.has_set,
            of: PhantomData,
        }
    }
}

impl<C: Root> Builder<C> {
    /// Reads what the program's own clap parser found, instead of the arguments of the process. Where no layer reads arguments, one is
    /// added above everything else. See [`flux::args`](crate::args).
    #[must_use]
    pub fn parsed_arguments(mut self, arguments: ConfigArguments<C>) -> Self {
        self.spec
            .set_arguments(Arguments::Parsed(arguments.words.into()));
        self
    }
}

impl<C: Root> clap::Args for ConfigArguments<C> {
    fn augment_args(command: Command) -> Command {
        args::<C>().augment(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<C: Root> clap::FromArgMatches for ConfigArguments<C> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(args::<C>().typed(matches))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl<C> Clone for ConfigArguments<C> {
    fn clone(&self) -> Self {
        ConfigArguments {
            words: self.words.clone(),
            has_set: self.has_set,
            of: PhantomData,
        }
    }
}

impl<C> fmt::Debug for ConfigArguments<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.words.iter().map(|word| {
            let bytes = word.as_encoded_bytes().split(|byte| *byte == b'=').next();
            String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned()
        });
        f.write_str("ConfigArguments")?;
        f.debug_list().entries(names).finish()
    }
}

fn long(name: &str) -> String {
    format!("--{name}")
}

fn negation(name: &str) -> String {
    format!("--no-{name}")
}

/// The argument, and one that no help shows for each name of an earlier version: its own id says which of them was typed.
fn by_name(mut one: DescribedArgument) -> Vec<DescribedArgument> {
    let old = std::mem::take(&mut one.old);
    let old = old.into_iter().map(|name| DescribedArgument {
        names: vec![name],
        short: None,
        is_hidden: true,
        ..one.clone()
    });
    let old: Vec<_> = old.collect();
    std::iter::once(one).chain(old).collect()
}

/// The arguments of clap for one of Flux: a switch has its negation beside it.
fn clap_arguments(one: DescribedArgument) -> Vec<Arg> {
    let name = &one.names[0];
    let (help, long_help) = help(&one);
    let other = one.names[1..].iter().cloned();
    let underscores = one.names.iter().filter(|name| name.contains('-'));
    let underscores = underscores.map(|name| name.replace('-', "_"));
    let mut aliases: Vec<String> = Vec::new();
    for alias in other.chain(underscores) {
        if alias != *name && !aliases.contains(&alias) {
            aliases.push(alias);
        }
    }
    let arg = Arg::new(long(name))
        .long(name.clone())
        .aliases(aliases.clone())
        .action(ArgAction::Append)
        .value_parser(AnyText(one.choices))
        .hide_possible_values(true)
        .hide(one.is_hidden)
        .value_name(one.type_name)
        .help(help)
        .long_help(long_help);
    let arg = match one.short {
        Some(letter) => arg.short(letter),
        None => arg,
    };
    match one.form {
        ArgumentForm::Value | ArgumentForm::Values => vec![arg.allow_negative_numbers(true)],
        ArgumentForm::Switch => {
            let negation = Arg::new(negation(name))
                .long(format!("no-{name}"))
                .aliases(aliases.iter().map(|alias| format!("no-{alias}")))
                .num_args(0)
                .hide(one.is_hidden)
                .default_missing_value("false")
                .value_parser(value_parser!(OsString))
                .action(ArgAction::Append)
                .help(format!("Turns --{name} off"));
            let arg = arg
                .num_args(0..=1)
                .require_equals(true)
                .default_missing_value("true");
            vec![arg, negation]
        }
    }
}

fn set() -> Arg {
    Arg::new(long(SET))
        .long(SET)
        .value_name("PATH=VALUE")
        .value_parser(value_parser!(OsString))
        .action(ArgAction::Append)
        .help("Sets the value at any path, also in a list or a map: `--set tenants.a.max=3`")
}

/// The first paragraph with what is known of the field, and all of it.
fn help(one: &DescribedArgument) -> (String, String) {
    let docs = one.docs.trim();
    let first = docs.split("\n\n").next().unwrap_or_default();
    let first: Vec<&str> = first.lines().map(str::trim).collect();
    let docs: Vec<&str> = docs.lines().map(str::trim).collect();
    let notes = match one.notes.is_empty() {
        true => String::new(),
        false => format!("[{}]", one.notes.join("] [")),
    };
    let short = format!("{} {notes}", first.join(" "));
    let long = format!("{}\n{notes}", docs.join("\n"));
    (short.trim().to_owned(), long.trim().to_owned())
}

/// The names of an argument, as they are typed.
fn names(arg: &Arg) -> Vec<String> {
    let long = arg.get_long().map(str::to_owned).into_iter();
    let aliases = arg.get_all_aliases().unwrap_or_default().into_iter();
    let short = arg.get_short().into_iter();
    let shorts = arg.get_all_short_aliases().unwrap_or_default();
    let longs = long.chain(aliases.map(str::to_owned));
    let longs = longs.map(|name| format!("--{name}"));
    let shorts = short.chain(shorts).map(|letter| format!("-{letter}"));
    longs.chain(shorts).collect()
}

/// What each name means to the parser already, by id.
fn taken(command: &Command) -> HashMap<String, String> {
    let mut taken = HashMap::new();
    let version = command.get_version().or(command.get_long_version());
    if version.is_some() && !command.is_disable_version_flag_set() {
        taken.extend(["--version", "-V"].map(|name| (name.to_owned(), "version".to_owned())));
    }
    for arg in command.get_arguments() {
        let id = arg.get_id().as_str();
        taken.extend(names(arg).into_iter().map(|name| (name, id.to_owned())));
    }
    taken
}

/// An argument that has a name which the parser has, in a sentence for the programmer.
fn clash(taken: &HashMap<String, String>, new: &Arg) -> Option<String> {
    let mut names = names(new).into_iter();
    let (id, name) = names.find_map(|name| Some((taken.get(&name)?, name)))?;
    let way = match new.get_id() == long(SET).as_str() {
        true => "leave it out with `without_set`",
        false => "give the field another one: `#[flux(arg = \"..\")]`, `#[flux(short = '.')]`",
    };
    Some(format!(
        "the parser has an argument {name} already, `{id}`, which the configuration would have as well; rename that one, or {way}"
    ))
}

/// Accepts everything, since the layer reads it; the choices are for completions.
#[derive(Clone)]
struct AnyText(&'static [&'static str]);

impl TypedValueParser for AnyText {
    type Value = OsString;

    fn parse_ref(
        &self,
        _: &Command,
        _: Option<&Arg>,
        value: &OsStr,
    ) -> Result<OsString, clap::Error> {
        Ok(value.to_owned())
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        match self.0 {
            [] => None,
            choices => Some(Box::new(choices.iter().map(PossibleValue::new))),
        }
    }
}
