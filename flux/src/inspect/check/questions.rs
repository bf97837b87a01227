//! What a configuration that was judged answers once somebody asks: explanations, the whole of it, its fingerprint, settings without
//! effect.

use super::{Checked, CheckedLayer};
use crate::{
    Report,
    engine::{Evaluation, Schema, Status},
    inspect::{
        answers::Answers,
        effective::Effective,
        error::ExplainError,
        explanation::Explanation,
        fingerprint::{ConfigFingerprint, fingerprint},
        silent::{EMPTY, SilentSetting, empty, silent},
    },
    schema::TypeFacts,
};
use std::sync::OnceLock;

impl Checked {
    pub(in crate::inspect) fn new(
        schema: &'static Schema,
        types: fn() -> Vec<TypeFacts>,
        name: String,
        judged: Evaluation,
        layers: Vec<CheckedLayer>,
    ) -> Self {
        let problems = |report: &Option<Report>| match report {
            Some(report) => report.problems().to_vec(),
            None => Vec::new(),
        };
        let mut status = Status::idle(name, std::time::SystemTime::now());
        status.warnings = problems(&judged.warnings);
        status.served = judged.served;
        Checked {
            warnings: status.warnings.clone(),
            missing: problems(&judged.missing),
            layers,
            notes: empty(&status.served)
                .map(|one| format!("`{}` at {}: {EMPTY}", one.path, one.setting))
                .collect(),
            schema,
            types,
            answers: OnceLock::new(),
            status,
        }
    }

    /// The content that a start would not apply, since processes died with it.
    pub(crate) fn quarantined(&self) -> Vec<String> {
        let layers = self.layers.iter();
        let held = layers.filter_map(|layer| layer.why_quarantined());
        held.collect()
    }

    pub(crate) fn is_quarantined(&self) -> bool {
        self.layers.iter().any(|layer| layer.quarantined.is_some())
    }

    pub(in crate::inspect) fn answers(&self) -> &Answers {
        if let Some(known) = self.answers.get() {
            return known;
        }
        // Not while the cell is held: types of the program read the documents, and may ask in turn.
        let answers = Answers::new(self.schema, self.types, &self.status, None);
        self.answers.get_or_init(|| answers)
    }

    /// [`Capacitor::explain`](crate::Capacitor::explain) of what would be applied.
    ///
    /// # Errors
    /// [`ExplainError`]: no field is at the path.
    pub fn explain(&self, path: &str) -> Result<Explanation, ExplainError> {
        self.answers().explain(path, &self.status)
    }

    /// [`Capacitor::explain_all`](crate::Capacitor::explain_all) of what would be applied.
    pub fn explain_all(&self) -> Vec<Explanation> {
        self.answers().all(&self.status)
    }

    /// [`Capacitor::effective`](crate::Capacitor::effective) of what would be applied.
    pub fn effective(&self) -> Effective {
        Effective::new(self.answers(), &self.status)
    }

    /// [`Capacitor::fingerprint`](crate::Capacitor::fingerprint) of what would be applied, or
    /// [`fingerprint_with`](crate::Capacitor::fingerprint_with) a key. Where nothing is missing, an instance that applies the same has
    /// the same one.
    pub fn fingerprint(&self, key: Option<&[u8]>) -> ConfigFingerprint {
        fingerprint(self.schema, self.types, self.answers(), &self.status, key)
    }

    /// [`Capacitor::silent`](crate::Capacitor::silent) of what would be applied.
    pub fn silent(&self) -> Vec<SilentSetting> {
        silent(self.answers(), &self.status)
    }
}

#[cfg(test)]
#[cfg(all(feature = "derive", feature = "yaml"))]
mod tests {
    use crate::{Capacitor, Format, inspect::Inputs};

    #[derive(Debug, flux_derive::Flux)]
    #[flux(crate = crate)]
    struct AskedApp {
        text: String,
    }

    #[test]
    fn a_verdict_makes_no_answers_and_the_first_question_does() {
        let inputs = Inputs::new().document("app.yaml", Format::Yaml, "text: a\nother: b");
        let checked = Capacitor::<AskedApp>::builder().check(inputs).unwrap();
        let printed = checked.to_string();
        assert!(printed.contains("other"), "{printed}");
        assert!(checked.answers.get().is_none());
        assert_eq!(checked.explain_all().len(), 1);
        assert!(checked.answers.get().is_some());
    }
}
