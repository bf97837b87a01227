//! What is announced by a listener, and what only by a count.

#![allow(clippy::unwrap_used)] // In helpers too.

use super::*;
use crate::source::mailbox::{Health, Mailbox};
use googleapis_tonic_google_firestore_v1::google::firestore::v1::{
    DocumentChange, DocumentDelete, DocumentRemove, ExistenceFilter, TargetChange, Value,
    listen_response::ResponseType, target_change::TargetChangeType, value::ValueType,
};
use proptest::prelude::*;

/// A deletion while the listener went on from where it was may be announced by the count alone.
#[test]
fn a_count_that_differs_from_what_was_sent_is_listened_for_anew() {
    let seen = |exists| LastHeard {
        token: vec![1],
        observation: Observation::Absent,
        exists,
    };
    let heard = |document| ListenEvent {
        document,
        current: false,
    };
    let there = || Some(Some(Document::default()));
    for (last, document, count, agrees) in [
        (Some(seen(true)), None, 1, true),
        (Some(seen(true)), None, 0, false),
        (Some(seen(true)), Some(None), 0, true),
        (Some(seen(false)), None, 0, true),
        (Some(seen(false)), None, 1, false),
        (Some(seen(false)), there(), 1, true),
        // From the beginning everything is sent.
        (None, None, 1, true),
        (None, there(), 0, true),
    ] {
        let mut source = Firestore::new("project", "config/app");
        source.last = last;
        let counted = ExistenceFilter {
            count,
            ..ExistenceFilter::default()
        };
        let outcome = source.counted(&counted, &heard(document));
        assert_eq!(outcome.is_ok(), agrees, "{count}");
        if let Err(error) = outcome {
            assert_eq!(error.kind(), ErrorKind::Transient);
            assert!(source.last.is_none(), "it would go on from there again");
        }
    }
}

/// A database with one document, and what its listener receives. It announces a deletion in any of the ways that it has.
struct Database {
    document: Option<u32>,
    /// How often it was written.
    version: u8,
    random: fastrand::Rng,
}

impl Database {
    fn write(&mut self) {
        self.version += 1;
        self.document = match self.random.u8(..3) {
            0 => None,
            _ => Some(self.version.into()),
        };
    }

    /// As what is deleted is announced to who goes on from before; the count may be all that shows it.
    fn deletion(&mut self) -> ResponseType {
        match self.random.u8(..3) {
            0 => self.count(),
            1 => ResponseType::DocumentRemove(DocumentRemove::default()),
            _ => ResponseType::DocumentDelete(DocumentDelete::default()),
        }
    }

    /// The document as it is; of one that is not there also nothing at all.
    fn all(&mut self) -> Vec<ResponseType> {
        let Some(n) = self.document else {
            let delete = ResponseType::DocumentDelete(DocumentDelete::default());
            let remove = ResponseType::DocumentRemove(DocumentRemove::default());
            return [vec![], vec![delete], vec![remove]][self.random.usize(..3)].clone();
        };
        let text = Value {
            value_type: Some(ValueType::StringValue(n.to_string())),
        };
        let document = Document {
            fields: [("data".to_owned(), text)].into(),
            ..Document::default()
        };
        vec![ResponseType::DocumentChange(DocumentChange {
            document: Some(document),
            target_ids: vec![1],
            ..DocumentChange::default()
        })]
    }

    fn count(&self) -> ResponseType {
        ResponseType::Filter(ExistenceFilter {
            count: self.document.is_some().into(),
            ..ExistenceFilter::default()
        })
    }

    /// A consistent moment, with a place to go on from or without one.
    fn moment(&mut self, kind: TargetChangeType) -> ResponseType {
        let token = match self.random.u8(..4) {
            0 => Vec::new(),
            _ => vec![self.version],
        };
        ResponseType::TargetChange(TargetChange {
            target_change_type: kind.into(),
            read_time: Some(Default::default()),
            resume_token: token,
            ..TargetChange::default()
        })
    }

    /// What a new listener receives that goes on from this version, or from nowhere.
    fn told(&mut self, from: Option<u8>) -> Vec<ResponseType> {
        let mut told = match from {
            Some(version) if version == self.version => Vec::new(),
            Some(_) if self.document.is_none() => vec![self.deletion()],
            _ => self.all(),
        };
        if self.random.bool() {
            told.push(self.count());
        }
        told.push(self.moment(TargetChangeType::Current));
        told
    }

    /// What an open listener receives after a write.
    fn announced(&mut self) -> Vec<ResponseType> {
        let mut told = Vec::new();
        if self.random.u8(..4) == 0 {
            told.push(ResponseType::TargetChange(TargetChange {
                target_change_type: TargetChangeType::Reset.into(),
                ..TargetChange::default()
            }));
            told.extend(self.all());
            told.push(self.moment(TargetChangeType::Current));
            return told;
        }
        let document = match self.document {
            None => vec![ResponseType::DocumentDelete(DocumentDelete::default())],
            Some(_) => self.all(),
        };
        told.extend(document);
        if self.random.bool() {
            told.push(self.count());
        }
        told.push(self.moment(TargetChangeType::NoChange));
        told
    }
}

proptest! {
    /// Writes while a listener is open and while none is; once it has heard all, what it has reported is what there is.
    #[test]
    fn what_a_listener_reports_is_what_there_is(seed: u64) {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut database = Database { document: None, version: 0, random: random.fork() };
        let mut source = Firestore::new("project", "config/app").field("data");
        let mailbox = Mailbox::new(1);
        let observer = mailbox.observer(0);
        let mut reported = None;
        for _ in 0..random.u8(1..12) {
            for _ in 0..random.u8(..3) {
                database.write();
            }
            observer.begin();
            // A listener that is ended for what it was told begins anew.
            for attempt in 0.. {
                assert!(attempt < 3, "it never ends");
                let token = source.last.as_ref().map(|last| last.token.clone());
                let from = token.and_then(|token| token.first().copied());
                source.goes_on();
                let mut told = database.told(from);
                let mut heard = ListenEvent::default();
                let mut all = true;
                for _ in 0..random.u8(1..4) {
                    all &= told.drain(..).all(|event| source.heard(event, &mut heard, &observer).is_ok());
                    if !all {
                        break;
                    }
                    for report in mailbox.take() {
                        let is_stale = matches!(report.health, Some(Health::Stale { .. }));
                        prop_assert!(!is_stale);
                        if let Some(observation) = report.observation {
                            reported = Some(observation);
                        }
                    }
                    let text = match reported.clone().expect("a consistent moment") {
                        Observation::Value(content) => Some(String::from_utf8(content.bytes.to_vec()).unwrap()),
                        _ => None,
                    };
                    prop_assert_eq!(text, database.document.map(|n| n.to_string()));
                    database.write();
                    told = database.announced();
                }
                if all {
                    break;
                }
            }
        }
    }
}
