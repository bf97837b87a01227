//! Judges documents as a start would, without a start: the verdict of `config check`.

mod changes;
mod questions;
mod text;

use super::{
    answers::{Answers, secret_sources},
    drop_ins::{refuse_what_is_too_large, with_files},
    inputs::{InputError, InputTarget, Inputs, LayerName, by_layer, left_out, read_file},
};
use crate::{
    Builder, Config, Report, Snapshot,
    codec::Decoder,
    engine::{
        self, AnySnapshot, Evaluation, EvaluationInput, LayerState, Now, Reducer, Schema, Status,
    },
    problem::{Cx, escaped},
    report::{Entry, Keeping, Problem},
    runtime::{self, Spec, given},
    schema::TypeFacts,
    source::{
        Content, Observation, Source, SourceError,
        arguments::Arguments,
        declare::{Input, OfflineContent, OfflineLayer},
        environment::{self, Variables},
    },
};
use std::{
    path::PathBuf,
    sync::{Arc, OnceLock},
};

/// A configuration that a start would apply. `Display` prints what is to be known of it, `Serialize` gives `warnings`, `missing`, `layers`
/// and `notes`.
#[non_exhaustive]
pub struct Checked {
    /// What does not refuse it, such as keys that no field has.
    pub warnings: Vec<Problem>,
    /// Required values that no layer sets, where layers are left out, or that was asked for by [`Inputs::partial`].
    pub missing: Vec<Problem>,
    /// The layers, lowest precedence first, and what was judged of each.
    pub layers: Vec<CheckedLayer>,
    /// What is to be known besides: variables that are empty, and count as not set.
    pub notes: Vec<String>,
    pub(super) schema: &'static Schema,
    pub(super) types: fn() -> Vec<TypeFacts>,
    /// Made when somebody asks: a verdict needs none, and they cost more than it in a large document.
    answers: OnceLock<Answers>,
    pub(super) status: Status,
}

/// A layer of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckedLayer {
    /// The layer's name in reports.
    pub origin: String,
    /// Where what was judged came from.
    pub input: LayerInput,
    /// Why a start would not apply what was judged of it: it is in quarantine, since processes died with it.
    pub quarantined: Option<String>,
}

/// Where the content of a layer came from in a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LayerInput {
    /// It was given.
    Given,
    /// It was read as at a start.
    Read,
    /// It was left out: by choice, or because it is on a server, in a folder or with the program.
    LeftOut,
}

impl LayerInput {
    /// Its name in `Serialize`.
    pub const fn as_str(self) -> &'static str {
        match self {
            LayerInput::Given => "given",
            LayerInput::Read => "read",
            LayerInput::LeftOut => "left_out",
        }
    }
}

/// Why a check does not answer with a configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// A start would refuse it: everything that is wrong.
    #[error("{0}")]
    Refused(Report),
    /// It could not be judged.
    #[error("{0}")]
    Inputs(#[from] InputError),
}

impl CheckedLayer {
    /// The same with the layer's name.
    pub(crate) fn why_quarantined(&self) -> Option<String> {
        let why = self.quarantined.as_ref()?;
        Some(in_quarantine(&self.origin, why))
    }
}

/// What is said of a layer with such content.
pub(super) fn in_quarantine(origin: &str, why: &str) -> String {
    format!("{}: {why}", escaped(origin))
}

impl<C: Config> Builder<C> {
    /// Judges documents as a start would, without a start: nothing is watched, no server is asked, and `AppConfig::get()` is not
    /// affected. Every problem of every layer is in the answer.
    ///
    /// What is not given is read as at a start: files, and the environment. Layers on servers, in mounted folders and of the program's own
    /// watchers are left out unless a document is given for them, and so are the arguments. Where a layer is left out, values that are
    /// missing may come from it: they are listed in [`Checked::missing`], and refuse nothing. Stages that only compute
    /// (`#[flux(transform = ..)]`) run; callbacks, parties and rules on changes have no part in it.
    ///
    /// `AppConfig::check(inputs)` of [`Describe`](super::Describe) is the same for a struct that declares its sources.
    ///
    /// ```
    /// use flux::{Capacitor, Flux, Source, inspect::{CheckError, Inputs}};
    ///
    /// #[derive(Flux)]
    /// struct App {
    ///     #[flux(range = 1..=65535)]
    ///     port: u16,
    ///     #[flux(secret)]
    ///     token: String,
    /// }
    /// # fn main() -> Result<(), CheckError> {
    /// let builder = || Capacitor::<App>::builder()
    ///     .source(Source::file("app.yaml"))
    ///     .override_with(Source::env("APP_"));
    ///
    /// let good = builder().check(Inputs::new().layer("app.yaml", "port: 80").only_given())?;
    /// assert_eq!(good.missing[0].path.as_str(), "token");
    ///
    /// let bad = builder().check(Inputs::new().layer("app.yaml", "port: 0").only_given());
    /// let Err(CheckError::Refused(report)) = bad else { panic!() };
    /// assert_eq!(report.problems()[0].line, Some(1));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`CheckError::Refused`] with the report of a start; [`CheckError::Inputs`] where there is nothing to judge.
    pub fn check(self, inputs: Inputs) -> Result<Checked, CheckError> {
        self.check_with_files(&inputs).1
    }

    /// [`check`](Builder::check), and the file of each layer that was read from one.
    pub(crate) fn check_with_files(
        self,
        inputs: &Inputs,
    ) -> (Vec<Option<PathBuf>>, Result<Checked, CheckError>) {
        let name = self.spec.options.name.clone();
        match judge(self.spec, inputs) {
            Ok((judged, layers, files)) => (files, Self::verdict(name, judged, layers)),
            Err(error) => (Vec::new(), Err(error.into())),
        }
    }

    fn verdict(
        name: String,
        mut judged: Evaluation,
        layers: Vec<CheckedLayer>,
    ) -> Result<Checked, CheckError> {
        let (schema, types) = (Schema::of::<C>(), C::types as fn() -> _);
        if let Some(report) = judged.refused {
            let warnings = judged.warnings.as_ref();
            return Err(CheckError::Refused(report.with_warnings(warnings)));
        }
        if let Some(value) = judged.value.take() {
            transform::<C>(value, &judged)?;
        }
        Ok(Checked::new(schema, types, name, judged, layers))
    }
}

#[cfg(feature = "cli")]
impl<C: Config> Builder<C> {
    /// What the names of the environment's variables begin with, of each layer that reads it; later ones win.
    pub(crate) fn variable_prefixes(self) -> Vec<String> {
        let layers = self.spec.sources.into_iter().chain(self.spec.overrides);
        let prefixes = layers.filter_map(|layer| match layer.offline().content {
            OfflineContent::Given(Input::Environment(prefix, _)) => Some(prefix),
            _ => None,
        });
        prefixes.collect()
    }
}

/// The stages that only compute, which may refuse.
fn transform<C: Config>(value: AnySnapshot, judged: &Evaluation) -> Result<(), CheckError> {
    let snapshot = value.typed::<C>();
    drop(value);
    let Some(snapshot) = Arc::into_inner(snapshot) else {
        unreachable!("nobody else has what was made just now")
    };
    let mut cx = Cx::default();
    let value = Snapshot::into_value(snapshot).transformed(&mut cx);
    let problems = cx.into_problems().into_iter();
    let entries: Vec<Entry> = problems.map(|one| Entry::new("", one)).collect();
    match value.is_some() && entries.is_empty() {
        true => Ok(()),
        false => {
            let secrets = secret_sources(&judged.served);
            let report = Report::compose(C::fields(), entries, Keeping::WouldRefuse, &secrets);
            let warnings = judged.warnings.as_ref();
            Err(CheckError::Refused(report.with_warnings(warnings)))
        }
    }
}

/// What was judged, the layers, and the file of each one that was read from one.
pub(super) type JudgedLayers = (Evaluation, Vec<CheckedLayer>, Vec<Option<PathBuf>>);

/// Reads what is to be judged, and judges it.
pub(super) fn judge(mut spec: Spec, inputs: &Inputs) -> Result<JudgedLayers, InputError> {
    with_variables(&mut spec, inputs)?;
    let now = runtime::now();
    let schema = spec.options.schema;
    #[cfg(feature = "json")]
    let held = runtime::HeldContents::of(&spec);
    let mut declared: Vec<OfflineLayer> = Vec::new();
    let offline = |source: Source| with_files(offline(source, inputs), inputs);
    declared.extend(spec.sources.into_iter().flat_map(offline));
    let mut new = Vec::new();
    for document in &inputs.documents {
        if let InputTarget::New(name, format) = &document.target {
            new.push(declared.len());
            declared.push(OfflineLayer {
                origin: name.clone(),
                declared: name.clone(),
                decoder: Some(Decoder::from(*format)),
                optional: true,
                content: OfflineContent::Elsewhere,
                drop_in: None,
                searched: Vec::new(),
            });
        }
    }
    declared.extend(spec.overrides.into_iter().flat_map(offline));
    let names: Vec<LayerName> = declared.iter().map(name_of).collect();
    let documents = by_layer(inputs, &names, &new)?;
    let left_out = left_out(inputs, &names, &documents)?;
    let (mut states, mut checked, mut files) = (Vec::new(), Vec::new(), Vec::new());
    for ((layer, document), is_left_out) in declared.into_iter().zip(documents).zip(left_out) {
        let (origin, drop_in) = (layer.origin.clone(), layer.drop_in.clone());
        let declared = layer.declared.clone();
        files.push(match (document, &layer.content) {
            (Some(document), _) => document.path().map(PathBuf::from),
            (None, OfflineContent::File(path)) => Some(path.clone()),
            _ => None,
        });
        let (mut state, input) = match (document, is_left_out) {
            (_, true) => (absent(layer, now), LayerInput::LeftOut),
            (Some(_), false) if inputs.are_compared_with => {
                (absent(layer, now), LayerInput::LeftOut)
            }
            (Some(document), false) => {
                let mut state = LayerState::new(layer.origin, layer.decoder, layer.optional);
                state.observe(Observation::Value(document.read()?), now);
                (state, LayerInput::Given)
            }
            (None, false) => match inputs.kept(&layer) {
                Some(bytes) => {
                    let mut state = LayerState::new(layer.origin, layer.decoder, layer.optional);
                    let revision = None;
                    state.observe(Observation::Value(Content { bytes, revision }), now);
                    (state, LayerInput::Given)
                }
                None => read(schema, layer, spec.options.unknown, now)?,
            },
        };
        (state.drop_in, state.declared) = (drop_in, declared.into());
        states.push(state);
        checked.push(CheckedLayer {
            origin,
            input,
            quarantined: None,
        });
    }
    #[cfg(feature = "json")]
    if let Some(held) = held {
        let why = held.each(schema, &states).into_iter();
        for (layer, why) in checked.iter_mut().zip(why) {
            layer.quarantined = why;
        }
    }
    refuse_what_is_too_large(&mut states, now);
    let is_incomplete = checked
        .iter()
        .any(|layer| layer.input == LayerInput::LeftOut);
    let options = spec.options;
    let is_partial = inputs.is_partial || is_incomplete;
    let judged = evaluated(
        schema,
        options.unknown,
        options.reducer,
        states,
        is_partial,
        now,
    );
    Ok((judged, checked, files))
}

/// Looks variables up in those that are given, and gives files of variables the names that they are read by.
pub(super) fn with_variables(spec: &mut Spec, inputs: &Inputs) -> Result<(), InputError> {
    if let Some(given) = &inputs.variables {
        let given = Variables::given(given.iter().cloned().collect());
        for source in spec.sources.iter_mut().chain(&mut spec.overrides) {
            source.variables = given.clone();
        }
    }
    let named = spec.name_variables();
    named.map_err(|(origin, problem)| InputError::Declaration { origin, problem })
}

/// A layer as it is declared, with the arguments that are given.
pub(super) fn offline(mut source: Source, inputs: &Inputs) -> OfflineLayer {
    source.arguments = Arguments::Given(inputs.arguments.clone().into());
    source.offline()
}

/// What a start would make of these layers.
pub(super) fn evaluated(
    schema: &'static Schema,
    unknown: crate::Unknown,
    reducer: Option<Reducer>,
    states: Vec<LayerState>,
    is_partial: bool,
    now: Now,
) -> Evaluation {
    engine::evaluate(EvaluationInput {
        unknown,
        reducer,
        is_partial,
        keeping: (Keeping::WouldRefuse, Keeping::WouldApply),
        ..EvaluationInput::of_start(schema, states, now)
    })
}

pub(super) fn name_of(layer: &OfflineLayer) -> LayerName {
    let file = match &layer.content {
        OfflineContent::File(path) => Some(path.clone()),
        _ => None,
    };
    LayerName {
        origin: layer.origin.clone(),
        file,
        has_document: !matches!(
            layer.content,
            OfflineContent::Given(_) | OfflineContent::Files(..)
        ),
    }
}

/// A layer that contains nothing.
pub(super) fn absent(layer: OfflineLayer, now: Now) -> LayerState {
    let mut state = LayerState::new(layer.origin, layer.decoder, true);
    state.observe(Observation::Absent, now);
    state
}

/// A layer as a start would read it, where that needs no server.
pub(super) fn read(
    schema: &Schema,
    layer: OfflineLayer,
    unknown: crate::Unknown,
    now: Now,
) -> Result<(LayerState, LayerInput), InputError> {
    let (origin, decoder) = (&layer.origin, layer.decoder.clone());
    let mut state = LayerState::new(origin.clone(), decoder, layer.optional);
    match &layer.content {
        OfflineContent::Elsewhere => return Ok((absent(layer, now), LayerInput::LeftOut)),
        OfflineContent::Files(layers, files) => {
            state.drop_ins = Some(Arc::clone(layers));
            let files = files.clone();
            let of_files = files.map(|are_some| LayerState::of_files(are_some, None));
            state.observe(of_files.unwrap_or_else(Observation::Unreadable), now);
        }
        OfflineContent::Broken(problem) => {
            let (origin, problem) = (layer.origin.clone(), problem.clone());
            return Err(InputError::Declaration { origin, problem });
        }
        OfflineContent::Given(input) => {
            if let Input::Environment(prefix, _) = input
                && let Err(problem) = environment::check_names((schema.fields)(), prefix)
            {
                let origin = layer.origin.clone();
                return Err(InputError::Declaration { origin, problem });
            }
            state.give(given(schema, &layer.origin, input, unknown), now);
        }
        OfflineContent::File(path) => {
            state.file = Some(path.clone());
            state.searched.clone_from(&layer.searched);
            let observed = match read_file(path) {
                Ok(Some(bytes)) => Observation::Value(Content {
                    bytes: bytes.into(),
                    revision: None,
                }),
                Ok(None) => Observation::Absent,
                // Whoever judges may read less than the program.
                Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                    return Err(InputError::Unreadable {
                        path: path.display().to_string(),
                        error: format!(
                            "{error}; run this as the user of the program, or give a document for the layer `{origin}`"
                        ),
                    });
                }
                Err(error) => Observation::Unreadable(SourceError::permission(error.to_string())),
            };
            state.observe(observed, now);
        }
    }
    Ok((state, LayerInput::Read))
}
