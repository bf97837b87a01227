//! Starts from the last known good file where a source has several files.

use crate::{
    Capacitor, Config, Error, Format, Secrets, Source,
    source::{Channel, ChannelSender, DropIns, SourceError, drop_ins::DropInLayers},
};
use std::{path::Path, sync::Arc, time::Duration};

/// Two versions of one program: the file has the name of the struct.
macro_rules! version {
    ($name:ident, $value:ty, $default:expr) => {
        mod $name {
            #[derive(Debug, flux_derive::Flux)]
            #[flux(crate = crate)]
            pub(super) struct FolderApp {
                #[flux(default = 0)]
                pub(super) n: u32,
                #[flux(default = $default)]
                pub(super) name: $value,
            }
        }
    };
}

// What wrote the file, and what reads it.
version!(before, String, "nobody");
version!(today, u32, 0);

/// A source of several files that the test feeds.
fn of_folder<C: Config>(path: &Path) -> (Capacitor<C>, ChannelSender) {
    let (sender, channel) = Channel::buffered("conf.d", 4);
    let mut source = Source::watcher(channel).format(Format::Yaml);
    let layers = DropInLayers::of("conf.d/*.yaml", None).unwrap();
    source.drop_ins = layers.map(Arc::new);
    let builder = Capacitor::<C>::builder()
        .source(source)
        .last_known_good(path.to_str().unwrap(), Secrets::Omit)
        .startup_timeout(Duration::from_secs(3));
    (builder.build().unwrap(), sender)
}

/// A file of it has another type today, so that nothing of the folder serves; and the folder does not answer, or cannot be reached.
#[tokio::test]
async fn a_silent_folder_is_not_served_without_one_of_its_kept_files() {
    for is_down in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("last.json");
        let (before, sender) = of_folder::<before::FolderApp>(&path);
        let files = DropIns::document([("10-a.yaml", "n: 1"), ("20-b.yaml", "name: b")]);
        sender.send(files).await.unwrap();
        before.start().await.unwrap();
        assert_eq!((before.get().n, &*before.get().name), (1, "b"));
        before.stop().await;
        let (after, sender) = of_folder::<today::FolderApp>(&path);
        if is_down {
            sender
                .fail(SourceError::transient("no route"))
                .await
                .unwrap();
        }
        match after.start().await {
            Ok(()) => panic!("served is {:?}", *after.get()),
            Err(Error::StartupTimeout { unfit, .. }) => {
                let unfit = unfit.unwrap();
                assert!(unfit.contains("what was kept of conf.d/20-b"), "{unfit}");
            }
            Err(other) => panic!("{other}"),
        }
        after.stop().await;
    }
}
