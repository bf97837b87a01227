//! That a password or token in a file, `${file:/run/secrets/token}`, is read anew for every session, so that one that was renewed
//! is taken up.

use std::{cell::RefCell, sync::Arc};

use flux_syntax::Remote;

use crate::source::{
    DynWatcher, Observer, Session, SourceError, Terms, UriSecrets, error::may_pass,
};

/// The value of a variable, or the content of a file.
pub(crate) type Lookup = Box<dyn Fn(&str) -> Option<String> + Send>;

/// Opens the place anew where what it is made of has changed.
pub(crate) struct Renewed {
    template: Remote,
    lookup: Lookup,
    place: Remote<String>,
    watcher: Box<dyn DynWatcher>,
    /// Those of earlier places are secrets still, for this source's own words and for all others.
    secrets: Option<Arc<UriSecrets>>,
}

impl Renewed {
    /// `place` is what the template was when the program started.
    pub(crate) fn open(
        template: Remote,
        place: Remote<String>,
        lookup: Lookup,
        secrets: Option<Arc<UriSecrets>>,
    ) -> Result<Self, String> {
        Ok(Renewed {
            template,
            lookup,
            watcher: super::open::open(place.clone())?,
            place,
            secrets,
        })
    }

    fn renew(&mut self) -> Result<(), SourceError> {
        let wrong = |error| SourceError::configuration(format!("{}: {error}", self.origin()));
        let passing = RefCell::new(None);
        let lookup = |name: &str| {
            let value = (self.lookup)(name);
            if let (None, Some(path)) = (&value, name.strip_prefix("file:")) {
                *passing.borrow_mut() = passing_trouble(path);
            }
            value
        };
        let place = self
            .template
            .expand(&lookup)
            .map_err(|error| match passing.take() {
                Some(trouble) => SourceError::transient(format!("{}: {trouble}", self.origin())),
                None => wrong(error),
            })?;
        if place != self.place {
            let mut opened = place.clone();
            if let Some(secrets) = &self.secrets {
                secrets.renew(&place);
                opened.given.extend(secrets.all());
            }
            self.watcher = super::open::open(opened).map_err(wrong)?;
            self.place = place;
        }
        Ok(())
    }
}

/// Why a file could not be read, where that may pass.
fn passing_trouble(path: &str) -> Option<String> {
    match std::fs::read_to_string(path) {
        Ok(_) => Some(format!("the file `{path}` could not be read a moment ago")),
        Err(error) if may_pass(&error) => {
            Some(format!("the file `{path}` cannot be read: {error}"))
        }
        Err(_) => None,
    }
}

impl DynWatcher for Renewed {
    fn origin(&self) -> String {
        self.watcher.origin()
    }

    fn watch<'a>(&'a mut self, observer: &'a Observer) -> Session<'a> {
        match self.renew() {
            Ok(()) => self.watcher.watch(observer),
            Err(error) => Box::pin(std::future::ready(Err(error))),
        }
    }

    fn terms(&self) -> Terms {
        self.watcher.terms()
    }
}

#[cfg(all(test, unix, feature = "file"))]
mod tests {
    use super::*;
    use std::io;

    #[test]
    fn a_file_that_cannot_be_read_just_now_is_no_wrong_declaration() {
        for (errno, passes) in [
            (libc::EMFILE, true),
            (libc::ENFILE, true),
            (libc::EIO, true),
            (libc::ESTALE, true),
            (libc::ENOENT, false),
            (libc::EACCES, false),
            (libc::EISDIR, false),
        ] {
            let error = io::Error::from_raw_os_error(errno);
            assert_eq!(may_pass(&error), passes, "{error}");
        }
        assert_eq!(passing_trouble("/nowhere/token"), None);
        // Reading it at its beginning is an I/O error.
        #[cfg(target_os = "linux")]
        assert!(
            passing_trouble("/proc/self/mem").is_some_and(|why| why.contains("cannot be read"))
        );
    }
}
