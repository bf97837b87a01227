//! How a running program answers at its socket: how many clients, how long each may take, what is asked of the capacitor. Whatever
//! a client does, it costs bounded memory, and the work of the program is not delayed. Clients wait for one another; of those that
//! watch and keep their places, there are fewer than places.

use super::{AdminQuestion, AdminRequest, LARGEST_REQUEST, socket, standing::standing_notes};
use crate::{
    cli::{
        answering::{Answering, Comparison, GOOD, NOT_APPLIED, REFUSED},
        events::events,
        output::OutputFormat,
        watch::LOOK,
    },
    engine::{Schema, Status},
    inspect::{CheckError, Inputs, Inspector, PlannedUpdate, changed_files},
    runtime::{self, BoxedTask, Instance},
    schema::TypeFacts,
};
use serde_json::{Value, json};
use std::{io, path::Path, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{UnixListener, UnixStream},
    sync::Semaphore,
    task::{JoinSet, spawn_blocking},
    time::{sleep, timeout},
};

/// So many clients are served at a time; others wait in the system's queue.
const CLIENTS: usize = 8;
/// And so many of them may watch, since one that watches keeps its place.
const WATCHING: usize = 4;
/// How long a client may take for its request, and for reading an answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long an order waits for the update that is under way: shorter than a client waits.
const ORDER: Duration = Duration::from_secs(20);
/// The answer once that is over.
const LATER: &str =
    "an update is with code of the program, and the order is carried out once it has ended";
/// The note for the command of another build than the one that runs.
const OTHER_BUILD: &str = "note: the process is another build than this program: fields, defaults or rules differ, and this is about those of the process; with `--offline` it is about those of this program";
const STOPS: &str = "the program stops";
const NOT_MADE: &str = "the answer could not be made";
/// How long nothing is sent to a watching client at most, so that one that has gone is noticed.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// What is asked about.
struct ServedProgram {
    instance: Arc<Instance>,
    schema: &'static Schema,
    types: fn() -> Vec<TypeFacts>,
    /// What it declares.
    declaration: fn() -> String,
    /// One answer is made at a time: it may be about a large document.
    at_work: Semaphore,
    watching: Semaphore,
}

/// Listens at this path; the future answers until it is dropped.
pub(super) fn serve(
    path: &str,
    instance: Arc<Instance>,
    schema: &'static Schema,
    types: fn() -> Vec<TypeFacts>,
    declaration: fn() -> String,
) -> Result<BoxedTask, String> {
    let (listener, file) = socket::listen(Path::new(path))?;
    let listener = UnixListener::from_std(listener)
        .map_err(|error| format!("`admin = \"unix:{path}\"`: {error}"))?;
    let served = Arc::new(ServedProgram {
        instance,
        schema,
        types,
        declaration,
        at_work: Semaphore::new(1),
        watching: Semaphore::new(WATCHING),
    });
    Ok(Box::pin(async move {
        let _file = file;
        // Dropped, it ends them.
        let mut clients = JoinSet::new();
        loop {
            if clients.len() >= CLIENTS {
                let _ = clients.join_next().await;
                continue;
            }
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => {
                        let served = Arc::clone(&served);
                        clients.spawn(async move { served.client(stream).await });
                    }
                    // Out of descriptors, most of the time.
                    Err(_) => sleep(Duration::from_millis(200)).await,
                },
                Some(_) = clients.join_next() => {}
            }
        }
    }))
}

/// One line for the client.
type AnswerLine = Value;

impl ServedProgram {
    fn inspector(&self) -> Inspector<'_> {
        Inspector {
            instance: &self.instance,
            schema: self.schema,
            types: self.types,
        }
    }

    async fn client(self: Arc<Self>, mut stream: UnixStream) {
        let Ok(Some(request)) = timeout(PATIENCE, read(&mut stream)).await else {
            let line =
                refusal("this is no request, it is larger than 4 MiB, or it took longer than 10 s");
            let _ = send(&mut stream, &line).await;
            return;
        };
        let (output, width) = (request.output, request.width);
        let is_about_values = request.is_about_values();
        let declaration = request.declaration.filter(|_| is_about_values);
        let mut line = match request.question {
            AdminQuestion::Watch => {
                let Ok(_place) = self.watching.try_acquire() else {
                    let line = refusal("four clients watch already");
                    let _ = send(&mut stream, &line).await;
                    return;
                };
                return Arc::clone(&self).watch(stream, output).await;
            }
            AdminQuestion::Trust => self.trust(output).await,
            AdminQuestion::Plan(inputs) => self.plan(output, inputs).await,
            AdminQuestion::Show {
                format,
                with_origins,
            } => {
                self.at_once(output, move |own, answer| {
                    own.note_standing(answer)?;
                    answer.note_warnings(&own.instance.status().warnings)?;
                    match own.inspector().effective() {
                        Ok(effective) => answer.effective(effective, format, with_origins),
                        Err(error) => answer.cannot(&error.to_string()),
                    }
                })
                .await
            }
            AdminQuestion::Explain(path) => {
                self.at_once(output, move |own, answer| {
                    answer.width = width;
                    let standing = own.note_standing(answer)?;
                    answer.note_warnings(&own.instance.status().warnings)?;
                    own.explain(path.as_deref(), standing, answer)
                })
                .await
            }
            AdminQuestion::Silent => {
                self.at_once(output, |own, answer| {
                    own.note_standing(answer)?;
                    match own.inspector().silent() {
                        Ok(silent) => answer.silent(&silent),
                        Err(error) => answer.cannot(&error.to_string()),
                    }
                })
                .await
            }
            AdminQuestion::Blame(path) => {
                self.at_once(output, move |own, answer| {
                    let standing = own.note_standing(answer)?;
                    match own.inspector().blame(&path) {
                        Ok(mut blame) => {
                            blame.notes.extend(standing);
                            answer.blame(&blame)
                        }
                        Err(error) => answer.cannot(&error.to_string()),
                    }
                })
                .await
            }
            AdminQuestion::Status => {
                self.at_once(output, |own, answer| {
                    let fingerprint = own.inspector().hashed(None).ok();
                    let status = own.instance.status();
                    answer.status(&status, fingerprint, &changed_files(&status))
                })
                .await
            }
            AdminQuestion::Diff(inputs) => {
                self.at_once(output, move |own, answer| own.diff(&inputs, answer))
                    .await
            }
        };
        if declaration.is_some_and(|one| one != (self.declaration)()) {
            let err = line["err"].as_str().unwrap_or_default();
            line["err"] = format!("{OTHER_BUILD}\n{err}").into();
        }
        let _ = send(&mut stream, &line).await;
    }

    /// Carries out the one order that there is. It waits for the update that is under way, and for no other client's answer.
    async fn trust(&self, output: OutputFormat) -> AnswerLine {
        let trusted = timeout(ORDER, runtime::trust(&self.instance)).await;
        printed(output, |answer| match &trusted {
            Ok(Ok(trusted)) => answer.trusted(trusted, trusted),
            Ok(Err(error)) => answer.cannot(&error.to_string()),
            Err(_) => answer.cannot(LATER),
        })
    }

    async fn plan(self: &Arc<Self>, output: OutputFormat, inputs: Inputs) -> AnswerLine {
        let Ok(_permit) = self.at_work.acquire().await else {
            return refusal(STOPS);
        };
        let own = Arc::clone(self);
        let planned = spawn_blocking(move || own.inspector().planned(&inputs)).await;
        let planned = match planned {
            Ok(Ok((planned, question))) => {
                Ok(self.inspector().with_parties(planned, question).await)
            }
            Ok(Err(error)) => Err(error),
            Err(_) => return refusal(NOT_MADE),
        };
        printed(output, |answer| match &planned {
            Ok(planned) => answer.planned(planned),
            Err(error) => answer.cannot(&error.to_string()),
        })
    }

    /// An answer that waits for nothing; it is not made on a thread that polls tasks.
    async fn at_once(
        self: &Arc<Self>,
        output: OutputFormat,
        answered: impl FnOnce(&Self, &mut Answering<'_>) -> io::Result<u8> + Send + 'static,
    ) -> AnswerLine {
        let Ok(_permit) = self.at_work.acquire().await else {
            return refusal(STOPS);
        };
        let own = Arc::clone(self);
        let made = spawn_blocking(move || printed(output, |answer| answered(&own, answer))).await;
        made.unwrap_or_else(|_| refusal(NOT_MADE))
    }

    /// That there is, or may be, something newer than what runs, which is what the answer is about. For people it is printed beside
    /// the answer; for programs it is in the answer, as far as that has a place for it.
    fn note_standing(&self, answer: &mut Answering<'_>) -> io::Result<Vec<String>> {
        let notes = standing_notes(&self.instance.status());
        for note in &notes {
            writeln!(answer.err, "note: {note}")?;
        }
        Ok(match answer.output {
            OutputFormat::Json => notes,
            _ => Vec::new(),
        })
    }

    fn explain(
        &self,
        path: Option<&str>,
        standing: Vec<String>,
        answer: &mut Answering<'_>,
    ) -> io::Result<u8> {
        let explained = match path {
            Some(path) => self.inspector().explain(path).map(|one| vec![one]),
            None => self.inspector().explain_all(),
        };
        match explained {
            Ok(mut all) => {
                for one in &mut all {
                    one.notes.extend(standing.iter().cloned());
                }
                answer.explained(&all, path.is_some())
            }
            Err(error) => answer.cannot(&error.to_string()),
        }
    }

    fn diff(&self, inputs: &Inputs, answer: &mut Answering<'_>) -> io::Result<u8> {
        match self.inspector().planned(inputs) {
            Ok((
                PlannedUpdate {
                    refused: Some(report),
                    files,
                    ..
                },
                _,
            )) => answer.checked(&files, Err(CheckError::Refused(report)), |_, _| Ok(())),
            Ok((mut planned, _)) => {
                let held = planned.quarantined.iter();
                let held = held.map(|one| format!("{NOT_APPLIED}: {one}"));
                planned.notes.extend(held);
                let found = Comparison {
                    changes: &planned.changes,
                    warnings: &planned.warnings,
                    missing: &planned.missing,
                    hidden: &planned.hidden,
                    notes: &planned.notes,
                    standing: planned.standing.as_ref(),
                    has_secrets: true,
                };
                answer.changes(&planned.files, &found)
            }
            Err(error) => answer.cannot(&error.to_string()),
        }
    }

    /// Sends what happens until the client has gone.
    async fn watch(self: Arc<Self>, mut stream: UnixStream, output: OutputFormat) {
        let mut seen: Option<Arc<Status>> = None;
        let mut silent = Duration::ZERO;
        loop {
            let status = self.instance.status();
            let is_news = seen.as_ref().is_none_or(|seen| !Arc::ptr_eq(seen, &status));
            if is_news {
                let (own, before, now) = (Arc::clone(&self), seen.take(), Arc::clone(&status));
                let lines = spawn_blocking(move || {
                    // As `watch` has it that reads the sources itself.
                    let code = if now.error.is_some() { REFUSED } else { GOOD };
                    let events = events(own.inspector(), before.as_deref(), &now).into_iter();
                    let line = |event| {
                        printed(output, |answer: &mut Answering<'_>| {
                            answer.event(&event)?;
                            Ok(code)
                        })
                    };
                    events.map(line).collect::<Vec<AnswerLine>>()
                });
                for line in lines.await.unwrap_or_default() {
                    if send(&mut stream, &line).await.is_none() {
                        return;
                    }
                    silent = Duration::ZERO;
                }
                seen = Some(status);
            }
            if silent >= HEARTBEAT {
                if send(&mut stream, &json!({})).await.is_none() {
                    return;
                }
                silent = Duration::ZERO;
            }
            // A client has nothing more to send: a byte or the end of it ends it.
            let mut byte = [0];
            tokio::select! {
                () = sleep(LOOK) => silent += LOOK,
                _ = stream.read(&mut byte) => return,
            }
        }
    }
}

/// One request: a line.
async fn read(stream: &mut UnixStream) -> Option<AdminRequest> {
    let mut bytes = Vec::new();
    let mut part = [0; 8192];
    loop {
        let count = stream.read(&mut part).await.ok()?;
        let new = part.get(..count)?;
        bytes.extend_from_slice(new);
        if new.contains(&b'\n') || count == 0 {
            break;
        }
        if bytes.len() > LARGEST_REQUEST {
            return None;
        }
    }
    let json: Value = serde_json::from_slice(&bytes).ok()?;
    AdminRequest::of_json(&json)
}

/// Sends a line; none where the client does not take it in time.
async fn send(stream: &mut UnixStream, line: &AnswerLine) -> Option<()> {
    let mut bytes = line.to_string().into_bytes();
    bytes.push(b'\n');
    let sent = timeout(PATIENCE, stream.write_all(&bytes)).await;
    sent.ok()?.ok()
}

/// What a command prints, and its code.
fn printed(
    output: OutputFormat,
    print: impl FnOnce(&mut Answering<'_>) -> std::io::Result<u8>,
) -> AnswerLine {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = print(&mut Answering {
        output,
        width: None,
        out: &mut out,
        err: &mut err,
    });
    match code {
        Ok(code) => json!({
            "code": code,
            "by": by(),
            "out": String::from_utf8_lossy(&out),
            "err": String::from_utf8_lossy(&err),
        }),
        Err(error) => refusal(&error.to_string()),
    }
}

/// Which process this is, and where relative paths of its configuration begin.
fn by() -> String {
    let process = std::process::id();
    match std::env::current_dir() {
        Ok(folder) => format!("process {process}, in `{}`", folder.display()),
        Err(_) => format!("process {process}"),
    }
}

fn refusal(why: &str) -> AnswerLine {
    json!({ "code": 2, "out": "", "err": format!("error: {why}\n") })
}
