//! Where a layer contains something: the line and column, the variable, the argument.

use super::{Fold, Here};
use crate::{
    document::NodeId,
    inspect::{
        item::{Effect, LayerSetting},
        value::ConfigValue,
        views::LayerView,
    },
    problem::Seg,
    source::environment,
};

impl<'a> Fold<'a> {
    pub(super) fn setting(&self, here: Here<'_>, effect: Effect) -> LayerSetting {
        let view = &self.views[here.layer];
        let (variable, argument) = view.names(&self.path.borrow());
        LayerSetting {
            layer: here.layer,
            place: view.place(here.node),
            variable,
            argument,
            value: None,
            effect,
        }
    }

    /// What a layer contains at a step below what it contains as a whole.
    pub(super) fn part_setting(
        &self,
        here: Here<'_>,
        whole: &LayerSetting,
        step: Seg,
        value: &ConfigValue,
        effect: Effect,
    ) -> LayerSetting {
        let view = &self.views[here.layer];
        let (variable, argument) = match whole.variable.is_some() || whole.argument.is_some() {
            true => {
                let mut path = self.path.borrow().clone();
                path.push(step);
                view.names(&path)
            }
            false => (None, None),
        };
        LayerSetting {
            layer: whole.layer,
            place: view.place(here.node).or(whole.place),
            variable,
            argument,
            value: Some(value.clone()),
            effect,
        }
    }
}

impl LayerView<'_> {
    fn place(&self, node: Option<NodeId>) -> Option<(usize, usize)> {
        let document = self.document.as_ref().filter(|one| one.has_places())?;
        Some(document.start(node?))
    }

    /// The variable or the argument that sets a path.
    fn names(&self, path: &[Seg]) -> (Option<String>, Option<String>) {
        let variable = environment::variable_of(self.variables, path);
        let argument = (self.arguments).and_then(|set| environment::variable_of(set, path));
        (variable, argument.map(|argument| argument.name))
    }
}
