//! The calls on a config type and on a capacitor are the same ones.

use flux::{Capacitor, Flux, Guard, Reader, Snapshot, Status};
use std::sync::Arc;

#[derive(Flux)]
#[flux(source = "env:FLUX_SURFACE_")]
struct App {
    #[flux(default = 7)]
    port: u16,
}

#[tokio::test]
async fn the_reads_on_the_type_and_on_a_capacitor_have_the_same_types() {
    App::start().await.unwrap();
    let capacitor: &Capacitor<App> = App::capacitor();
    let own = App::builder().build().unwrap();
    own.start().await.unwrap();
    let guards: [Guard<App>; 3] = [App::get(), capacitor.get(), own.get()];
    assert_eq!(guards.map(|app| app.port), [7; 3]);
    let guards: [Option<Guard<App>>; 3] = [App::try_get(), capacitor.try_get(), own.try_get()];
    assert_eq!(guards.map(|app| app.map(|app| app.port)), [Some(7); 3]);
    let snapshots: [Arc<Snapshot<App>>; 3] =
        [App::snapshot(), capacitor.snapshot(), own.snapshot()];
    assert!(Arc::ptr_eq(&snapshots[0], &snapshots[1]));
    let snapshots: [Option<Arc<Snapshot<App>>>; 3] = [
        App::try_snapshot(),
        capacitor.try_snapshot(),
        own.try_snapshot(),
    ];
    assert!(snapshots.iter().all(Option::is_some));
    let mut readers: [Reader<App>; 3] = [App::reader(), capacitor.reader(), own.reader()];
    assert!(readers.iter_mut().all(|reader| reader.get().port == 7));
    let status: [Arc<Status>; 3] = [App::status(), capacitor.status(), own.status()];
    assert!(status.iter().all(|status| status.running));
    own.stop().await;
    capacitor.stop().await;
}

#[test]
fn before_the_first_success_the_reads_panic_and_their_twins_are_none() {
    let own = App::builder().name("before").build().unwrap();
    assert!(own.try_get().is_none() && own.try_snapshot().is_none());
    let reads: [fn(&Capacitor<App>); 3] = [
        |own| drop(own.get()),
        |own| drop(own.snapshot()),
        |own| drop(own.reader()),
    ];
    for read in reads {
        let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| read(&own)))
            .expect_err("nothing is applied");
        let text = panic.downcast::<String>().expect("a sentence");
        assert!(
            text.contains("before: no configuration was applied yet"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_reader_that_is_made_before_a_change_sees_it_and_one_made_after_it_too() {
    let (sender, channel) = flux::source::Channel::buffered("channel", 4);
    let capacitor = Capacitor::<App>::builder()
        .manual()
        .source(flux::Source::watcher(channel))
        .build()
        .unwrap();
    sender.send(&b"{\"port\": 1}"[..]).await.unwrap();
    capacitor.start().await.unwrap();
    let mut first = capacitor.reader();
    assert_eq!(first.get().port, 1);
    sender.send(&b"{\"port\": 2}"[..]).await.unwrap();
    capacitor.process().await.unwrap();
    let mut second = capacitor.reader();
    sender.send(&b"{\"port\": 3}"[..]).await.unwrap();
    assert_eq!((first.get().port, second.get().port), (2, 2));
    capacitor.process().await.unwrap();
    assert_eq!((first.get().port, second.get().port), (3, 3));
}
