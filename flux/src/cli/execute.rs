//! Carries the commands out.

#[cfg(unix)]
use super::admin::{AdminQuestion, AdminRequest, ask};
use super::{
    command::{ConfigAction, ConfigCommand},
    output::{Annotation, Annotations, OutputFormat, data},
    paint::{Painted, has_colours},
    watch::watch,
};
use crate::{
    Builder, Capacitor, Error, Root,
    inspect::{
        CheckError, Checked, Describe, Effective, Explanation, InputError, Inputs, PartyVerdict,
        PlannedChange, PlannedUpdate,
    },
    source::arguments::Arguments,
};
use clap::Args as _;
use flux_syntax::Format;
use serde::Serialize;
use serde_json::json;
use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

pub(super) const GOOD: u8 = 0;
pub(super) const REFUSED: u8 = 1;
const NOT_LOOKED_AT: u8 = 2;

impl ConfigCommand {
    /// Carries the command out on the standard streams. The code is 0 for what is good, 1 for what is refused, and 2 where it could not
    /// be looked at.
    pub fn execute<C: Root>(&self) -> ExitCode {
        // Not locked: a stage or a subscriber of the program may print from another thread meanwhile.
        let (out, err) = (io::stdout(), io::stderr());
        let is_for_people = self.output == OutputFormat::Human && !self.action.prints_document();
        let (in_out, in_err) = (has_colours(&out), has_colours(&err));
        let mut out = Painted::new(out, is_for_people && in_out);
        let mut err = Painted::new(err, is_for_people && in_err);
        let written = self.write::<C>(&mut out, &mut err).and_then(|code| {
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
        let mut answer = Answering {
            output: self.output,
            out,
            err,
        };
        if let Some(code) = self.ask_running::<C>(&mut answer)? {
            return Ok(code);
        }
        match &self.action {
            ConfigAction::Check(inputs) => {
                let (files, checked) = C::declared().check_with_files(inputs);
                answer.checked(&files, checked, |answer, checked| {
                    writeln!(answer.out, "{checked}")
                })
            }
            ConfigAction::Show {
                inputs,
                format,
                with_origins,
            } => {
                let (files, checked) = C::declared().check_with_files(inputs);
                answer.only_good(&files, checked, |answer, checked| {
                    answer.effective(checked.effective(), *format, *with_origins)
                })
            }
            ConfigAction::Explain { inputs, path } => {
                let (files, checked) = C::declared().check_with_files(inputs);
                answer.only_good(&files, checked, |answer, checked| {
                    answer.explain(checked, path.as_deref())
                })
            }
            ConfigAction::Diff(inputs) => {
                let (files, before) = C::declared().check_with_files(&inputs.terms());
                let before = match before {
                    Ok(before) => before,
                    refused => return answer.checked(&files, refused, |_, _| Ok(())),
                };
                let (files, after) = C::declared().check_with_files(inputs);
                answer.only_good(&files, after, |answer, after| {
                    answer.changes(&before.changes_to(after))?;
                    Ok(GOOD)
                })
            }
            ConfigAction::Plan(inputs) => match live::<C>(inputs) {
                Ok(planned) => answer.planned(&planned),
                Err(PlanError::Start(Error::Refused(report))) => {
                    answer.checked(&[], Err(CheckError::Refused(report)), |_, _| Ok(()))
                }
                Err(PlanError::Start(error)) => answer.cannot(&error.to_string()),
                Err(PlanError::Inputs(error)) => answer.cannot(&error.to_string()),
            },
            ConfigAction::Watch { changes } => watch::<C>(&mut answer, *changes),
            ConfigAction::Completions(shell) => {
                let (mut parser, name) = parser();
                let mut script = Vec::new();
                clap_complete::generate(*shell, &mut parser, name, &mut script);
                answer.out.write_all(&script)?;
                Ok(GOOD)
            }
            ConfigAction::Schema { of_layer } => answer.text(&if *of_layer {
                C::layer_schema()
            } else {
                C::schema()
            }),
            ConfigAction::Template(format) => answer.text(&C::template(*format)),
            ConfigAction::Reference { prefix, is_manual } => {
                let prefix = prefix_of::<C>(prefix.as_deref());
                answer.text(&match is_manual {
                    true => C::manual_page(&prefix),
                    false => C::reference(&prefix),
                })
            }
            ConfigAction::Variables(prefix) => {
                answer.text(&C::variables(&prefix_of::<C>(prefix.as_deref())))
            }
        }
    }
}

#[cfg(unix)]
impl ConfigCommand {
    /// What is asked of a running program; none where the answer does not depend on one.
    fn question(&self) -> Option<AdminRequest> {
        let question = match &self.action {
            ConfigAction::Show {
                inputs,
                format,
                with_origins,
            } if inputs.is_empty() => AdminQuestion::Show {
                format: *format,
                with_origins: *with_origins,
            },
            ConfigAction::Explain { inputs, path } if inputs.is_empty() => {
                AdminQuestion::Explain(path.clone())
            }
            ConfigAction::Diff(inputs) => AdminQuestion::Diff(inputs.clone()),
            ConfigAction::Plan(inputs) => AdminQuestion::Plan(inputs.clone()),
            ConfigAction::Watch { .. } => AdminQuestion::Watch,
            _ => return None,
        };
        let output = self.output;
        Some(AdminRequest { output, question })
    }

    /// The answer of the running program, where there is one and it may be asked.
    fn ask_running<C: Root>(&self, answer: &mut Answering<'_>) -> io::Result<Option<u8>> {
        let Some(request) = self.question().filter(|_| !self.is_offline) else {
            return Ok(None);
        };
        let path = match C::declared().admin_path() {
            None => return Ok(None),
            Some(Ok(path)) => path,
            Some(Err(problem)) => return answer.cannot(&problem).map(Some),
        };
        let shown = path.display();
        let json = match request.to_json() {
            Ok(json) => json,
            Err(error) => return answer.cannot(&error.to_string()).map(Some),
        };
        let mut connection = match ask(&path, &json) {
            Ok(Some(connection)) => connection,
            Ok(None) => {
                let text =
                    format!("note: no process answers at `{shown}`: the sources are read here");
                writeln!(answer.err, "{text}")?;
                return Ok(None);
            }
            Err(error) => {
                let text = format!(
                    "the process at `{shown}` cannot be asked: {error}; run this as the user of that process, or with `--offline`"
                );
                return answer.cannot(&text).map(Some);
            }
        };
        writeln!(answer.err, "note: answered by the process at `{shown}`")?;
        let mut left = match self.action {
            ConfigAction::Watch { changes } => changes.unwrap_or(u64::MAX),
            _ => 1,
        };
        let mut last = GOOD;
        loop {
            match connection.next() {
                Ok(Some((out, err, code))) => {
                    last = code;
                    answer.out.write_all(out.as_bytes())?;
                    answer.out.flush()?;
                    answer.err.write_all(err.as_bytes())?;
                    left -= 1;
                    if left == 0 || code == NOT_LOOKED_AT {
                        return Ok(Some(code));
                    }
                }
                Ok(None) if request.goes_on() => {
                    writeln!(answer.err, "note: the process at `{shown}` has ended")?;
                    return Ok(Some(last));
                }
                Ok(None) => {
                    let text = format!("the process at `{shown}` ended without an answer");
                    return answer.cannot(&text).map(Some);
                }
                Err(error) => {
                    let text = format!("the process at `{shown}` does not answer: {error}");
                    return answer.cannot(&text).map(Some);
                }
            }
        }
    }
}

#[cfg(not(unix))]
impl ConfigCommand {
    /// There are no sockets to ask at.
    fn ask_running<C: Root>(&self, _: &mut Answering<'_>) -> io::Result<Option<u8>> {
        Ok(None)
    }
}

/// A parser with nothing but these commands, and the program's name.
fn parser() -> (clap::Command, String) {
    let program = std::env::args_os().next().map(PathBuf::from);
    let name = program.as_deref().and_then(Path::file_stem);
    let name = name.map_or("app".into(), |name| name.to_string_lossy().into_owned());
    let config = ConfigCommand::augment_args(clap::Command::new("config"));
    (clap::Command::new("program").subcommand(config), name)
}

/// The prefix of variables as the program reads them.
fn prefix_of<C: Root>(given: Option<&str>) -> String {
    let declared = || C::declared().variable_prefix();
    let prefix = given.map(str::to_owned).or_else(declared);
    prefix.unwrap_or_else(|| "APP_".to_owned())
}

enum PlanError {
    Start(Error),
    Inputs(InputError),
}

/// What the program declares, without those who take a change up in it, and without the arguments of this process.
pub(super) fn declared_without_parties<C: Root>() -> Builder<C> {
    let mut builder = C::declared();
    if let Some(parts) = &mut builder.spec.options.pipeline {
        parts.without_parties();
    }
    let layers = builder.spec.sources.iter_mut();
    for layer in layers.chain(&mut builder.spec.overrides) {
        layer.arguments = Arguments::Given(Vec::new().into());
    }
    builder
}

/// Reads every source as a start does, and compares.
fn live<C: Root>(inputs: &Inputs) -> Result<PlannedUpdate, PlanError> {
    let mut builder = declared_without_parties::<C>();
    builder.spec = builder.spec.once();
    let capacitor = builder.build().map_err(PlanError::Start)?;
    // The caller may be on a thread of a runtime.
    let started = std::thread::scope(|scope| {
        let started = scope.spawn(|| start(&capacitor));
        started.join()
    });
    match started {
        Ok(Ok(())) => capacitor.plan(inputs).map_err(PlanError::Inputs),
        Ok(Err(error)) => Err(PlanError::Start(error)),
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

fn start<C: Root>(capacitor: &Capacitor<C>) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| Error::Declaration {
        name: capacitor.status().name.to_string(),
        problem: format!("no runtime for reading the sources: {error}"),
    })?;
    runtime.block_on(async {
        let started = capacitor.start().await;
        capacitor.stop().await;
        started
    })
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

/// Where answers go.
pub(super) struct Answering<'a> {
    pub(super) output: OutputFormat,
    pub(super) out: &'a mut dyn Write,
    pub(super) err: &'a mut dyn Write,
}

impl Answering<'_> {
    fn text(&mut self, text: &str) -> io::Result<u8> {
        write!(self.out, "{text}")?;
        Ok(GOOD)
    }

    fn json(&mut self, value: &impl Serialize) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut self.out, value)?;
        writeln!(self.out)
    }

    fn findings(
        &mut self,
        files: &[Option<PathBuf>],
        problems: Vec<Annotation<'_>>,
    ) -> io::Result<()> {
        let findings = Annotations { problems, files };
        match self.output {
            OutputFormat::GitHub => findings.github(self.out),
            _ => self.json(&findings.sarif()),
        }
    }

    /// It could not be looked at.
    pub(super) fn cannot(&mut self, why: &str) -> io::Result<u8> {
        match self.output {
            OutputFormat::Human => writeln!(self.err, "error: {why}")?,
            OutputFormat::Json => self.json(&json!({ "verdict": "unknown", "error": why }))?,
            OutputFormat::GitHub => {
                writeln!(self.out, "::error title=flux::{}", data(why))?;
            }
            OutputFormat::Sarif => {
                self.findings(&[], Vec::new())?;
                writeln!(self.err, "error: {why}")?;
            }
        }
        Ok(NOT_LOOKED_AT)
    }

    /// Prints a verdict; `human` what is good, for people.
    pub(super) fn checked(
        &mut self,
        files: &[Option<PathBuf>],
        checked: Result<Checked, CheckError>,
        human: impl FnOnce(&mut Self, &Checked) -> io::Result<()>,
    ) -> io::Result<u8> {
        match (checked, self.output) {
            (Ok(checked), OutputFormat::Human) => human(self, &checked)?,
            (Ok(checked), OutputFormat::Json) => {
                self.json(&json!({ "verdict": "good", "checked": checked }))?;
            }
            (Ok(checked), _) => self.findings(
                files,
                checked.warnings.iter().map(Annotation::warning).collect(),
            )?,
            (Err(CheckError::Inputs(error)), _) => return self.cannot(&error.to_string()),
            (Err(CheckError::Refused(report)), output) => {
                match output {
                    OutputFormat::Human => writeln!(self.err, "{report}")?,
                    OutputFormat::Json => {
                        self.json(&json!({ "verdict": "refused", "report": report }))?;
                    }
                    _ => self.findings(
                        files,
                        report.problems().iter().map(Annotation::refusal).collect(),
                    )?,
                }
                return Ok(REFUSED);
            }
        }
        Ok(GOOD)
    }

    /// Prints an answer about what is good, or why it is not.
    fn only_good(
        &mut self,
        files: &[Option<PathBuf>],
        checked: Result<Checked, CheckError>,
        answer: impl FnOnce(&mut Self, &Checked) -> io::Result<u8>,
    ) -> io::Result<u8> {
        match checked {
            Ok(checked) => answer(self, &checked),
            refused => self.checked(files, refused, |_, _| Ok(())),
        }
    }

    fn explain(&mut self, checked: &Checked, path: Option<&str>) -> io::Result<u8> {
        let all = match path {
            Some(path) => match checked.explain(path) {
                Ok(one) => vec![one],
                Err(error) => return self.cannot(&error.to_string()),
            },
            None => checked.explain_all(),
        };
        self.explained(&all, path.is_some())
    }

    pub(super) fn effective(
        &mut self,
        effective: Effective,
        format: Format,
        with_origins: bool,
    ) -> io::Result<u8> {
        let effective = match with_origins {
            true => effective.with_origins(),
            false => effective,
        };
        self.text(&effective.print(format))
    }

    /// Prints explanations: of one path, or of all.
    pub(super) fn explained(&mut self, all: &[Explanation], is_one: bool) -> io::Result<u8> {
        match (self.output, is_one) {
            (OutputFormat::Json, true) => self.json(&all.first())?,
            (OutputFormat::Json, false) => self.json(&all)?,
            _ => {
                for (number, one) in all.iter().enumerate() {
                    let blank = if number > 0 { "\n" } else { "" };
                    writeln!(self.out, "{blank}{one}")?;
                }
            }
        }
        Ok(GOOD)
    }

    pub(super) fn changes(&mut self, changes: &[PlannedChange]) -> io::Result<()> {
        if self.output == OutputFormat::Json {
            return self.json(&json!({ "verdict": "good", "changes": changes }));
        }
        if changes.is_empty() {
            return writeln!(self.out, "nothing would change; secrets are not compared");
        }
        for change in changes {
            writeln!(self.out, "{change}")?;
        }
        Ok(())
    }

    pub(super) fn planned(&mut self, planned: &PlannedUpdate) -> io::Result<u8> {
        let vetoes = planned.parties.iter();
        let mut vetoes = vetoes.filter(|one| matches!(one.verdict, PartyVerdict::Vetoed(_)));
        let verdict = match planned.refused.is_some() || vetoes.clone().next().is_some() {
            true => ("refused", REFUSED),
            false => ("good", GOOD),
        };
        match self.output {
            OutputFormat::Human => writeln!(self.out, "{planned}")?,
            OutputFormat::Json => self.json(&json!({ "verdict": verdict.0, "plan": planned }))?,
            _ => {
                let refused = planned.refused.iter().flat_map(|report| report.problems());
                let warnings = planned.warnings.iter().map(Annotation::warning);
                let problems = refused.map(Annotation::refusal).chain(warnings).collect();
                self.findings(&planned.files, problems)?;
                // They are about no place in a file.
                vetoes.try_for_each(|one| match self.output {
                    OutputFormat::GitHub => {
                        writeln!(self.out, "::error title=party::{}", data(&one.to_string()))
                    }
                    _ => writeln!(self.err, "error: {one}"),
                })?;
            }
        }
        Ok(verdict.1)
    }
}
