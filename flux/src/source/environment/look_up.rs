//! Where variables are looked up.

use super::{ReadElsewhere, files};
use std::{collections::HashMap, ffi::OsString, sync::Arc};

/// Where variables are looked up, and which ones are read elsewhere.
#[derive(Clone, Default)]
pub(crate) struct Variables {
    pub(super) from: LookUp,
    /// Which ones the capacitor reads besides this layer: they are not misspelt.
    pub(in crate::source) elsewhere: Arc<ReadElsewhere>,
    /// What the files contain that some of them name, where these were read already.
    pub(super) files: Option<Arc<files::FileValues>>,
}

/// In the process, or in what was given instead.
#[derive(Clone, Default)]
pub(super) enum LookUp {
    #[default]
    Process,
    Given(Arc<HashMap<String, OsString>>),
}

impl Variables {
    pub(crate) fn given(known: HashMap<String, OsString>) -> Self {
        Variables {
            from: LookUp::Given(Arc::new(known)),
            elsewhere: Arc::default(),
            files: None,
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<OsString> {
        match &self.from {
            LookUp::Process => std::env::var_os(name),
            LookUp::Given(known) => known.get(name).cloned(),
        }
    }

    /// These variables, whatever the process sets later.
    pub(super) fn as_now(&self) -> Variables {
        let from = match &self.from {
            LookUp::Process => {
                let named =
                    |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value));
                LookUp::Given(Arc::new(std::env::vars_os().filter_map(named).collect()))
            }
            LookUp::Given(known) => LookUp::Given(Arc::clone(known)),
        };
        Variables {
            from,
            elsewhere: Arc::clone(&self.elsewhere),
            files: self.files.clone(),
        }
    }

    /// The names of all that are set, in order; without those that are set to nothing, unless that is a value.
    pub(super) fn names(&self, with_empty: bool) -> Vec<String> {
        let name = |(name, value): (OsString, OsString)| {
            let name = name.into_string().ok();
            name.filter(|_| with_empty || !value.is_empty())
        };
        let mut names: Vec<String> = match &self.from {
            LookUp::Process => std::env::vars_os().filter_map(name).collect(),
            LookUp::Given(known) => {
                let known = known.iter();
                let known = known.filter(|(_, value)| with_empty || !value.is_empty());
                known.map(|(name, _)| name.clone()).collect()
            }
        };
        names.sort_unstable();
        names
    }
}
