//! A start from the last known good configuration on disk, while sources do not answer or hold a refused document.

use super::last_known_good::KeepOnDisk;
use crate::{engine::Engine, observe, source::Health};
use std::time::Duration;

/// How long silent sources are waited for where no startup timeout limits it.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// Lets what is kept on disk serve for layers of which nothing could be read yet; answers whether every layer can take part in an
/// update now.
pub(super) fn fill(engine: &mut Engine, keep: &KeepOnDisk) -> bool {
    let schema = engine.layers.schema;
    let name = engine.name().to_owned();
    let found = match keep.read(schema.name) {
        Ok(Some(found)) => found,
        Ok(None) => return false,
        Err(problem) => {
            observe::warning(&name, &engine.layers.secret_book().safe(&problem));
            return false;
        }
    };
    let age = found.written.elapsed().unwrap_or_default();
    let age = Duration::from_secs(age.as_secs());
    let mut filled = false;
    let secrets = engine.layers.secret_book();
    let keys = engine.layers.keys();
    for (state, key) in engine.layers.states.iter_mut().zip(keys) {
        if state.is_accepted() {
            continue;
        }
        let path = keep.path.display();
        let layer = match found.layer(schema, &key, state.decoder.as_ref()) {
            Ok(Some((layer, warnings))) => {
                for warning in warnings {
                    let text = format!("{path}: what was kept of {key}: {warning}");
                    observe::warning(&name, &secrets.safe(&text));
                }
                Some(layer)
            }
            // It had no document then, or it is new since.
            Ok(None)
                if state.optional && (!state.answered() || state.quarantine_reason().is_some()) =>
            {
                None
            }
            Ok(None) => continue,
            Err(problem) => {
                let text = format!("{path}: {problem}");
                observe::warning(&name, &secrets.safe(&text));
                continue;
            }
        };
        let why = match (&state.health, state.quarantine_reason()) {
            (_, Some(why)) => Some(why.to_owned()),
            _ if state.answered() => None,
            (Health::Stale { error, .. }, None) => Some(format!("cannot be reached ({error})")),
            _ => Some("has not answered yet".to_owned()),
        };
        let why = why.map(|why| {
            format!("{why}; served is the last known good configuration, {age:?} old, from {path}")
        });
        filled |= layer.is_some();
        state.fill(layer, why);
    }
    filled && engine.layers.states.iter().all(|state| state.is_usable())
}
