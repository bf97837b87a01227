//! What the parties answer to a planned change, and how long they may take: each prepares, and all of it is rolled back.

use super::{Request, RequestOwner, service::Answer};
use crate::{
    Config,
    change::{AnyParty, Transaction, Veto},
    engine::Question,
    problem::{printed, serialized},
};
use std::{fmt, sync::Arc, time::Duration};
use tokio::time::{Instant, timeout_at};

/// How long the parties of one dry run have together: updates wait meanwhile.
pub(crate) const DRY_RUN: Duration = Duration::from_secs(10);

/// What a party answered in a dry run: it was asked to prepare, and then to roll back.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PartyAnswer {
    /// What reports call it.
    pub party: String,
    /// Its answer.
    pub verdict: PartyVerdict,
}

/// Whether a party would take part in a change.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PartyVerdict {
    /// It prepared.
    Ready,
    /// It refused; why.
    Vetoed(String),
    /// It had not answered when the time of the dry run was over.
    NoAnswer,
    /// It was not asked: a callback that only applies has nothing to prepare.
    NotAsked,
}

impl PartyVerdict {
    /// Its name in `Serialize`.
    pub const fn as_str(&self) -> &'static str {
        match self {
            PartyVerdict::Ready => "ready",
            PartyVerdict::Vetoed(_) => "vetoed",
            PartyVerdict::NoAnswer => "no_answer",
            PartyVerdict::NotAsked => "not_asked",
        }
    }
}

impl fmt::Display for PartyAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.party)?;
        match &self.verdict {
            PartyVerdict::Ready => f.write_str("is ready"),
            PartyVerdict::Vetoed(why) => write!(f, "would refuse: {why}"),
            PartyVerdict::NoAnswer => write!(f, "did not answer within {DRY_RUN:?}"),
            PartyVerdict::NotAsked => f.write_str("was not asked: it cannot be rolled back"),
        }
    }
}

serialized! {
    PartyAnswer, own => {
        party: own.party,
        verdict: own.verdict.as_str(),
        reason: match &own.verdict {
            PartyVerdict::Vetoed(why) => Some(why),
            _ => None,
        },
    }
}

/// Asks every party, also behind one that refuses.
pub(super) fn ask_parties<C: Config>(
    parties: Vec<Arc<dyn AnyParty<C>>>,
    capacitor: &str,
    question: Question,
) -> Answer<Vec<PartyAnswer>> {
    let request = Request::of(question, &Arc::new(RequestOwner::new(capacitor.into())));
    Box::pin(async move {
        let deadline = Instant::now() + DRY_RUN;
        let mut transaction = Transaction::default();
        let mut answers = Vec::with_capacity(parties.len());
        for party in &parties {
            let verdict = match party.has_rollback() {
                false => PartyVerdict::NotAsked,
                true => match timeout_at(deadline, transaction.join(party, &request)).await {
                    Ok(Ok(())) => PartyVerdict::Ready,
                    Ok(Err(error)) => {
                        let why = match error.downcast_ref::<Veto>() {
                            Some(veto) => printed(veto.error()),
                            None => printed(&error),
                        };
                        PartyVerdict::Vetoed(request.safe(&why).into())
                    }
                    Err(_) => PartyVerdict::NoAnswer,
                },
            };
            let called = party.called();
            let party = match request.withheld(&called) {
                // A name may well be that of what has the secret.
                Some(_) => "a party".to_owned(),
                None => request.safe(&called).into(),
            };
            answers.push(PartyAnswer { party, verdict });
        }
        drop(transaction);
        Ok(answers)
    })
}
