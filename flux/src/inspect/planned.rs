//! What `plan` answers: what documents would change in the configuration that runs, and what parties would answer, without applying
//! them.

mod base;
mod beside;
mod change;
#[cfg(feature = "cli")]
mod other_defaults;
mod text;

#[cfg(feature = "cli")]
pub(super) use base::KeptBase;
pub(crate) use base::PlanBase;
pub(crate) use beside::Placeless;
pub use change::PlannedChange;
use change::different;
pub(super) use change::{WITHHELD_VALUE, printed};

use super::{
    Inspector,
    answers::{Answers, secret_sources},
    answers_of,
    check::in_quarantine,
    drop_ins::with_given,
    inputs::{InputError, Inputs, LayerName, by_layer, left_out},
    silent::{SilentReason, SilentSetting, silent},
};
use crate::{
    Capacitor, Config, Report,
    engine::{
        self, AnySnapshot, EvaluationInput, LayerContent, Question, RunningConfiguration, Schema,
        Status,
    },
    pipeline::PartyAnswer,
    problem::{ProblemKind, Seg},
    report::{Keeping, Problem, outgoing::SecretBook},
    runtime,
    schema::TypeFacts,
    source::Observation,
};
use std::{
    collections::BTreeSet,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::Arc,
};

/// What a plan with missing values does not show.
const NOT_BUILT: &str = "values are missing that come later, so that neither the rules on changes nor parties were asked";

/// What documents would change in the configuration that runs. `Display` prints it, `Serialize` gives the fields under their names.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PlannedUpdate {
    /// The settings that would change, in the order of the fields. Of a refused update as far as it can be known.
    pub changes: Vec<PlannedChange>,
    /// The content that would not be applied, since processes died with it and it is in quarantine: of which layer, why, and what ends
    /// that.
    pub quarantined: Vec<String>,
    /// Why it would be refused: which rule, or which rule on changes, where.
    pub refused: Option<Report>,
    /// Why newest content of other layers than the given ones is refused now: the plan is beside what readers see of these layers, and
    /// none of that content. None where nothing is refused.
    pub standing: Option<Report>,
    /// What the given documents set that would have no effect, and what they set so far that has lost it: a higher layer has the path.
    pub hidden: Vec<SilentSetting>,
    /// What would not refuse it.
    pub warnings: Vec<Problem>,
    /// Values that are missing and come later: of [`Inputs::partial`] ones, or where a layer is left out that may have them.
    pub missing: Vec<Problem>,
    /// What the parties of the program answered in a dry run, in their order; empty unless they were asked
    /// ([`Capacitor::plan_with_parties`]).
    pub parties: Vec<PartyAnswer>,
    /// What is to be known besides.
    pub notes: Vec<String>,
    /// Why something that was to be looked at, or a party that was to be asked, was not.
    #[cfg_attr(
        not(any(feature = "cli", feature = "page")),
        allow(dead_code, reason = "a command has a code for it")
    )]
    pub(crate) unasked: Vec<Placeless>,
    /// The file of each layer that is read from one.
    #[cfg_attr(
        not(feature = "cli"),
        allow(dead_code, reason = "for those who annotate files")
    )]
    pub(crate) files: Vec<Option<PathBuf>>,
}

impl<C: Config> Capacitor<C> {
    /// What these documents would change in the configuration that runs: which settings, from which value to which, what waits for a
    /// restart, what is refused by which rule, and what stays without effect because a higher layer has it. Nothing is applied.
    ///
    /// Layers for which nothing is given contain what readers see of them; those that are left out contain nothing. Stages, callbacks
    /// and parties of the program are not asked; [`plan_with_parties`](Capacitor::plan_with_parties) asks the parties.
    ///
    /// ```
    /// use flux::{Capacitor, Flux, Format, Source, inspect::Inputs, source::Channel};
    ///
    /// #[derive(Flux)]
    /// struct App {
    ///     port: u16,
    ///     #[flux(default = 4, restart)]
    ///     threads: u32,
    /// }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (document, channel) = Channel::latest("app.yaml");
    /// # let capacitor = Capacitor::<App>::builder()
    /// #     .source(Source::watcher(channel).format(Format::Yaml))
    /// #     .build()?;
    /// # document.try_send(&b"port: 80\n"[..])?;
    /// # capacitor.start().await?;
    /// let plan = capacitor.plan(&Inputs::new().layer("app.yaml", "port: 81\nthreads: 8"))?;
    /// assert_eq!(plan.to_string(), "2 settings would change
    ///   port: 80 -> 81 (app.yaml:1:7)
    ///   threads: 4 -> 8 (app.yaml:2:10), after a restart");
    /// assert_eq!(capacitor.get().port, 80);
    /// # capacitor.stop().await;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`InputError`]: no layer has the name, a file cannot be read, nothing was applied yet, or a layer's content is not known.
    pub fn plan(&self, inputs: &Inputs) -> Result<PlannedUpdate, InputError> {
        Ok(Inspector::of(self).planned(inputs)?.0)
    }

    /// [`plan`](Capacitor::plan) whose changes are those since another configuration than the one that runs.
    #[cfg(feature = "cli")]
    pub(crate) fn plan_since(
        &self,
        inputs: &Inputs,
        base: PlanBase<'_>,
    ) -> Result<PlannedUpdate, InputError> {
        Ok(Inspector::of(self).planned_since(inputs, base)?.0)
    }

    /// [`plan`](Capacitor::plan), and the answers of the program's parties: where it would be applied and changes anything, each of
    /// them [prepares](crate::change::Party::prepare), also behind one that refuses, and then all that was prepared is rolled back. The
    /// callback of [`on_apply`](crate::Builder::on_apply) is not asked: what it does cannot be rolled back. Stages and tower layers of the
    /// program have no part in it: parties are asked about what the layers make.
    ///
    /// The task of the capacitor does it between two updates, which wait for it: 10 s at most, or until the returned future is dropped.
    ///
    /// # Errors
    /// Those of [`plan`](Capacitor::plan). Parties that cannot be asked, since the capacitor does not run or this is called inside of
    /// its pipeline, are a note.
    pub async fn plan_with_parties(&self, inputs: &Inputs) -> Result<PlannedUpdate, InputError> {
        Inspector::of(self).plan_with_parties(inputs).await
    }
}

impl Inspector<'_> {
    pub(crate) async fn plan_with_parties(
        self,
        inputs: &Inputs,
    ) -> Result<PlannedUpdate, InputError> {
        let (planned, question) = self.planned(inputs)?;
        Ok(self.with_parties(planned, question).await)
    }

    /// The plan with what the parties answer to the question.
    pub(crate) async fn with_parties(
        self,
        mut planned: PlannedUpdate,
        question: Option<Question>,
    ) -> PlannedUpdate {
        if let Some(question) = question {
            match runtime::rehearse(self.instance, question).await {
                Ok(parties) => planned.parties = parties,
                Err(error) => {
                    let note = format!("the parties were not asked: {error}");
                    planned.notes.push(note.clone());
                    planned.unasked.push(Placeless::of_party(note));
                }
            }
        }
        planned
    }

    /// The plan, and what parties are to be asked; none where an update would not ask them.
    pub(crate) fn planned(
        self,
        inputs: &Inputs,
    ) -> Result<(PlannedUpdate, Option<Question>), InputError> {
        self.planned_since(inputs, PlanBase::Running)
    }

    /// [`planned`](Inspector::planned), whose changes are those since this configuration.
    fn planned_since(
        self,
        inputs: &Inputs,
        base: PlanBase<'_>,
    ) -> Result<(PlannedUpdate, Option<Question>), InputError> {
        let (schema, types, instance) = (self.schema, self.types, self.instance);
        let (old, status) = match answers_of(instance, schema, types) {
            Ok(known) => known,
            Err(_) => return Err(not_applied(&instance.status())),
        };
        let Some(current) = instance.outlet.load() else {
            return Err(not_applied(&status));
        };
        let plan = instance.plan();
        let plan = plan.ok_or_else(|| not_applied(&status))?;
        let (old, status) = match with_given(&plan, &status, inputs) {
            None => (old, status),
            Some(status) => {
                let old = Answers::new(schema, types, &status, None);
                (Arc::new(old), Arc::new(status))
            }
        };
        let planning = Planning {
            schema,
            types,
            old: &old,
            status: &status,
            current,
            base,
        };
        planning.plan(&plan, inputs)
    }
}

fn not_applied(status: &Status) -> InputError {
    InputError::NotApplied {
        name: status.name.to_string(),
        state: status.state,
    }
}

/// What runs.
struct Planning<'a> {
    schema: &'static Schema,
    types: fn() -> Vec<TypeFacts>,
    old: &'a Answers,
    status: &'a Status,
    current: AnySnapshot,
    base: PlanBase<'a>,
}

impl Planning<'_> {
    fn plan(
        &self,
        plan: &runtime::Plan,
        inputs: &Inputs,
    ) -> Result<(PlannedUpdate, Option<Question>), InputError> {
        if inputs.variables.is_some() || !inputs.arguments.is_empty() {
            return Err(InputError::NotRunning {
                what: "another environment, or other arguments,",
            });
        }
        let now = runtime::now();
        let served = &self.status.served;
        let (mut states, unknown) = plan.serving(served);
        let names = states.iter().map(|state| LayerName {
            origin: state.origin.to_string(),
            file: state.file.clone(),
            has_document: state.decoder.is_some() && state.drop_ins.is_none(),
        });
        let names: Vec<LayerName> = names.collect();
        let documents = by_layer(inputs, &names, &[])?;
        let left_out = left_out(inputs, &names, &documents)?;
        let own = names.iter().zip(&documents);
        let files = own.map(|(name, document)| match document {
            Some(document) => document.path().map(PathBuf::from),
            None => name.file.clone(),
        });
        let files: Vec<Option<PathBuf>> = files.collect();
        let mut given = Vec::new();
        for (number, state) in states.iter_mut().enumerate() {
            let observation = match (documents[number], left_out[number]) {
                (_, true) => {
                    state.optional = true;
                    Observation::Absent
                }
                (Some(document), false) => Observation::Value(document.read()?),
                (None, false) => continue,
            };
            state.observe(observation, now);
            given.push(number);
        }
        let is_given =
            |origin: &String| given.iter().any(|number| names[*number].origin == *origin);
        let unknown: Vec<String> = unknown.into_iter().filter(|one| !is_given(one)).collect();
        if !unknown.is_empty() {
            return Err(self.unknown(unknown));
        }
        let held = states.iter().zip(plan.held(&states));
        let held = held.filter_map(|(state, why)| Some(in_quarantine(&state.origin, &why?)));
        let quarantined: Vec<String> = held.collect();
        let (unknown_keys, reducer) = plan.terms();
        let before_pipeline = served.staged.as_ref().map(|staged| &staged.before_pipeline);
        let before_pipeline = before_pipeline.unwrap_or(&self.current);
        let judged = engine::evaluate(EvaluationInput {
            is_partial: inputs.is_partial || left_out.contains(&true),
            unknown: unknown_keys,
            reducer,
            running: Some(RunningConfiguration {
                current: &self.current,
                before_pipeline,
            }),
            keeping: (Keeping::WouldRefuse, Keeping::WouldApply),
            ..EvaluationInput::of_start(self.schema, states, now)
        });
        let differs = |number: &usize| {
            let (old, new) = (&served.contents[*number], &judged.served.contents[*number]);
            old.bytes() != new.bytes()
        };
        let opaque = given.iter().any(differs);
        // A document that cannot be read is not one without entries: what it would change is not known.
        let is_unread = given.iter().any(|number| {
            let mut problems = judged.refused.iter().flat_map(|report| report.problems());
            matches!(judged.served.contents[*number], LayerContent::Silent(_))
                && problems.any(|one| one.layer == Some(*number) && !one.is_warning())
        });
        let missing = judged.missing.as_ref();
        let missing = missing.map_or(Vec::new(), |report| report.problems().to_vec());
        let mut next = Status::idle(self.status.name.clone(), self.status.since);
        if let Some(warnings) = &judged.warnings {
            next.warnings = warnings.problems().to_vec();
        }
        next.served = judged.served;
        let new = Answers::new(self.schema, self.types, &next, None);
        let paths = match &judged.value {
            Some(value) => {
                let differences = || (self.schema.differences)(value, before_pipeline, opaque);
                catch_unwind(AssertUnwindSafe(differences)).unwrap_or_else(|_| vec![Vec::new()])
            }
            None => different(self.old, &new),
        };
        let waits = judged.value.as_ref().map(|_| &*judged.pending_restart);
        let mut notes = self.left_out(&names, &left_out);
        let settling = self.settling(&names, &plan.files_now(served), &given);
        notes.extend(settling.iter().map(|one| one.text.clone()));
        notes.extend(self.notes(&given, waits));
        if !missing.is_empty() && judged.refused.is_none() {
            notes.push(NOT_BUILT.to_owned());
        }
        let mut waiting = judged.pending_restart;
        // What waits already, and would go on to.
        waiting.retain(|path| {
            let (old, new) = (self.old.value(path), new.value(path));
            old.is_none() || old != new || old.is_some_and(|value| value.has_secret())
        });
        let (old, new_side) = ((self.old, self.status), (&new, &next));
        let change = |path: &Vec<Seg>, waits: bool| PlannedChange::new(path, old, new_side, waits);
        let paths = if is_unread { Vec::new() } else { paths };
        let mut changes: Vec<PlannedChange> =
            paths.iter().map(|path| change(path, false)).collect();
        changes.extend(waiting.iter().map(|path| change(path, true)));
        if judged.refused.is_some() {
            // Nothing was built to compare: what the documents make of a path may be what runs, while something else waits.
            changes.retain(|one| one.old.is_none() || one.old != one.new || one.has_secret());
        }
        let other = self.other_base(plan, &given, now);
        if let Some(other) = other.as_ref().filter(|_| !is_unread) {
            changes = other.changes_to(new_side);
        }
        let is_asked = judged.refused.is_none() && changes.iter().any(|one| !one.waits_for_restart);
        let proposed = judged.value.filter(|_| is_asked);
        let question = proposed.map(|proposed| self.question(proposed, &next));
        let hidden = self.hidden(&new, &next, &given);
        // What is hidden is listed as that.
        let is_listed = |one: &Problem| {
            one.kind == ProblemKind::Shadowed && hidden.iter().any(|known| known.path == one.path)
        };
        next.warnings.retain(|one| !is_listed(one));
        let planned = PlannedUpdate {
            changes,
            quarantined,
            refused: judged.refused,
            standing: self.standing(&given),
            hidden,
            parties: Vec::new(),
            warnings: next.warnings,
            missing,
            notes,
            unasked: settling.into_iter().collect(),
            files,
        };
        Ok((planned, question))
    }

    /// What parties are asked.
    fn question(&self, proposed: AnySnapshot, next: &Status) -> Question {
        let mut secrets = secret_sources(&self.status.served);
        let new = secret_sources(&next.served);
        secrets.documents.extend(new.documents);
        secrets.given.extend(new.given);
        let built = [(&self.current, true), (&proposed, false)];
        let built = built.map(|(one, replaced)| self.schema.built_secrets(one, replaced));
        secrets.built.extend(built);
        let contents = next.served.contents.iter();
        Question {
            previous: Some(self.current.clone()),
            proposed,
            raw: contents.map(LayerContent::bytes).collect(),
            back: false,
            transition: false,
            update: 0,
            secrets: SecretBook::of((self.schema.fields)(), secrets),
        }
    }

    /// What the given layers set in vain, unless they did so before.
    fn hidden(&self, new: &Answers, next: &Status, given: &[usize]) -> Vec<SilentSetting> {
        let is_of_given = |one: &SilentSetting| {
            matches!(one.why, SilentReason::Shadowed(_)) && given.contains(&one.setting.layer)
        };
        let key = |one: &SilentSetting| {
            let value = one.setting.value.as_ref().map(ToString::to_string);
            (one.path.to_string(), one.setting.layer, value)
        };
        let before = silent(self.old, self.status)
            .into_iter()
            .filter(is_of_given);
        let before: BTreeSet<_> = before.map(|one| key(&one)).collect();
        let mut all = silent(new, next);
        all.retain(|one| is_of_given(one) && !before.contains(&key(one)));
        all
    }
}
