//! What the engine knows of a config type: its tables, and the functions that decode, fold, build, check and compare its values.

use super::value::{AnyLayer, AnySnapshot};
use crate::{
    codec::{self, Decoder, Tree, Unknown},
    handle::Snapshot,
    layer::{self, Config, Layer as _, Parts, secret_texts::SecretTexts},
    problem::{Cx, Diff, Dotted, Flaw, ProblemKind, Seg, What},
    report::{outgoing::BuiltValue, secrets::BuiltSecrets},
    schema::Field,
    source::DecodeTree,
};
use std::{sync::Arc, time::SystemTime};

/// One config type, described without its type. The capacitor makes one from the traits that the derive fills; a test of the
/// engine writes one by hand.
pub(crate) struct Schema {
    /// The struct's name.
    pub(crate) name: &'static str,
    /// The field table.
    pub(crate) fields: fn() -> &'static [Field],
    /// Bytes to a layer, with the slow pass where they are bad.
    pub(crate) decode: fn(&Decoder, &[u8], Unknown) -> Decoding,
    /// A document that was read already to a layer; all its problems.
    pub(crate) decode_tree: DecodeTree<AnyLayer>,
    /// A layer that contains nothing.
    pub(crate) empty: fn() -> AnyLayer,
    pub(crate) copy: fn(&AnyLayer) -> AnyLayer,
    /// Lays the second layer over the first.
    pub(crate) over: fn(&mut AnyLayer, &AnyLayer),
    /// What a layer contains, path by path.
    pub(crate) parts: fn(&AnyLayer) -> &dyn Parts,
    /// The folded layer to a configuration that keeps every rule, those from the running one included.
    pub(crate) build: Build,
    /// What is missing in a folded layer and which rules it breaks; whether nothing is missing.
    pub(crate) problems: fn(AnyLayer) -> (Vec<Flaw>, bool),
    /// Which rules a configuration breaks, those from the previous one included where there is one.
    pub(crate) check: fn(&AnySnapshot, Option<&AnySnapshot>, &mut Cx),
    /// The paths in which the first differs from the second; whether fields that cannot be compared count as changed.
    pub(crate) differences: fn(&AnySnapshot, &AnySnapshot, bool) -> Vec<Vec<Seg>>,
    /// Adds the texts of the secrets of a configuration.
    pub(crate) secrets: fn(&AnySnapshot, &mut SecretTexts),
}

type Build = fn(AnyLayer, Option<&AnySnapshot>, Stamp) -> Result<Built, Vec<Flaw>>;

/// What comes of decoding.
pub(crate) type Decoding = Result<codec::Decoded<AnyLayer>, codec::Failed<AnyLayer>>;

/// The number of a configuration, and when it was made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stamp {
    pub(crate) generation: u64,
    pub(crate) applied: SystemTime,
}

/// A configuration that keeps every rule.
pub(crate) struct Built {
    pub(crate) snapshot: AnySnapshot,
    /// The paths at which it keeps what runs now, until a restart.
    pub(crate) pending_restart: Vec<Vec<Seg>>,
}

impl Schema {
    /// The schema of a config type: the only place in which the engine's values are made and looked into.
    pub(crate) fn of<C: Config>() -> &'static Schema {
        const {
            &Schema {
                name: C::NAME,
                fields: C::fields,
                decode: decode::<C>,
                decode_tree: decode_tree::<C>,
                empty: || AnyLayer::new(C::Layer::default()),
                copy: |layer| AnyLayer::new(layer.get::<C::Layer>().clone()),
                over: |below, top| below.get_mut::<C::Layer>().over(top.get::<C::Layer>()),
                parts: |layer| layer.get::<C::Layer>(),
                build: build::<C>,
                problems: problems::<C>,
                check: check::<C>,
                differences: |new, old, opaque| {
                    layer::differences::<C>(new.get::<C>(), old.get::<C>(), opaque)
                },
                secrets: |snapshot, secrets| snapshot.get::<C>().secrets(secrets),
            }
        }
    }
}

impl Schema {
    /// The secrets of a configuration, to be read when somebody asks.
    pub(crate) fn built_secrets(
        &'static self,
        snapshot: &AnySnapshot,
        is_replaced: bool,
    ) -> BuiltSecrets {
        let snapshot = snapshot.clone();
        BuiltSecrets::new(is_replaced, move |secrets| {
            (self.secrets)(&snapshot, secrets)
        })
    }
}

fn decode<C: Config>(decoder: &Decoder, bytes: &[u8], unknown: Unknown) -> Decoding {
    match codec::decode::<C>(decoder, bytes, unknown) {
        Ok(decoded) => Ok(codec::Decoded {
            layer: AnyLayer::new(decoded.layer),
            warnings: decoded.warnings,
            emptied: decoded.emptied,
            empty: decoded.empty,
        }),
        Err(mut failed) => {
            for one in &mut failed.found {
                hide_secrets(C::fields(), &mut one.problem);
            }
            Err(codec::Failed {
                found: failed.found,
                partial: failed.partial.map(AnyLayer::new),
            })
        }
    }
}

/// A rule of an item is asked although there is no value, so that its secrets are not known.
#[cold]
fn hide_secrets(fields: &'static [Field], problem: &mut Flaw) {
    if !matches!(problem.what.kind(), ProblemKind::Rule | ProblemKind::Panic) {
        return;
    }
    let built = BuiltValue {
        fields,
        is_whole: false,
        is_replaced: false,
        secrets: &|_| {},
    };
    let hidden = built.without_secrets(vec![problem.clone()]);
    *problem = hidden.into_iter().next().unwrap_or_else(|| problem.clone());
}

fn decode_tree<C: Config>(tree: &Tree, plain_scalars: bool) -> (Option<AnyLayer>, Vec<Flaw>) {
    let (layer, mut problems) = codec::decode_tree::<C>(tree, plain_scalars);
    for problem in &mut problems {
        hide_secrets(C::fields(), problem);
    }
    (layer.map(AnyLayer::new), problems)
}

fn build<C: Config>(
    folded: AnyLayer,
    running: Option<&AnySnapshot>,
    stamp: Stamp,
) -> Result<Built, Vec<Flaw>> {
    let running: Option<&C> = running.map(|running| &**running.get::<C>());
    let mut cx = Cx::default();
    let value = C::finish(folded.into::<C::Layer>(), &mut cx);
    if let Some(value) = &value {
        value.validate(&mut cx);
        if let Some(running) = running {
            value.transition(running, &mut cx);
        }
    }
    let problems = cx.into_problems();
    let mut value = match value {
        Some(value) if problems.is_empty() => value,
        value => return Err(without_secrets(value.as_ref(), running, problems)),
    };
    let mut pending_restart = Vec::new();
    if let Some(running) = running {
        let mut deferred = Diff::default();
        value.defer(running, &mut deferred);
        pending_restart = deferred.into_changed();
        if !pending_restart.is_empty() {
            let mut cx = Cx::default();
            value.validate(&mut cx);
            let problems = cx.into_problems();
            if !problems.is_empty() {
                let problems = without_secrets(Some(&value), Some(running), problems);
                return Err(without_restart(problems, &pending_restart));
            }
        }
    }
    let snapshot = Snapshot::made(value, stamp.generation, stamp.applied);
    Ok(Built {
        snapshot: AnySnapshot::new(Arc::new(snapshot)),
        pending_restart,
    })
}

/// With the running values in the place of those that need a restart, the rules must hold too.
fn without_restart(mut problems: Vec<Flaw>, pending_restart: &[Vec<Seg>]) -> Vec<Flaw> {
    let paths = pending_restart.iter().map(|path| Dotted(path).to_string());
    let paths: Vec<String> = paths.collect();
    let text = format!(
        "this holds only after a restart: until then {} keeps its running value",
        paths.join(", ")
    );
    problems.push(Flaw {
        path: Vec::new(),
        what: What::message(ProblemKind::Restart, text),
    });
    problems
}

/// The problems, without texts of the program that quote a secret which no layer contains. Without a value its secrets are not known.
#[cold]
fn without_secrets<C: Config>(
    value: Option<&C>,
    running: Option<&C>,
    problems: Vec<Flaw>,
) -> Vec<Flaw> {
    let secrets = |secrets: &mut SecretTexts| {
        for one in value.into_iter().chain(running) {
            one.secrets(secrets);
        }
    };
    let built = BuiltValue {
        fields: C::fields(),
        is_whole: value.is_some(),
        is_replaced: false,
        secrets: &secrets,
    };
    built.without_secrets(problems)
}

fn problems<C: Config>(folded: AnyLayer) -> (Vec<Flaw>, bool) {
    let mut cx = Cx::default();
    let value = C::finish(folded.into::<C::Layer>(), &mut cx);
    if let Some(value) = &value {
        value.validate(&mut cx);
    }
    let problems = cx.into_problems();
    let is_whole = value.is_some();
    match problems.is_empty() {
        true => (problems, is_whole),
        false => (without_secrets(value.as_ref(), None, problems), is_whole),
    }
}

fn check<C: Config>(value: &AnySnapshot, previous: Option<&AnySnapshot>, cx: &mut Cx) {
    let value = value.get::<C>();
    value.validate(cx);
    if let Some(previous) = previous {
        value.transition(previous.get::<C>(), cx);
    }
}
