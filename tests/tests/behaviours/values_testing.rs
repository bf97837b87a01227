//! A test's documents and values are read as production reads those of the declared source.

use flux::{
    Capacitor, Flux, Source,
    pipeline::Request,
    source::Dir,
    testing::{Harness, Override as _, config_from},
};

#[derive(Flux, Debug)]
struct App {
    #[flux(default = 0)]
    n: u32,
    #[flux(default)]
    names: Vec<String>,
    #[flux(nested)]
    pool: Pool,
}

#[derive(Flux, Debug)]
struct Pool {
    #[flux(default = 0)]
    size: u32,
}

fn over(source: Source) -> Harness<App> {
    Harness::over(Capacitor::builder().source(source))
}

#[tokio::test]
async fn a_harness_reads_a_remote_document_by_the_format_of_its_source() {
    for (uri, good, bad) in [
        ("consul://host/app", "{\"n\": 5}", "n: 5"),
        ("consul://host/app?format=toml", "n = 5", "{\"n\": 5}"),
        ("etcd://host/app.yaml", "n: 5", "n = 5"),
        ("redis://host/app?format=yaml", "n: 5", "n = 5"),
    ] {
        let app = over(Source::uri(uri)).document(uri, good).start().await;
        assert_eq!(app.get().n, 5, "{uri}");
        over(Source::uri(uri))
            .document(uri, bad)
            .start_refused()
            .await;
    }
}

#[tokio::test]
async fn a_harness_reads_a_directory_of_values_by_its_rules() {
    let source = || Source::uri("dir:/etc/app");
    let files = [("n", "5\n"), ("names", "a,\"b,c\""), ("pool.size", "3")];
    let document = Dir::document(files);
    let app = over(source())
        .document("dir:/etc/app", document)
        .start()
        .await;
    let read = app.get();
    assert_eq!((read.n, read.pool.size), (5, 3));
    assert_eq!(read.names, ["a", "b,c"]);
    drop(read);
    let report = app
        .set("dir:/etc/app", Dir::document([("names", "[a,b")]))
        .await;
    let report = report.expect_err("an open bracket").to_string();
    assert!(
        report.contains("the [ at character 1 is not closed"),
        "{report}"
    );
}

#[tokio::test]
#[should_panic = "the format of `app.conf` is not known from its name"]
async fn a_harness_refuses_a_file_whose_format_production_cannot_tell() {
    over(Source::file("app.conf"))
        .document("app.conf", "n: 5")
        .start()
        .await;
}

#[derive(Flux, Debug)]
#[flux(source = "file:app.yaml", transform = doubled, mutate(when = is_large, with = halved))]
struct Transformed {
    #[flux(range = 1..=100)]
    n: u32,
}

fn doubled(request: Request<Transformed>) -> Request<Transformed> {
    let n = request.current.n * 2;
    request.with(Transformed { n })
}

fn is_large(request: &Request<Transformed>) -> bool {
    request.current.n == 80
}

fn halved(request: Request<Transformed>) -> Request<Transformed> {
    let n = request.current.n / 4;
    request.with(Transformed { n })
}

#[test]
fn a_configuration_made_for_a_test_has_gone_through_the_stages_that_compute() {
    assert_eq!(config_from::<Transformed>("n: 3").n, 6);
    assert_eq!(config_from::<Transformed>("n: 40").n, 20);
    let _override = Transformed::override_from("n: 4");
    assert_eq!(Transformed::get().n, 8);
}

#[test]
#[should_panic = "n: must be in 1..=100, found 180"]
fn what_a_stage_makes_of_a_configuration_for_a_test_is_checked_too() {
    config_from::<Transformed>("n: 90");
}
