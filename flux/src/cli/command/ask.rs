//! Which commands are answered by a running program, and what is done where none answers.

#[cfg(unix)]
use super::ConfigAction;
use super::ConfigCommand;
#[cfg(unix)]
use crate::cli::{
    admin::{AdminQuestion, AdminRequest, ask, declaration},
    answering::{GOOD, NOT_LOOKED_AT},
};
#[cfg(unix)]
use crate::problem::escaped;
use crate::{Root, cli::answering::Answering, inspect::Inputs};
use std::io;
#[cfg(unix)]
use std::path::Path;

#[cfg(unix)]
impl ConfigCommand {
    /// What is asked of a running program; none where the answer does not depend on one.
    fn question(&self) -> Option<AdminQuestion> {
        Some(match &self.action {
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
            ConfigAction::Silent(inputs) if inputs.is_empty() => AdminQuestion::Silent,
            ConfigAction::Blame(path) => AdminQuestion::Blame(path.clone()),
            ConfigAction::Status => AdminQuestion::Status,
            ConfigAction::Diff(inputs) => AdminQuestion::Diff(inputs.clone()),
            ConfigAction::Plan(inputs) => AdminQuestion::Plan(inputs.clone()),
            ConfigAction::Watch { .. } => AdminQuestion::Watch,
            ConfigAction::Trust => AdminQuestion::Trust,
            _ => return None,
        })
    }

    /// Whether the answer could be taken for that of the running program, and is not.
    fn is_judged_here(&self) -> bool {
        let about_process = match &self.action {
            ConfigAction::Show { .. } | ConfigAction::Explain { .. } | ConfigAction::Silent(_) => {
                true
            }
            ConfigAction::Diff(_) | ConfigAction::Plan(_) => self.is_offline,
            _ => false,
        };
        about_process && (self.is_offline || self.question().is_none())
    }

    /// What a good document may still be refused for by the running program, where that can be asked.
    pub(super) fn note_limits<C: Root>(
        &self,
        inputs: &Inputs,
        answer: &mut Answering<'_>,
    ) -> io::Result<()> {
        if self.is_offline || C::declared().admin_path().is_none() {
            return Ok(());
        }
        let variables = match inputs.leave_out_the_rest() {
            true => "",
            false => " (variables are those of this shell)",
        };
        writeln!(
            answer.err,
            "note: the process that runs was not asked{variables}; `plan` asks it, and the parties that it may have"
        )
    }

    /// The answer of the running program, where there is one and it may be asked.
    pub(super) fn ask_running<C: Root>(
        &self,
        answer: &mut Answering<'_>,
    ) -> io::Result<Option<u8>> {
        let Some(question) = self.question().filter(|_| !self.is_offline) else {
            if self.is_judged_here() && C::declared().admin_path().is_some() {
                let parties = match self.action {
                    ConfigAction::Plan(_) => "; what the program's parties say is not known",
                    _ => "",
                };
                writeln!(
                    answer.err,
                    "note: no process was asked: files are read here, and variables are those of this shell{parties}"
                )?;
            }
            return Ok(None);
        };
        let path = match C::declared().admin_path() {
            None => return Ok(None),
            Some(Ok(path)) => path,
            Some(Err(problem)) => return answer.cannot(&problem).map(Some),
        };
        let shown = path.display().to_string();
        let shown = escaped(&shown);
        let request = AdminRequest {
            output: self.output,
            width: answer.width,
            declaration: Some(declaration::<C>()),
            question,
        };
        let json = match request.to_json() {
            Ok(json) => json,
            Err(error) => return answer.cannot(&error.to_string()).map(Some),
        };
        let mut connection = match ask(&path, &json) {
            Ok(Some(connection)) => connection,
            Ok(None) => {
                let instead = match self.action {
                    ConfigAction::Trust => "the record of trials on disk is looked at",
                    ConfigAction::Blame(_) | ConfigAction::Status => {
                        "where it should run, its log says why it does not; `config check` judges the files, and the variables of this \
                         shell, as a start would"
                    }
                    _ => "the sources are read here, and variables are those of this shell",
                };
                let why = why_nobody_answers(&path);
                writeln!(
                    answer.err,
                    "note: no process answers at `{shown}`: {why}; {instead}"
                )?;
                return Ok(None);
            }
            Err(error) => {
                let cure = match error.kind() {
                    io::ErrorKind::PermissionDenied => {
                        "run this as the user of that process, or with `--offline`"
                    }
                    _ => "with `--offline` it is not asked",
                };
                let text = format!("the process at `{shown}` cannot be asked: {error}; {cure}");
                return answer.cannot(&text).map(Some);
            }
        };
        let mut left = match self.action {
            ConfigAction::Watch { changes } => changes.unwrap_or(u64::MAX),
            _ => 1,
        };
        let (mut last, mut is_first) = (GOOD, true);
        loop {
            match connection.next() {
                Ok(Some(line)) => {
                    if std::mem::take(&mut is_first) {
                        let by = line.by.map_or(String::new(), |by| format!(" ({by})"));
                        let of_process = match self.action {
                            ConfigAction::Plan(_) | ConfigAction::Diff(_) => {
                                "; variables and arguments are those that it was started with"
                            }
                            _ => "",
                        };
                        let note = format!("answered by the process at `{shown}`{by}{of_process}");
                        writeln!(answer.err, "note: {note}")?;
                    }
                    last = line.code;
                    answer.out.write_all(line.out.as_bytes())?;
                    answer.out.flush()?;
                    answer.err.write_all(line.err.as_bytes())?;
                    left -= 1;
                    if left == 0 || last == NOT_LOOKED_AT {
                        return Ok(Some(last));
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

/// Why nobody listens there, as far as the file shows it.
#[cfg(unix)]
fn why_nobody_answers(path: &Path) -> String {
    if std::fs::symlink_metadata(path).is_ok() {
        return "nobody listens at it".to_owned();
    }
    let place = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let place = place.display().to_string();
    let place = escaped(&place);
    format!(
        "there is no `{place}`: the program does not run, its folder or its variables give it another path, or the socket was removed"
    )
}

#[cfg(not(unix))]
impl ConfigCommand {
    pub(super) fn note_limits<C: Root>(&self, _: &Inputs, _: &mut Answering<'_>) -> io::Result<()> {
        Ok(())
    }

    /// There are no sockets to ask at.
    pub(super) fn ask_running<C: Root>(&self, _: &mut Answering<'_>) -> io::Result<Option<u8>> {
        Ok(None)
    }
}
