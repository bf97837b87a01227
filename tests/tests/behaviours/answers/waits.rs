//! What waits for a restart, beside what runs: the fingerprint, a way back, a refused document, what was withdrawn.

use flux::{
    Capacitor, Flux, Format, Source,
    inspect::{BlameOutcome, ConfigValue, Inputs},
    source::{Channel, ChannelSender},
};

#[derive(Flux, Debug, Clone)]
struct App {
    #[flux(default = 100, range = 1..=10000)]
    visitors: u32,
    #[flux(default = "127.0.0.1:8080", restart)]
    address: String,
    #[flux(secret, default = "aaaaaaaa", restart)]
    token: String,
}

fn builder(channel: Channel) -> flux::Builder<App> {
    Capacitor::<App>::builder()
        .source(Source::watcher(channel).format(Format::Yaml))
        .generations(4)
        .history(8)
        .manual()
}

async fn app(text: &str) -> (ChannelSender, Capacitor<App>) {
    let (sender, channel) = Channel::buffered("app.yaml", 4);
    let app = builder(channel).build().unwrap();
    sender.send(text.as_bytes().to_vec()).await.unwrap();
    app.start().await.unwrap();
    (sender, app)
}

async fn write(sender: &ChannelSender, app: &Capacitor<App>, text: &str) {
    sender.send(text.as_bytes().to_vec()).await.unwrap();
    let _ = app.process().await;
}

const KEY: &[u8] = b"0123456789abcdef";

fn fingerprints(app: &Capacitor<App>) -> (String, String) {
    let (plain, keyed) = (app.fingerprint(), app.fingerprint_with(KEY));
    assert!(!plain.as_ref().unwrap().is_partial());
    (plain.unwrap().to_string(), keyed.unwrap().to_string())
}

fn of_start(text: &str) -> (String, String) {
    let (_sender, channel) = Channel::buffered("app.yaml", 1);
    let inputs = Inputs::new().layer("app.yaml", text);
    let checked = builder(channel).check(inputs).unwrap();
    let print = |key| checked.fingerprint(key).to_string();
    (print(None), print(Some(KEY)))
}

#[tokio::test]
async fn a_fingerprint_is_of_the_values_that_run_and_not_of_those_that_wait() {
    let (sender, app) = app("visitors: 200\n").await;
    let before = fingerprints(&app);
    assert_eq!(before, of_start("visitors: 200"));
    let waits = "visitors: 200\naddress: 9.9.9.9:9\ntoken: hunter2hunter2\n";
    write(&sender, &app, waits).await;
    assert_eq!(app.status().pending_restart, ["address", "token"]);
    assert_eq!(fingerprints(&app), before);
    // An instance that was started with it runs other values.
    assert_ne!(fingerprints(&app), of_start(waits));
    write(&sender, &app, "visitors: 300\naddress: 7.7.7.7:7\n").await;
    assert_eq!(fingerprints(&app), of_start("visitors: 300"));
    app.rollback(1).await.unwrap();
    assert_eq!(fingerprints(&app), before);
    app.pin().await.unwrap();
    write(&sender, &app, "visitors: 200\naddress: 6.6.6.6:6\n").await;
    write(&sender, &app, "visitors: 400\naddress: 5.5.5.5:5\n").await;
    assert_eq!(fingerprints(&app), before);
}

#[tokio::test]
async fn what_a_restart_would_read_is_what_the_newest_document_has_after_a_way_back() {
    let (sender, app) = app("visitors: 200\n").await;
    write(&sender, &app, "visitors: 200\n\naddress: 9.9.9.9:9\n").await;
    write(&sender, &app, "visitors: 300\naddress: 7.7.7.7:7\n").await;
    app.rollback(1).await.unwrap();
    let address = app.explain("address").unwrap();
    assert_eq!(
        address.notes,
        ["waits for a restart of the program: \"127.0.0.1:8080\" runs, \"7.7.7.7:7\" waits"]
    );
    assert_eq!(address.pending, Some(ConfigValue::Text("7.7.7.7:7".into())));
    assert_eq!(address.settings[0].to_string(), "app.yaml:2:10");
    let blame = app.blame("address").unwrap();
    let lines = blame
        .changes
        .iter()
        .filter(|one| one.outcome != BlameOutcome::Refused)
        .map(|one| (one.outcome.as_str(), one.settings[0].to_string()));
    assert_eq!(
        lines.collect::<Vec<_>>(),
        [
            (
                "waits_for_restart",
                "address: \"127.0.0.1:8080\" -> \"7.7.7.7:7\" (app.yaml:2:10)".to_owned()
            ),
            (
                "withdrawn",
                "address: \"127.0.0.1:8080\" -> \"9.9.9.9:9\" (app.yaml:3:10)".to_owned()
            ),
        ],
        "{blame}"
    );
    // Taken back, and with the value that runs.
    write(&sender, &app, "visitors: 500\n").await;
    write(&sender, &app, "visitors: 500\naddress: 9.9.9.9:9\n").await;
    let kept = app.status().generation;
    write(&sender, &app, "visitors: 600\n").await;
    app.rollback(kept).await.unwrap();
    let address = app.explain("address").unwrap();
    assert_eq!(address.pending, None);
    assert_eq!(
        address.notes,
        [
            "waits for a restart of the program no more: \"127.0.0.1:8080\" runs, and is what a restart would read"
        ]
    );
}

#[tokio::test]
async fn beside_a_refused_document_nothing_is_said_to_wait_that_a_restart_would_refuse() {
    let (sender, app) = app("visitors: 200\n").await;
    write(&sender, &app, "visitors: 200\naddress: 9.9.9.9:9\n").await;
    assert!(app.explain("address").unwrap().pending.is_some());
    write(&sender, &app, "visitors: 0\naddress: 8.8.8.8:8\n").await;
    let address = app.explain("address").unwrap();
    assert_eq!((&address.pending, address.settings.len()), (&None, 0));
    assert_eq!(
        address.notes,
        [
            "keeps its value until a restart of the program: \"127.0.0.1:8080\" runs; what the sources hold now is refused, and a restart would \
          refuse it"
        ]
    );
    let shown = app.effective().unwrap().to_string();
    assert!(!shown.contains("9.9.9.9"), "{shown}");
    let blame = app.blame("address").unwrap();
    assert!(
        matches!(blame.changes[0].outcome, BlameOutcome::Withdrawn(_)),
        "{blame}"
    );
    // Set right, it waits.
    write(&sender, &app, "visitors: 1\naddress: 8.8.8.8:8\n").await;
    let address = app.explain("address").unwrap();
    assert_eq!(address.pending, Some(ConfigValue::Text("8.8.8.8:8".into())));
}

#[tokio::test]
async fn a_wait_that_was_withdrawn_is_remembered() {
    let (sender, app) = app("visitors: 200\n").await;
    write(
        &sender,
        &app,
        "visitors: 200\naddress: 9.9.9.9:9\ntoken: hunter2hunter2\n",
    )
    .await;
    write(&sender, &app, "visitors: 200\n").await;
    assert!(app.status().pending_restart.is_empty());
    let blame = app.blame("address").unwrap();
    let [one] = &*blame.changes else {
        panic!("{blame}");
    };
    assert!(matches!(one.outcome, BlameOutcome::Withdrawn(until) if until >= one.at));
    assert_eq!(
        one.settings[0].to_string(),
        "address: \"127.0.0.1:8080\" -> \"9.9.9.9:9\" (app.yaml:2:10)"
    );
    assert!(
        blame.to_string().contains("\n  waited for a restart from "),
        "{blame}"
    );
    let whole = app.blame("").unwrap();
    let json = serde_json::to_value(&whole).unwrap();
    assert!(
        !format!("{whole}{whole:?}{json}").contains("hunter2"),
        "{whole}"
    );
    assert_eq!(json["changes"][0]["outcome"], "withdrawn");
    // As many are kept as generations.
    for number in 0..8 {
        write(
            &sender,
            &app,
            &format!("visitors: 200\naddress: '{number}'\n"),
        )
        .await;
        write(&sender, &app, "visitors: 200\n").await;
    }
    assert_eq!(app.blame("address").unwrap().changes.len(), 4);
}

#[tokio::test]
async fn each_generation_has_the_place_that_it_had_then() {
    let (sender, app) = app("token: a\n").await;
    write(&sender, &app, "# one\n# two\naddress: 9.9.9.9:9\n").await;
    let blame = app.blame("address").unwrap();
    assert_eq!(blame.changes.len(), 1, "{blame}");
    assert_eq!(blame.changes[0].outcome, BlameOutcome::WaitsForRestart);
    let lines = |app: &Capacitor<App>| -> Vec<String> {
        let blame = app.blame("visitors").unwrap();
        let settings = blame.changes.iter().flat_map(|one| &one.settings);
        settings.map(ToString::to_string).collect()
    };
    write(&sender, &app, "# one\nvisitors: 300\naddress: 9.9.9.9:9\n").await;
    let second = "visitors: 100 -> 300 (app.yaml:2:11)";
    assert_eq!(lines(&app), [second]);
    write(&sender, &app, "visitors: 300\naddress: 9.9.9.9:9\n").await;
    assert_eq!(lines(&app), [second]);
    write(&sender, &app, "address: 9.9.9.9:9\n").await;
    let third = "visitors: 300 -> 100 (the default)";
    assert_eq!(lines(&app), [third, second]);
    write(&sender, &app, "address: 9.9.9.9:9\nvisitors: 100\n").await;
    assert_eq!(lines(&app), [third, second]);
    let blame = app.blame("visitors").unwrap();
    let json = serde_json::to_value(&blame).unwrap();
    let settings = |number: usize| &json["changes"][number]["settings"][0];
    assert_eq!(settings(0)["by"], serde_json::Value::Null);
    assert_eq!(settings(0)["is_default"], true);
    assert_eq!(settings(1)["by"]["line"], 2);
}
