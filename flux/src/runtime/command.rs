//! What `rollback`, `reload`, `pin`, `trust` and `report_unhealthy` send to a running capacitor, and what they await.

use super::{error::Error, instance::Instance, order::Command};
use crate::{
    engine::{Question, Trusted},
    observe,
    pipeline::PartyAnswer,
    problem::caught,
};
use std::{future::poll_fn, task::Poll};
use tokio::sync::oneshot;

/// Reports that the program is unhealthy; answers whether it can have an effect.
pub(crate) fn report_unhealthy(instance: &Instance, reason: String) -> bool {
    let status = instance.status.load();
    let command = Command::Unhealthy {
        generation: status.generation,
        reason,
    };
    status.on_probation && instance.command(command).is_ok()
}

pub(crate) async fn rollback(instance: &Instance, to: Option<u64>) -> Result<u64, Error> {
    instance.outside()?;
    let (reply, answer) = oneshot::channel();
    instance.command(Command::Rollback { to, reply })?;
    obey(instance).await;
    answer.await.unwrap_or_else(|_| Err(instance.not_running()))
}

pub(crate) async fn reload(instance: &Instance) -> Result<u64, Error> {
    instance.outside()?;
    let (reply, answer) = oneshot::channel();
    instance.command(Command::Reload(reply))?;
    obey(instance).await;
    answer.await.unwrap_or_else(|_| Err(instance.not_running()))
}

pub(crate) async fn pin(instance: &Instance, pinned: bool) -> Result<(), Error> {
    instance.outside()?;
    let (reply, answer) = oneshot::channel();
    instance.command(Command::Pin(pinned, reply))?;
    obey(instance).await;
    answer.await.map_err(|_| instance.not_running())
}

pub(crate) async fn trust(instance: &Instance) -> Result<Trusted, Error> {
    instance.outside()?;
    let (reply, answer) = oneshot::channel();
    instance.command(Command::Trust(reply))?;
    obey(instance).await;
    answer.await.map_err(|_| instance.not_running())
}

/// What the parties would answer to a change; none where the program has no parties. Nothing is asked any more once the caller has
/// gone. The error is a sentence.
pub(crate) async fn rehearse(
    instance: &Instance,
    question: Question,
) -> Result<Vec<PartyAnswer>, String> {
    let text = |error: Error| error.to_string();
    instance.outside().map_err(text)?;
    let plan = instance.plan();
    let parts = plan
        .as_ref()
        .and_then(|plan| plan.options.pipeline.as_ref());
    let (name, secrets) = (instance.name.clone(), question.secrets.clone());
    let Some(mut asked) = parts.map(|parts| parts.rehearse(&name, question)) else {
        return Ok(Vec::new());
    };
    let (mut reply, answer) = oneshot::channel();
    let command = Command::Rehearse(Box::pin(async move {
        let answered = poll_fn(|cx| match reply.poll_closed(cx) {
            Poll::Ready(()) => Poll::Ready(None),
            Poll::Pending => match caught(|| asked.as_mut().poll(cx)) {
                Ok(polled) => {
                    polled.map(|answers| Some(answers.map_err(|error| error.to_string())))
                }
                Err(panic) => {
                    observe::panicked(&name, "a dry run of the parties", &secrets.safe(&panic));
                    let text = "code of a party panicked where it must not";
                    Poll::Ready(Some(Err(text.to_owned())))
                }
            },
        });
        if let Some(answers) = answered.await {
            // What was prepared is rolled back before the answer.
            drop(asked);
            let _ = reply.send(answers);
        }
    }));
    instance.command(command).map_err(text)?;
    obey(instance).await;
    let not_running = |_| text(instance.not_running());
    answer.await.map_err(not_running)?
}

/// In manual mode no task carries commands out.
pub(crate) async fn obey(instance: &Instance) {
    if let Some(driver) = &mut *instance.manual.lock().await {
        driver.obey().await;
    }
}
