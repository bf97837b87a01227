//! What an explanation has of the code: docs, type, default, rules and names of the field.

use super::{DefaultSetting, Explanation, Setting, ValueOrigin};
use crate::{
    inspect::wording,
    problem::{KeyPath, Seg},
    schema::Field,
};

impl Explanation {
    /// Adds what is hidden as a whole, of layers that contain nothing at the path itself.
    pub(in crate::inspect) fn with_hidden(mut self, hidden: Vec<Setting>) -> Self {
        for one in hidden {
            if self.settings.iter().all(|known| known.layer != one.layer) {
                self.settings.push(one);
            }
        }
        self.settings
            .sort_by_key(|one| std::cmp::Reverse(one.layer));
        self
    }

    pub(in crate::inspect) fn empty(path: &[Seg]) -> Self {
        Explanation {
            path: KeyPath::new(path),
            value: None,
            pending: None,
            from: ValueOrigin::Nothing,
            settings: Vec::new(),
            default: None,
            type_name: "",
            docs: String::new(),
            is_required: false,
            is_secret: false,
            rules: Vec::new(),
            change_rules: Vec::new(),
            waits_for_restart: false,
            accessor: None,
            variables: Vec::new(),
            argument: None,
            short_argument: None,
            aliases: Vec::new(),
            deprecated: None,
            notes: Vec::new(),
        }
    }

    /// What the code has of a field; of what is in it, only what holds there too.
    pub(in crate::inspect) fn of_field(
        path: &[Seg],
        field: &'static Field,
        is_field: bool,
    ) -> Self {
        let mut one = Explanation {
            is_secret: field.is_secret(),
            change_rules: wording::change_rules(field),
            waits_for_restart: field.waits_for_restart(),
            ..Explanation::empty(path)
        };
        if is_field {
            one.default = field.default().map(|default| DefaultSetting {
                text: (!field.is_secret()).then(|| default.text.to_owned()),
                value: None,
                file: default.file,
                line: default.line,
            });
            one.type_name = field.type_name();
            one.docs = wording::docs(field);
            one.is_required = field.is_required();
            one.rules = wording::rules(field);
            one.accessor = field.accessor();
            one.aliases = field.aliases().to_vec();
            one.deprecated = wording::deprecation(field);
        }
        one
    }
}
