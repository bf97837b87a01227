//! Which variables the declarations of a capacitor read, so that no layer of the environment takes one of them for a misspelt one.

use super::{
    Source, SourceKind,
    expand::{expand, value_of},
    opening::read,
};
use crate::source::environment::{ReadElsewhere, Variables};
use flux_syntax::Template;
use std::{cell::RefCell, sync::Arc};

/// Gives each layer what the others read. `paths` are read besides the layers.
pub(crate) fn share_variables<'a>(
    sources: &mut [Source],
    overrides: &mut [Source],
    paths: impl Iterator<Item = &'a Template>,
) {
    let mut all = ReadElsewhere::default();
    for path in paths {
        add(path, &Variables::default(), &mut all);
    }
    for source in sources.iter().chain(&*overrides) {
        // Something else may be in the place of a source already.
        let known = &source.variables.elsewhere;
        all.names.extend(known.names.iter().cloned());
        all.prefixes.extend(known.prefixes.iter().cloned());
        add_kind(&source.kind, &source.variables, &mut all);
    }
    let all = Arc::new(all);
    for source in sources.iter_mut().chain(overrides) {
        source.variables.elsewhere = Arc::clone(&all);
    }
}

/// The variables of a text.
fn add(template: &Template, variables: &Variables, all: &mut ReadElsewhere) {
    noting(variables, all, |lookup| {
        // What cannot be read is reported where the layer is opened.
        let _ = template.expand(lookup);
    });
}

/// Runs `expand`; what it looks up is a name that is read.
fn noting(
    variables: &Variables,
    all: &mut ReadElsewhere,
    expand: impl FnOnce(&dyn Fn(&str) -> Option<String>),
) {
    let names = RefCell::new(&mut all.names);
    expand(&|name: &str| {
        names.borrow_mut().insert(name.to_owned());
        value_of(name, variables)
    });
}

fn add_kind(kind: &SourceKind, variables: &Variables, all: &mut ReadElsewhere) {
    match kind {
        SourceKind::File(path) => add(path, variables, all),
        SourceKind::Search(file, folders) => {
            add(file, variables, all);
            for folder in folders {
                add(folder, variables, all);
            }
        }
        SourceKind::Env(template) => {
            add(template, variables, all);
            all.prefixes.extend(expand(template, variables).ok());
        }
        SourceKind::Uri(template) => {
            add(template, variables, all);
            if let Ok(kind) = read(template, variables) {
                add_kind(&kind, variables, all);
            }
        }
        SourceKind::Remote(place) => {
            noting(variables, all, |lookup| drop(place.expand(lookup)));
        }
        SourceKind::Args | SourceKind::Watcher(_) => {}
        #[cfg(feature = "dotenv")]
        SourceKind::Dotenv(file) => add(file, variables, all),
        #[cfg(feature = "figment")]
        SourceKind::Provider(_) => {}
    }
}
