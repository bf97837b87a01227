//! The driver's part in keeping the last good configuration on disk, and in starting from it.

use super::driver::Driver;
use crate::layer::Config;
use tokio::time::Instant;

#[cfg(feature = "json")]
mod on {
    use super::{Config, Driver, Instant};
    use crate::{
        capacitor::{commit::whole_entry, slot::Version},
        observe,
        source::Health,
    };
    use std::{
        task::{Context, Poll},
        time::Duration,
    };

    /// How long silent sources are waited for where no startup timeout says it.
    const PATIENCE: Duration = Duration::from_secs(5);

    impl<C: Config> Driver<C> {
        pub(in crate::capacitor) fn plan_rescue(&mut self) {
            if self.plan.last_known_good.is_some() && self.core.generation() == 0 {
                let patience = self
                    .plan
                    .startup_timeout
                    .map_or(PATIENCE, |limit| limit / 2);
                self.rescue_at = Some(Instant::now() + patience);
            }
        }

        /// Falls back to what is kept on disk where a source is down or all have been silent for too long.
        pub(in crate::capacitor) fn rescue(&mut self, now: Instant) -> bool {
            let Some(at) = self.rescue_at else {
                return false;
            };
            let down = |health: &Health| matches!(health, Health::Stale { .. });
            let slots = &self.core.slots;
            let failing = slots.iter().any(|slot| !slot.seen() && down(&slot.health));
            (failing || at <= now) && self.fill()
        }

        /// Falls back to it where the first configuration is refused.
        pub(in crate::capacitor) fn rescue_refused(&mut self) -> bool {
            self.rescue_at.is_some() && self.fill()
        }

        /// Lets what is kept on disk stand in for layers of which nothing could be read yet. Tried once.
        fn fill(&mut self) -> bool {
            self.rescue_at = None;
            let Some(keep) = self.plan.last_known_good.clone() else {
                return false;
            };
            let found = match keep.read(C::NAME) {
                Ok(Some(found)) => found,
                Ok(None) => return false,
                Err(problem) => {
                    observe::warning(&self.core.name, &problem);
                    return false;
                }
            };
            let age = found.written.elapsed().unwrap_or_default();
            let age = Duration::from_secs(age.as_secs());
            let mut filled = false;
            for slot in &mut self.core.slots {
                if slot.accepted.is_some() {
                    continue;
                }
                let layer = match found.layer::<C>(&slot.origin, slot.decoder.as_ref()) {
                    Ok(Some(layer)) => Some(layer),
                    // It had no document then, or it is new since.
                    Ok(None) if slot.optional && !slot.seen() => None,
                    Ok(None) => continue,
                    Err(problem) => {
                        let text = format!("{}: {problem}", keep.path.display());
                        observe::warning(&self.core.name, &text);
                        continue;
                    }
                };
                if !slot.seen() {
                    let why = match &slot.health {
                        Health::Stale { error, .. } => format!("cannot be reached ({error})"),
                        _ => "has not answered yet".to_owned(),
                    };
                    let text = format!(
                        "{why}; served is the last known good configuration, {age:?} old, from {}",
                        keep.path.display()
                    );
                    slot.refusal = Some(vec![whole_entry(&slot.origin, text)]);
                }
                filled |= layer.is_some();
                slot.accepted = Some(Version::kept(layer));
            }
            let whole = (self.core.slots.iter())
                .all(|slot| slot.accepted.is_some() || slot.candidate.is_some());
            filled && whole
        }

        /// Keeps what readers see now, unless it is kept already, may still be taken back, or is itself from a file of before.
        pub(in crate::capacitor) fn save(&mut self) {
            let Some(keep) = &self.plan.last_known_good else {
                return;
            };
            if !self.core.unsaved || self.core.on_probation() || self.core.contents().is_none() {
                return;
            }
            self.core.unsaved = false;
            match keep.content(&self.core) {
                Ok(content) => self.saver.save(&keep.path, content),
                Err(problem) => {
                    let text = format!("the last known good configuration is not kept: {problem}");
                    observe::warning(&self.core.name, &text);
                }
            }
        }

        pub(in crate::capacitor) fn poll_saver(&mut self, cx: &mut Context<'_>) -> Poll<()> {
            while let Some(error) = std::task::ready!(self.saver.poll(cx)) {
                let path = self.plan.last_known_good.as_ref().map(|keep| &keep.path);
                let path = path
                    .map(|path| path.display().to_string())
                    .unwrap_or_default();
                let text =
                    format!("{path}: the last known good configuration cannot be kept: {error}");
                observe::warning(&self.core.name, &text);
            }
            Poll::Ready(())
        }

        /// Until everything is on disk.
        pub(crate) async fn saved(&mut self) {
            std::future::poll_fn(|cx| self.poll_saver(cx)).await;
        }
    }
}

#[cfg(not(feature = "json"))]
impl<C: Config> Driver<C> {
    pub(super) fn plan_rescue(&mut self) {}
    pub(super) fn rescue(&mut self, _: Instant) -> bool {
        false
    }
    pub(super) fn rescue_refused(&mut self) -> bool {
        false
    }
    pub(super) fn save(&mut self) {}
    pub(super) fn poll_saver(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<()> {
        std::task::Poll::Ready(())
    }
    pub(crate) async fn saved(&mut self) {}
}
