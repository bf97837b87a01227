//! That a password or token in a file, `${file:/run/secrets/token}`, is read anew for every session, so that one that was renewed
//! is taken up.

use std::{cell::RefCell, io::Read, sync::Arc};

use flux_syntax::Remote;

use crate::source::{
    DynWatcher, Observer, Session, SourceError, Terms, UriSecrets,
    environment::files,
    error::may_pass,
    off_the_worker::{READ, read_for},
};

/// The value of a variable, or the content of a file.
pub(crate) type Lookup = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

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

    async fn renew(&mut self) -> Result<(), SourceError> {
        let (template, lookup) = (self.template.clone(), Arc::clone(&self.lookup));
        let origin = self.origin();
        let place = read_for(&self.place, READ, move || {
            expanded(&template, &*lookup, &origin)
        })
        .await?;
        if place != self.place {
            let mut opened = place.clone();
            if let Some(secrets) = &self.secrets {
                secrets.renew(&place);
                opened.given.extend(secrets.all());
            }
            self.watcher = super::open::open(opened).map_err(|error| {
                SourceError::configuration(format!("{}: {error}", self.origin()))
            })?;
            self.place = place;
        }
        Ok(())
    }
}

/// What the template is by now.
fn expanded(
    template: &Remote,
    lookup: &(dyn Fn(&str) -> Option<String> + Send + Sync),
    origin: &str,
) -> Result<Remote<String>, SourceError> {
    let passing = RefCell::new(None);
    let lookup = |name: &str| {
        let value = lookup(name);
        if let (None, Some(path)) = (&value, name.strip_prefix("file:")) {
            *passing.borrow_mut() = passing_trouble(path);
        }
        value
    };
    template
        .expand(&lookup)
        .map_err(|error| match passing.take() {
            Some(trouble) => SourceError::transient(format!("{origin}: {trouble}")),
            None => SourceError::configuration(format!("{origin}: {error}")),
        })
}

/// Why a file could not be read, where that may pass.
fn passing_trouble(path: &str) -> Option<String> {
    match readable(path)? {
        Ok(()) => Some(format!("the file `{path}` could not be read a moment ago")),
        Err(error) if may_pass(&error) => {
            Some(format!("the file `{path}` cannot be read: {error}"))
        }
        Err(_) => None,
    }
}

/// Whether a file can be read; none of what is no file, or larger than such a file may be.
fn readable(path: &str) -> Option<std::io::Result<()>> {
    match std::fs::metadata(path) {
        Ok(found) if !found.is_file() || found.len() > files::LARGEST => None,
        Ok(_) => {
            let file = std::fs::File::open(path);
            let read = file.and_then(|file| {
                let mut text = String::new();
                file.take(files::LARGEST).read_to_string(&mut text)
            });
            Some(read.map(drop))
        }
        Err(error) => Some(Err(error)),
    }
}

impl DynWatcher for Renewed {
    fn origin(&self) -> String {
        self.watcher.origin()
    }

    fn watch<'a>(&'a mut self, observer: &'a Observer) -> Session<'a> {
        Box::pin(async move {
            self.renew().await?;
            self.watcher.watch(observer).await
        })
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
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token").display().to_string();
        std::fs::write(&path, [0xff]).unwrap();
        assert_eq!(passing_trouble(&path), None, "no text");
        // It has no end.
        #[cfg(target_os = "linux")]
        assert_eq!(passing_trouble("/dev/zero"), None);
        // Reading it at its beginning is an I/O error.
        #[cfg(target_os = "linux")]
        assert!(
            passing_trouble("/proc/self/mem").is_some_and(|why| why.contains("cannot be read"))
        );
    }
}
