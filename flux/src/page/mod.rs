//! The configuration in a browser: what runs, where each value comes from, what is refused and why, followed live.
//!
//! [`page`] is a tower service for axum, or for any server that takes one. It is read-only, unless the program
//! [allows](Page::allow) more; who may read it is for the program's own authentication to decide.
//!
//! ```
//! use flux::Flux;
//!
//! #[derive(Flux)]
//! #[flux(source = "file:app.yaml")]
//! struct AppConfig {
//!     #[flux(default = 8080)]
//!     port: u16,
//! }
//!
//! let page = flux::page::<AppConfig>();
//! // axum::Router::new().nest_service("/config", page)
//! ```
//!
//! | below the prefix | answers |
//! |---|---|
//! | (nothing) | the page; with `?q=TEXT` only the settings that contain the text |
//! | `events` | server-sent events, which the page follows |
//! | `status.json` | [`Status`](crate::Status) |
//! | `settings.json` | [`Capacitor::explain_all`](crate::Capacitor::explain_all) |
//! | `explain.json?path=PATH` | [`Capacitor::explain`](crate::Capacitor::explain) |
//! | `blame.json?path=PATH` | [`Capacitor::blame`](crate::Capacitor::blame) |
//! | `effective.json`, `effective.yaml`, `effective.toml` | [`Capacitor::effective`](crate::Capacitor::effective) |
//! | `fingerprint.json` | [`Capacitor::fingerprint`](crate::Capacitor::fingerprint), whether it is partial, and that of secrets it has only whether they are set |
//! | `silent.json`; `silent` as a page | [`Capacitor::silent`](crate::Capacitor::silent) |
//! | `schema.json`, `template.yaml`, `reference.md`, `variables.env` | what may be written: [`Describe`](crate::inspect::Describe), with the prefix of the program's variables once a configuration is applied |
//! | `healthz`, `healthz?strict` | 200 or 503 and a line, for probes |
//! | `metrics` | what the program gives to [`Page::metrics`] |
//! | `control.json` | what is allowed, and the token for it |
//! | `rollback` (`to=N`), `pin`, `unpin`, `trust` | by POST, with the token, where the program allows it |
//! | `plan` (`layer=NAME`, `document=TEXT`) | [`Capacitor::plan_with_parties`](crate::Capacitor::plan_with_parties), in the same way |
//!
//! Each of them is also a query of the page itself: `/config?status.json`. The guide's page is [`guide::page`](crate::guide::page).

mod answer;
mod body;
mod control;
mod diffs;
mod events;
mod html;
mod hub;
mod listeners;
mod origin;
mod picture;
mod plan;
mod probe;
mod render;
mod route;
mod service;
mod subject;

pub use body::PageBody;
pub use control::Control;

use crate::{Capacitor, Config, Root, capacitor::global};
use hub::Hub;
use std::{fmt, sync::Arc};

/// The page of a config type's static capacitor, the one that `start()` starts. It may be made before the start.
pub fn page<C: Root>() -> Page {
    Page::new(global::capacitor::<C>())
}

/// The configuration of one capacitor as a tower service of `http::Request`. Clones are the same page. See the [module](self).
#[derive(Clone)]
pub struct Page {
    hub: Arc<Hub>,
    options: PageOptions,
}

/// What the program decides of a page.
#[derive(Clone)]
struct PageOptions {
    prefix: Option<Arc<str>>,
    is_controlled: bool,
    metrics: Option<Arc<dyn Fn() -> String + Send + Sync>>,
    listeners: usize,
}

impl Page {
    /// The page of this capacitor, which goes on as long as the page is there, as with a clone of it.
    pub fn new<C: Config>(capacitor: &Capacitor<C>) -> Self {
        Page {
            hub: Arc::new(Hub::new(Arc::new(capacitor.clone()))),
            options: PageOptions {
                prefix: None,
                is_controlled: false,
                metrics: None,
                listeners: 16,
            },
        }
    }

    /// Allows [rollback](Capacitor::rollback), [pin](Capacitor::pin), [unpin](Capacitor::unpin) and [trust](Capacitor::trust), and to
    /// ask what a document would [change](Capacitor::plan_with_parties), to whoever reaches the page: put it behind the program's own
    /// authentication. Requests must be posted, come from the page's own origin and contain its token, which
    /// is another one in each process.
    #[must_use]
    pub fn allow(mut self, control: Control) -> Self {
        let Control = control;
        self.options.is_controlled = true;
        self
    }

    /// The prefix that paths of requests have, such as `/config`, for servers without a router; slashes at its ends make no difference.
    /// axum's `nest_service` takes it away.
    #[must_use]
    pub fn at(mut self, prefix: &str) -> Self {
        let prefix = prefix.trim_matches('/');
        let slash = if prefix.is_empty() { "" } else { "/" };
        self.options.prefix = Some(format!("{slash}{prefix}").into());
        self
    }

    /// Answers `metrics` with this text, in the format of Prometheus: of the recorder that the program has installed for the feature
    /// `metrics`, such as `move || handle.render()` of a `PrometheusHandle`. It is called at each request, and must not block.
    #[must_use]
    pub fn metrics(mut self, render: impl Fn() -> String + Send + Sync + 'static) -> Self {
        self.options.metrics = Some(Arc::new(render));
        self
    }

    /// How many browsers may follow the page live at the same time; 16 unless set. More of them are answered with 503, and show what
    /// was there when they were loaded.
    #[must_use]
    pub fn listeners(mut self, most: usize) -> Self {
        self.options.listeners = most;
        self
    }
}

impl PageOptions {
    /// What of a path is below the prefix; none where it is elsewhere.
    fn below<'p>(&self, path: &'p str) -> Option<&'p str> {
        let Some(prefix) = &self.prefix else {
            return Some(path);
        };
        let rest = path.strip_prefix(&**prefix)?;
        (rest.is_empty() || rest.starts_with('/')).then_some(rest)
    }
}

impl fmt::Debug for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Page")
            .field("capacitor", &self.hub.subject.status().name)
            .field("is_controlled", &self.options.is_controlled)
            .finish_non_exhaustive()
    }
}
