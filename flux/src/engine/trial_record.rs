//! What of trials outlives the process: when a death counts, after how many content is quarantined, for how long, and what a
//! person's trust ends.
//!
//! Pure: a record and the time go in, a record and what happened come out. The runtime keeps it on disk.

#[cfg(feature = "cli")]
mod by_hand;
mod in_a_row;
mod quarantined;
#[cfg(test)]
mod tests;

pub(crate) use in_a_row::InARow;
pub(crate) use quarantined::{QuarantinedContent, listed};

use super::fingerprint::{Fingerprint, FingerprintKey};
use crate::{problem::escaped, source::drop_ins::MOST_FILES};
use std::{
    collections::{HashMap, HashSet},
    time::{Duration, SystemTime},
};

/// The first time in quarantine; twice as long each time after that, up to [`LONGEST`].
const FIRST: Duration = Duration::from_secs(60 * 60);
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// More quarantined content than this is forgotten, the oldest first.
const MOST: usize = 64;

/// Of more than this the changed paths are not kept: a record has a bound.
const MOST_WITH_PATHS: usize = 64;

/// More changed paths than this are not listed.
const MOST_PATHS: usize = 16;

/// What each layer that has documents contained, by [`layer_keys`](super::Layers::keys).
pub(crate) type Fingerprints = Vec<(String, Fingerprint)>;

/// What is kept on disk.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TrialRecord {
    pub(crate) key: FingerprintKey,
    pub(crate) on_trial: Option<OnTrial>,
    pub(crate) quarantined: Vec<QuarantinedContent>,
    /// The deaths since the last trial that was passed.
    pub(crate) in_a_row: Option<InARow>,
    /// How much quarantined content is not forgotten; not on disk.
    pub(crate) most: usize,
}

/// A configuration that is applied, or about to be, and not trusted yet.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct OnTrial {
    pub(crate) fingerprints: Fingerprints,
    pub(crate) generation: u64,
    /// The paths in which it differs from the last known good configuration; never a value.
    pub(crate) changed: Vec<String>,
    pub(crate) since: SystemTime,
    /// How many processes died with it.
    pub(crate) deaths: u32,
    /// Whether the process that wrote the record is to be counted if it is gone: a stop in good order is no death.
    pub(crate) running: bool,
}

/// What a start found.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Aftermath {
    /// The process died while this was on trial; it is tried again.
    Died(OnTrial),
    /// It died too often: what of it is not trusted is quarantined.
    Quarantined(OnTrial),
}

impl TrialRecord {
    pub(crate) fn new(key: FingerprintKey) -> Self {
        TrialRecord {
            key,
            on_trial: None,
            quarantined: Vec::new(),
            in_a_row: None,
            most: MOST,
        }
    }

    /// All files of a folder may be new at once, and none of them may be forgotten while the others are held back.
    pub(crate) fn has_folders(&mut self) {
        self.most = MOST + MOST_FILES;
    }

    /// The record as a start begins with it. `died` where the process that wrote it is gone, `trusted` what the last known good
    /// configuration contains. Where there never was one there is nothing else to serve, and nothing is held against any content; where it
    /// was lost, it contains nothing.
    pub(crate) fn at_start(
        &mut self,
        died: bool,
        trusted: Option<&Fingerprints>,
        tries: u32,
        now: SystemTime,
    ) -> Option<Aftermath> {
        let Some(trusted) = trusted else {
            *self = TrialRecord {
                most: self.most,
                ..TrialRecord::new(self.key)
            };
            return None;
        };
        for content in &mut self.quarantined {
            // The calendar was ahead when it was written.
            content.until = content.until.min(now + LONGEST);
        }
        self.quarantined
            .retain(|content| !content.is_suspected() || content.until > now);
        self.forget_row(now);
        let mut found = None;
        if let Some(mut trial) = self
            .on_trial
            .take_if(|trial| trial.fingerprints != *trusted)
        {
            if std::mem::take(&mut trial.running) && died {
                self.died_in_a_row(trial.deaths == 0, now);
                trial.deaths = trial.deaths.saturating_add(1);
                self.count(&trial, trusted, now);
                found = Some(Aftermath::Died(trial.clone()));
            }
            if trial.deaths >= tries {
                self.quarantine(&trial, trusted, tries, now);
                found = Some(Aftermath::Quarantined(trial));
            } else {
                self.on_trial = Some(trial);
            }
        } else {
            // It became the last known good one, and the process ended before the record was removed.
            self.on_trial = None;
        }
        // Content is tried without other content that processes died with.
        if self.on_trial.is_none() {
            self.lift_first(|until| until <= now);
        }
        found
    }

    /// Holds a death against everything that is not trusted in a configuration. Each layer has a count of its own, since another
    /// one may hold new content at every start.
    fn count(&mut self, trial: &OnTrial, trusted: &Fingerprints, now: SystemTime) {
        let places = self.places();
        let mut known = Vec::new();
        let mut new = Vec::new();
        for entry in suspects(trial, trusted) {
            match places.get(entry) {
                Some(at) => known.push(*at),
                None => new.push(QuarantinedContent {
                    layer: entry.0.clone(),
                    fingerprint: entry.1,
                    changed: trial.changed.clone(),
                    deaths: 1,
                    until: now + LONGEST,
                    times: 0,
                    lifted: true,
                    after: 0,
                }),
            }
        }
        for at in known {
            let known = &mut self.quarantined[at];
            known.deaths = known.deaths.saturating_add(1);
        }
        self.quarantined.extend(new);
        self.forget_surplus();
    }

    /// What of a configuration is not trusted, and died as often as the configuration did, is not applied for a while.
    fn quarantine(&mut self, trial: &OnTrial, trusted: &Fingerprints, tries: u32, now: SystemTime) {
        let suspects: Vec<_> = suspects(trial, trusted).collect();
        let places = self.places();
        let of = |one: &&(String, Fingerprint)| places.get(*one).copied();
        let is_over = |content: &QuarantinedContent| content.times > 0 || content.deaths >= tries;
        let guilty =
            |one: &&(String, Fingerprint)| of(one).is_some_and(|at| is_over(&self.quarantined[at]));
        // A record whose counts are incomplete holds it against all of them.
        let any = suspects.iter().any(&guilty);
        let over: Vec<_> = (suspects.iter().filter(|one| !any || guilty(one)))
            .map(|one| (*one, of(one)))
            .collect();
        let mut added = Vec::new();
        let mut known: Vec<usize> = Vec::new();
        for ((layer, fingerprint), at) in over {
            let before = at.map(|at| &self.quarantined[at]);
            known.extend(at);
            let times = before.map_or(0, |before| before.times).saturating_add(1);
            added.push(QuarantinedContent {
                layer: layer.clone(),
                fingerprint: *fingerprint,
                changed: trial.changed.clone(),
                deaths: match before {
                    Some(before) if before.after > 0 => before.deaths,
                    _ => before.map_or(0, |before| before.deaths).max(trial.deaths),
                },
                until: now + crate::time::ceiling(times, FIRST, LONGEST),
                times,
                lifted: false,
                after: 0,
            });
        }
        let known: HashSet<usize> = known.into_iter().collect();
        let mut at = 0..;
        self.quarantined
            .retain(|_| at.next().is_none_or(|at| !known.contains(&at)));
        self.quarantined.extend(added);
        self.forget_surplus();
    }

    /// Where each content is in the list.
    fn places(&self) -> HashMap<(String, Fingerprint), usize> {
        let all = self.quarantined.iter().enumerate();
        all.map(|(at, one)| ((one.layer.clone(), one.fingerprint), at))
            .collect()
    }

    /// What is only suspected is forgotten before what is in quarantine.
    fn forget_surplus(&mut self) {
        for content in self.quarantined.iter_mut().rev().skip(MOST_WITH_PATHS) {
            content.changed.clear();
        }
        while self.quarantined.len() > self.most {
            let suspected = |content: &QuarantinedContent| content.is_suspected();
            let at = self.quarantined.iter().position(suspected);
            self.quarantined.remove(at.unwrap_or(0));
        }
    }

    /// A configuration has passed its trial: deaths with other content, too few for a quarantine, count no more. Answers whether
    /// there were any.
    pub(crate) fn forget_suspects(&mut self) -> bool {
        let before = self.quarantined.len();
        self.quarantined.retain(|content| !content.is_suspected());
        self.quarantined.len() < before
    }

    /// Ends the quarantine of some content; answers whether there was any.
    pub(crate) fn lift(&mut self, of: impl Fn(&QuarantinedContent) -> bool) -> bool {
        let mut lifted = false;
        for content in &mut self.quarantined {
            if !content.lifted && of(content) {
                (content.lifted, lifted) = (true, true);
            }
        }
        lifted
    }

    /// Ends the quarantine that ends first, where it is over; answers whether it is.
    pub(crate) fn lift_first(&mut self, is_over: impl Fn(SystemTime) -> bool) -> bool {
        let held = self.quarantined.iter_mut().filter(|one| !one.lifted);
        // Of equal ones it is the first.
        let first = held.min_by_key(|content| content.until);
        match first.filter(|content| is_over(content.until)) {
            Some(content) => {
                content.lifted = true;
                true
            }
            None => false,
        }
    }

    /// The layers with content in quarantine, each once.
    pub(crate) fn layers_in_quarantine(&self) -> Vec<&str> {
        let held = self.in_quarantine();
        let mut layers: Vec<&str> = held.map(|content| &*content.layer).collect();
        layers.sort_unstable();
        layers.dedup();
        layers
    }

    /// What is not applied now.
    pub(crate) fn in_quarantine(&self) -> impl Iterator<Item = &QuarantinedContent> {
        self.quarantined.iter().filter(|content| !content.lifted)
    }

    /// A configuration on trial, with the deaths that are held against it already.
    pub(crate) fn trial(
        &self,
        fingerprints: Fingerprints,
        generation: u64,
        mut changed: Vec<String>,
        tries: u32,
        now: SystemTime,
    ) -> OnTrial {
        let known = self.on_trial.as_ref();
        let known = known.filter(|trial| trial.fingerprints == fingerprints);
        if let (true, Some(known)) = (changed.is_empty(), known) {
            changed.clone_from(&known.changed);
        }
        // What its content did in other company counts as well: another layer may have changed since.
        let past_deaths = self.past_deaths(&fingerprints, tries);
        OnTrial {
            deaths: known.map_or(0, |known| known.deaths).max(past_deaths),
            fingerprints,
            generation,
            changed: shortened(changed),
            since: now,
            running: true,
        }
    }

    /// The most deaths that are held against any of these contents.
    pub(crate) fn past_deaths(&self, fingerprints: &Fingerprints, tries: u32) -> u32 {
        if self.quarantined.is_empty() {
            return 0;
        }
        let all: HashSet<(&str, Fingerprint)> = by_layer(fingerprints).collect();
        let found = self
            .quarantined
            .iter()
            .filter(|content| all.contains(&(content.layer.as_str(), content.fingerprint)));
        let deaths = found.map(|content| match content.is_suspected() {
            true => content.deaths,
            false => tries.saturating_sub(1),
        });
        deaths.max().unwrap_or(0)
    }

    /// This content is trusted now: nothing is held against it any more.
    pub(crate) fn forgive(&mut self, trusted: &Fingerprints) {
        if self.quarantined.is_empty() {
            return;
        }
        let all: HashSet<(&str, Fingerprint)> = by_layer(trusted).collect();
        self.quarantined
            .retain(|content| !all.contains(&(content.layer.as_str(), content.fingerprint)));
    }
}

fn by_layer(fingerprints: &Fingerprints) -> impl Iterator<Item = (&str, Fingerprint)> {
    fingerprints
        .iter()
        .map(|(layer, one)| (layer.as_str(), *one))
}

/// Those of these layers that are not this one, as a list for people; none where there is none.
pub(crate) fn beside(layers: &[&str], layer: &str) -> Option<String> {
    let mut others = layers.iter().filter(|other| **other != layer);
    let mut named: Vec<String> = others
        .by_ref()
        .take(MOST_PATHS)
        .map(|one| escaped(one).into_owned())
        .collect();
    match others.count() {
        0 => {}
        more => named.push(format!("and {more} more")),
    }
    (!named.is_empty()).then(|| listed(&named))
}

/// What of a configuration is not trusted.
fn suspects<'t>(
    trial: &'t OnTrial,
    trusted: &Fingerprints,
) -> impl Iterator<Item = &'t (String, Fingerprint)> {
    let trusted: HashSet<(String, Fingerprint)> = trusted.iter().cloned().collect();
    (trial.fingerprints.iter()).filter(move |one| !trusted.contains(*one))
}

/// The first paths, and how many more there are.
pub(super) fn shortened(mut changed: Vec<String>) -> Vec<String> {
    // What an earlier record counted already.
    let tail = |path: &String| {
        let count = path.strip_prefix("and ")?.strip_suffix(" more")?;
        count.parse::<usize>().ok()
    };
    let earlier = (changed.iter().filter_map(tail)).fold(0, usize::saturating_add);
    changed.retain(|path| tail(path).is_none());
    let more = earlier.saturating_add(changed.len().saturating_sub(MOST_PATHS));
    if more > 0 {
        changed.truncate(MOST_PATHS);
        changed.push(format!("and {more} more"));
    }
    changed
}
