//! Where an explanation shows that a layer sets something: the line and column, the variable, the argument.

use super::{Fold, Here};
use crate::{
    inspect::{
        item::{Effect, LayerSetting},
        value::ConfigValue,
    },
    problem::Seg,
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
            withheld: None,
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
            withheld: whole.withheld.filter(|_| value.has_secret()),
        }
    }
}
