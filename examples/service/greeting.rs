//! The words that visitors see come from a file that the configuration names: another party, which reads it before the change.

use crate::Settings;
use flux::change::{Change, Party};
use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};

#[derive(Clone, Default)]
pub struct Greeting(Arc<Mutex<String>>);

impl Party<Settings> for Greeting {
    type Prepared = String;
    type Error = io::Error;

    async fn prepare(&self, change: &Change<Settings>) -> io::Result<String> {
        let path = change.current.greeting.clone();
        let shown = path.display().to_string();
        let read = tokio::task::spawn_blocking(move || std::fs::read_to_string(path)).await?;
        read.map_err(|error| io::Error::new(error.kind(), format!("{shown}: {error}")))
    }

    fn commit(&self, words: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = words;
    }
}

impl Greeting {
    pub fn words(&self) -> String {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
