//! What `explain` says beside a document that is refused: the report's words at the path, and that what it shows is of before.
//! What a refusal of the program's own code names.

use flux::{Capacitor, Flux, Format, Source, source::Channel};

#[derive(Flux, Debug)]
struct App {
    #[flux(default = 80, range = 1..=9999)]
    port: u16,
    #[flux(default = 1)]
    threads: u32,
    #[flux(default)]
    label: String,
    #[flux(nested)]
    pool: Pool,
    #[flux(default, secret)]
    password: String,
}

#[derive(Flux, Debug)]
struct Pool {
    #[flux(default = 4, range = 1..=64)]
    max: u32,
}

/// Over this document, with another one that came later and the program's word on it.
async fn after(first: &str, second: &str, refuses: bool) -> Capacitor<App> {
    let (sender, channel) = Channel::buffered("app.yaml", 4);
    sender.send(first.as_bytes()).await.unwrap();
    let capacitor = Capacitor::<App>::builder()
        .manual()
        .source(Source::watcher(channel).format(Format::Yaml))
        .on_apply(move |_, app| {
            let is_refused = refuses && app.threads == 9;
            async move {
                match is_refused {
                    true => Err("only 8 cores"),
                    false => Ok(()),
                }
            }
        })
        .build()
        .unwrap();
    capacitor.start().await.unwrap();
    sender.send(second.as_bytes()).await.unwrap();
    capacitor.process().await.unwrap();
    capacitor
}

fn notes(app: &Capacitor<App>, path: &str) -> Vec<String> {
    app.explain(path).unwrap().notes
}

#[tokio::test]
async fn explain_quotes_the_report_where_the_newest_content_is_refused_and_says_of_when_its_lines_are()
 {
    let app = after(
        "port: 80\npool: {max: 2}\n",
        "# new\nlabel: a\npool: {max: 700}\nport: 0\n",
        false,
    )
    .await;
    let told = |what: &str| {
        [format!(
            "the newest content of app.yaml is not applied: {what}; above are the value and the place of before"
        )]
    };
    assert_eq!(
        notes(&app, "port"),
        told("must be in 1..=9999, found 0 (app.yaml:4:7)")
    );
    assert_eq!(
        notes(&app, "pool.max"),
        told("must be in 1..=64, found 700 (app.yaml:3:13)")
    );
    assert_eq!(
        notes(&app, "pool"),
        told("pool.max: must be in 1..=64, found 700 (app.yaml:3:13)")
    );
    // The report says nothing of it, and the document that is served has no such key.
    assert_eq!(notes(&app, "label"), [""; 0]);
    let app = after("threads: 2\n", "port: 0\n", false).await;
    let port = "the newest content of app.yaml is not applied: must be in 1..=9999, found 0 (app.yaml:1:7)";
    assert_eq!(notes(&app, "port"), [port]);
    assert_eq!(notes(&app, "threads"), [""; 0]);
    let app = after("threads: 2\n", "port: 81\n", false).await;
    assert_eq!(notes(&app, "port"), [""; 0]);
}

#[tokio::test]
async fn a_refusal_of_the_programs_own_code_names_what_would_change_and_where_that_comes_from() {
    let app = after("threads: 2\n", "threads: 9\nport: 81\n", true).await;
    let error = app.last_error().unwrap().to_string();
    let told = "the apply callback refused it: only 8 cores; it would change `port` (app.yaml:2:7), `threads` (app.yaml:1:10); it is tried again";
    assert!(error.contains(told), "{error}");
    let many = "threads: 9\nport: 81\nlabel: b\npool: {max: 3}\npassword: hunter2hunter2\n";
    let app = after("label: a\n", many, true).await;
    let error = app.last_error().unwrap().to_string();
    assert!(
        error.contains("; it would change `port` (app.yaml:2:7), `threads` (app.yaml:1:10), `label` (app.yaml:3:8) and 2 more; it is tried again"),
        "{error}"
    );
    // A value that goes back to its default comes from no layer.
    let app = after("label: a\nthreads: 2\n", "threads: 9\n", true).await;
    let error = app.last_error().unwrap().to_string();
    assert!(
        error.contains("; it would change `threads` (app.yaml:1:10), `label`; it is tried again"),
        "{error}"
    );
}
