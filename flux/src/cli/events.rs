//! What `config watch` reports: which events are found between two looks at the status of a capacitor.

use crate::{
    Report,
    engine::{GenerationOutcome, LayerStatus, Status, TrialStatus},
    inspect::Inspector,
    report::Problem,
    source::Health,
};
use serde_json::{Value, json};
use std::time::SystemTime;

/// Something that happened, for people and for programs.
pub(super) struct WatchEvent {
    pub(super) text: String,
    pub(super) at: SystemTime,
    pub(super) data: Value,
}

impl WatchEvent {
    /// It is about what a start would apply, which the parties of the program may refuse.
    pub(super) fn of_no_process(&mut self) {
        if self.data["event"] == "begins" {
            self.text += ", as a start would have it; no process is watched, and parties of the program are not asked";
            self.data["process"] = false.into();
        }
    }
}

/// What has happened since `before`, in order; where there is none, how it begins.
pub(super) fn events(
    inspector: Inspector<'_>,
    before: Option<&Status>,
    now: &Status,
) -> Vec<WatchEvent> {
    let mut found = FoundEvents(Vec::new());
    let Some(before) = before else {
        found.begins(now);
        return found.0;
    };
    found.refusals(before, now);
    found.generations(inspector, before, now);
    found.probation(before, now);
    found.recovery(before, now);
    for (old, new) in before.layers.iter().zip(&now.layers) {
        found.health(old, new);
    }
    found.warnings(before, now);
    found.marks(before, now);
    found.0
}

struct FoundEvents(Vec<WatchEvent>);

impl FoundEvents {
    fn add(&mut self, event: &str, text: String, mut data: Value) {
        let at = SystemTime::now();
        data["event"] = event.into();
        data["at"] = unix(at).into();
        self.0.push(WatchEvent { text, at, data });
    }

    fn begins(&mut self, now: &Status) {
        let state = now.state;
        let text = format!("{}: {state}, generation {}", now.name, now.generation);
        let layers: Vec<Value> = now.layers.iter().map(health_data).collect();
        let data = json!({ "state": state, "generation": now.generation, "layers": layers });
        self.add("begins", text, data);
        for layer in now
            .layers
            .iter()
            .filter(|one| !matches!(one.health, Health::Live))
        {
            self.0.extend(health_event(layer));
        }
        if let Some(report) = &now.error {
            self.refused(report);
        }
        for warning in &now.warnings {
            self.warning(warning);
        }
    }

    fn refused(&mut self, report: &Report) {
        self.add("refused", report.to_string(), json!({ "report": report }));
    }

    fn refusals(&mut self, before: &Status, now: &Status) {
        let newest = |status: &Status| status.history.last().map_or(0, |one| one.number);
        // After another start they are counted anew. Times are of no use: a clock may be set back.
        let last = if newest(now) < newest(before) {
            0
        } else {
            newest(before)
        };
        let mut newest = before.error.as_ref();
        for refusal in now.history.iter().filter(|one| one.number > last) {
            // Tried again and refused again is no news.
            if newest != Some(&refusal.report) {
                self.refused(&refusal.report);
            }
            newest = Some(&refusal.report).filter(|_| refusal.healed.is_none());
        }
        if let Some(report) = &now.error
            && newest != Some(report)
        {
            self.refused(report);
        }
    }

    fn generations(&mut self, inspector: Inspector<'_>, before: &Status, now: &Status) {
        let known = |number: u64| before.generations.iter().find(|one| one.number == number);
        let newest = before.generations.last().map_or(0, |one| one.number);
        let newest = newest.max(before.generation);
        for record in &now.generations {
            let number = record.number;
            if number > newest {
                let settings = inspector.changed_in(number);
                let lines = settings.iter().map(|one| format!("\n  {one}"));
                let lines: String = lines.collect();
                let text = format!("applied generation {number}{lines}");
                let data = json!({
                    "generation": number,
                    "origins": record.origins.iter().map(|one| &**one).collect::<Vec<&str>>(),
                    "changed": record.changed,
                    "settings": settings,
                });
                self.add("applied", text, data);
            }
            if let GenerationOutcome::TakenBack(reason) = &record.outcome
                && known(number).is_none_or(|known| known.outcome != record.outcome)
            {
                let text = format!("generation {number} is taken back: {reason}");
                self.add(
                    "taken_back",
                    text,
                    json!({ "generation": number, "reason": reason }),
                );
            }
        }
        if now.generation < before.generation {
            let number = now.generation;
            let text = format!("generation {number} is served again");
            self.add("served_again", text, json!({ "generation": number }));
        } else if now.generation > newest
            && !now
                .generations
                .iter()
                .any(|one| one.number == now.generation)
        {
            let number = now.generation;
            let text = format!("applied generation {number}");
            self.add("applied", text, json!({ "generation": number }));
        }
    }

    /// That what readers see may be taken back, and until when.
    fn probation(&mut self, before: &Status, now: &Status) {
        let number = now.generation;
        if let Some(probation) = &now.probation
            && before.probation.as_ref() != Some(probation)
        {
            let span = probation.span();
            let text = format!("generation {number} is on probation {span}");
            let data = json!({ "generation": number, "probation": probation });
            self.add("on_probation", text, data);
        }
        let known = |trial: &TrialStatus| (trial.generation, trial.since);
        if let Some(trial) = &now.trial
            && before.trial.as_ref().map(known) != Some(known(trial))
        {
            let text = format!("generation {number} is on trial: {trial}");
            self.add(
                "on_trial",
                text,
                json!({ "generation": number, "trial": trial }),
            );
        }
    }

    /// That a probation or a trial is over, and that nothing is wrong any more. What is on probation or on trial may still be taken back,
    /// and while it is, its outcome is still open.
    fn recovery(&mut self, before: &Status, now: &Status) {
        let is_open = |status: &Status| {
            let mut records = status.generations.iter();
            let own = records.find(|one| one.number == status.generation);
            own.is_some_and(|own| own.outcome == GenerationOutcome::OnProbation)
        };
        let is_unsure = |status: &Status| {
            status.probation.is_some() || status.trial.is_some() || is_open(status)
        };
        if is_unsure(now) || !now.running {
            return;
        }
        let number = now.generation;
        if is_unsure(before) && before.generation == number {
            let text = format!("generation {number} has passed, and is not taken back any more");
            self.add("passed", text, json!({ "generation": number }));
        }
        if now.error.is_none() && before.error.is_some() {
            let text = "recovered: the newest content of every layer is applied".to_owned();
            self.add("recovered", text, json!({}));
        }
    }

    fn health(&mut self, old: &LayerStatus, new: &LayerStatus) {
        let kind = |health: &Health| std::mem::discriminant(health);
        if kind(&old.health) != kind(&new.health) || old.present != new.present {
            self.0.extend(health_event(new));
        }
    }

    fn warnings(&mut self, before: &Status, now: &Status) {
        for warning in now
            .warnings
            .iter()
            .filter(|one| !before.warnings.contains(one))
        {
            self.warning(warning);
        }
    }

    fn warning(&mut self, warning: &Problem) {
        let text = format!("warning: {}", warning.after_word());
        self.add("warning", text, json!({ "problem": warning }));
    }

    fn marks(&mut self, before: &Status, now: &Status) {
        if before.pending_restart != now.pending_restart {
            let paths = now.pending_restart.join(", ");
            let text = match paths.is_empty() {
                true => "nothing waits for a restart any more".to_owned(),
                false => format!("waits for a restart: {paths}"),
            };
            self.add("restart", text, json!({ "paths": now.pending_restart }));
        }
        if before.secrets_by_default != now.secrets_by_default {
            let paths = now.secrets_by_default.join(", ");
            let text = match paths.is_empty() {
                true => "no secret has its default in the place of what was not kept any more"
                    .to_owned(),
                false => format!(
                    "by default, since the last known good file contains no secrets: {paths}"
                ),
            };
            let data = json!({ "paths": now.secrets_by_default });
            self.add("secrets_by_default", text, data);
        }
        if before.pinned != now.pinned {
            let word = if now.pinned { "pinned" } else { "unpinned" };
            self.add(
                word,
                word.to_owned(),
                json!({ "generation": now.generation }),
            );
        }
        if before.state != now.state {
            let (from, to) = (before.state, now.state);
            let text = format!("state: {from} -> {to}");
            self.add("state", text, json!({ "from": from, "to": to }));
        }
        if before.running && !now.running {
            self.add("stopped", "stopped".to_owned(), json!({}));
        }
    }
}

fn health_data(layer: &LayerStatus) -> Value {
    serde_json::to_value(layer).unwrap_or_default()
}

fn health_event(layer: &LayerStatus) -> Option<WatchEvent> {
    let mut data = json!({ "layer": health_data(layer) });
    let at = SystemTime::now();
    data["event"] = "health".into();
    data["at"] = unix(at).into();
    let text = format!("health: {layer}");
    Some(WatchEvent { text, at, data })
}

fn unix(at: SystemTime) -> f64 {
    crate::time::unix(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        engine::{Generation, GenerationContents, ProbationStatus, Refusal},
        problem::{Flaw, What},
        report::{Entry, Keeping, secrets::SecretSources},
    };
    use std::time::Duration;

    fn report(text: &str) -> Report {
        let flaw = Flaw::whole(What::Panic(text.to_owned()));
        let entries = vec![Entry::new("app.yaml", flaw)];
        Report::compose(&[], entries, Keeping::Previous, &SecretSources::default())
    }

    fn refusals(before: &Status, now: &Status) -> Vec<String> {
        let mut found = FoundEvents(Vec::new());
        found.refusals(before, now);
        let texts = found.0.into_iter().map(|one| one.text);
        texts.collect()
    }

    #[test]
    fn what_is_on_probation_has_not_recovered_before_it_has_passed() {
        let at = SystemTime::UNIX_EPOCH;
        let mut before = Status::idle("app", at);
        (before.running, before.error) = (true, Some(report("first")));
        let mut tried = before.clone();
        (tried.generation, tried.error) = (2, None);
        tried.probation = Some(ProbationStatus {
            since: at,
            until: at + Duration::from_secs(60),
        });
        let texts = |before: &Status, now: &Status| {
            let mut found = FoundEvents(Vec::new());
            found.probation(before, now);
            found.recovery(before, now);
            let texts = found.0.into_iter().map(|one| one.text);
            texts.collect::<Vec<_>>()
        };
        assert_eq!(
            texts(&before, &tried),
            [
                "generation 2 is on probation since 1970-01-01 00:00:00 UTC, until 1970-01-01 00:01:00 UTC"
            ]
        );
        let mut passed = tried.clone();
        passed.probation = None;
        assert_eq!(
            texts(&tried, &passed),
            ["generation 2 has passed, and is not taken back any more"]
        );
        assert_eq!(
            texts(&before, &passed),
            ["recovered: the newest content of every layer is applied"]
        );
        let taken_back = before.clone();
        assert_eq!(texts(&tried, &taken_back), [""; 0]);
        // A way back that is under way has ended the probation, and nothing has passed.
        let generation = Generation {
            number: 2,
            at,
            origins: Vec::new(),
            changed: Vec::new(),
            outcome: GenerationOutcome::OnProbation,
            contents: GenerationContents {
                layers: [].into(),
                waiting: None,
                before: 1,
            },
        };
        tried.generations = vec![generation.into()];
        let mut on_its_way_back = tried.clone();
        on_its_way_back.probation = None;
        assert_eq!(texts(&tried, &on_its_way_back), [""; 0]);
        // It passes beside an edit that is refused.
        passed.error = Some(report("second"));
        assert_eq!(
            texts(&tried, &passed),
            ["generation 2 has passed, and is not taken back any more"]
        );
    }

    #[test]
    fn a_clock_that_is_set_back_hides_no_refusal() {
        let at = SystemTime::now();
        let refusal = |number, at, text, healed| Refusal {
            number,
            at,
            report: report(text),
            healed,
        };
        let mut before = Status::idle("app", at);
        before.history = vec![refusal(1, at, "first", Some(at))];
        let mut now = before.clone();
        let earlier = at - Duration::from_secs(3_600);
        now.history.push(refusal(2, earlier, "second", None));
        now.error = Some(report("second"));
        assert_eq!(refusals(&before, &now), [report("second").to_string()]);
        assert_eq!(refusals(&now, &now), [""; 0]);
        // Tried again and refused again; set right and wrong again.
        let mut later = now.clone();
        later.history.push(refusal(3, earlier, "second", Some(at)));
        later.error = None;
        assert_eq!(refusals(&now, &later), [""; 0]);
        later.history.push(refusal(4, earlier, "second", None));
        later.error = now.error.clone();
        assert_eq!(refusals(&now, &later), [report("second").to_string()]);
        // Another start counts anew.
        let mut restarted = Status::idle("app", at);
        restarted.history = vec![refusal(1, earlier, "third", None)];
        assert_eq!(refusals(&later, &restarted), [report("third").to_string()]);
    }
}
