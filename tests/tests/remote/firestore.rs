//! What is particular to Firestore: fields, and listeners that go on from where they were.

use crate::{
    oracle::BUSY,
    watched::{Watched, document},
};
use flux::{Source, State, source};
use flux_tests::{
    proxy::Proxy,
    servers::{Firestore, Remote, ValueType},
};
use std::time::Instant;

const KEY: &str = "app/config";

fn text(text: &str) -> ValueType {
    ValueType::StringValue(text.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_document_is_json_by_its_fields() {
    let Some(server) = Firestore::start().await else {
        return;
    };
    let fields = |n| [("n", ValueType::IntegerValue(n)), ("pad", text("a \"b\""))];
    server.write_fields(KEY, &fields(1)).await;
    let source = source::Firestore::new("flux-test", KEY).emulator(server.address().to_string());
    let watched = Watched::started(Source::watcher(source)).await;
    assert_eq!(watched.capacitor.get().pad, "a \"b\"");
    server.write_fields(KEY, &fields(2)).await;
    watched.sees(2).await;
    server.write_fields(KEY, &[("n", text("many"))]).await;
    let refused = || watched.capacitor.state() == State::Degraded;
    watched.until("refused", refused).await;
    server.write_fields(KEY, &fields(3)).await;
    watched.sees(3).await;
    watched.has_applied(&[1, 2, 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_is_text_or_bytes_or_absent() {
    let Some(server) = Firestore::start().await else {
        return;
    };
    server
        .write_fields(KEY, &[("data", text("{\"n\": 1}"))])
        .await;
    let watched = Watched::started(server.source(server.address(), KEY)).await;
    let bytes = ValueType::BytesValue(document(2));
    let other = ("other", ValueType::BooleanValue(true));
    server
        .write_fields(KEY, &[("data", bytes), other.clone()])
        .await;
    watched.sees(2).await;
    for nothing in [vec![other], vec![("data", ValueType::NullValue(0))]] {
        let before = watched.capacitor.get().n;
        server.write_fields(KEY, &nothing).await;
        let gone = || watched.capacitor.state() == State::Degraded;
        watched.until("degraded", gone).await;
        assert!(!watched.capacitor.status().layers[0].present);
        assert_eq!(watched.capacitor.get().n, before, "the last one is kept");
        server.write(KEY, &document(before + 1)).await;
        watched.sees(before + 1).await;
    }
    watched.has_applied(&[1, 2, 3, 4]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_goes_on_from_where_it_was() {
    let Some(server) = Firestore::start().await else {
        return;
    };
    server.write(KEY, &document(1)).await;
    let proxy = Proxy::to(server.address()).await;
    let watched = Watched::started(server.source(proxy.address(), KEY)).await;
    let away = async || {
        proxy.cut();
        watched.until("stale", || watched.trouble().is_some()).await;
    };
    // Nothing happened meanwhile: what was known is still so.
    away().await;
    proxy.mend();
    watched.sees(1).await;
    // It was changed.
    away().await;
    server.write(KEY, &document(2)).await;
    proxy.mend();
    watched.sees(2).await;
    // It was deleted.
    away().await;
    server.delete(KEY).await;
    proxy.mend();
    let gone = || watched.capacitor.state() == State::Degraded;
    watched.until("degraded", gone).await;
    assert!(!watched.capacitor.status().layers[0].present);
    // It was made again; another one was made first.
    away().await;
    server.write("app/other", &document(9)).await;
    server.write(KEY, &document(3)).await;
    proxy.mend();
    watched.sees(3).await;
    watched.has_applied(&[1, 2, 3]);
}

/// After a refusal the credentials are read again and the project is connected anew, while another source holds the old connection.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_source_connects_anew_while_another_source_holds_the_project() {
    let Some(server) = Firestore::start().await else {
        return;
    };
    let quiet_key = "quiet/config";
    for key in [KEY, quiet_key] {
        server.write(key, &document(1)).await;
    }
    server.grant().await;
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, Firestore::guarded_token()).unwrap();
    let proxy = Proxy::to(server.address()).await;
    let source = |key: &str, resync| {
        let (address, token) = (proxy.address(), token.display());
        let options = format!("field=data&resync={resync}&emulator={address}");
        let place = format!("firestore://flux-test/{key}");
        Source::uri(format!("{place}?{options}&token=${{file:{token}}}"))
    };
    let quiet = Watched::started(source(quiet_key, "1h")).await;
    let watched = Watched::started(source(KEY, "2s")).await;
    assert_eq!(proxy.connections(), 1, "it is shared");
    server.refuse().await;
    let refused = || watched.refusal().is_some();
    watched.until("refused", refused).await;
    let anew = || proxy.connections() > 1;
    watched.until("connected anew", anew).await;
    server.grant().await;
    server.write(KEY, &document(2)).await;
    watched.sees(2).await;
    quiet.sees(1).await;
    watched.has_applied(&[1, 2]);
}

/// Deleted and made again at once, again and again: only the newest one counts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_that_is_deleted_and_made_anew_is_read() {
    let Some(server) = Firestore::start().await else {
        return;
    };
    server.write(KEY, &document(1)).await;
    let watched = Watched::started(server.source(server.address(), KEY)).await;
    for n in 2..=6 {
        server.delete(KEY).await;
        server.write(KEY, &document(n)).await;
        watched.sees(n).await;
    }
    // The same value again is no change, whether or not its absence was seen.
    server.delete(KEY).await;
    server.write(KEY, &document(6)).await;
    watched.sees(6).await;
    watched.has_applied(&[1, 2, 3, 4, 5, 6]);
}

/// All that the emulator holds is taken away while it runs, and while a listener is open.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_taken_from_the_emulator_is_absent_until_it_is_written_anew() {
    let Some(server) = Firestore::start().await else {
        return;
    };
    server.write(KEY, &document(1)).await;
    let watched = Watched::started(server.source(server.address(), KEY)).await;
    for n in 2..=4 {
        server.empty();
        let emptied = Instant::now();
        let honest = || !watched.is_live() || !watched.capacitor.status().layers[0].present;
        watched.until("absent, or stale", honest).await;
        let took = emptied.elapsed();
        assert!(took < Firestore::BOUND + BUSY, "within the bound: {took:?}");
        let absent = || watched.is_live() && !watched.capacitor.status().layers[0].present;
        watched.until("absent", absent).await;
        assert_eq!(watched.capacitor.get().n, n - 1, "the last one is kept");
        server.write(KEY, &document(n)).await;
        watched.sees(n).await;
    }
    watched.has_applied(&[1, 2, 3, 4]);
    // What is written at once hides that there was nothing.
    for n in 5..=8 {
        server.empty();
        server.write(KEY, &document(n)).await;
        watched.sees(n).await;
    }
}
