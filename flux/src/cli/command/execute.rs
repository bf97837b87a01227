//! What each subcommand of `config` does.

use super::{ConfigAction, ConfigCommand};
use crate::{
    Error, Root,
    cli::{
        answering::{Answering, Comparison, GOOD, NOT_APPLIED, NOT_LOOKED_AT},
        arguments::args,
        live::{PlanError, live},
        output::OutputFormat,
        paint::{Painted, has_colours},
        watch::watch,
    },
    inspect::{
        CheckError, Checked, Describe, Inputs, LastGood, PlannedChange, WITHOUT_GIVEN, schema_text,
    },
    problem::escaped,
    runtime::{processes_are_seen, trust_offline},
};
use clap::Args as _;
use std::{
    io::{self, IsTerminal as _, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

impl ConfigCommand {
    /// Gives it the parser that it is mounted in, so that `completions` are those of the whole program; otherwise they are those of these
    /// commands alone, which a shell takes for everything that the program has.
    ///
    /// With clap's derive: `command.in_parser(CommandLine::command()).execute::<AppConfig>()`, where `CommandLine` derives `clap::Parser`.
    #[must_use]
    pub fn in_parser(mut self, parser: clap::Command) -> Self {
        self.parser = Some(Box::new(parser));
        self
    }

    /// Carries the command out on the standard streams. The code is 0 for what is good, 1 for what is refused, and 2 where it could not
    /// be looked at.
    pub fn execute<C: Root>(&self) -> ExitCode {
        // Not locked: a stage or a subscriber of the program may print from another thread meanwhile.
        let (out, err) = (io::stdout(), io::stderr());
        let is_for_people = self.output == OutputFormat::Human && !self.action.prints_document();
        let (in_out, in_err) = (has_colours(&out), has_colours(&err));
        let mut out = Painted::new(out, is_for_people && in_out);
        let mut err = Painted::new(err, is_for_people && in_err);
        // As wide as the terminal, and as wide as anything where the answer goes into a file.
        let width = match io::stdout().is_terminal() {
            true => terminal_size::terminal_size().map(|(width, _)| width.0.into()),
            false => None,
        };
        let written = self.write_in::<C>(width, &mut out, &mut err);
        let written = written.and_then(|code| {
            out.finish()?;
            err.finish()?;
            Ok(code)
        });
        // Whoever closed the pipe does not read why.
        ExitCode::from(written.unwrap_or(NOT_LOOKED_AT))
    }

    /// [`execute`](Self::execute) with other streams: answers go to the first one, refusals for people and what cannot be looked at to
    /// the second one. Answers with the code.
    ///
    /// # Errors
    /// Those of the streams.
    pub fn write<C: Root>(&self, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<u8> {
        self.write_in::<C>(None, out, err)
    }

    fn write_in<C: Root>(
        &self,
        width: Option<usize>,
        out: &mut dyn Write,
        err: &mut dyn Write,
    ) -> io::Result<u8> {
        let mut answer = Answering {
            output: self.output,
            width,
            out,
            err,
        };
        if let Some(why) = self.judges_nothing() {
            return answer.cannot(why);
        }
        if let Some(code) = self.ask_running::<C>(&mut answer)? {
            return Ok(code);
        }
        match &self.action {
            ConfigAction::Check(inputs) => {
                let (files, checked) = C::declared().check_with_files(inputs);
                self.note_places::<C>(&mut answer, inputs, &checked)?;
                answer.checked(&files, checked, |answer, checked| {
                    writeln!(answer.out, "{checked}")?;
                    self.note_limits::<C>(inputs, answer)
                })
            }
            ConfigAction::Show {
                inputs,
                format,
                with_origins,
            } => {
                let (files, checked) = C::declared().check_with_files(inputs);
                answer.only_good(&files, checked, |answer, checked| {
                    answer.note_warnings(&checked.warnings)?;
                    answer.effective(checked.effective(), *format, *with_origins)
                })
            }
            ConfigAction::Explain { inputs, path } => {
                let (files, checked) = C::declared().check_with_files(inputs);
                answer.only_good(&files, checked, |answer, checked| {
                    answer.note_warnings(&checked.warnings)?;
                    answer.explain(checked, path.as_deref())
                })
            }
            ConfigAction::Silent(inputs) => {
                let (files, checked) = C::declared().check_with_files(inputs);
                answer.only_good(&files, checked, |answer, checked| {
                    answer.silent(&checked.silent())
                })
            }
            ConfigAction::Blame(_) => in_the_process_alone(&mut answer, "who changed a value"),
            ConfigAction::Status => in_the_process_alone(&mut answer, "the state"),
            ConfigAction::Diff(inputs) => self.diff::<C>(&mut answer, inputs),
            ConfigAction::Plan(inputs) => {
                let since = match last_good::<C>(&mut answer, inputs)? {
                    Ok(since) => since,
                    Err(code) => return Ok(code),
                };
                match live::<C>(inputs, since.as_ref()) {
                    Ok(planned) => answer.planned(&planned),
                    Err(PlanError::Start(files, Error::Refused(report))) => {
                        answer.checked(&files, Err(CheckError::Refused(report)), |_, _| Ok(()))
                    }
                    Err(PlanError::Start(_, error)) => answer.cannot(&error.to_string()),
                    Err(PlanError::Inputs(error)) => answer.cannot(&error.to_string()),
                }
            }
            ConfigAction::Watch { changes } => watch::<C>(&mut answer, *changes),
            ConfigAction::Completions(shell) => {
                let mut parser = match &self.parser {
                    Some(parser) => clap::Command::clone(parser),
                    None => {
                        let text = "note: these are the completions of `config` alone: the program does not give its parser to `flux::cli::Command::in_parser`";
                        writeln!(answer.err, "{text}")?;
                        parser::<C>()
                    }
                };
                let name = program();
                let mut script = Vec::new();
                clap_complete::generate(*shell, &mut parser, name, &mut script);
                answer.out.write_all(&script)?;
                Ok(GOOD)
            }
            ConfigAction::Schema { of_layer } => {
                // Of several layers the one that wins.
                let prefix = C::declared().variable_prefixes().pop();
                answer.text(&schema_text::<C>(!of_layer, &prefix.unwrap_or_default()))
            }
            ConfigAction::Template(format) => answer.text(&C::template(*format)),
            ConfigAction::Reference { prefix, is_manual } => {
                match (prefix_of::<C>(prefix.as_deref()), is_manual) {
                    (Ok(prefix), true) => answer.text(&C::manual_page(&prefix)),
                    (Ok(prefix), false) => answer.text(&C::reference(&prefix)),
                    (Err(problem), _) => answer.cannot(&problem),
                }
            }
            ConfigAction::Trust => match trust_offline(&C::declared().spec) {
                Ok(trusted) => {
                    if !trusted.is_nothing() && !processes_are_seen() {
                        let text = "note: whether a process of the program runs is not known here: one that runs writes over this";
                        writeln!(answer.err, "{text}")?;
                    }
                    answer.trusted(&trusted, &trusted.at_next_start())
                }
                Err(problem) => answer.cannot(&problem),
            },
            ConfigAction::Variables(prefix) => match prefix_of::<C>(prefix.as_deref()) {
                Ok(prefix) => answer.text(&C::variables(&prefix)),
                Err(problem) => answer.cannot(&problem),
            },
        }
    }
}

impl ConfigCommand {
    /// Names the files that are judged in the places of others, where places in them are named.
    fn note_places<C: Root>(
        &self,
        answer: &mut Answering<'_>,
        inputs: &Inputs,
        checked: &Result<Checked, CheckError>,
    ) -> io::Result<()> {
        let has_places = match checked {
            Ok(checked) => !checked.warnings.is_empty(),
            Err(error) => matches!(error, CheckError::Refused(_)),
        };
        if self.output == OutputFormat::Human && has_places {
            for (origin, path) in C::declared().given_in_place(inputs) {
                let (origin, path) = (escaped(&origin), path.display().to_string());
                let path = escaped(&path);
                writeln!(answer.err, "note: {origin} is the file {path} here")?;
            }
        }
        Ok(())
    }

    /// What documents would change in the last known good configuration, or else in what a start would apply.
    fn diff<C: Root>(&self, answer: &mut Answering<'_>, inputs: &Inputs) -> io::Result<u8> {
        let since = match last_good::<C>(answer, inputs)? {
            Ok(since) => since,
            Err(code) => return Ok(code),
        };
        if let Some(since) = since {
            let (files, after) = C::declared().check_with_files(&since.with(inputs));
            self.note_places::<C>(answer, inputs, &after)?;
            return answer.only_good(&files, after, |answer, after| {
                compared(answer, &files, &since.changes_to(after), after)
            });
        }
        // First, so that the verdict on the documents is that of `check`, whatever they are compared with.
        let (files, after) = C::declared().check_with_files(inputs);
        self.note_places::<C>(answer, inputs, &after)?;
        let after = match after {
            Ok(after) => after,
            refused => return answer.checked(&files, refused, |_, _| Ok(())),
        };
        let (before_files, before) = C::declared().check_with_files(&inputs.terms());
        let before = match before {
            Ok(before) => before,
            Err(_) if inputs.have_documents() => match C::declared().without_given(inputs) {
                Ok(before) => {
                    writeln!(answer.err, "note: {WITHOUT_GIVEN}")?;
                    before
                }
                Err(error) => return answer.cannot(&error.to_string()),
            },
            refused => return answer.checked(&before_files, refused, |_, _| Ok(())),
        };
        compared(answer, &files, &before.changes_to(&after), &after)
    }

    /// Why there is nothing to judge: every layer is left out.
    fn judges_nothing(&self) -> Option<&'static str> {
        let inputs = match &self.action {
            ConfigAction::Check(inputs)
            | ConfigAction::Diff(inputs)
            | ConfigAction::Plan(inputs) => inputs,
            _ => return None,
        };
        inputs.have_nothing().then_some(
            "`--only-given` leaves out every layer for which no document is given, and none is: there is nothing to judge",
        )
    }
}

/// Prints what would change, where documents are compared with what was judged as they are.
fn compared(
    answer: &mut Answering<'_>,
    files: &[Option<PathBuf>],
    changes: &[PlannedChange],
    after: &Checked,
) -> io::Result<u8> {
    let held = after.quarantined().into_iter();
    let notes: Vec<String> = held.map(|one| format!("{NOT_APPLIED}: {one}")).collect();
    let found = Comparison {
        changes,
        warnings: &after.warnings,
        missing: &after.missing,
        hidden: &[],
        notes: &notes,
        standing: None,
        has_secrets: false,
    };
    answer.changes(files, &found)
}

/// There is nothing to look at here.
fn in_the_process_alone(answer: &mut Answering<'_>, what: &str) -> io::Result<u8> {
    answer.cannot(&format!(
        "{what} is in the memory of the running process alone, which answers where the program opens a socket, `#[flux(admin = \"unix:..\")]`, and `--offline` is not given"
    ))
}

/// What is kept on disk to compare with, where the program keeps something; a line on the error stream names it, or why it is not used.
/// The exit code where there is nothing to compare: the sources with themselves would be no answer.
fn last_good<C: Root>(
    answer: &mut Answering<'_>,
    inputs: &Inputs,
) -> io::Result<Result<Option<LastGood>, u8>> {
    match C::declared().last_good(inputs) {
        Ok(None) => Ok(Ok(None)),
        Ok(Some(found)) => {
            let name = &found.name;
            let defaults = match found.has_defaults() {
                true => "; defaults are compared as they are written in the code",
                false => {
                    ", and defaults are those of this program on both sides, since an earlier version of Flux wrote the file"
                }
            };
            writeln!(
                answer.err,
                "note: compared with {name}; secrets are not compared, and variables count as they are now on both sides{defaults}"
            )?;
            Ok(Ok(Some(found)))
        }
        Err(problem) if !inputs.have_documents() => {
            let why = format!(
                "there is nothing to compare with: no process is asked, and the last known good configuration cannot be used: {problem}; \
                 give documents, as in `--layer NAME=PATH`, or use `check`"
            );
            answer.cannot(&why).map(Err)
        }
        Err(problem) => {
            writeln!(
                answer.err,
                "note: the last known good configuration is not compared with: {problem}"
            )?;
            Ok(Ok(None))
        }
    }
}

/// The file name of the program, as a shell knows it.
pub(in crate::cli) fn program() -> String {
    let program = std::env::args_os().next().map(PathBuf::from);
    let name = program.as_deref().and_then(Path::file_stem);
    name.map_or("app".into(), |name| name.to_string_lossy().into_owned())
}

/// The parser of a program with nothing but these commands and the arguments, where they are a layer.
pub(in crate::cli) fn parser<C: Root>() -> clap::Command {
    let config = ConfigCommand::augment_args(clap::Command::new("config"));
    let parser = clap::Command::new("program").subcommand(config);
    match C::declared().spec.reads_arguments() {
        true => args::<C>().augment(parser),
        false => parser,
    }
}

/// The prefix of variables: the given one, or as the program reads them.
///
/// # Errors
/// No layer of the program reads variables under the given one.
fn prefix_of<C: Root>(given: Option<&str>) -> Result<String, String> {
    let mut declared = C::declared().variable_prefixes();
    let Some(given) = given else {
        return Ok(declared.pop().unwrap_or_else(|| "APP_".to_owned()));
    };
    // A program without such a layer may be given one, under any prefix.
    if declared.is_empty() || declared.iter().any(|one| one == given) {
        return Ok(given.to_owned());
    }
    declared.sort_unstable();
    declared.dedup();
    let names: Vec<String> = declared.iter().map(|one| format!("`{one}`")).collect();
    let (given, names) = (escaped(given), names.join(", "));
    Err(format!(
        "no layer reads variables whose names begin with `{given}`; the prefixes are: {names}"
    ))
}
