//! What documents would change in the configuration that runs.

use super::explain::over;
use flux::{
    Capacitor, Flux, Format, Source,
    inspect::{ConfigValue, InputError, Inputs},
    report::ProblemKind,
    source::Channel,
};
use std::collections::BTreeMap;

#[derive(Flux, Debug, Clone)]
struct App {
    #[flux(default = 80, range = 1..=9999)]
    port: u16,
    #[flux(default = 100, max_change = "50%")]
    limit: u32,
    #[flux(default = 1, restart)]
    threads: u32,
    #[flux(secret, default = "changeit")]
    token: String,
    #[flux(default)]
    hosts: Vec<String>,
    #[flux(nested, default)]
    tenants: BTreeMap<String, Tenant>,
}

#[derive(Flux, Debug, Clone, PartialEq)]
struct Tenant {
    #[flux(default = 1)]
    max: u32,
}

const LOWER: &str = "port: 81\nlimit: 100\ntoken: hunter2\ntenants: {a: {max: 2}}";

async fn app() -> Capacitor<App> {
    let documents = [
        ("lower.yaml", Format::Yaml, LOWER),
        ("upper.toml", Format::Toml, "hosts = [\"a\"]"),
    ];
    over(&documents, &[("APP_PORT", "90")]).await
}

fn planned(app: &Capacitor<App>, text: &str) -> flux::inspect::PlannedUpdate {
    app.plan(&Inputs::new().layer("lower.yaml", text)).unwrap()
}

#[tokio::test]
async fn the_same_documents_change_nothing() {
    let app = app().await;
    let plan = planned(&app, LOWER);
    assert_eq!(plan.to_string(), "nothing would change");
    assert!(plan.refused.is_none() && plan.hidden.is_empty());
    let spaced = format!("# new\n\n{LOWER}");
    assert_eq!(planned(&app, &spaced).to_string(), "nothing would change");
}

#[tokio::test]
async fn changed_settings_have_both_values_and_the_place_and_nothing_is_applied() {
    let app = app().await;
    let text = "port: 82\nlimit: 120\ntoken: correct horse\nthreads: 8\nhosts: [b]\ntenants: {a: {max: 3}, b: {}}";
    let plan = planned(&app, text);
    assert_eq!(
        plan.to_string(),
        "5 settings would change
  limit: 100 -> 120 (lower.yaml:2:8)
  token: another secret (lower.yaml:3:8)
  tenants.a.max: 2 -> 3 (lower.yaml:6:20)
  tenants.b: nothing -> {\"max\": 1} (lower.yaml:6:27)
  threads: 1 -> 8 (lower.yaml:4:10), after a restart
  `port` at lower.yaml:1:7 has no effect: variable APP_PORT hides it
  `hosts` at lower.yaml:5:8 has no effect: upper.toml:1:9 hides it"
    );
    let whole = format!("{plan}{plan:?}{}", serde_json::to_string(&plan).unwrap());
    for secret in ["hunter2", "correct"] {
        assert!(!whole.contains(secret), "{whole}");
    }
    assert!(plan.changes.iter().any(|one| one.waits_for_restart));
    let now = app.get();
    assert_eq!((now.limit, now.threads, &*now.token), (100, 1, "hunter2"));
    assert_eq!(app.status().generation, 1);
    // It comes so.
    let json = serde_json::to_value(&plan).unwrap();
    assert_eq!(json["changes"][0]["old"], 100);
    assert_eq!(json["hidden"][0]["why"], "shadowed");
}

#[tokio::test]
async fn a_refusal_has_its_rule_and_what_would_have_changed() {
    let app = app().await;
    let plan = planned(&app, "limit: 200\nport: 81");
    let report = plan.refused.as_ref().unwrap();
    assert_eq!(report.problems()[0].kind, ProblemKind::ChangeRule);
    assert_eq!(report.problems()[0].line, Some(1));
    assert_eq!(report.problems()[0].origin, "lower.yaml");
    let limit = plan.changes.iter().find(|one| one.path.as_str() == "limit");
    assert_eq!(
        limit.unwrap().new,
        Some(ConfigValue::Number("200".to_owned()))
    );
    assert!(
        plan.to_string()
            .contains("configuration would be refused: 1 problem"),
        "{plan}"
    );
    let plan = planned(&app, "limit: many");
    assert_eq!(plan.refused.unwrap().problems()[0].path.as_str(), "limit");
}

#[tokio::test]
async fn a_layer_that_is_left_out_uncovers_what_is_below() {
    let app = app().await;
    let plan = app
        .plan(&Inputs::new().without("environment").without("upper.toml"))
        .unwrap();
    assert_eq!(
        plan.to_string(),
        "2 settings would change\n  port: 90 -> 81 (lower.yaml:1:7)\n  hosts: [\"a\"] -> its default
  note: left out: upper.toml; what it sets in what runs is not in this, and may hide it
  note: left out: environment; what it sets in what runs is not in this, and may hide it"
    );
}

#[tokio::test]
async fn what_comes_true_is_what_was_planned() {
    let (sender, channel) = Channel::buffered("app.yaml", 4);
    let source = Source::watcher(channel).format(Format::Yaml);
    let app = Capacitor::<App>::builder()
        .manual()
        .source(source)
        .build()
        .unwrap();
    let early = app.plan(&Inputs::new()).unwrap_err();
    assert!(matches!(early, InputError::NotApplied { .. }), "{early}");
    sender.send(LOWER.as_bytes()).await.unwrap();
    app.start().await.unwrap();
    let mut subscription = app.subscribe();
    for text in [
        "port: 1\nlimit: 100",
        "limit: 150",
        "limit: 400",
        "hosts: [x]\nlimit: 150",
        "port: 0",
    ] {
        let plan = app.plan(&Inputs::new().layer("app.yaml", text)).unwrap();
        sender.send(text.as_bytes()).await.unwrap();
        app.process().await.unwrap();
        let refused = app.last_error();
        assert_eq!(plan.refused.is_some(), refused.is_some(), "{text}: {plan}");
        if let (Some(planned), Some(came)) = (&plan.refused, &refused) {
            assert_eq!(planned.problems(), came.problems(), "{text}");
        }
        for change in plan
            .changes
            .iter()
            .filter(|one| refused.is_none() && one.new.is_some())
        {
            let one = app.explain(change.path.as_str()).unwrap();
            assert!(
                one.value == change.new || one.value == Some(ConfigValue::Secret),
                "{change}"
            );
        }
    }
    drop(subscription.changed());
}

#[tokio::test]
async fn a_running_capacitor_has_its_layers() {
    let app = app().await;
    let new = Inputs::new().document("new", Format::Yaml, "");
    let error = app.plan(&new).unwrap_err();
    assert!(matches!(error, InputError::NotRunning { .. }), "{error}");
    let error = app.plan(&Inputs::new().layer("lower", "")).unwrap_err();
    assert!(matches!(error, InputError::NoLayer { .. }), "{error}");
}

#[tokio::test]
async fn what_is_refused_now_is_in_the_plan_and_refuses_it() {
    let (lower, below) = Channel::buffered("lower.yaml", 4);
    let (upper, above) = Channel::buffered("upper.yaml", 4);
    let app = Capacitor::<App>::builder()
        .source(Source::watcher(below).format(Format::Yaml))
        .source(Source::watcher(above).format(Format::Yaml))
        .manual()
        .build()
        .unwrap();
    lower.send(&b"port: 81"[..]).await.unwrap();
    upper.send(&b"limit: 100"[..]).await.unwrap();
    app.start().await.unwrap();
    let none = app.plan(&Inputs::new()).unwrap();
    assert!(none.standing.is_none());
    assert_eq!(none.to_string(), "nothing would change");

    lower.send(&b"port: 0"[..]).await.unwrap();
    app.process().await.unwrap();
    let plan = app.plan(&Inputs::new()).unwrap();
    let standing = plan.standing.as_ref().unwrap();
    assert_eq!(standing.problems()[0].path.as_str(), "port");
    assert_eq!(standing.problems()[0].line, Some(1));
    let printed = plan.to_string();
    assert!(
        printed.starts_with(
            "nothing would change beside what is refused now\nrefused now, and not part of what this is compared with:\nconfiguration refused: 1 problem"
        ),
        "{printed}"
    );
    assert!(printed.contains("lower.yaml:1:7"), "{printed}");
    let json = serde_json::to_value(&plan).unwrap();
    assert_eq!(json["standing"]["problems"][0]["path"], "port");
    // A document for another layer is judged beside what runs of the refused one.
    let other = Inputs::new().layer("upper.yaml", "limit: 101");
    let plan = app.plan(&other).unwrap();
    assert!(plan.refused.is_none() && plan.standing.is_some(), "{plan}");
    assert!(
        plan.to_string().starts_with("1 setting would change"),
        "{plan}"
    );
    // One for the refused layer takes its place.
    let mended = Inputs::new().layer("lower.yaml", "port: 82");
    let plan = app.plan(&mended).unwrap();
    assert!(plan.refused.is_none() && plan.standing.is_none(), "{plan}");
}

#[tokio::test]
async fn a_plan_that_is_refused_begins_with_that() {
    let app = app().await;
    for text in ["limit: 200", "limit: many", "limit: [", "threads: many"] {
        let plan = planned(&app, text).to_string();
        assert!(plan.starts_with("refused, and what runs stays: "), "{plan}");
        assert!(!plan.contains("nothing would change"), "{plan}");
    }
}

#[tokio::test]
async fn a_plan_tells_which_settings_go_on_to_wait_for_a_restart_and_which_do_not() {
    let (sender, channel) = Channel::buffered("app.yaml", 4);
    let app = Capacitor::<App>::builder()
        .source(Source::watcher(channel).format(Format::Yaml))
        .manual()
        .build()
        .unwrap();
    sender.send(&b"threads: 2"[..]).await.unwrap();
    app.start().await.unwrap();
    sender.send(&b"threads: 4"[..]).await.unwrap();
    app.process().await.unwrap();
    assert_eq!(app.status().pending_restart, ["threads"]);
    let plan = |text: &str| {
        let plan = app.plan(&Inputs::new().layer("app.yaml", text)).unwrap();
        plan.to_string()
    };
    assert_eq!(
        plan("threads: 2"),
        "nothing would change\n  note: would not wait for a restart any more: threads"
    );
    assert_eq!(
        plan("threads: 4 # as before"),
        "nothing would change\n  note: waits for a restart already: threads"
    );
    assert_eq!(
        plan("threads: 5"),
        "1 setting would change\n  threads: 2 -> 5 (app.yaml:1:10), after a restart\n  note: waits for a restart already: threads"
    );
    // Where it is refused, what waits goes on to.
    assert!(plan("threads: 2\nport: 0").contains("note: waits for a restart already: threads"));
    app.stop().await;
}

#[derive(Flux, Debug, Clone)]
struct Named {
    name: String,
    #[flux(default = 80, immutable)]
    port: u16,
}

#[tokio::test]
async fn a_plan_with_values_that_come_later_names_them_and_what_was_not_asked() {
    let documents = [("lower.yaml", Format::Yaml, "name: a\nport: 80")];
    let app: Capacitor<Named> = over(&documents, &[]).await;
    let inputs = || Inputs::new().layer("lower.yaml", "port: 81");
    let plan = app.plan(&inputs()).unwrap();
    assert!(plan.refused.is_some() && plan.missing.is_empty(), "{plan}");
    let plan = app.plan(&inputs().partial()).unwrap();
    assert!(plan.refused.is_none(), "{plan}");
    assert_eq!(plan.missing[0].path.as_str(), "name");
    let text = plan.to_string();
    assert!(text.contains("to come: name: is required"), "{text}");
    let note = "note: values are missing that come later, so that neither the rules on changes";
    assert!(text.contains(note), "{text}");
}
