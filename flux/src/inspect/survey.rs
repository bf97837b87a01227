//! Everything that the page shows of settings, made at once, and which of it is taken over from an earlier survey.

use super::{
    Inspector,
    answers::{Answers, NewestAnswers, ReadLayers},
    blame::{self, ChangedSetting},
    explanation::Explanation,
    fingerprint::{ConfigFingerprint, fingerprint, fingerprint_of},
    item::{ExplainedItem, each_leaf},
};
use crate::{
    engine::Status,
    problem::{KeyPath, Seg},
};
use std::{cell::OnceCell, collections::HashMap, sync::Arc};

/// What there is to explain of one configuration.
pub(crate) struct Survey {
    answers: Arc<Answers>,
    status: Arc<Status>,
    pub(crate) fingerprint: ConfigFingerprint,
}

/// A setting of a survey.
pub(crate) enum SurveyedSetting {
    /// As an earlier survey has it, in which it has this number.
    Known(usize),
    /// Without the revision of its layers: with it, all settings of a store would differ after each change of one.
    New(Box<Explanation>),
}

impl Inspector<'_> {
    /// The survey of what this status is about; none before the first configuration.
    pub(crate) fn survey(self, status: &Arc<Status>) -> Option<Survey> {
        let (schema, types) = (self.schema, self.types);
        if status.generation == 0 || status.served.contents.is_empty() {
            return None;
        }
        let status = Arc::clone(status);
        let known = self.instance.kept_answers();
        let known = known.and_then(|any| any.downcast::<Answers>().ok());
        if let Some(answers) = known.filter(|known| known.are_of(&status)) {
            return Some(Survey {
                fingerprint: fingerprint(schema, types, &answers, &status, None),
                answers,
                status,
            });
        }
        let read = ReadLayers::of(schema, &status.served);
        let answers = Arc::new(Answers::of(schema, types, &status, &read, None));
        let fingerprint = fingerprint_of(schema, types, &answers, &read, None);
        drop(read);
        let before = self.instance.keep_answers(Some(Arc::clone(&answers) as _));
        drop(before);
        Some(Survey {
            answers,
            status,
            fingerprint,
        })
    }

    /// What one generation changed. `known` are surveys of before.
    pub(crate) fn changed_since(
        self,
        known: Option<&Survey>,
        now: &Survey,
        generation: u64,
    ) -> Vec<ChangedSetting> {
        let known = known.map(|one| (Arc::clone(&one.answers), Arc::clone(&one.status)));
        let now = (&now.answers, &now.status);
        blame::changed_in(generation, self.schema, self.types, now, known.as_slice())
    }
}

impl Survey {
    /// Every setting, in the order of the fields. `before` is a survey of before, with the paths of its settings in their order.
    pub(crate) fn settings(&self, before: Option<(&Survey, &[&KeyPath])>) -> Vec<SurveyedSetting> {
        let same = before.filter(|(one, _)| self.answers.have_surroundings_of(&one.answers));
        let mut known = same.map(|(one, paths)| KnownSettings::of(one, paths));
        let mut all = Vec::new();
        each_leaf(self.answers.items(), &mut |path, item| {
            let known = known
                .as_mut()
                .and_then(|known| known.find(self, path, item));
            all.push(known.map_or_else(|| self.explained(path, item), SurveyedSetting::Known));
        });
        all
    }

    fn explained(&self, path: &[Seg], item: &ExplainedItem) -> SurveyedSetting {
        let mut one = self.answers.explanation(path, item, &self.status);
        for setting in &mut one.settings {
            setting.revision = None;
        }
        SurveyedSetting::New(Box::new(one))
    }
}

/// Whether a restart would read the same.
fn are_alike(one: &Option<Box<NewestAnswers>>, other: &Option<Box<NewestAnswers>>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one.are_alike(other),
        (one, other) => one.is_none() && other.is_none(),
    }
}

/// The settings of an earlier survey.
struct KnownSettings<'a> {
    survey: &'a Survey,
    paths: &'a [&'a KeyPath],
    items: Vec<&'a ExplainedItem>,
    /// Where the next one is looked for: most are where they were.
    next: usize,
    /// Made once one is elsewhere.
    by_path: OnceCell<HashMap<&'a [Seg], usize>>,
}

impl<'a> KnownSettings<'a> {
    fn of(survey: &'a Survey, paths: &'a [&'a KeyPath]) -> Self {
        let mut items = Vec::with_capacity(paths.len());
        each_leaf(survey.answers.items(), &mut |_, item| items.push(item));
        KnownSettings {
            survey,
            paths,
            items,
            next: 0,
            by_path: OnceCell::new(),
        }
    }

    /// The number of the setting of this path, if there is the same to explain of it.
    fn find(&mut self, now: &Survey, path: &[Seg], item: &ExplainedItem) -> Option<usize> {
        let is_next = self
            .paths
            .get(self.next)
            .is_some_and(|next| next.steps() == path);
        let number = match is_next {
            true => self.next,
            false => {
                let by_path = self.by_path.get_or_init(|| {
                    let paths = self.paths.iter().enumerate();
                    paths.map(|(number, path)| (path.steps(), number)).collect()
                });
                *by_path.get(path)?
            }
        };
        self.next = number + 1;
        let (before, now) = (&self.survey.answers, &now.answers);
        let is_same = self.items.get(number)?.is_alike(item)
            && before.staged.overlaps(path) == now.staged.overlaps(path)
            && before.waiting.overlaps(path) == now.waiting.overlaps(path)
            && before.running.are_alike(&now.running, path)
            && (before.running(path).is_none() || are_alike(&before.newest, &now.newest));
        is_same.then_some(number)
    }
}
