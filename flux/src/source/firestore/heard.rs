//! What a listener of Firestore reports: when what was heard is consistent, and when everything is to be reported anew.

use googleapis_tonic_google_firestore_v1::google::firestore::v1::{
    Document, ExistenceFilter, TargetChange, listen_response::ResponseType,
    target_change::TargetChangeType,
};
use tonic::{Code, Status};

use super::Firestore;
use crate::source::{Observation, Observer, SourceError};

/// What was seen last.
#[derive(Clone)]
pub(super) struct LastHeard {
    /// The place to go on from; empty where the server named none.
    pub(super) token: Vec<u8>,
    pub(super) observation: Observation,
    /// Whether there was a document, also one without the field.
    pub(super) exists: bool,
}

/// What the listener reported since the last consistent moment.
#[derive(Default)]
pub(super) struct ListenEvent {
    pub(super) document: Option<Option<Document>>,
    pub(super) current: bool,
}

impl Firestore {
    /// What was seen last counts on where the listener goes on from it. Without a place to go on from everything is reported anew.
    pub(super) fn goes_on(&mut self) {
        self.last.take_if(|last| last.token.is_empty());
    }

    /// Takes what the listener reports.
    pub(super) fn heard(
        &mut self,
        event: ResponseType,
        heard: &mut ListenEvent,
        observer: &Observer,
    ) -> Result<(), SourceError> {
        match event {
            ResponseType::DocumentChange(change) => {
                let gone = change.target_ids.is_empty();
                heard.document = Some(change.document.filter(|_| !gone));
            }
            ResponseType::DocumentDelete(_) | ResponseType::DocumentRemove(_) => {
                heard.document = Some(None);
            }
            ResponseType::TargetChange(change) => self.target_changed(&change, heard, observer)?,
            ResponseType::Filter(counted) => self.counted(&counted, heard)?,
        }
        Ok(())
    }

    /// Compares how many documents the server counts with what it has sent: what was deleted while nobody listened may show in the
    /// count alone. Where the two differ, everything is to be reported anew.
    pub(super) fn counted(
        &mut self,
        counted: &ExistenceFilter,
        heard: &ListenEvent,
    ) -> Result<(), SourceError> {
        let Some(last) = &self.last else {
            // All that there is is still to come.
            return Ok(());
        };
        let exists = heard.document.as_ref().map_or(last.exists, Option::is_some);
        if exists == (counted.count > 0) {
            return Ok(());
        }
        self.last = None;
        Err(self.lost(&"the server counts other documents than it has sent; listening anew"))
    }

    fn target_changed(
        &mut self,
        change: &TargetChange,
        heard: &mut ListenEvent,
        observer: &Observer,
    ) -> Result<(), SourceError> {
        match change.target_change_type() {
            TargetChangeType::Remove => {
                self.last = None;
                let status = change
                    .cause
                    .as_ref()
                    .map(|cause| Status::new(Code::from_i32(cause.code), cause.message.clone()));
                return Err(match status {
                    Some(status) => self.refused(&status),
                    None => self.lost(&"the server took the listener away"),
                });
            }
            TargetChangeType::Reset => {
                *heard = ListenEvent::default();
                self.last = None;
                return Ok(());
            }
            TargetChangeType::Current => heard.current = true,
            TargetChangeType::NoChange | TargetChangeType::Add => {}
        }
        let consistent = change.read_time.is_some() || !change.resume_token.is_empty();
        if !heard.current || !consistent && change.target_change_type() != TargetChangeType::Current
        {
            return Ok(());
        }
        let (observation, exists) = match (heard.document.take(), &self.last) {
            (Some(found), _) => (self.observed(&found), found.is_some()),
            // Nothing has changed since the last session.
            (None, Some(before)) => (before.observation.clone(), before.exists),
            (None, None) => (Observation::Absent, false),
        };
        self.last = Some(LastHeard {
            token: change.resume_token.clone(),
            observation: observation.clone(),
            exists,
        });
        observer.observe(observation);
        Ok(())
    }
}
