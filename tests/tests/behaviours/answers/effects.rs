//! What is withheld since it quotes a secret, what an empty variable or an equal one does, what the log has of waits and of edits that are
//! hidden, and what a plan does not look at.

use crate::kit::Ear;
use flux::{
    Capacitor, Flux, Format, Source,
    inspect::{ConfigValue, Inputs, SilentReason},
    source::{Channel, ChannelSender},
};
use std::fs;

#[derive(Flux, Debug, Clone)]
struct App {
    #[flux(default = 100)]
    visitors: u64,
    #[flux(default = "127.0.0.1:8080", restart)]
    address: String,
    #[flux(secret, default = "changeit")]
    password: String,
}

async fn app(
    text: &str,
    variables: &[(&'static str, &'static str)],
) -> (ChannelSender, Capacitor<App>) {
    let (sender, channel) = Channel::buffered("app.yaml", 4);
    let app = Capacitor::<App>::builder()
        .source(Source::watcher(channel).format(Format::Yaml))
        .override_with(Source::env("APP_").variables(variables.iter().copied()))
        .manual()
        .build()
        .unwrap();
    sender.send(text.as_bytes().to_vec()).await.unwrap();
    app.start().await.unwrap();
    (sender, app)
}

async fn write(sender: &ChannelSender, app: &Capacitor<App>, text: &str) {
    sender.send(text.as_bytes().to_vec()).await.unwrap();
    let _ = app.process().await;
}

#[tokio::test]
async fn a_short_value_of_an_unknown_key_withholds_nothing() {
    for text in [
        "password: correct-horse\nworkers: 1\naddress: 10.0.0.1:80\n",
        "password: correct-horse\nworkers: 127\naddress: 127.0.0.1:80\n",
        "password: '1'\naddress: 10.0.0.1:80\nvisitors: 1\n",
    ] {
        let (_sender, app) = app(text, &[]).await;
        let address = app.explain("address").unwrap();
        assert!(
            matches!(&address.value, Some(ConfigValue::Text(text)) if text.ends_with(":80")),
            "{address}"
        );
        assert!(!address.is_secret && address.notes.is_empty(), "{address}");
        let visitors = app.explain("visitors").unwrap();
        assert!(
            matches!(visitors.value, Some(ConfigValue::Number(_))),
            "{visitors}"
        );
    }
}

#[tokio::test]
async fn a_value_with_the_text_of_a_secret_is_withheld_and_not_called_one() {
    let text = "pasword: hunter2hunter2\naddress: db://u:hunter2hunter2@h\nvisitors: 123456789\npassword: '123456789'\n";
    let (_sender, app) = app(text, &[]).await;
    for (path, place) in [("address", "1:10"), ("visitors", "4:11")] {
        let one = app.explain(path).unwrap();
        let note = format!(
            "withheld: it has the text of a secret, or of what could be one, at app.yaml:{place}"
        );
        assert_eq!(
            (&one.value, one.is_secret),
            (&Some(ConfigValue::Secret), false)
        );
        assert_eq!(one.notes, [&*note]);
        assert!(
            one.to_string()
                .starts_with(&format!("{path} is set, and withheld\n")),
            "{one}"
        );
        let shown = app.effective().unwrap().to_string();
        assert!(shown.contains(&format!("# {note}\n{path}: ")), "{shown}");
    }
    let password = app.explain("password").unwrap();
    assert!(
        password
            .to_string()
            .starts_with("password is set, and secret\n"),
        "{password}"
    );
    // A plan withholds what a check withholds.
    let plan = app
        .plan(&Inputs::new().layer("app.yaml", "visitors: 987654321\npassword: '987654321'\n"))
        .unwrap();
    let json = serde_json::to_string(&plan).unwrap();
    assert!(
        !format!("{plan}{plan:?}{json}").contains("987654321"),
        "{plan}"
    );
    assert!(
        plan.to_string()
            .contains("visitors: <withheld> -> <withheld>"),
        "{plan}"
    );
}

#[tokio::test]
async fn an_empty_variable_has_no_effect_and_a_check_has_a_note_on_it() {
    let variables = [("APP_PASSWORD", ""), ("APP_ADDRESS", "")];
    let (_sender, app) = app("visitors: 1\n", &variables).await;
    let silent = app.silent().unwrap();
    let lines: Vec<String> = silent.iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "`address` at variable APP_ADDRESS has no effect: it is empty, which counts as not set",
            "`password` at variable APP_PASSWORD has no effect: it is empty, which counts as not set",
        ]
    );
    assert_eq!(silent[0].why, SilentReason::Empty);
    let checked = Capacitor::<App>::builder()
        .source(Source::file("app.yaml"))
        .override_with(Source::env("APP_").variables(variables))
        .check(Inputs::new().layer("app.yaml", "visitors: 1"))
        .unwrap();
    assert_eq!(
        checked.to_string(),
        "configuration would be applied\n  note: `address` at variable APP_ADDRESS: it is empty, which counts as not set\n  \
         note: `password` at variable APP_PASSWORD: it is empty, which counts as not set"
    );
    assert_eq!(checked.silent().len(), 2);
}

#[tokio::test]
async fn of_an_equal_file_and_variable_it_is_named_which_one_counts() {
    let (_sender, app) = app("visitors: 7\n", &[("APP_VISITORS", "7")]).await;
    let silent = app.silent().unwrap();
    let lines: Vec<String> = silent.iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "`visitors` at app.yaml:1:11 has no effect: variable APP_VISITORS hides it",
            "`visitors` at variable APP_VISITORS counts, and changes nothing: app.yaml:1:11 has the same value",
        ]
    );
}

#[tokio::test]
async fn an_edit_that_several_layers_hide_is_not_promised_to_count_without_one_of_them() {
    let (sender, lower) = Channel::buffered("app.yaml", 8);
    let (upper, above) = Channel::buffered("site.yaml", 8);
    let app = Capacitor::<App>::builder()
        .manual()
        .source(Source::watcher(lower).format(Format::Yaml))
        .source(Source::watcher(above).format(Format::Yaml))
        .override_with(Source::env("APP_").variables([("APP_VISITORS", "5")]))
        .override_with(Source::args().arguments(["--visitors", "6"]))
        .build()
        .unwrap();
    sender.send(&b"visitors: 1"[..]).await.unwrap();
    upper.send(&b"visitors: 3"[..]).await.unwrap();
    app.start().await.unwrap();
    write(&sender, &app, "visitors: 2").await;
    let status = app.status();
    let [warning] = &*status.warnings else {
        panic!("{status}");
    };
    assert_eq!(
        warning.message,
        "is changed here without effect: the argument --visitors sets it, and below that the variable APP_VISITORS, site.yaml would; this \
         value is used where none of them does"
    );
}

#[tokio::test]
async fn the_log_has_each_change_that_waits_and_each_edit_that_a_variable_hides_once() {
    let (ear, _guard) = Ear::listen();
    let (sender, app) = app("visitors: 1\n", &[("APP_VISITORS", "5")]).await;
    // Of both kinds, since the last call.
    let told = || {
        let all = ear.take().into_iter();
        let kinds = ["flux.capacitor.waits.for_restart", "flux.capacitor.warning"];
        let of_these = all.filter(|one| kinds.contains(&&*one.message));
        let fields = of_these.map(|mut one| {
            one.fields
                .remove("changed")
                .or(one.fields.remove("warning"))
        });
        fields.map(Option::unwrap).collect::<Vec<String>>()
    };
    write(&sender, &app, "visitors: 1\naddress: 9.9.9.9:9\n").await;
    assert_eq!(told(), ["`address`"]);
    write(&sender, &app, "visitors: 2\naddress: 9.9.9.9:9\n").await;
    let text = "is changed here without effect: the variable APP_VISITORS sets it; start the program without that variable to use this value";
    let [warned] = &*told() else {
        panic!("one event");
    };
    assert!(
        warned.contains(text) && warned.contains("app.yaml:1:11"),
        "{warned}"
    );
    let status = app.status();
    let [warning] = &*status.warnings else {
        panic!("{status}");
    };
    assert_eq!(warning.message, text);
    write(
        &sender,
        &app,
        "visitors: 2\naddress: 8.8.8.8:9\npassword: a\n",
    )
    .await;
    assert_eq!(told(), [""; 0]);
    write(&sender, &app, "visitors: 2\n").await;
    write(&sender, &app, "visitors: 2\naddress: 8.8.8.8:9\n").await;
    assert_eq!(told(), ["`address`"]);
    // A plan lists it as hidden, and warns of it no second time.
    let plan = app
        .plan(&Inputs::new().layer("app.yaml", "visitors: 3\n"))
        .unwrap();
    assert_eq!((plan.hidden.len(), plan.warnings.len()), (1, 0), "{plan}");
}

#[tokio::test]
async fn a_plan_names_the_layers_that_it_leaves_out_of_what_runs() {
    let (_sender, app) = app("visitors: 100\n", &[("APP_VISITORS", "150")]).await;
    let inputs = Inputs::new()
        .layer("app.yaml", "visitors: 300\n")
        .only_given();
    let plan = app.plan(&inputs).unwrap();
    assert!(
        plan.to_string().contains("\n  note: left out: environment; what it sets in what runs is not in this, and may hide it"),
        "{plan}"
    );
}

#[tokio::test]
async fn a_plan_does_not_answer_for_a_file_that_was_not_taken_up_yet() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("app.yaml");
    fs::write(&file, "visitors: 1\n").unwrap();
    let app = Capacitor::<App>::builder()
        .source(Source::file(file.to_str().unwrap()))
        .manual()
        .build()
        .unwrap();
    app.start().await.unwrap();
    let notes = || app.plan(&Inputs::new()).unwrap().notes;
    assert_eq!(notes(), [""; 0]);
    for change in [Some(""), Some("visitors: 2\n"), None] {
        match change {
            Some(text) => fs::write(&file, text).unwrap(),
            None => fs::remove_file(&file).unwrap(),
        }
        let [note] = &*notes() else {
            panic!("{change:?}");
        };
        assert!(
            note.ends_with("app.yaml: its file has changed, and the program has not taken that up; ask again when it has, or give that file too"),
            "{note}"
        );
    }
    // With a document for it the file has no part in the plan.
    let inputs = Inputs::new().layer("app.yaml", "visitors: 3\n");
    assert_eq!(app.plan(&inputs).unwrap().notes, [""; 0]);
}
