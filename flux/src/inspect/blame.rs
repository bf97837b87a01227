//! Who changed a path: which kept generations and refusals `blame` names for it.

mod refusals;
mod settings;
mod text;
mod waiting;

use super::{
    answers::Answers,
    effective::value_at,
    error::ExplainError,
    explanation::{Setting, ValueOrigin},
    item::Effect,
    planned::printed,
    value::ConfigValue,
};
use crate::{
    engine::{Generation, GenerationOutcome, LayerContent, Schema, Served, Status, WaitingPath},
    problem::{KeyPath, Seg},
    schema::TypeFacts,
    time::times,
};
use std::{sync::Arc, time::SystemTime};

/// Who changed a path of the configuration. `Display` prints a line for each change, newest first, `Serialize` gives the fields under
/// their names, with times as seconds since 1970. No secret is in it.
///
/// ```
/// # use flux::{Capacitor, Flux, Format, Source, source::Channel};
/// #[derive(Flux)]
/// struct App {
///     #[flux(range = 1..=65535)]
///     port: u16,
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (document, channel) = Channel::latest("app.yaml");
/// # let capacitor = Capacitor::<App>::builder()
/// #     .source(Source::watcher(channel).format(Format::Yaml)).manual().history(8).build()?;
/// # document.try_send(&b"port: 80\n"[..])?;
/// # capacitor.start().await?;
/// # document.try_send(&b"port: 81\n"[..])?;
/// # capacitor.process().await?;
/// # document.try_send(&b"port: 0\n"[..])?;
/// # capacitor.process().await?;
/// let blame = capacitor.blame("port")?;                 // after 80, 81 and 0, which is refused
/// let lines: Vec<String> = blame.to_string().lines().map(str::to_owned).collect();
/// assert!(lines[1].starts_with("  refused ") && lines[1].contains("app.yaml:1:7"));
/// assert!(lines[2].starts_with("  generation 2, "));
/// assert_eq!(blame.changes[1].settings[0].to_string(), "port: 80 -> 81 (app.yaml:1:7)");
/// # capacitor.stop().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Blame {
    /// The path, with the fields' own names.
    pub path: KeyPath,
    /// What changed it, newest first.
    pub changes: Vec<BlamedChange>,
    /// What is to be known besides: how far back the memory reaches.
    pub notes: Vec<String>,
}

/// One change of a path, applied or refused.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct BlamedChange {
    /// When it was applied or refused, or since when the path waits for a restart. Of a refusal that is only known to last, since when
    /// the state is what it is.
    pub at: SystemTime,
    /// The generation; none of a change that was refused, or waits or waited for a restart.
    pub generation: Option<u64>,
    /// The layers whose new content made the generation, or whose content is refused.
    pub origins: Vec<String>,
    /// What became of it.
    pub outcome: BlameOutcome,
    /// The settings at the path and below it that it changed. The values are those that the layers made, also where a stage of the
    /// program made others.
    pub settings: Vec<ChangedSetting>,
}

/// One setting that a change was about.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ChangedSetting {
    /// The path.
    pub path: KeyPath,
    /// The value before; none where it was not set, or is not known any more.
    pub old: Option<ConfigValue>,
    /// The value from then on; none where it was not set, and of what is refused.
    pub new: Option<ConfigValue>,
    /// What set the value from then on, as it was then; none of a default.
    pub by: Option<Setting>,
    /// Whether that value is the default in the code.
    pub is_default: bool,
    /// Why it is refused.
    pub problem: Option<String>,
    /// Both values for people; none where they are not known.
    printed: [Option<String>; 2],
}

/// What became of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum BlameOutcome {
    /// It was applied.
    Applied,
    /// It is applied, and taken back if the program turns unhealthy now.
    OnProbation,
    /// It was applied and taken back; why.
    TakenBack(String),
    /// It was refused.
    Refused,
    /// It is in the newest documents, and readers keep the old value until a restart of the program.
    WaitsForRestart,
    /// It waited for a restart until then, when the documents no longer had it, or it was taken back or refused.
    Withdrawn(SystemTime),
}

impl BlameOutcome {
    /// Its name in `Serialize`.
    pub const fn as_str(&self) -> &'static str {
        match self {
            BlameOutcome::Applied => "applied",
            BlameOutcome::OnProbation => "on_probation",
            BlameOutcome::TakenBack(_) => "taken_back",
            BlameOutcome::Refused => "refused",
            BlameOutcome::WaitsForRestart => "waits_for_restart",
            BlameOutcome::Withdrawn(_) => "withdrawn",
        }
    }
}

/// Who changed this path of what readers see.
pub(super) fn blame(
    text: &str,
    schema: &'static Schema,
    types: fn() -> Vec<TypeFacts>,
    answers: &Arc<Answers>,
    status: &Arc<Status>,
) -> Result<Blame, ExplainError> {
    let path = answers.explain(text, status)?.path;
    let blaming = Blaming {
        path: path.steps(),
        schema,
        types,
        status,
        known: &[(Arc::clone(answers), Arc::clone(status))],
    };
    let mut changes = blaming.waiting();
    changes.extend(blaming.withdrawn());
    changes.extend(blaming.refused());
    let mut read: Vec<(u64, AnsweredGeneration)> = Vec::new();
    for record in &status.generations {
        let now = blaming.read(record);
        let before = read
            .iter()
            .find(|(number, _)| *number == record.contents.before);
        let before = before.map(|(_, before)| before);
        changes.extend(blaming.applied(record, before, &now));
        read.push((record.number, now));
    }
    changes.sort_by_key(|one| std::cmp::Reverse(one.at));
    let mut notes = blaming.held_back();
    notes.extend(blaming.notes());
    Ok(Blame {
        path,
        changes,
        notes,
    })
}

/// What one generation changed, in its own order; nothing where it is not kept, or is the first one after a start. `known` are
/// generations whose answers were made before.
#[cfg(any(feature = "cli", feature = "page"))]
pub(super) fn changed_in(
    number: u64,
    schema: &'static Schema,
    types: fn() -> Vec<TypeFacts>,
    (answers, status): (&Arc<Answers>, &Arc<Status>),
    known: &[AnsweredGeneration],
) -> Vec<ChangedSetting> {
    let known = [known, &[(Arc::clone(answers), Arc::clone(status))]].concat();
    let blaming = Blaming {
        path: &[],
        schema,
        types,
        status,
        known: &known,
    };
    let records = &status.generations;
    let find = |number| records.iter().find(|record| record.number == number);
    let Some(record) = find(number) else {
        return Vec::new();
    };
    if record.changed.is_empty() {
        return Vec::new();
    }
    let before = find(record.contents.before).map(|before| blaming.read(before));
    let now = blaming.read(record);
    let change = blaming.applied(record, before.as_ref(), &now);
    change.map(|change| change.settings).unwrap_or_default()
}

/// What is known of a generation, and the status of that time.
pub(super) type AnsweredGeneration = (Arc<Answers>, Arc<Status>);

struct Blaming<'a> {
    path: &'a [Seg],
    schema: &'static Schema,
    types: fn() -> Vec<TypeFacts>,
    status: &'a Status,
    known: &'a [AnsweredGeneration],
}

impl Blaming<'_> {
    /// Reads the layers of a generation once more, unless it is known.
    fn read(&self, record: &Generation) -> AnsweredGeneration {
        let served = &self.status.served;
        let known = self.known.iter().find(|(answers, _)| {
            answers.are_of_generation(record.number, &served.layers, &record.contents)
        });
        if let Some(known) = known {
            return known.clone();
        }
        let waiting = record.contents.waiting.clone();
        self.made_of(&record.contents.layers, waiting, record.number, record.at)
    }

    /// What the layers made of these contents, and what runs where that waits for a restart.
    fn made_of(
        &self,
        contents: &Arc<[LayerContent]>,
        waiting: Option<Arc<[WaitingPath]>>,
        generation: u64,
        at: SystemTime,
    ) -> AnsweredGeneration {
        let served = &self.status.served;
        let mut status = Status::idle(self.status.name.clone(), at);
        status.generation = generation;
        let paths = waiting.iter().flat_map(|all| all.iter());
        status.pending_restart = paths.map(|one| one.path.clone()).collect();
        status.served = Served {
            contents: Arc::clone(contents),
            waiting,
            ..served.alone()
        };
        let answers = Answers::new(self.schema, self.types, &status, None);
        (Arc::new(answers), Arc::new(status))
    }

    /// What a generation changed at the path; none where that is nothing.
    fn applied(
        &self,
        record: &Generation,
        before: Option<&AnsweredGeneration>,
        now: &AnsweredGeneration,
    ) -> Option<BlamedChange> {
        let mut settings = Vec::new();
        // The first one after a start.
        if record.changed.is_empty() {
            let all = self::settings::of_change(self.path, None, now);
            settings.extend(all.into_iter().filter(|one| one.by.is_some()));
        }
        for changed in &record.changed {
            let Ok(changed) = changed.parse::<KeyPath>() else {
                continue;
            };
            let changed = changed.steps();
            if changed.starts_with(self.path) {
                settings.extend(self::settings::of_change(changed, before, now));
            } else if self.path.starts_with(changed) {
                // A list or a map as a whole, of which this is a part.
                let all = self::settings::of_change(self.path, before, now).into_iter();
                settings.extend(all.filter(|one| before.is_none() || !one.is_same()));
            }
        }
        if settings.is_empty() {
            return None;
        }
        Some(BlamedChange {
            at: record.at,
            generation: Some(record.number),
            origins: record.origins.iter().map(|one| one.to_string()).collect(),
            outcome: match &record.outcome {
                GenerationOutcome::Applied => BlameOutcome::Applied,
                GenerationOutcome::OnProbation => BlameOutcome::OnProbation,
                GenerationOutcome::TakenBack(reason) => BlameOutcome::TakenBack(reason.clone()),
            },
            settings,
        })
    }

    /// Whether a path is the one that is asked about, is below it, or contains it.
    fn overlaps(&self, path: &[Seg]) -> bool {
        path.starts_with(self.path) || self.path.starts_with(path)
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let oldest = self.status.generations.first();
        match oldest.map(|one| one.number) {
            Some(oldest) if oldest > 1 => notes.push(format!(
                "generations before {oldest} are not kept; how many are is set in the program's code"
            )),
            None => notes.push(
                "no generation is kept: what readers see comes from the last known good file, or the program keeps none"
                    .to_owned(),
            ),
            _ => {}
        }
        if self.status.history.is_empty() {
            notes.push(
                match self.status.error {
                    Some(_) => "refusals before the last one are not known",
                    None => "no refusal is known",
                }
                .to_owned()
                    + "; how many are kept is set in the program's code",
            );
        }
        for content in &self.status.quarantined {
            let is_about = content.changed.iter().any(|changed| {
                let changed = changed.parse::<KeyPath>();
                changed.is_ok_and(|changed| self.overlaps(changed.steps()))
            });
            // What is in quarantine may have been replaced since.
            let mut layers = self.status.layers.iter();
            let is_held = layers.any(|layer| layer.refused && *layer.origin == *content.origin);
            if is_about && is_held {
                notes.push(format!(
                    "{}: its newest content is not applied, since the process died with it {}",
                    content.origin,
                    times(content.deaths)
                ));
            }
        }
        notes
    }
}

impl ChangedSetting {
    /// The values that the layers made of it before and from then on.
    fn new(path: &[Seg], before: Option<&AnsweredGeneration>, now: &AnsweredGeneration) -> Self {
        let value = |(answers, status): &AnsweredGeneration| value_at(answers, status, path);
        let words = |side: &AnsweredGeneration, value| printed(&side.0, path, value);
        let (old, new) = (before.and_then(value), value(now));
        let path = KeyPath::new(path);
        let explained = match now.0.running_explanation(path.steps()) {
            Some(running) => Some(running),
            None => now.0.explain(path.as_str(), &now.1).ok(),
        };
        let (mut by, mut is_default) = (None, false);
        if let Some(one) = explained {
            is_default = one.from == ValueOrigin::Default;
            let set = one.settings.into_iter();
            let mut set: Vec<_> = set.filter(|one| one.effect != Effect::Shadowed).collect();
            // Of several layers that are joined, the one that has become another.
            let known = before.filter(|_| set.len() > 1);
            let known = known.and_then(|side| side.0.explain(path.as_str(), &side.1).ok());
            let known = known.map(|one| one.settings).unwrap_or_default();
            let is_known = |one: &Setting| {
                let mut known = known.iter();
                known.any(|known| known.layer == one.layer && known.value == one.value)
            };
            let changed = set.iter().position(|one| !is_known(one)).unwrap_or(0);
            by = (!set.is_empty()).then(|| set.swap_remove(changed));
        }
        ChangedSetting {
            printed: [
                before.map(|before| words(before, &old)),
                Some(words(now, &new)),
            ],
            path,
            old,
            new,
            is_default: is_default && by.is_none(),
            by,
            problem: None,
        }
    }

    /// Whether both values are known and equal.
    fn is_same(&self) -> bool {
        let is_known = |value: &ConfigValue| !value.has_secret();
        self.old == self.new && self.old.as_ref().is_none_or(is_known)
    }
}
