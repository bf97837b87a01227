//! Who changed a path: generations, refusals, and what became of them.

use flux::{
    Capacitor, Flux, Format, Source,
    change::{Change, Party},
    inspect::{BlameOutcome, ConfigValue},
    source::{Channel, ChannelSender},
};
use std::collections::BTreeMap;

#[derive(Flux, Debug)]
struct App {
    #[flux(default = 1, range = 1..=100)]
    port: u16,
    #[flux(nested)]
    pool: Pool,
    #[flux(default)]
    hosts: Vec<String>,
    #[flux(nested, default)]
    tenants: BTreeMap<String, Pool>,
    #[flux(secret, default = "a")]
    token: String,
}

#[derive(Flux, Debug, Clone, PartialEq)]
struct Pool {
    #[flux(default = 1)]
    min: u16,
    #[flux(default = 9)]
    max: u16,
}

async fn app(generations: usize) -> (ChannelSender, Capacitor<App>) {
    let (sender, channel) = Channel::buffered("app.yaml", 1);
    let capacitor = Capacitor::<App>::builder()
        .source(Source::watcher(channel).format(Format::Yaml))
        .override_with(Source::env("APP_").variables([("APP_POOL_MAX", "7")]))
        .generations(generations)
        .history(8)
        .manual()
        .build()
        .unwrap();
    sender
        .send(b"port: 2\nhosts: [a, b]\n".to_vec())
        .await
        .unwrap();
    capacitor.start().await.unwrap();
    (sender, capacitor)
}

async fn change(sender: &ChannelSender, app: &Capacitor<App>, text: &str) {
    sender.send(text.as_bytes().to_vec()).await.unwrap();
    let _ = app.process().await;
}

/// Each change: the generation, what became of it, and the settings.
fn lines(app: &Capacitor<App>, path: &str) -> Vec<String> {
    let blame = app.blame(path).unwrap();
    let line = |change: &flux::inspect::BlamedChange| {
        let number = change
            .generation
            .map_or("-".to_owned(), |number| number.to_string());
        let settings: Vec<_> = change.settings.iter().map(ToString::to_string).collect();
        format!(
            "{number} {} {}",
            change.outcome.as_str(),
            settings.join("; ")
        )
    };
    blame.changes.iter().map(line).collect()
}

#[tokio::test]
async fn a_path_has_the_generations_that_changed_it_and_the_refusals_newest_first() {
    let (sender, app) = app(8).await;
    change(&sender, &app, "port: 3\nhosts: [a, b]\n").await;
    change(&sender, &app, "port: 3\nhosts: [a, c]\n").await;
    change(&sender, &app, "port: 0\nhosts: [a, c]\n").await;
    change(&sender, &app, "hosts: [a, c]\n").await;
    assert_eq!(
        lines(&app, "port"),
        [
            "4 applied port: 3 -> 1 (the default)".to_owned(),
            "- refused port: must be in 1..=100, found 0 (app.yaml:1:7)".to_owned(),
            "2 applied port: 2 -> 3 (app.yaml:1:7)".to_owned(),
            "1 applied port = 2 (app.yaml:1:7)".to_owned(),
        ]
    );
    // The item that stayed the same was not changed by the list's change.
    assert_eq!(
        lines(&app, "hosts[1]"),
        [
            "3 applied hosts[1]: \"b\" -> \"c\" (app.yaml:2:12)",
            "1 applied hosts[1] = \"b\" (app.yaml:2:12)"
        ]
    );
    assert_eq!(lines(&app, "hosts[0]").len(), 1);
    let blame = app.blame("hosts").unwrap();
    assert_eq!(blame.changes[0].origins, ["app.yaml"]);
    assert_eq!(blame.path.as_str(), "hosts");
    // Set by the environment since the start.
    assert_eq!(
        lines(&app, "pool.max"),
        ["1 applied pool.max = 7 (variable APP_POOL_MAX)"]
    );
    assert!(lines(&app, "pool.min").is_empty());
    assert!(
        app.blame("prot")
            .unwrap_err()
            .to_string()
            .ends_with("did you mean `port`?")
    );
}

#[tokio::test]
async fn a_section_has_every_setting_in_it_that_changed() {
    let (sender, app) = app(8).await;
    change(&sender, &app, "pool: {min: 4}\ntenants: {x: {max: 5}}\n").await;
    assert_eq!(
        lines(&app, "pool")[0],
        "2 applied pool.min: 1 -> 4 (app.yaml:1:13)"
    );
    let tenants = lines(&app, "tenants");
    assert!(tenants[0].starts_with("2 applied tenants"), "{tenants:?}");
    change(&sender, &app, "pool: {min: 4}\ntenants: {x: {max: 6}}\n").await;
    assert_eq!(
        lines(&app, "tenants.x.max")[0],
        "3 applied tenants.x.max: 5 -> 6 (app.yaml:2:20)"
    );
    let all = app.blame("").unwrap();
    assert_eq!(all.changes.len(), 3, "{all}");
    assert_eq!(all.changes[1].settings.len(), 4, "{all}");
}

#[tokio::test]
async fn what_was_taken_back_is_named_so_with_the_reason() {
    let (sender, app) = app(8).await;
    change(&sender, &app, "port: 3\n").await;
    app.rollback(1).await.unwrap();
    let blame = app.blame("port").unwrap();
    assert_eq!(blame.changes.last().unwrap().outcome, BlameOutcome::Applied);
    let taken = blame
        .changes
        .iter()
        .find(|one| one.generation == Some(2))
        .unwrap();
    assert_eq!(
        taken.outcome,
        BlameOutcome::TakenBack("rolled back by hand".into())
    );
    assert!(
        blame
            .to_string()
            .contains(", taken back (rolled back by hand): port: 2 -> 3 (app.yaml:1:7)"),
        "{blame}"
    );
    let json = serde_json::to_value(&blame).unwrap();
    assert!(
        json["changes"].as_array().unwrap().iter().any(|one| {
            one["outcome"] == "taken_back"
                && one["reason"] == "rolled back by hand"
                && one["settings"][0]["new"] == 3
        }),
        "{json}"
    );
}

#[tokio::test]
async fn what_follows_a_way_back_is_compared_with_what_readers_saw_then() {
    let (sender, app) = app(8).await;
    change(&sender, &app, "port: 3\n").await;
    app.rollback(1).await.unwrap();
    change(&sender, &app, "port: 4\n").await;
    let applied = lines(&app, "port");
    assert_eq!(applied[0], "3 applied port: 2 -> 4 (app.yaml:1:7)");
}

#[tokio::test]
async fn no_secret_is_in_it_and_what_is_forgotten_is_said_so() {
    let (sender, app) = app(1).await;
    for (port, token) in [
        (3, "hunter2hunter2"),
        (4, "swordfish99"),
        (5, "correcthorse"),
    ] {
        change(&sender, &app, &format!("port: {port}\ntoken: {token}\n")).await;
    }
    change(&sender, &app, "port: 0\ntoken: batterystaple\n").await;
    let blame = app.blame("token").unwrap();
    let newest = &blame.changes[0].settings[0];
    assert_eq!(newest.new, Some(ConfigValue::Secret));
    assert!(
        newest
            .to_string()
            .starts_with("token: another secret (app.yaml:2:8)"),
        "{newest}"
    );
    let everything = app.blame("").unwrap();
    let printed = format!(
        "{blame}{blame:?}{everything}{everything:?}{}{:?}",
        serde_json::to_string(&everything).unwrap(),
        app.status().generations,
    );
    for secret in ["hunter2", "swordfish", "correcthorse", "battery"] {
        assert!(!printed.contains(secret), "{printed}");
    }
    assert_eq!(blame.changes.len(), 2, "{blame}");
    // The value before the oldest one that is kept is not known.
    assert_eq!(blame.changes[1].settings[0].old, None);
    assert!(
        blame
            .to_string()
            .contains("note: generations before 3 are not kept"),
        "{blame}"
    );
}

#[tokio::test]
async fn a_section_of_several_layers_has_each_setting_with_the_layer_that_sets_it() {
    let (_sender, app) = {
        let (sender, channel) = Channel::buffered("app.yaml", 1);
        let app = Capacitor::<App>::builder()
            .source(Source::watcher(channel).format(Format::Yaml))
            .override_with(
                Source::env("APP_").variables([("APP_POOL_MAX", "7"), ("APP_TENANTS_X_MAX", "5")]),
            )
            .generations(8)
            .manual()
            .build()
            .unwrap();
        sender.send(&b"pool: {min: 2}\ntoken: b"[..]).await.unwrap();
        app.start().await.unwrap();
        change(&sender, &app, "pool: {min: 2}\ntenants: {x: {min: 4}}").await;
        (sender, app)
    };
    assert_eq!(
        lines(&app, "pool"),
        ["1 applied pool.min = 2 (app.yaml:1:13); pool.max = 7 (variable APP_POOL_MAX)"]
    );
    let whole = lines(&app, "");
    assert_eq!(
        whole.last().unwrap(),
        "1 applied pool.min = 2 (app.yaml:1:13); pool.max = 7 (variable APP_POOL_MAX); tenants.x.max = 5 (variable APP_TENANTS_X_MAX); token = <secret> (app.yaml:2:8)"
    );
    assert_eq!(
        lines(&app, "tenants.x"),
        [
            "2 applied tenants.x.min: 1 -> 4 (app.yaml:2:20)",
            "1 applied tenants.x = {\"min\": 1, \"max\": 5} (variable APP_TENANTS_X_MAX)"
        ]
    );
}

/// Refuses a port, and quotes the token.
struct Picky;

impl Party<App> for Picky {
    type Prepared = ();
    type Error = String;
    async fn prepare(&self, change: &Change<App>) -> Result<(), String> {
        match change.current.port {
            13 => Err("no thirteen".to_owned()),
            14 => Err(format!("not with {}", change.current.token)),
            _ => Ok(()),
        }
    }
    fn commit(&self, (): ()) {}
}

#[tokio::test]
async fn what_a_party_refused_is_named_for_the_paths_that_it_would_have_changed() {
    let (sender, channel) = Channel::buffered("app.yaml", 1);
    let app = Capacitor::<App>::builder()
        .source(Source::watcher(channel).format(Format::Yaml))
        .party(Picky)
        .history(8)
        .manual()
        .build()
        .unwrap();
    sender.send(&b"port: 2"[..]).await.unwrap();
    app.start().await.unwrap();
    change(&sender, &app, "port: 13\npool: {min: 3}").await;
    for (path, shown) in [
        ("port", "port"),
        ("pool.min", "pool.min"),
        ("pool", "pool.min"),
    ] {
        let blame = app.blame(path).unwrap();
        let newest = &blame.changes[0];
        assert_eq!(newest.outcome, BlameOutcome::Refused, "{blame}");
        assert_eq!(newest.settings[0].path.as_str(), shown, "{blame}");
        let reason = newest.settings[0].problem.as_ref().unwrap();
        assert!(
            reason.contains("Picky") && reason.contains("no thirteen"),
            "{reason}"
        );
    }
    // It would not have changed this one.
    let blame = app.blame("hosts").unwrap();
    assert!(blame.changes.is_empty(), "{blame}");
    change(&sender, &app, "port: 14\ntoken: hunter2hunter2").await;
    let blame = app.blame("port").unwrap();
    assert_eq!(blame.changes.len(), 3, "{blame}");
    let printed = format!("{blame}{blame:?}{}", serde_json::to_string(&blame).unwrap());
    assert!(!printed.contains("hunter2"), "{printed}");
    app.stop().await;
}

#[derive(Flux, Debug)]
struct Server {
    #[flux(default = "here", restart)]
    address: String,
    #[flux(nested, default = Pool { min: 1, max: 9 }, restart)]
    pool: Pool,
    #[flux(secret, default = "a", restart)]
    token: String,
}

#[tokio::test]
async fn a_change_that_waits_for_a_restart_is_named_with_its_layer_until_it_ends() {
    let (sender, channel) = Channel::buffered("app.yaml", 1);
    let app = Capacitor::<Server>::builder()
        .source(Source::watcher(channel).format(Format::Yaml))
        .manual()
        .build()
        .unwrap();
    sender
        .send(&b"address: here\npool: {min: 1}"[..])
        .await
        .unwrap();
    app.start().await.unwrap();
    let text = "address: there\npool: {min: 2}\ntoken: hunter2hunter2";
    sender.send(text.as_bytes()).await.unwrap();
    app.process().await.unwrap();
    for (path, line) in [
        ("address", "address: \"here\" -> \"there\" (app.yaml:1:10)"),
        ("pool.min", "pool.min: 1 -> 2 (app.yaml:2:13)"),
        ("token", "token: another secret (app.yaml:3:8)"),
    ] {
        let blame = app.blame(path).unwrap();
        let newest = &blame.changes[0];
        assert_eq!(newest.outcome, BlameOutcome::WaitsForRestart, "{blame}");
        assert_eq!(newest.generation, None);
        assert_eq!(newest.origins, ["app.yaml"], "{blame}");
        assert_eq!(newest.settings[0].to_string(), line, "{blame}");
        assert!(
            blame.to_string().contains("\n  waits for a restart since "),
            "{blame}"
        );
        let json = serde_json::to_value(&blame).unwrap();
        assert_eq!(json["changes"][0]["outcome"], "waits_for_restart");
        assert!(!format!("{blame}{blame:?}{json}").contains("hunter2"));
    }
    let same = app.blame("pool.max").unwrap();
    let waits = |one: &flux::inspect::BlamedChange| one.outcome == BlameOutcome::WaitsForRestart;
    assert!(!same.changes.iter().any(waits), "{same}");
    assert_eq!(
        app.blame("")
            .unwrap()
            .changes
            .iter()
            .filter(|one| waits(one))
            .count(),
        3
    );
    sender.send(&b"address: here"[..]).await.unwrap();
    app.process().await.unwrap();
    assert!(!app.blame("").unwrap().changes.iter().any(waits));
    app.stop().await;
}

#[tokio::test]
async fn of_layers_that_are_joined_the_one_is_named_that_has_changed() {
    #[derive(Flux, Debug)]
    struct Joined {
        #[flux(default, merge = "append")]
        hosts: Vec<String>,
    }
    let [(low, below), (high, above)] =
        ["base.yaml", "site.yaml"].map(|name| Channel::buffered(name, 1));
    let mut builder = Capacitor::<Joined>::builder().generations(8).manual();
    for channel in [below, above] {
        builder = builder.source(Source::watcher(channel).format(Format::Yaml));
    }
    let app = builder.build().unwrap();
    for (sender, text) in [(&low, "hosts: [a]\n"), (&high, "hosts: [b]\n")] {
        sender.send(text.as_bytes().to_vec()).await.unwrap();
    }
    app.start().await.unwrap();
    low.send(b"hosts: [a, c]\n".to_vec()).await.unwrap();
    app.process().await.unwrap();
    high.send(b"hosts: [d]\n".to_vec()).await.unwrap();
    app.process().await.unwrap();
    let blame = app.blame("hosts").unwrap();
    let by = |at: usize| {
        blame.changes[at].settings[0]
            .by
            .as_ref()
            .unwrap()
            .to_string()
    };
    assert_eq!([by(0), by(1)], ["site.yaml:1:8", "base.yaml:1:8"]);
    assert_eq!(*app.get().hosts, ["a", "c", "d"]);
}
