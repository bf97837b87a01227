//! Whether what a source holds becomes a candidate or is refused: required and absent, empty, quarantined, undecodable.

use super::LayerState;
use crate::{
    codec::{Found, Unknown},
    engine::{decoded::DecodedContent, judge::decode, schema::Schema},
    problem::{Flaw, ProblemKind, What, escaped},
    report::Entry,
    source::Observation,
};

impl LayerState {
    /// Decodes what is pending into a candidate or a refusal; answers with the warnings.
    pub(in crate::engine) fn take_up(
        &mut self,
        schema: &Schema,
        unknown: Unknown,
        update: u64,
    ) -> Vec<Entry> {
        let Some(observation) = self.pending.take() else {
            let warnings = std::mem::take(&mut self.given_warnings);
            // It is read again for this update, and then its warnings count.
            return if self.again.is_some() {
                Vec::new()
            } else {
                warnings
            };
        };
        let (result, warnings) = self.judge(schema, observation, unknown);
        (self.candidate, self.refusal) = match result {
            Ok(mut content) => {
                content.found = self.newest_place();
                (Some(content), None)
            }
            Err(refusal) => (None, Some(refusal)),
        };
        self.since = update;
        self.unjudged = true;
        warnings
    }

    /// What is reported of a required source that holds nothing.
    fn absence(&self) -> String {
        if !self.searched.is_empty() {
            let places = self.searched.iter().map(|place| escaped(place));
            let places = places.collect::<Vec<_>>().join(", ");
            return format!(
                "is in none of the places where it is looked for: {places}; this layer is required"
            );
        }
        if let Some(drop_ins) = &self.drop_ins {
            return drop_ins.absence();
        }
        match &self.file {
            #[cfg(feature = "file")]
            Some(file) => crate::source::missing(file, &self.origin),
            _ => "does not exist, and this layer is required".to_owned(),
        }
    }

    fn judge(
        &mut self,
        schema: &Schema,
        observation: Observation,
        unknown: Unknown,
    ) -> (Result<DecodedContent, Vec<Entry>>, Vec<Entry>) {
        self.partial = None;
        self.emptied.clear();
        let told = |what: What| {
            let path = Vec::new();
            let entry = Entry::new(&self.origin, Flaw { path, what });
            (Err(vec![entry]), Vec::new())
        };
        let refuse = |text: &str| told(What::plain(ProblemKind::Source, text));
        if let Some(why) = self.held_back(&observation) {
            return told(What::plain(ProblemKind::TakenBack, why));
        }
        let content = match observation {
            // Each of its files has a layer of its own.
            Observation::Value(_) if self.drop_ins.is_some() => {
                return (Ok(DecodedContent::silent(None)), Vec::new());
            }
            Observation::Value(content) => content,
            Observation::Absent if self.optional => {
                return (Ok(DecodedContent::silent(None)), Vec::new());
            }
            Observation::Absent => return refuse(&self.absence()),
            Observation::Unreadable(error) => {
                let text = error.to_string();
                return told(match error.is_of_its_layer() {
                    true => What::OfSource(text),
                    false => What::message(ProblemKind::Source, text),
                });
            }
        };
        let Some(decoder) = &self.decoder else {
            return refuse("has no format; name one, as in `format = \"json\"`");
        };
        let bytes = content.bytes;
        let decoded = decode(schema, decoder, &bytes, unknown);
        let entries = |found: Vec<Found>| {
            let located = found.into_iter().map(|found| {
                Entry::new(&self.origin, found.problem)
                    .at(found.at)
                    .warning(found.is_warning)
                    .text(&bytes, decoder)
            });
            located.collect::<Vec<_>>()
        };
        match decoded {
            Ok(Ok(decoded)) if decoded.empty && self.optional => {
                (Ok(DecodedContent::silent(Some(bytes))), Vec::new())
            }
            Ok(Ok(decoded)) if decoded.empty => refuse("is empty, and this layer is required"),
            Ok(Ok(decoded)) => {
                let warnings = match decoded.warnings.is_empty() {
                    true => Vec::new(),
                    false => entries(decoded.warnings),
                };
                if !decoded.emptied.is_empty() {
                    self.emptied = entries(decoded.emptied);
                }
                (Ok(DecodedContent::fresh(bytes, decoded.layer)), warnings)
            }
            Ok(Err(failed)) => {
                let refusal = entries(failed.found);
                self.partial = failed.partial;
                (Err(refusal), Vec::new())
            }
            Err(panic) => told(What::Panic(format!("decoding panicked: {panic}"))),
        }
    }
}
