//! The socket at which a running program answers its own command line: which addresses are accepted, what may be asked, and how
//! large a request may be.
//!
//! A Unix domain socket that its owner alone can open (mode 0600). A request is one line of JSON, an answer is lines of JSON with what
//! is to be printed; both are bounded, and so are the clients and their time. Answers are those of [`inspect`](crate::inspect): no
//! secret is in them, and nothing that is asked changes anything, but for one order: `trust`. The mode of the file decides who may give
//! it: the user of the program could as well remove the record.

#[cfg(unix)]
mod client;
#[cfg(unix)]
mod connect;
mod request;
#[cfg(unix)]
mod server;
#[cfg(unix)]
mod socket;
#[cfg(unix)]
mod standing;

#[cfg(unix)]
pub(super) use client::ask;
pub(super) use request::{AdminQuestion, AdminRequest};

use crate::{Builder, Config, engine::Schema, runtime::Companion};
#[cfg(unix)]
use crate::{
    engine::{Fingerprint, FingerprintKey},
    inspect::schema_text,
};
use std::sync::Arc;

/// What an address begins with.
const UNIX: &str = "unix:";
/// The largest request, in bytes.
#[cfg(unix)]
const LARGEST_REQUEST: usize = 4 << 20;

/// What a config type declares, in short: equal in all builds with the same fields, defaults, rules and docs.
#[cfg(unix)]
pub(super) fn declaration<C: Config>() -> String {
    let schema = schema_text::<C>(true, "");
    let hash = Fingerprint::of(FingerprintKey(0, 0), Some(schema.as_bytes()));
    format!("{:032x}", hash.0)
}

/// The path of an address.
fn path_of(address: &str) -> Result<&str, String> {
    match address.strip_prefix(UNIX) {
        Some(path) if !path.is_empty() => Ok(path),
        _ => Err(format!(
            "`admin` is the address of a Unix domain socket, as in `unix:/run/app.sock`, not `{}`",
            crate::problem::escaped(address)
        )),
    }
}

impl<C: Config> Builder<C> {
    /// Opens a Unix domain socket while the capacitor runs, at which the program answers its own command line: `config plan`, `show`,
    /// `explain`, `status`, `diff`, `watch` and `trust` of [`cli`](crate::cli) are then about the running process. The address is `unix:PATH`; `${NAME}` in
    /// the attribute `admin` is read from the environment.
    ///
    /// Only the user that the program runs as (and root) can open it: its mode is 0600 from the first moment on. A user who can
    /// open it sees what `effective`, `explain` and `plan` answer, never a secret, makes parties prepare for a plan and roll back, and
    /// may give one order, [`trust`](crate::Capacitor::trust); nothing else can be changed. Its folder must be writable for no other user: `/run/app`, not `/tmp`, where another user could make a socket of
    /// that name while the program does not run, and receive the documents of a `config plan`. Eight clients are served at a time, with
    /// 4 MiB a request and 10 s for it.
    ///
    /// A socket that a dead process left behind is replaced. A file of another kind, or a socket at which somebody answers, is refused by
    /// [`start`](crate::Capacitor::start), as is any address on systems without such sockets. Once the capacitor stops, the socket is
    /// removed.
    ///
    /// ```
    /// # #[derive(flux::Flux)] struct AppConfig { port: u16 }
    /// # fn build() -> Result<flux::Capacitor<AppConfig>, flux::Error> {
    /// flux::Capacitor::<AppConfig>::builder()
    ///     .source(flux::Source::file("app.yaml"))
    ///     .admin("unix:/run/app.sock")
    ///     .build()
    /// # }
    /// ```
    #[must_use]
    pub fn admin(mut self, address: impl Into<flux_syntax::Template>) -> Self {
        let (schema, types) = (Schema::of::<C>(), C::types as fn() -> _);
        let companion: Companion = Arc::new(move |instance, address| {
            let path = path_of(address)?;
            #[cfg(unix)]
            return match instance.downcast() {
                Ok(instance) => server::serve(path, instance, schema, types, declaration::<C>),
                Err(_) => Err("the instance is of another kind".to_owned()),
            };
            #[cfg(not(unix))]
            {
                let _ = (instance, schema, types);
                Err(format!(
                    "`admin = \"unix:{path}\"`: this system has no Unix domain sockets"
                ))
            }
        });
        self.spec.options.admin = Some((address.into(), companion));
        self
    }

    /// Where the running program answers, if it does.
    pub(super) fn admin_path(&self) -> Option<Result<std::path::PathBuf, String>> {
        let (address, _) = self.spec.options.admin.as_ref()?;
        let address = crate::source::declare::expand(address, &Default::default());
        Some(address.and_then(|address| path_of(&address).map(Into::into)))
    }
}
