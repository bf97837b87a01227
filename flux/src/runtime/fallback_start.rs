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

#[cfg(test)]
#[cfg(all(feature = "derive", feature = "file", feature = "yaml"))]
mod tests {
    use crate::{
        Capacitor, Format, Secrets, Source, State,
        change::Group,
        source::{Channel, ChannelSender},
    };
    use std::path::Path;

    #[derive(Debug, flux_derive::Flux)]
    #[flux(crate = crate)]
    struct MemberApp {
        n: u32,
    }

    async fn member(
        group: &Group,
        path: &Path,
        text: &str,
    ) -> (Capacitor<MemberApp>, ChannelSender) {
        let (sender, channel) = Channel::buffered("app", 4);
        let capacitor = Capacitor::<MemberApp>::builder()
            .source(Source::watcher(channel).format(Format::Yaml))
            .group(group)
            .last_known_good(path.to_str().unwrap(), Secrets::Omit)
            .trial(2)
            .build()
            .unwrap();
        sender.send(text.as_bytes()).await.unwrap();
        (capacitor, sender)
    }

    #[tokio::test]
    async fn a_member_of_a_group_starts_from_its_last_known_good_though_another_member_is_refused()
    {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for name in ["one", "other"] {
            let (good, _sender) = member(&Group::new(), &path(name), "n: 1").await;
            good.start().await.unwrap();
            good.stop().await;
        }
        for (document, state) in [("n: 1", State::Healthy), ("n: x", State::Degraded)] {
            let group = Group::new();
            let (one, _sender) = member(&group, &path("one"), "n: x").await;
            one.start().await.unwrap();
            assert_eq!((one.state(), one.get().n), (State::Degraded, 1));
            let (other, sender) = member(&group, &path("other"), document).await;
            other.start().await.unwrap();
            assert_eq!((other.state(), other.get().n), (state, 1));
            // What is new still waits for the group.
            sender.send(&b"n: 2"[..]).await.unwrap();
            let waits = async {
                while !other.status().to_string().contains("waits for its group") {
                    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
                }
            };
            let limit = std::time::Duration::from_secs(30);
            tokio::time::timeout(limit, waits).await.unwrap();
            assert_eq!(other.get().n, 1);
            one.stop().await;
            other.stop().await;
        }
    }

    #[test]
    fn a_last_known_good_file_that_a_source_reads_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        std::fs::write(file("app.yaml"), "n: 1").unwrap();
        std::fs::create_dir(file("keys")).unwrap();
        let build = |source: Source, keep: String| {
            let builder = Capacitor::<MemberApp>::builder().source(source);
            builder.last_known_good(&*keep, Secrets::Omit).build()
        };
        let dotted = format!("{}/./app.yaml", folder.path().display());
        let mut refused = vec![file("app.yaml"), dotted];
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(file("app.yaml"), file("link")).unwrap();
            refused.push(file("link"));
        }
        for keep in refused {
            let error = build(Source::file(file("app.yaml")), keep).unwrap_err();
            assert!(error.to_string().contains("which the source"), "{error}");
        }
        build(Source::file(file("app.yaml")), file("last.json")).unwrap();
        let inside = build(Source::dir(file("keys")), file("keys/last.json"));
        assert!(inside.is_err());
        build(Source::dir(file("keys")), file("last.json")).unwrap();
    }
}
