//! What is shown of settings that wait for a restart: the value that runs, and the one that waits.

use flux::{
    Capacitor, Flux, Format, Source,
    inspect::{ConfigValue, Inputs},
    source::{Channel, ChannelSender},
};
use std::collections::BTreeMap;

#[derive(Flux, Debug, Clone)]
struct App {
    port: u16,
    #[flux(default = 1, restart)]
    threads: u32,
    #[flux(restart)]
    address: Option<String>,
    #[flux(default, restart)]
    labels: BTreeMap<String, u32>,
    #[flux(nested, default, restart)]
    pool: Pool,
    #[flux(nested, default)]
    tenants: BTreeMap<String, Tenant>,
    #[flux(secret, default = "changeit", restart)]
    token: String,
}

#[derive(Flux, Debug, Clone, PartialEq)]
struct Pool {
    #[flux(default = 1)]
    min: u32,
    #[flux(default = 9)]
    max: u32,
}

impl Default for Pool {
    fn default() -> Self {
        Pool { min: 1, max: 9 }
    }
}

#[derive(Flux, Debug, Clone, PartialEq)]
struct Tenant {
    #[flux(default = 1, restart)]
    max: u32,
}

async fn app(text: &str) -> (ChannelSender, Capacitor<App>) {
    let (sender, channel) = Channel::buffered("app.yaml", 4);
    let app = Capacitor::<App>::builder()
        .source(Source::watcher(channel).format(Format::Yaml))
        .generations(4)
        .manual()
        .build()
        .unwrap();
    sender.send(text.as_bytes().to_vec()).await.unwrap();
    app.start().await.unwrap();
    (sender, app)
}

async fn write(sender: &ChannelSender, app: &Capacitor<App>, text: &str) {
    sender.send(text.as_bytes().to_vec()).await.unwrap();
    app.process().await.unwrap();
}

fn shown(app: &Capacitor<App>) -> String {
    app.effective().unwrap().to_string()
}

#[tokio::test]
async fn the_value_that_runs_is_shown_and_the_one_that_waits_is_named() {
    let (sender, app) = app("port: 1\nthreads: 2\nlabels: {a: 1}\ntenants: {x: {max: 3}}").await;
    write(
        &sender,
        &app,
        "port: 2\nthreads: 4\naddress: here\nlabels: {b: 2}\npool: {min: 2}\ntenants: {x: {max: 5}}\ntoken: hunter2",
    )
    .await;
    let now = app.get();
    assert_eq!((now.port, now.threads, now.pool.min), (2, 2, 1));
    let expected = "port: 2
# waits for a restart of the program: 2 runs, 4 waits
threads: 2
# address:  # waits for a restart of the program: nothing runs, \"here\" waits
# waits for a restart of the program: {\"a\": 1} runs, {\"b\": 2} waits
labels: {a: 1}
pool:
  # min:  # waits for a restart of the program: its default runs, 2 waits
  max: 9
tenants:
  x:
    # waits for a restart of the program: 3 runs, 5 waits
    max: 3
";
    let whole = shown(&app);
    assert!(whole.starts_with(expected), "{whole}");
    assert!(!whole.contains("hunter2"), "{whole}");
    let json: serde_json::Value =
        serde_json::from_str(&app.effective().unwrap().print(Format::Json)).unwrap();
    assert_eq!(
        (&json["threads"], &json["tenants"]["x"]["max"]),
        (&2.into(), &3.into())
    );
    let pending = app.effective().unwrap();
    assert!(
        pending
            .pending()
            .contains(&"threads: waits for a restart of the program: 2 runs, 4 waits".to_owned()),
        "{:?}",
        pending.pending()
    );
    let origins = pending.with_origins().to_string();
    assert!(
        origins.contains("threads: 2  # app.yaml:2:10, as it was then\n"),
        "{origins}"
    );
    let max = app.explain("tenants.x.max").unwrap();
    assert_eq!(max.value, Some(ConfigValue::Number("3".to_owned())));
    let token = app.explain("token").unwrap();
    assert_eq!(token.value, Some(ConfigValue::Secret));
    assert_eq!(
        token.notes,
        ["waits for a restart of the program: a secret runs, another one waits"]
    );
    // What is planned begins at what runs.
    let plan = app
        .plan(&Inputs::new().layer("app.yaml", "port: 2\nthreads: 8"))
        .unwrap()
        .to_string();
    assert!(
        plan.contains("threads: 2 -> 8 (app.yaml:2:10), after a restart"),
        "{plan}"
    );
}

#[tokio::test]
async fn the_value_that_runs_is_the_first_one_however_often_the_next_one_changes() {
    let (sender, app) = app("port: 1\nthreads: 2").await;
    for (port, threads) in [(2, 3), (3, 4), (3, 5)] {
        write(&sender, &app, &format!("port: {port}\nthreads: {threads}")).await;
        let note = format!("# waits for a restart of the program: 2 runs, {threads} waits");
        assert!(shown(&app).contains(&note), "{}", shown(&app));
    }
    // Back at what runs: nothing waits.
    write(&sender, &app, "port: 4\nthreads: 2").await;
    assert!(!shown(&app).contains("waits"), "{}", shown(&app));
    assert_eq!(app.explain("threads").unwrap().pending, None);
    write(&sender, &app, "port: 5\nthreads: 6").await;
    write(&sender, &app, "port: 6").await;
    assert!(
        shown(&app).contains("2 runs, 1 waits")
            || shown(&app).contains("2 runs, its default waits"),
        "{}",
        shown(&app)
    );
    let before = app.status().generation - 1;
    app.rollback(before).await.unwrap();
    // A restart would read what is newest.
    assert!(shown(&app).contains("2 runs, 1 waits"), "{}", shown(&app));
}
