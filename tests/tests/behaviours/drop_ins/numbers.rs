//! What is known of a layer by its number stays that of its file, whichever files come and go before it.

use flux::{
    Flux,
    source::DropIns,
    testing::{Bench, harness},
};

#[derive(Flux, Debug)]
#[flux(
    optional_source = "file:conf.d/*.yaml",
    optional_override = "file:above.yaml"
)]
struct NumberedApp {
    #[flux(default = 0, range = 0..=9)]
    n: u32,
    #[flux(default = "nobody")]
    name: String,
}

async fn started(files: &[(&str, &str)]) -> Bench<NumberedApp> {
    harness::<NumberedApp>()
        .document("conf.d/*.yaml", DropIns::document(files.iter().copied()))
        .with(|builder| builder.generations(6).history(16))
        .start()
        .await
}

async fn set(app: &Bench<NumberedApp>, files: &[(&str, &str)]) -> Result<(), flux::Report> {
    let document = DropIns::document(files.iter().copied());
    app.set("conf.d/*.yaml", document).await
}

/// The number of each problem's layer is that of the layer with its origin.
fn are_numbered(app: &Bench<NumberedApp>) {
    let status = app.status();
    let reports = status.history.iter().map(|one| &one.report);
    let problems = reports.chain(&status.error).flat_map(|one| one.problems());
    let mut count = 0;
    for problem in problems.chain(&status.warnings) {
        let Some(number) = problem.layer else {
            continue;
        };
        assert_eq!(*status.layers[number].origin, *problem.origin, "{status}");
        count += 1;
    }
    assert!(count > 0, "{status}");
}

#[tokio::test]
async fn refusals_of_before_name_the_layers_of_now() {
    let app = started(&[("20-b.yaml", "n: 1\nnmae: b")]).await;
    are_numbered(&app);
    set(&app, &[("20-b.yaml", "n: [")]).await.unwrap_err();
    app.set("above.yaml", "n: [").await.unwrap_err();
    set(&app, &[("10-a.yaml", "name: a"), ("20-b.yaml", "n: [")])
        .await
        .unwrap_err();
    are_numbered(&app);
    set(
        &app,
        &[
            ("10-a.yaml", "name: a"),
            ("15-c.yaml", "n: 3"),
            ("20-b.yaml", "n: 2\nnmae: b"),
        ],
    )
    .await
    .unwrap_err();
    are_numbered(&app);
    set(&app, &[("20-b.yaml", "n: 2\nnmae: b")])
        .await
        .unwrap_err();
    set(&app, &[("20-b.yaml", "n: 2\nnmae: c")])
        .await
        .unwrap_err();
    are_numbered(&app);
    let blame = app.blame("").unwrap();
    let refused = blame.changes.iter();
    let refused = refused.map(|one| (one.at, one.origins.clone(), one.generation));
    let refused: Vec<_> = refused.collect();
    let mut each = refused.clone();
    each.dedup();
    assert_eq!(refused, each, "each is listed once");
}

#[tokio::test]
async fn what_a_generation_was_made_of_is_not_what_was_written_anew_since() {
    let app = started(&[("20-b.yaml", "n: 2")]).await;
    set(&app, &[("20-b.yaml", "n: 3")]).await.unwrap();
    // The same values on another line are no new generation.
    set(&app, &[("20-b.yaml", "# a comment\n\nn: 3")])
        .await
        .unwrap();
    assert_eq!(app.status().generation, 2);
    let before = app.blame("n").unwrap().to_string();
    set(
        &app,
        &[("10-a.yaml", "{}"), ("20-b.yaml", "# a comment\n\nn: 3")],
    )
    .await
    .unwrap();
    assert_eq!(app.status().generation, 2);
    assert_eq!(app.blame("n").unwrap().to_string(), before);
}

#[tokio::test]
async fn files_of_any_names_that_were_taken_back_and_are_gone_have_no_layer() {
    let app = started(&[("10-a.yaml", "n: 1")]).await;
    for round in 0..30 {
        let (name, text) = (format!("20-{round}.yaml"), format!("n: {}", 2 + round % 7));
        set(&app, &[("10-a.yaml", "n: 1"), (&name, &text)])
            .await
            .unwrap();
        app.rollback(None).await.unwrap();
        assert_eq!(app.get().n, 1);
        set(&app, &[("10-a.yaml", "n: 1")]).await.unwrap();
        // What was taken back is not tried again although it was gone.
        set(&app, &[("10-a.yaml", "n: 1"), (&name, &text)])
            .await
            .unwrap_err();
        assert_eq!(app.get().n, 1, "{round}");
        set(&app, &[("10-a.yaml", "n: 1")]).await.unwrap();
    }
    set(&app, &[("10-a.yaml", "n: 2")]).await.unwrap();
    let status = app.status();
    assert!(status.layers.len() < 12, "{status}");
}

#[tokio::test]
async fn blame_names_a_refused_file_that_is_gone() {
    let app = started(&[("10-a.yaml", "n: 1")]).await;
    set(&app, &[("10-a.yaml", "n: 1"), ("20-b.yaml", "n: [")])
        .await
        .unwrap_err();
    let origins = || {
        let blame = app.blame("n").unwrap();
        let refused = blame.changes.iter().filter(|one| one.generation.is_none());
        refused
            .flat_map(|one| one.origins.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(origins(), ["conf.d/20-b.yaml"]);
    set(&app, &[("10-a.yaml", "n: 2")]).await.unwrap();
    set(&app, &[("10-a.yaml", "n: 3")]).await.unwrap();
    let status = app.status();
    let has = |name: &str| status.layers.iter().any(|one| one.origin.ends_with(name));
    assert!(has("10-a.yaml") && !has("20-b.yaml"), "{status}");
    assert_eq!(origins(), ["conf.d/20-b.yaml"]);
}
