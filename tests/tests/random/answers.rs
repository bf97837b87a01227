//! Answers compared with one another and with what readers see, over documents, variables and edits made at random: `explain_all` with
//! `effective`, `check` with a start, `plan` with what the edit does, equal fingerprints with equal values.

use crate::{
    Wrong,
    alike::{Fingerprints, at, cover, differing, same, shown, without_secrets},
    asked::{Asked, Relay, Shop, chosen, document},
    random::Random,
    seeds,
};
use flux::{
    Capacitor, Format, Source,
    inspect::{Checked, ConfigValue, Inputs, PlannedUpdate, ValueOrigin},
    report::ProblemKind,
    source::{Channel, ChannelSender},
};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeSet;

const LAYERS: [&str; 2] = ["low.yaml", "app.yaml"];
const KEY: &[u8] = b"0123456789abcdef";

/// A program, and the documents that its layers have.
struct Running<C: Asked> {
    app: Capacitor<C>,
    senders: Vec<ChannelSender>,
    texts: [String; 2],
    variables: Vec<(&'static str, &'static str)>,
}

fn builder<C: Asked>(
    channels: Vec<Channel>,
    variables: &[(&'static str, &'static str)],
) -> flux::Builder<C> {
    let mut builder = Capacitor::<C>::builder();
    for channel in channels {
        builder = builder.source(Source::watcher(channel).format(Format::Yaml));
    }
    let variables = Source::env("APP_").variables(variables.iter().copied());
    builder.override_with(variables).generations(8).manual()
}

fn channels() -> (Vec<ChannelSender>, Vec<Channel>) {
    let both = LAYERS.map(|name| Channel::buffered(name, 4));
    both.into_iter().unzip()
}

fn json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap()
}

impl<C: Asked> Running<C> {
    /// What `check` makes of the documents; none where it refuses them.
    fn checked(&self) -> Option<Checked> {
        let mut inputs = Inputs::new();
        for (name, text) in LAYERS.iter().zip(&self.texts) {
            inputs = inputs.layer(*name, text.as_str());
        }
        builder::<C>(channels().1, &self.variables)
            .check(inputs)
            .ok()
    }

    async fn write(&mut self, layer: usize, text: String) {
        self.texts[layer].clone_from(&text);
        self.senders[layer].send(text.into_bytes()).await.unwrap();
    }

    fn values(&self) -> Value {
        json(&*self.app.get())
    }

    fn effective(&self) -> Value {
        json(&self.app.effective().unwrap().value())
    }
}

/// Of values with and without secrets.
type BothFingerprints = [Fingerprints; 2];

/// That what is answered is what readers see.
fn answers_are_true<C: Asked>(
    running: &Running<C>,
    prints: &mut BothFingerprints,
) -> Result<(), String> {
    let app = &running.app;
    let (values, effective) = (running.values(), running.effective());
    let shown = shown::<C>(&values, &effective);
    if !same(&shown, &effective) {
        return Err(format!("effective {effective}, readers see {shown}"));
    }
    for one in app.explain_all().unwrap() {
        // What has parts has them one by one, and a secret that no layer has is left out.
        let is_left_out = one.is_secret && one.from == ValueOrigin::Default;
        if is_left_out || one.from == ValueOrigin::Parts {
            continue;
        }
        let value = json(&one.value);
        if !same(&value, at(&effective, one.path.as_str())) {
            return Err(format!("explain_all has {value} of `{}`", one.path));
        }
        let alone = app.explain(one.path.as_str()).unwrap();
        if alone.to_string() != one.to_string() {
            return Err(format!("explain and explain_all differ: {alone}\n{one}"));
        }
    }
    prints[0].add(&values, &app.fingerprint_with(KEY).unwrap())?;
    prints[1].add(&without_secrets::<C>(&values), &app.fingerprint().unwrap())
}

/// That a start makes of the documents what `check` has.
fn check_is_true<C: Asked>(
    running: &Running<C>,
    prints: &mut BothFingerprints,
) -> Result<(), String> {
    let status = running.app.status();
    let checked = running.checked();
    // Rules on changes are about what runs.
    let refused = status.error.iter().flat_map(|report| report.problems());
    let is_refused =
        { refused }.any(|one| !one.is_warning() && one.kind != ProblemKind::ChangeRule);
    if checked.is_none() != is_refused {
        return Err(format!("check refuses: {}, {status}", checked.is_none()));
    }
    let Some(checked) = checked.filter(|_| status.error.is_none()) else {
        return Ok(());
    };
    for one in checked.explain_all() {
        let runs = running.app.explain(one.path.as_str());
        let runs = runs.map_err(|error| format!("explain: {error}"))?;
        let next = match runs.notes.iter().any(|note| note.starts_with("waits for")) {
            true => &runs.pending,
            false => &runs.value,
        };
        if *next != one.value {
            return Err(format!("check: {one}\nof what runs: {runs}"));
        }
    }
    if status.pending_restart.is_empty() {
        let values = running.values();
        let effective = json(&checked.effective().value());
        let shown = shown::<C>(&values, &effective);
        if !same(&shown, &effective) {
            return Err(format!("check has {effective}, readers see {shown}"));
        }
        prints[0].add(&values, &checked.fingerprint(Some(KEY)))?;
        prints[1].add(&without_secrets::<C>(&values), &checked.fingerprint(None))?;
    }
    Ok(())
}

/// That an edit did what was planned.
fn plan_is_true<C: Asked>(
    running: &Running<C>,
    plan: &PlannedUpdate,
    (values, effective, waited): (&Value, &Value, &[String]),
) -> Result<(), String> {
    let status = running.app.status();
    if plan.refused.is_some() != status.error.is_some() {
        return Err(format!("planned: {plan}\nbut: {status}"));
    }
    let now = running.values();
    if plan.refused.is_some() {
        return match *values == now {
            true => Ok(()),
            false => Err("it was refused, and readers see something else".to_owned()),
        };
    }
    let mut changed = BTreeSet::new();
    differing(values, &now, "", &mut changed);
    let (waits, changes): (Vec<_>, Vec<_>) =
        plan.changes.iter().partition(|one| one.waits_for_restart);
    let planned = changes.iter().map(|one| one.path.to_string()).collect();
    if !cover(&changed, &planned) {
        return Err(format!("planned {planned:?}, changed {changed:?}"));
    }
    let effective_now = running.effective();
    for one in changes {
        let path = one.path.as_str();
        let (old, new) = (at(effective, path), at(&effective_now, path));
        let is_of = |planned: &Option<ConfigValue>, value| {
            *planned == Some(ConfigValue::Secret) || same(&json(planned), value)
        };
        if !is_of(&one.old, old) || !is_of(&one.new, new) {
            return Err(format!("planned {one}: {old} to {new}"));
        }
    }
    let pending = &status.pending_restart;
    let waits: BTreeSet<String> = waits.iter().map(|one| one.path.to_string()).collect();
    let is_known = |path: &String| waits.contains(path) || waited.contains(path);
    if !pending.iter().all(is_known) || !waits.iter().all(|path| pending.contains(path)) {
        return Err(format!("planned to wait {waits:?}, waits {pending:?}"));
    }
    let note = |words: &str, has: bool| {
        let paths: Vec<&str> = { waited.iter() }
            .filter(|path| pending.contains(path) == has)
            .map(String::as_str)
            .collect();
        let note = format!("{words}: {}", paths.join(", "));
        paths.is_empty() || plan.notes.contains(&note)
    };
    let are_noted = note("waits for a restart already", true)
        && note("would not wait for a restart any more", false);
    match are_noted {
        true => Ok(()),
        false => Err(format!("{waited:?} waited, {pending:?} waits: {plan}")),
    }
}

/// What was looked at.
#[derive(Default, Debug)]
struct Counted {
    started: usize,
    not_started: usize,
    applied: usize,
    refused: usize,
    waiting: usize,
    rolled_back: usize,
}

async fn ask<C: Asked>(
    seed: u64,
    prints: &mut BothFingerprints,
    counted: &mut Counted,
    story: &mut String,
) -> Result<(), String> {
    let mut random = Random::new(seed);
    let variables = chosen(&mut random, 4, C::VARIABLES);
    let (senders, channels) = channels();
    let mut running = Running::<C> {
        app: builder(channels, &variables).build().unwrap(),
        senders,
        texts: Default::default(),
        variables,
    };
    *story = format!("{:?}\n", running.variables);
    for (layer, name) in LAYERS.iter().enumerate() {
        let text = document::<C>(&mut random);
        *story += &format!("{name}:\n{text}");
        running.write(layer, text).await;
    }
    let checked = running.checked();
    if let Err(error) = running.app.start().await {
        counted.not_started += 1;
        return match checked {
            None => Ok(()),
            Some(checked) => Err(format!("{checked}\nbut: {error}")),
        };
    }
    counted.started += 1;
    if checked.is_none() {
        return Err("check refuses what was started with".to_owned());
    }
    answers_are_true(&running, prints)?;
    check_is_true(&running, prints)?;
    let mut layer = 0;
    for _ in 0..4 {
        // What is refused stays in its layer, and is judged with each edit of another one.
        if running.app.status().error.is_none() {
            layer = random.below(LAYERS.len());
        }
        let text = document::<C>(&mut random);
        *story += &format!("edit of {}:\n{text}", LAYERS[layer]);
        let plan = Inputs::new().layer(LAYERS[layer], text.as_str());
        let plan = running.app.plan(&plan).map_err(|error| error.to_string())?;
        let (values, effective) = (running.values(), running.effective());
        let before = running.app.status().pending_restart.clone();
        running.write(layer, text).await;
        let _ = running.app.process().await;
        let status = running.app.status();
        match status.error.is_some() {
            true => counted.refused += 1,
            false => counted.applied += 1,
        }
        counted.waiting += usize::from(!status.pending_restart.is_empty());
        plan_is_true(&running, &plan, (&values, &effective, &before))?;
        answers_are_true(&running, prints)?;
        check_is_true(&running, prints)?;
    }
    if running.app.rollback(None).await.is_ok() {
        counted.rolled_back += 1;
        *story += "rollback\n";
        answers_are_true(&running, prints)?;
    }
    running.app.stop().await;
    Ok(())
}

#[tokio::test]
async fn answers_agree_with_each_other_and_with_what_readers_see() {
    let (mut wrong, mut counted) = (Wrong::default(), Counted::default());
    let (mut shops, mut relays) = <(BothFingerprints, BothFingerprints)>::default();
    // Each starts a program, edits it and asks it everything.
    for seed in seeds().step_by(5) {
        let mut story = String::new();
        let found = match seed % 2 {
            0 => ask::<Shop>(seed, &mut shops, &mut counted, &mut story).await,
            _ => ask::<Relay>(seed, &mut relays, &mut counted, &mut story).await,
        };
        if let Err(error) = found {
            let kind = error.chars().take_while(|one| !"{[`:".contains(*one));
            wrong.add(kind.collect(), || {
                format!("FLUX_RANDOM_SEED={seed}\n{story}\n  {error}")
            });
        }
    }
    println!("{counted:?}");
    wrong.check();
}
