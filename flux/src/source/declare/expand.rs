//! What a variable or a file in a declaration is replaced with at the start, and the error where it is not set.

use crate::source::environment::{Variables, files};
use flux_syntax::Template;

/// The value of a variable, or the content of a file (`file:PATH`) without the line break at its end.
pub(super) fn value_of(name: &str, variables: &Variables) -> Option<String> {
    let Some(path) = name.strip_prefix("file:") else {
        return variables.get(name)?.into_string().ok();
    };
    files::value(path.as_ref()).ok()
}

/// Runs `expand`; a variable that cannot be read because of its bytes is the error, and not as one that is not set.
pub(super) fn in_unicode<T>(
    variables: &Variables,
    expand: impl FnOnce(&dyn Fn(&str) -> Option<String>) -> Result<T, String>,
) -> Result<T, String> {
    let unreadable = std::cell::RefCell::new(None);
    let lookup = |name: &str| {
        let value = variables.get(name);
        if value.is_some_and(|value| value.to_str().is_none()) {
            *unreadable.borrow_mut() = Some(name.to_owned());
        }
        value_of(name, variables)
    };
    expand(&lookup).map_err(|error| match unreadable.take() {
        Some(name) => format!("the environment variable {name} is not valid Unicode"),
        None => error,
    })
}

pub(crate) fn expand(template: &Template, variables: &Variables) -> Result<String, String> {
    template
        .expand(&|name| value_of(name, variables))
        .map_err(|unset| match variables.get(&unset.name) {
            Some(value) if value.to_str().is_none() => {
                let name = &unset.name;
                format!("`{template}`: the environment variable {name} is not valid Unicode")
            }
            _ => format!("`{template}`: {unset}"),
        })
}
