//! Which content of a layer counts again after a way back, and which is not tried again.

use super::{LayerState, by_bytes};
use crate::{
    engine::{
        content::{LayerContent, Observed},
        decoded::DecodedContent,
    },
    problem::{Flaw, ProblemKind, What},
    report::Entry,
};

impl LayerState {
    /// Contains again what it contained before, if that is anything else.
    pub(in crate::engine) fn go_back(&mut self, to: &LayerContent, why: &str) {
        // Its files have layers of their own, and it contains nothing ever.
        if self.drop_ins.is_some() {
            return;
        }
        let now = self.content();
        let content = match to {
            LayerContent::Given(_) | LayerContent::Kept(_) => return,
            LayerContent::Silent(bytes) => DecodedContent::silent(bytes.clone()),
            LayerContent::Document(bytes, found) => {
                DecodedContent::later(bytes.clone(), found.clone())
            }
        };
        self.acquit(to);
        if now != *to {
            self.accepted = Some(content);
        }
        let Some(newest) = self.newest.as_ref().filter(|_| self.pending.is_none()) else {
            return;
        };
        if to.is(newest) {
            (self.candidate, self.refusal) = (None, None);
        } else if let Some(newest) = self.newest_written_anew(to) {
            self.acquit(&newest.content());
            self.accepted = Some(newest);
            (self.candidate, self.refusal) = (None, None);
        } else if self.candidate.is_none()
            && self.refusal.iter().flatten().all(Entry::is_taken_back)
        {
            // Also in the place of the words of an earlier way back.
            self.refusal = Some(vec![self.taken_back(why)]);
        }
    }

    /// The newest content, where it has the values of `to` and nothing else is wrong with it.
    fn newest_written_anew(&self, to: &LayerContent) -> Option<DecodedContent> {
        let Some(Observed::Bytes(bytes)) = &self.newest else {
            return None;
        };
        let mut refusal = self.refusal.iter().flatten();
        if !refusal.all(Entry::is_taken_back) {
            return None;
        }
        let newest = match to {
            LayerContent::Silent(_) => DecodedContent::silent(Some(bytes.clone())),
            _ => DecodedContent::later(bytes.clone(), self.newest_place()),
        };
        self.is_same(&newest.content(), to).then_some(newest)
    }

    /// Whether two contents are equal, or documents that differ only in how the same values are written. Documents with other bytes
    /// are read for it, so that only a way back may ask.
    fn is_same(&self, one: &LayerContent, other: &LayerContent) -> bool {
        match (one, other) {
            (LayerContent::Given(_) | LayerContent::Kept(_), _) => false,
            (one, other) if one == other => true,
            (LayerContent::Document(one, _), LayerContent::Document(other, _))
            | (LayerContent::Silent(Some(one)), LayerContent::Silent(Some(other))) => {
                let identities = self.identities.as_ref().zip(self.decoder.as_ref());
                identities
                    .is_some_and(|(identities, decoder)| identities.is_same(decoder, one, other))
            }
            _ => false,
        }
    }

    /// What was taken up and could not be applied yet is not tried again either, unless it has the values of what serves again.
    pub(in crate::engine) fn give_up_candidate(&mut self, to: &LayerContent, why: &str) {
        let candidate = self.candidate.as_ref().map(DecodedContent::content);
        if candidate.is_some_and(|candidate| self.is_same(&candidate, to)) {
            return;
        }
        if let Some(candidate) = self.candidate.take() {
            self.take_back(&candidate.content(), why);
            self.refusal = Some(vec![self.taken_back(why)]);
        }
    }

    fn taken_back(&self, why: &str) -> Entry {
        let flaw = Flaw::whole(What::message(ProblemKind::TakenBack, why));
        Entry::new(&self.origin, flaw)
    }

    /// Content that is not tried again until it changes; nothing where it has the values of what serves again.
    pub(in crate::engine) fn take_back_unless_same(
        &mut self,
        content: &LayerContent,
        serves: &LayerContent,
        why: &str,
    ) {
        if !self.is_same(content, serves) {
            self.take_back(content, why);
        }
    }

    /// The content of a configuration that newer content has replaced already is not tried again; what serves is.
    pub(in crate::engine) fn condemn(&mut self, content: &LayerContent, why: &str) {
        let served = self.content();
        if !self.is_same(&served, content) {
            self.take_back(content, why);
            self.acquit(&served);
        }
    }

    /// Content that is not tried again until it changes.
    fn take_back(&mut self, content: &LayerContent, why: &str) {
        if !matches!(content, LayerContent::Given(_) | LayerContent::Kept(_)) {
            self.quarantine
                .add(by_bytes(content.bytes().as_deref()), why);
        }
    }

    /// Content that serves is tried again.
    pub(in crate::engine) fn acquit(&mut self, content: &LayerContent) {
        if !self.quarantine.is_empty()
            && !matches!(content, LayerContent::Given(_) | LayerContent::Kept(_))
        {
            self.quarantine.remove(by_bytes(content.bytes().as_deref()));
        }
    }
}

#[cfg(test)]
#[cfg(all(feature = "derive", feature = "yaml"))]
mod tests {
    use crate::{
        Capacitor, Format, Source, State, Unknown,
        source::{Channel, ChannelSender},
    };
    use std::time::Duration;

    #[derive(Debug, flux_derive::Flux)]
    #[flux(crate = crate)]
    struct WayBackApp {
        n: u32,
        #[flux(default = 0)]
        m: u32,
    }

    const WINDOW: Duration = Duration::from_secs(3600);

    /// Two layers, and what the second one holds at first.
    async fn started(upper: &'static str) -> (Capacitor<WayBackApp>, ChannelSender, ChannelSender) {
        let (lower_sender, lower_channel) = Channel::buffered("lower", 4);
        let (upper_sender, upper_channel) = Channel::buffered("upper", 4);
        let capacitor = Capacitor::<WayBackApp>::builder()
            .source(Source::watcher(lower_channel).format(Format::Yaml))
            .source(
                Source::watcher(upper_channel)
                    .format(Format::Yaml)
                    .optional(),
            )
            .unknown(Unknown::Deny)
            .probation(WINDOW)
            .build()
            .unwrap();
        lower_sender.send(&b"n: 1"[..]).await.unwrap();
        upper_sender.send(upper.as_bytes()).await.unwrap();
        capacitor.start().await.unwrap();
        (capacitor, lower_sender, upper_sender)
    }

    async fn until(capacitor: &Capacitor<WayBackApp>, holds: impl Fn(&WayBackApp, State) -> bool) {
        let wait = async {
            while !holds(&capacitor.get(), capacitor.state()) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let limit = Duration::from_secs(60);
        let waited = tokio::time::timeout(limit, wait).await;
        assert!(waited.is_ok(), "never so: {}", capacitor.status());
    }

    #[tokio::test(start_paused = true)]
    async fn a_layer_that_was_only_written_anew_is_not_taken_back_with_another_one() {
        let anew = [
            ("m: 1\n", "# a comment\nm:   1\n"),
            ("m: 1", "{\"m\": 1}"),
            ("", "# nothing yet"),
        ];
        for (before, after) in anew {
            let (capacitor, lower, upper) = started(before).await;
            upper.send(after.as_bytes()).await.unwrap();
            lower.send(&b"n: 2"[..]).await.unwrap();
            until(&capacitor, |app, _| app.n == 2).await;
            assert!(capacitor.report_unhealthy("5 % fail"));
            until(&capacitor, |app, _| app.n == 1).await;
            let report = capacitor.last_error().unwrap().to_string();
            assert!(
                report.contains("lower") && !report.contains("upper"),
                "{report}"
            );
            let status = capacitor.status();
            let refused = status.layers.iter().map(|layer| layer.refused);
            assert_eq!(refused.collect::<Vec<_>>(), [true, false], "{after}");
            // Nothing is held against it: the next good document heals it.
            lower.send(&b"n: 3"[..]).await.unwrap();
            until(&capacitor, |app, state| {
                app.n == 3 && state == State::Healthy
            })
            .await;
            capacitor.stop().await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_written_anew_and_wrong_besides_stays_refused_after_a_way_back() {
        let (capacitor, lower, upper) = started("m: 1").await;
        upper.send(&b"{m: 1, mm: 2}"[..]).await.unwrap();
        until(&capacitor, |_, state| state == State::Degraded).await;
        lower.send(&b"n: 2"[..]).await.unwrap();
        until(&capacitor, |app, _| app.n == 2).await;
        assert!(capacitor.report_unhealthy("5 % fail"));
        until(&capacitor, |app, _| app.n == 1).await;
        let report = capacitor.last_error().unwrap().to_string();
        assert!(report.contains("mm: unknown key"), "{report}");
        assert!(capacitor.status().layers[1].refused);
        capacitor.stop().await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_document_with_other_values_is_taken_back_as_before() {
        let (capacitor, lower, upper) = started("m: 1").await;
        upper.send(&b"m: 2"[..]).await.unwrap();
        lower.send(&b"n: 2"[..]).await.unwrap();
        until(&capacitor, |app, _| (app.n, app.m) == (2, 2)).await;
        assert!(capacitor.report_unhealthy("5 % fail"));
        until(&capacitor, |app, _| (app.n, app.m) == (1, 1)).await;
        let report = capacitor.last_error().unwrap().to_string();
        assert!(
            report.contains("lower") && report.contains("upper"),
            "{report}"
        );
        capacitor.stop().await;
    }
}
