//! Answers about a configuration: why a path has its value, who changed it, what readers see as a whole, which settings are
//! useless. Made on demand from the contents of the layers; an update pays some 30 instructions for it.

mod answers;
mod blame;
mod check;
mod default;
mod describe;
mod drop_ins;
mod effective;
mod error;
mod explanation;
mod field_names;
mod fingerprint;
mod fold;
#[cfg(feature = "cli")]
mod in_place;
mod inputs;
mod into_value;
mod item;
mod json_schema;
#[cfg(feature = "cli")]
mod last_good;
mod lines;
mod manual;
mod names;
mod path_set;
mod planned;
mod print;
mod silent;
#[cfg(feature = "page")]
mod survey;
mod value;
mod views;
mod wording;

pub use crate::pipeline::{PartyAnswer, PartyVerdict};
pub use blame::{Blame, BlameOutcome, BlamedChange, ChangedSetting};
pub use check::{CheckError, Checked, CheckedLayer, LayerInput};
pub use describe::Describe;
pub use effective::Effective;
pub use error::ExplainError;
pub use explanation::{DefaultSetting, Explanation, Setting, ValueOrigin};
pub use fingerprint::ConfigFingerprint;
pub use inputs::{InputError, Inputs};
pub use item::Effect;
pub use planned::{PlannedChange, PlannedUpdate};
pub use silent::{SilentReason, SilentSetting};
pub use value::ConfigValue;

#[cfg(any(feature = "cli", feature = "page"))]
pub(crate) use describe::schema_text;
#[cfg(feature = "cli")]
pub(crate) use explanation::changed_files;
#[cfg(feature = "cli")]
pub(crate) use in_place::WITHOUT_GIVEN;
#[cfg(feature = "cli")]
pub(crate) use last_good::LastGood;
#[cfg(feature = "cli")]
pub(crate) use lines::called;
#[cfg(feature = "cli")]
pub(crate) use planned::{Placeless, PlanBase};
#[cfg(feature = "page")]
pub(crate) use survey::{Survey, SurveyedSetting};

use crate::{
    Capacitor, Config,
    engine::{Schema, Status},
    problem::KeyPath,
    runtime::Instance,
    schema::TypeFacts,
};
use answers::Answers;
use std::sync::Arc;

impl<C: Config> Capacitor<C> {
    /// Explains why a path has the value that readers see: which layer sets it and where, which layers that one hides, the default,
    /// rules and variables. See [`Explanation`]. Paths lead into lists and maps: `pool.hosts[2]`, `tenants."a.b".max`; the empty path
    /// is the configuration as a whole.
    ///
    /// The first questions about a configuration read its documents once more, each for its own path; the 33rd path makes all of them.
    /// What is found is kept until the configuration changes. It never waits for the capacitor, and works after [`stop`](Capacitor::stop) too. No secret is in the answer, not of hidden layers
    /// either.
    ///
    /// # Errors
    /// [`ExplainError`]: no field is at the path, or no configuration was applied yet.
    pub fn explain(&self, path: &str) -> Result<Explanation, ExplainError> {
        Inspector::of(self).explain(path)
    }

    /// [`explain`](Capacitor::explain) for every setting, in the order of the fields; a list or a map of values is one setting.
    ///
    /// # Errors
    /// [`ExplainError::NotApplied`] before the first configuration.
    pub fn explain_all(&self) -> Result<Vec<Explanation>, ExplainError> {
        Inspector::of(self).explain_all()
    }

    /// The whole configuration that readers see, without its secrets, to be printed as YAML, TOML or JSON. See [`Effective`].
    ///
    /// # Errors
    /// [`ExplainError::NotApplied`] before the first configuration.
    pub fn effective(&self) -> Result<Effective, ExplainError> {
        Inspector::of(self).effective()
    }

    /// Which generations changed a path, when, by which layer, and what became of each; and which changes of it were refused. See
    /// [`Blame`]. The path may lead into lists and maps, or be that of a section.
    ///
    /// It is made of what is kept anyway: the configurations that [`Builder::generations`](crate::Builder::generations) keeps (the last
    /// five by default) and the refusals that [`Builder::history`](crate::Builder::history) keeps (none by default; the newest one is
    /// known as long as it lasts). Each of them is read once more for an answer.
    ///
    /// # Errors
    /// [`ExplainError`]: no field is at the path, or no configuration was applied yet.
    pub fn blame(&self, path: &str) -> Result<Blame, ExplainError> {
        Inspector::of(self).blame(path)
    }

    /// A hash of the configuration that readers see, equal in all instances that have the same one, whatever their layers, formats and
    /// orders of keys. Of a secret it contains whether it is set; see [`fingerprint_with`](Capacitor::fingerprint_with), and
    /// [`ConfigFingerprint`] for what is equal.
    ///
    /// The documents are read once more at each call.
    ///
    /// # Errors
    /// [`ExplainError::NotApplied`] before the first configuration.
    pub fn fingerprint(&self) -> Result<ConfigFingerprint, ExplainError> {
        Inspector::of(self).hashed(None)
    }

    /// [`fingerprint`](Capacitor::fingerprint) that contains the secrets too, each as its hash under `key`, so that another secret makes
    /// another fingerprint. Instances whose fingerprints are compared need the same key. Whoever knows it can try guesses at secrets
    /// with few possible values: it is a secret itself, of at least 16 random bytes.
    ///
    /// # Errors
    /// [`ExplainError::NotApplied`] before the first configuration.
    pub fn fingerprint_with(
        &self,
        key: impl AsRef<[u8]>,
    ) -> Result<ConfigFingerprint, ExplainError> {
        Inspector::of(self).hashed(Some(key.as_ref()))
    }

    /// The settings without effect: those that a higher layer hides, those that repeat what is below them, and keys that no field has.
    /// Lists and maps to which several layers contribute are not among them.
    ///
    /// # Errors
    /// [`ExplainError::NotApplied`] before the first configuration.
    pub fn silent(&self) -> Result<Vec<SilentSetting>, ExplainError> {
        Inspector::of(self).silent()
    }
}

/// Answers about a capacitor whatever its type.
#[derive(Clone, Copy)]
pub(crate) struct Inspector<'a> {
    pub(crate) instance: &'a Instance,
    pub(crate) schema: &'static Schema,
    pub(crate) types: fn() -> Vec<TypeFacts>,
}

impl<'a> Inspector<'a> {
    pub(crate) fn of<C: Config>(capacitor: &'a Capacitor<C>) -> Self {
        Inspector {
            instance: capacitor.instance(),
            schema: Schema::of::<C>(),
            types: C::types as fn() -> _,
        }
    }

    fn answers(self) -> Result<(Arc<Answers>, Arc<Status>), ExplainError> {
        answers_of(self.instance, self.schema, self.types)
    }

    pub(crate) fn explain(self, path: &str) -> Result<Explanation, ExplainError> {
        let asked = path.parse().ok();
        let (answers, status) =
            answers_about(self.instance, self.schema, self.types, asked.as_ref())?;
        answers.explain(path, &status)
    }

    pub(crate) fn explain_all(self) -> Result<Vec<Explanation>, ExplainError> {
        let (answers, status) = self.answers()?;
        Ok(answers.all(&status))
    }

    pub(crate) fn effective(self) -> Result<Effective, ExplainError> {
        let (answers, status) = self.answers()?;
        Ok(Effective::new(&answers, &status))
    }

    pub(crate) fn blame(self, path: &str) -> Result<Blame, ExplainError> {
        let (answers, status) = self.answers()?;
        blame::blame(path, self.schema, self.types, &answers, &status)
    }

    /// What one generation changed: [`blame`](Capacitor::blame) of everything, for a single one.
    #[cfg(feature = "cli")]
    pub(crate) fn changed_in(self, generation: u64) -> Vec<ChangedSetting> {
        match self.answers() {
            Ok((answers, status)) => {
                let now = (&answers, &status);
                blame::changed_in(generation, self.schema, self.types, now, &[])
            }
            Err(_) => Vec::new(),
        }
    }

    pub(crate) fn hashed(self, key: Option<&[u8]>) -> Result<ConfigFingerprint, ExplainError> {
        let (answers, status) = self.answers()?;
        let (schema, types) = (self.schema, self.types);
        Ok(fingerprint::fingerprint(
            schema, types, &answers, &status, key,
        ))
    }

    pub(crate) fn silent(self) -> Result<Vec<SilentSetting>, ExplainError> {
        let (answers, status) = self.answers()?;
        Ok(silent::silent(&answers, &status))
    }
}

/// The answers about what readers see now.
fn answers_of(
    instance: &Instance,
    schema: &'static Schema,
    types: fn() -> Vec<TypeFacts>,
) -> Result<(Arc<Answers>, Arc<Status>), ExplainError> {
    answers_about(instance, schema, types, None)
}

/// [`answers_of`], for one path where that is all that is asked for.
fn answers_about(
    instance: &Instance,
    schema: &'static Schema,
    types: fn() -> Vec<TypeFacts>,
    asked: Option<&KeyPath>,
) -> Result<(Arc<Answers>, Arc<Status>), ExplainError> {
    let status = instance.status.load_full();
    if status.generation == 0 || status.served.contents.is_empty() {
        return Err(ExplainError::NotApplied {
            name: status.name.to_string(),
            state: status.state,
        });
    }
    let known = instance
        .kept_answers()
        .and_then(|any| any.downcast::<Answers>().ok());
    if let Some(known) = known.filter(|known| known.are_of(&status)) {
        return Ok((known, status));
    }
    let answers = Arc::new(Answers::new(schema, types, &status, asked));
    let before = instance.keep_answers(Some(Arc::clone(&answers) as _));
    drop(before);
    Ok((answers, status))
}
