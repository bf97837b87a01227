//! A source whose password or token is a file: `${file:/run/secrets/token}` is read for every session, so that one that was renewed is
//! taken up.

use flux_syntax::Remote;

use crate::source::{DynWatcher, Observer, Session, SourceError, Terms};

/// The value of a variable, or the content of a file.
pub(crate) type Lookup = Box<dyn Fn(&str) -> Option<String> + Send>;

/// Opens the place anew where what it is made of has changed.
pub(crate) struct Renewed {
    template: Remote,
    lookup: Lookup,
    place: Remote<String>,
    watcher: Box<dyn DynWatcher>,
}

impl Renewed {
    /// `place` is what the template was when the program started.
    pub(crate) fn open(
        template: Remote,
        place: Remote<String>,
        lookup: Lookup,
    ) -> Result<Self, String> {
        Ok(Renewed {
            template,
            lookup,
            watcher: super::open::open(place.clone())?,
            place,
        })
    }

    fn renew(&mut self) -> Result<(), String> {
        let place = self.template.expand(&self.lookup)?;
        if place != self.place {
            self.watcher = super::open::open(place.clone())?;
            self.place = place;
        }
        Ok(())
    }
}

impl DynWatcher for Renewed {
    fn origin(&self) -> String {
        self.watcher.origin()
    }

    fn watch<'a>(&'a mut self, observer: &'a Observer) -> Session<'a> {
        match self.renew() {
            Ok(()) => self.watcher.watch(observer),
            Err(error) => {
                let error = format!("{}: {error}", self.origin());
                Box::pin(std::future::ready(Err(SourceError::configuration(error))))
            }
        }
    }

    fn terms(&self) -> Terms {
        self.watcher.terms()
    }
}
