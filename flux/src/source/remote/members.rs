//! Which member of a cluster is asked, and after how long another one, so that a silent one holds nobody up.

use std::{
    collections::HashMap,
    future::poll_fn,
    pin::{Pin, pin},
    sync::{Mutex, MutexGuard, PoisonError},
    task::Poll,
    time::Duration,
};

use flux_syntax::Remote;
use tokio::time::{Instant, sleep};

use crate::source::{ErrorKind, SourceError};

/// How long a member may be silent before the next one is asked beside it.
pub(crate) const HEDGE: Duration = Duration::from_secs(1);
/// How long a member that was silent is asked last.
const REMEMBERED: Duration = Duration::from_secs(60);

/// Who did not answer, and when. Shared by all sources of the process.
static SILENT: Mutex<Option<HashMap<String, Instant>>> = Mutex::new(None);

fn silent() -> MutexGuard<'static, Option<HashMap<String, Instant>>> {
    SILENT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The member did not answer: for a while it is asked last.
pub(crate) fn was_silent(address: &str) {
    let mut silent = silent();
    let silent = silent.get_or_insert_default();
    silent.retain(|_, at| at.elapsed() < REMEMBERED);
    silent.insert(address.to_owned(), Instant::now());
}

fn has_answered(address: &str) {
    if let Some(silent) = &mut *silent() {
        silent.remove(address);
    }
}

/// The members in the order in which they are asked: at random, so that a fleet spreads over them, and who was silent last.
fn in_order(mut members: Vec<String>) -> Vec<String> {
    fastrand::shuffle(&mut members);
    let silent = silent();
    let was_silent = |member: &String| {
        let at = silent.as_ref().and_then(|silent| silent.get(member));
        at.is_some_and(|at| at.elapsed() < REMEMBERED)
    };
    members.sort_by_key(was_silent);
    members
}

/// Asks one member after the other, the next one as soon as the one before fails or is silent for a second; the first answer counts.
/// Without any it is the most specific failure: a refusal before a lost connection.
pub(crate) async fn first<T, F>(
    place: &Remote<String>,
    ask: impl Fn(String) -> F,
) -> Result<T, SourceError>
where
    F: Future<Output = Result<T, SourceError>>,
{
    let mut waiting = in_order(place.addresses()).into_iter();
    let mut asked: Vec<(String, Pin<Box<F>>)> = Vec::new();
    let mut failure: Option<SourceError> = None;
    loop {
        match waiting.next() {
            Some(member) => asked.push((member.clone(), Box::pin(ask(member)))),
            None if asked.is_empty() => {
                return Err(failure.unwrap_or_else(|| {
                    SourceError::configuration(format!("{}: there is no host", place.origin()))
                }));
            }
            None => {}
        }
        let hedge = waiting.len() > 0;
        let mut patience = pin!(sleep(HEDGE));
        let answer = poll_fn(|cx| {
            for (at, (_, asking)) in asked.iter_mut().enumerate() {
                if let Poll::Ready(answer) = asking.as_mut().poll(cx) {
                    return Poll::Ready(Some((at, answer)));
                }
            }
            match hedge {
                true => patience.as_mut().poll(cx).map(|()| None),
                false => Poll::Pending,
            }
        });
        match answer.await {
            None => {
                if let Some((member, _)) = asked.last() {
                    was_silent(member);
                }
            }
            Some((at, Ok(answer))) => {
                has_answered(&asked[at].0);
                return Ok(answer);
            }
            Some((at, Err(error))) => {
                drop(asked.swap_remove(at));
                failure = Some(match failure {
                    Some(before) if telling(&before) >= telling(&error) => before,
                    _ => error,
                });
            }
        }
    }
}

fn telling(error: &SourceError) -> u8 {
    match error.kind() {
        ErrorKind::Permission => 2,
        ErrorKind::Configuration => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flux_syntax::Scheme;
    use std::sync::Arc;

    fn cluster(members: &[&str]) -> Remote<String> {
        let mut place = Remote::new(Scheme::Etcd);
        for member in members {
            place = place.host(*member);
        }
        place
    }

    async fn never<T>() -> T {
        std::future::pending().await
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_member_costs_a_second_at_most_and_is_asked_last_the_next_time() {
        let place = cluster(&["silent-a:1", "good-a:1", "good-b:1"]);
        let asked = Arc::new(Mutex::new(Vec::new()));
        let ask = |member: String| {
            asked.lock().unwrap().push(member.clone());
            async move {
                match member.starts_with("silent") {
                    true => never().await,
                    false => Ok(member),
                }
            }
        };
        for round in 0..50 {
            let begin = Instant::now();
            let answer = first(&place, ask).await.unwrap();
            assert!(answer.starts_with("good"), "{answer}");
            assert!(begin.elapsed() <= HEDGE, "{:?}", begin.elapsed());
            let was_asked = asked
                .lock()
                .unwrap()
                .iter()
                .any(|one| one.starts_with("silent"));
            if round > 0 && was_asked {
                // It is known by now, and nobody is held up any more.
                asked.lock().unwrap().clear();
                for _ in 0..20 {
                    let begin = Instant::now();
                    first(&place, ask).await.unwrap();
                    assert_eq!(begin.elapsed(), Duration::ZERO);
                }
                assert!(
                    asked
                        .lock()
                        .unwrap()
                        .iter()
                        .all(|one| one.starts_with("good"))
                );
                return;
            }
        }
        panic!("the silent one was never asked in 50 rounds");
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_is_slow_wins_where_the_others_fail() {
        let place = cluster(&["slow:1", "down-a:1", "down-b:1"]);
        let ask = |member: String| async move {
            match member.as_str() {
                "slow:1" => {
                    sleep(Duration::from_secs(3)).await;
                    Ok(member)
                }
                _ => Err(SourceError::transient("refused")),
            }
        };
        assert_eq!(first(&place, ask).await.unwrap(), "slow:1");
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_is_told_before_a_lost_connection() {
        let place = cluster(&["x:1", "y:1", "z:1"]);
        let ask = |member: String| async move {
            Err::<(), _>(match member.as_str() {
                "y:1" => SourceError::permission("who are you"),
                _ => SourceError::transient("gone"),
            })
        };
        let failure = first(&place, ask).await.unwrap_err();
        assert_eq!(failure.to_string(), "who are you");
    }
}
