//! What happens between a valid value and the swap: the user's stages and the apply callback.

use crate::Snapshot;
use std::{fmt, future::Future, pin::Pin, sync::Arc};

/// An error of the user's own code.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

pub(crate) type Answer<C> = Pin<Box<dyn Future<Output = Result<Request<C>, BoxError>> + Send>>;

/// What flows through the pipeline.
pub struct Request<C> {
    /// What readers see now; none before the first.
    pub previous: Option<Arc<Snapshot<C>>>,
    /// What they are to see. A stage may replace it; what comes out is validated again.
    pub current: Arc<Snapshot<C>>,
    /// The documents it was built from, lowest layer first; none for a layer without a document.
    pub raw: Vec<Option<Arc<[u8]>>>,
}

impl<C> Request<C> {
    /// Replaces what readers are to see.
    #[must_use]
    pub fn with(mut self, value: C) -> Self {
        let generation = Snapshot::generation(&self.current);
        self.current = Arc::new(Snapshot::new(value, generation));
        self
    }
}

impl<C> Clone for Request<C> {
    fn clone(&self) -> Self {
        Request {
            previous: self.previous.clone(),
            current: Arc::clone(&self.current),
            raw: self.raw.clone(),
        }
    }
}

impl<C> fmt::Debug for Request<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("current", &self.current)
            .finish_non_exhaustive()
    }
}

/// One stage.
pub(crate) type Stage<C> = Arc<dyn Fn(Request<C>) -> Answer<C> + Send + Sync>;

/// Runs the stages in their order.
pub(crate) fn run<C: Send + Sync + 'static>(
    stages: Vec<Stage<C>>,
    mut request: Request<C>,
) -> Answer<C> {
    Box::pin(async move {
        for stage in stages {
            request = stage(request).await?;
        }
        Ok(request)
    })
}
