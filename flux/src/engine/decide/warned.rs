//! When the warnings of a document are reported: with the verdict on it, as warnings of what was applied, or beside what refuses it.

use super::Engine;
use crate::{
    engine::{event::EngineEvent, layer_state::LayerState},
    report::{Entry, Keeping},
};

impl Engine {
    /// Warnings of what was taken up. What becomes of it is not known yet.
    #[cold]
    pub(super) fn note_warnings(&mut self, new: Vec<Entry>) {
        // What was found in an earlier document of the layer, or beside earlier documents of others, is no longer true.
        let (states, update) = (&self.layers.states, self.update);
        self.unreported.retain(|known| {
            let number = known.layer_number();
            let state = number.and_then(|number| states.get(number));
            let is_same = |one: &Entry| one.is_same(known);
            // Those that last are found once.
            let lasts = state.is_some_and(|state| {
                let mut lasting = state.replacing.iter().chain(&state.without_effect);
                lasting.any(is_same)
            });
            if lasts {
                return !new.iter().any(is_same);
            }
            let is_of_earlier = state.is_some_and(|state| state.since == update);
            let is_found_anew = |one: &Entry| one.layer_number() == number && one.is_alike(known);
            !is_of_earlier && !new.iter().any(is_found_anew)
        });
        self.unreported.extend(new);
    }

    /// The warnings that no report has had yet, but for those of layers whose content no longer has any.
    pub(super) fn take_warnings(&mut self) -> Vec<Entry> {
        let mut warnings = std::mem::take(&mut self.unreported);
        let states = &self.layers.states;
        warnings.retain(|entry| {
            let state = entry.layer_number().and_then(|number| states.get(number));
            state.is_none_or(LayerState::has_warnings)
        });
        warnings
    }

    /// Reports the warnings of what is applied now; those of a layer whose newest content is refused go to what refuses it.
    #[cold]
    pub(super) fn report_warnings(&mut self, refused: &mut Vec<Entry>) {
        let warnings = self.take_warnings();
        let states = &self.layers.states;
        let is_refused = |entry: &Entry| {
            let state = entry.layer_number().and_then(|number| states.get(number));
            !refused.is_empty()
                && state.is_some_and(|state| state.candidate.is_some() || state.refusal.is_some())
        };
        let (of_refused, applied): (Vec<_>, Vec<_>) = warnings.into_iter().partition(is_refused);
        refused.extend(of_refused.into_iter().map(|entry| entry.warning(true)));
        if !applied.is_empty() {
            let report = self.report(applied, Keeping::Applied);
            self.events.push(EngineEvent::Warned(report));
        }
    }
}

#[cfg(test)]
#[cfg(all(feature = "derive", feature = "yaml"))]
mod tests {
    use crate::{Capacitor, Format, Source, change::Group, source::Channel};
    use std::{
        collections::BTreeMap,
        fmt,
        sync::{Arc, Mutex, OnceLock},
        time::Duration,
    };
    use tokio::sync::Semaphore;
    use tracing::{
        Dispatch, Event, Subscriber,
        field::{Field, Visit},
        span,
    };

    #[derive(flux_derive::Flux)]
    #[flux(crate = crate)]
    struct WithHost {
        #[flux(non_empty)]
        host: String,
        #[flux(default = 1)]
        #[serde(alias = "svrs")]
        size: u8,
        #[flux(default)]
        #[allow(dead_code, reason = "only what sets it is warned of")]
        labels: BTreeMap<String, u8>,
    }

    #[derive(Clone, Default)]
    struct LogTexts(Arc<Mutex<String>>);

    impl Visit for LogTexts {
        fn record_debug(&mut self, _: &Field, value: &dyn fmt::Debug) {
            *self.0.lock().unwrap() += &format!("{value:?}\n");
        }
    }

    impl Subscriber for LogTexts {
        fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
            metadata.is_event()
        }
        fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
            span::Id::from_u64(1)
        }
        fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
        fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
        fn event(&self, event: &Event<'_>) {
            event.record(&mut self.clone());
        }
        fn enter(&self, _: &span::Id) {}
        fn exit(&self, _: &span::Id) {}
    }

    /// With one dispatcher alone, the thread that comes first to an event decides for all whether anybody listens to it.
    fn keep_two() {
        static TWO: OnceLock<[Dispatch; 2]> = OnceLock::new();
        TWO.get_or_init(|| [(); 2].map(|()| Dispatch::new(LogTexts::default())));
    }

    /// What a start over this document answers, and the log of it.
    async fn started(document: &str, denies: bool) -> (Result<(), String>, String) {
        keep_two();
        let log = LogTexts::default();
        let _logged = tracing::subscriber::set_default(log.clone());
        let (sender, channel) = Channel::buffered("app.yaml", 4);
        let mut builder =
            Capacitor::<WithHost>::builder().source(Source::watcher(channel).format(Format::Yaml));
        if denies {
            builder = builder.effect(|_| async { Err::<(), _>("no") });
        }
        let capacitor = builder.build().unwrap();
        sender.send(document.as_bytes().to_vec()).await.unwrap();
        let answer = capacitor.start().await.map_err(|error| error.to_string());
        let log = log.0.lock().unwrap().clone();
        (answer, log)
    }

    #[tokio::test]
    async fn a_misspelt_key_is_reported_beside_the_value_that_is_missing_and_not_as_applied() {
        let (answer, log) = started("hots: localhost", false).await;
        let report = answer.unwrap_err();
        for part in [
            "configuration refused: 1 problem, 1 warning; no configuration is applied yet",
            "host: is required, and no layer sets it",
            "warning: hots: unknown key, did you mean `host`?\n    --> app.yaml:1:7",
        ] {
            assert!(report.contains(part), "{part}:\n{report}");
        }
        assert!(!log.contains("applied with"), "{log}");
        assert!(log.contains("did you mean `host`?"), "{log}");
    }

    #[tokio::test]
    async fn what_the_program_refuses_is_not_reported_as_applied() {
        let (answer, log) = started("{host: a, szie: 2}", true).await;
        let report = answer.unwrap_err();
        assert!(
            report.contains("warning: szie: unknown key, did you mean `size`?"),
            "{report}"
        );
        assert!(!log.contains("applied with"), "{log}");
    }

    #[derive(flux_derive::Flux)]
    #[flux(crate = crate)]
    struct BesideWarned {
        #[flux(default = 1)]
        #[allow(dead_code, reason = "only that it is taken up counts")]
        port: u16,
    }

    /// The log of a start over these documents of two layers, which is ready and waits for another member of its group; newer content
    /// takes it back before anything of it was reported.
    async fn taken_back(first: [&str; 2], layer: usize, newer: &str) -> String {
        keep_two();
        let log = LogTexts::default();
        let _logged = tracing::subscriber::set_default(log.clone());
        let (base, base_channel) = Channel::buffered("base.yaml", 4);
        let (app, app_channel) = Channel::buffered("app.yaml", 4);
        let (beside, beside_channel) = Channel::buffered("beside.yaml", 4);
        let (group, passed, held_up) = (Group::new(), Semaphore::new(0), Semaphore::new(0));
        let (passed, held_up) = (Arc::new(passed), Arc::new(held_up));
        let (passing, holding) = (Arc::clone(&passed), Arc::clone(&held_up));
        let capacitor = Capacitor::<WithHost>::builder()
            .group(&group)
            .source(Source::watcher(base_channel).format(Format::Yaml))
            .source(Source::watcher(app_channel).format(Format::Yaml))
            .effect(move |_| {
                passing.add_permits(1);
                async { Ok::<(), std::convert::Infallible>(()) }
            })
            .build()
            .unwrap();
        let other = Capacitor::<BesideWarned>::builder()
            .group(&group)
            .source(Source::watcher(beside_channel).format(Format::Yaml))
            .effect(move |_| {
                let holding = Arc::clone(&holding);
                async move {
                    drop(holding.acquire().await);
                    Ok::<(), std::convert::Infallible>(())
                }
            })
            .build()
            .unwrap();
        let layers = [base, app];
        let text = |text: &str| text.as_bytes().to_vec();
        for (layer, document) in layers.iter().zip(first) {
            layer.send(text(document)).await.unwrap();
        }
        beside.send(text("port: 2")).await.unwrap();
        let goes_on = async {
            passed.acquire().await.unwrap().forget();
            layers[layer].send(text(newer)).await.unwrap();
            passed.acquire().await.unwrap().forget();
            assert!(capacitor.try_get().is_none(), "it waits for the other");
            held_up.add_permits(10);
        };
        let all = async { tokio::join!(capacitor.start(), other.start(), goes_on) };
        let all = tokio::time::timeout(Duration::from_secs(60), all).await;
        let (started, beside, ()) = all.expect("in time");
        started.unwrap();
        beside.unwrap();
        assert_eq!(capacitor.get().size, 3);
        let log = log.0.lock().unwrap();
        log.clone()
    }

    fn has_once(log: &str, parts: &[&str]) {
        for part in parts {
            assert_eq!(log.matches(part).count(), 1, "{part}: {log}");
        }
    }

    #[tokio::test]
    async fn what_was_found_in_a_document_is_reported_although_another_layer_brings_a_warning_of_it_first()
     {
        // The entry that is null has nothing to take away any more.
        let of_app = "{host: a, szie: 2, labels: {a: null}}";
        let log = taken_back(["labels: {a: 1}", of_app], 0, "size: 3").await;
        has_once(&log, &["szie: unknown key", "labels.a: "]);
    }

    #[tokio::test]
    async fn what_was_found_in_a_document_that_was_replaced_before_it_was_reported_never_is() {
        for (newer, warned) in [
            ("{host: a, hots: b}", &["hots: unknown key"][..]),
            ("{host: a}", &[]),
        ] {
            let log = taken_back(["size: 3", "{host: a, szie: 2}"], 1, newer).await;
            assert!(!log.contains("szie"), "{log}");
            has_once(&log, warned);
        }
    }

    #[tokio::test]
    async fn what_a_newer_document_has_as_well_is_reported_although_it_is_found_once() {
        let (first, newer) = (
            "{host: a, labels: {a: null}}",
            "{host: b, szie: 2, labels: {a: null}}",
        );
        let log = taken_back(["size: 3", first], 1, newer).await;
        has_once(&log, &["szie: unknown key", "labels.a: "]);
    }

    #[tokio::test]
    async fn a_warning_of_what_is_applied_is_in_the_log() {
        let (answer, log) = started("{host: a, szie: 2}", false).await;
        assert_eq!(answer, Ok(()));
        assert!(
            log.contains("configuration applied with 1 warning\n  szie: unknown key"),
            "{log}"
        );
    }

    #[tokio::test]
    async fn warnings_alone_are_counted_as_warnings_whatever_each_is_of() {
        for (document, count) in [
            ("{host: a, labels: {a: null}}", "1 warning"),
            ("{host: a, labels: {a: null}, szie: 2}", "2 warnings"),
        ] {
            let (answer, log) = started(document, false).await;
            assert_eq!(answer, Ok(()));
            let begin = format!("configuration applied with {count}\n");
            assert!(log.contains(&begin), "{log}");
            assert!(!log.contains("warning: "), "{log}");
        }
    }

    #[tokio::test]
    async fn a_key_that_is_near_to_an_alias_has_a_suggestion() {
        let (answer, log) = started("{host: a, svr: 2}", false).await;
        assert_eq!(answer, Ok(()));
        assert!(
            log.contains("svr: unknown key, did you mean `svrs`?"),
            "{log}"
        );
    }
}
