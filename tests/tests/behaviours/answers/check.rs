//! Documents that are judged without a start.

use flux::{
    Builder, Capacitor, Flux, Format, Report, Source,
    inspect::{CheckError, Checked, ConfigValue, Describe as _, InputError, Inputs, LayerInput},
    report::ProblemKind,
    source::Channel,
};

#[derive(Flux, Debug)]
struct App {
    #[flux(default = 80, range = 1..=9999)]
    port: u16,
    name: String,
    #[flux(secret)]
    token: String,
    #[flux(nested, default)]
    pool: Pool,
}

#[derive(Flux, Debug, Default)]
struct Pool {
    #[flux(default = 4)]
    size: u32,
}

fn builder() -> Builder<App> {
    let (_sender, channel) = Channel::buffered("consul://x/app.json", 1);
    Capacitor::<App>::builder()
        .source(Source::file("/nowhere/base.toml").optional())
        .source(Source::file("/nowhere/app.yaml"))
        .source(Source::watcher(channel).format(Format::Json).optional())
        .override_with(Source::env("APP_"))
        .override_with(Source::args())
}

fn check(inputs: Inputs) -> Result<Checked, CheckError> {
    builder().check(inputs.variables([("APP_TOKEN", "hunter2")]))
}

fn refused(inputs: Inputs) -> Report {
    match check(inputs) {
        Err(CheckError::Refused(report)) => report,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_a_start_would_apply_is_answered_with_its_layers() {
    let checked =
        check(Inputs::new().layer("/nowhere/app.yaml", "name: a\nport: 81\nprot: 1")).unwrap();
    let layers: Vec<_> = checked
        .layers
        .iter()
        .map(|one| (&*one.origin, one.input))
        .collect();
    assert_eq!(
        layers,
        [
            ("/nowhere/base.toml", LayerInput::Read),
            ("/nowhere/app.yaml", LayerInput::Given),
            ("consul://x/app.json", LayerInput::LeftOut),
            ("environment", LayerInput::Read),
            ("arguments", LayerInput::Read),
        ]
    );
    assert_eq!(checked.warnings[0].kind, ProblemKind::UnknownKey);
    assert!(checked.missing.is_empty(), "{checked}");
    let port = checked.explain("port").unwrap();
    assert_eq!(port.value, Some(ConfigValue::Number("81".into())));
    assert_eq!(port.settings[0].to_string(), "/nowhere/app.yaml:2:7");
    let printed = format!("{checked}{checked:?}{}", checked.effective());
    assert!(!printed.contains("hunter2"), "{printed}");
    assert!(
        checked.to_string().starts_with(
            "configuration would be applied\n  left out: consul://x/app.json\n  warning: "
        ),
        "{checked}"
    );
    let json = serde_json::to_value(&checked).unwrap();
    assert_eq!(json["layers"][1]["input"], "given");
}

#[test]
fn the_report_is_the_one_of_a_start() {
    let bad = "name: a\nport: 0\npool:\n  size: many\n";
    let inputs = || Inputs::new().layer("app.yaml", bad);
    let report = refused(inputs());
    let places: Vec<_> = report
        .problems()
        .iter()
        .map(|one| (one.path.to_string(), one.line, one.column))
        .collect();
    assert_eq!(
        places,
        [
            ("port".to_owned(), Some(2), Some(7)),
            ("pool.size".to_owned(), Some(4), Some(9))
        ]
    );
    assert!(
        report
            .to_string()
            .starts_with("configuration would be refused: 2 problems; nothing was applied\n"),
        "{report}"
    );
    assert_eq!(
        serde_json::to_value(&report).unwrap()["outcome"],
        "would_be_refused"
    );
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("app.yaml");
    std::fs::write(&file, bad).unwrap();
    let started = Capacitor::<App>::builder()
        .source(Source::file(file.to_str().unwrap()).named("/nowhere/app.yaml"))
        .override_with(Source::env("APP_").variables([("APP_TOKEN", "x")]))
        .load();
    let Err(flux::Error::Refused(started)) = started else {
        panic!("{started:?}")
    };
    let text = |report: &Report| {
        let problems = report.problems().iter();
        problems.map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(text(&report), text(&started));
    // The same through the file itself.
    let by_path = refused(Inputs::new().file(&file));
    assert_eq!(text(&by_path), text(&started));
    let by_number = refused(Inputs::new().layer_file("1", &file));
    assert_eq!(text(&by_number), text(&started));
}

#[test]
fn what_is_missing_comes_later_where_something_is_left_out_and_is_refused_otherwise() {
    let only = Inputs::new().layer("app.yaml", "port: 1").only_given();
    let missing = |checked: Checked| -> Vec<String> {
        checked
            .missing
            .iter()
            .map(|one| one.path.to_string())
            .collect()
    };
    assert_eq!(missing(builder().check(only).unwrap()), ["name", "token"]);
    let without = Inputs::new()
        .layer("app.yaml", "name: a")
        .layer("consul://x/app.json", "{}");
    let report = refused(without.clone().layer("base.toml", "port = 0"));
    assert_eq!(report.problems().len(), 1, "{report}");
    let without = without.variables([("OTHER", "")]);
    let Err(CheckError::Refused(report)) = builder().check(without.clone()) else {
        panic!("token is missing")
    };
    assert_eq!(report.problems()[0].kind, ProblemKind::Missing);
    assert_eq!(
        missing(builder().check(without.clone().partial()).unwrap()),
        ["token"]
    );
    assert_eq!(
        missing(builder().check(without.without("environment")).unwrap()),
        ["token"]
    );
    // A rule is asked of what is there.
    let only = Inputs::new().layer("app.yaml", "port: 0").only_given();
    let Err(CheckError::Refused(report)) = builder().check(only) else {
        panic!("port is 0")
    };
    let paths: Vec<_> = report
        .problems()
        .iter()
        .map(|one| one.path.as_str())
        .collect();
    assert_eq!(paths, ["port"], "{report}");
}

#[test]
fn a_required_file_that_is_absent_is_refused_as_at_a_start() {
    let report = refused(Inputs::new());
    assert_eq!(report.problems()[0].kind, ProblemKind::Source, "{report}");
    assert_eq!(report.problems()[0].origin, "/nowhere/app.yaml");
}

#[test]
fn what_cannot_be_looked_at_is_no_refusal() {
    let error = |inputs: Inputs| match check(inputs) {
        Err(CheckError::Inputs(error)) => error,
        other => panic!("{other:?}"),
    };
    let unknown = error(Inputs::new().layer("ap.yaml", ""));
    assert!(
        unknown.to_string().starts_with("no layer is called `ap.yaml`; the layers are `/nowhere/base.toml`, `/nowhere/app.yaml`, "),
        "{unknown}"
    );
    let file = error(Inputs::new().file("/nowhere/app.yaml"));
    assert_eq!(
        file.to_string(),
        "`/nowhere/app.yaml` cannot be read: it does not exist"
    );
    let environment = error(Inputs::new().layer("environment", ""));
    assert!(
        matches!(environment, InputError::NoDocument { .. }),
        "{environment}"
    );
    let twice = error(Inputs::new().layer("app.yaml", "").layer("1", ""));
    assert!(matches!(twice, InputError::Twice { .. }), "{twice}");
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("other.yaml");
    std::fs::write(&other, "name: a").unwrap();
    let several = error(Inputs::new().file(&other));
    assert!(matches!(several, InputError::Several { .. }), "{several}");
    let folder = error(Inputs::new().layer_file("app.yaml", folder.path()));
    assert!(
        folder
            .to_string()
            .ends_with("cannot be read: it is no file"),
        "{folder}"
    );
}

#[test]
fn a_source_whose_variable_is_not_set_is_no_obstacle_where_it_is_given() {
    let builder = || {
        Capacitor::<Pool>::builder()
            .source(Source::uri("file:${FLUX_NOT_SET_HERE}/app.yaml").format(Format::Yaml))
    };
    let Err(CheckError::Inputs(error)) = builder().check(Inputs::new()) else {
        panic!("nothing to judge")
    };
    assert!(
        error.to_string().contains("FLUX_NOT_SET_HERE is not set"),
        "{error}"
    );
    assert!(builder().check(Inputs::new().layer("0", "size: 5")).is_ok());
    assert!(builder().check(Inputs::new().only_given()).is_ok());
}

#[test]
fn a_config_type_without_sources_is_judged_by_documents_of_their_own() {
    let check = |text: &str| {
        let inputs = Inputs::new().document("pool.toml", Format::Toml, text);
        Capacitor::<Pool>::builder().check(inputs)
    };
    assert!(check("size = 3").is_ok());
    let Err(CheckError::Refused(report)) = check("size = -3") else {
        panic!("size is negative")
    };
    assert_eq!(report.problems()[0].origin, "pool.toml");
}

#[derive(Flux, Debug)]
#[flux(source = "file:/nowhere/declared.yaml", unknown = "deny", transform = doubled)]
struct Declared {
    #[flux(default = 2, range = 0..=10)]
    port: u16,
}

fn doubled(request: flux::pipeline::Request<Declared>) -> flux::pipeline::Request<Declared> {
    let port = request.current.port * 2;
    request.with(Declared { port })
}

#[test]
fn the_config_type_checks_with_its_sources_options_and_computing_stages() {
    let check = |text: &str| Declared::check(Inputs::new().layer("declared.yaml", text));
    assert!(check("port: 3").is_ok());
    let Err(CheckError::Refused(report)) = check("prot: 3") else {
        panic!("an unknown key")
    };
    assert_eq!(report.problems()[0].kind, ProblemKind::UnknownKey);
    let Err(CheckError::Refused(report)) = check("port: 7") else {
        panic!("what the stage makes breaks a rule")
    };
    assert_eq!(report.problems()[0].path.as_str(), "port", "{report}");
}

#[test]
fn a_refused_check_has_the_warnings_too_behind_what_refuses_it() {
    // The documents can be decoded, and a rule refuses them.
    let report = refused(Inputs::new().layer("app.yaml", "nmae: x\nname: a\nport: 0\n"));
    let found: Vec<_> = (report.problems().iter())
        .map(|one| (one.path.as_str(), one.is_warning()))
        .collect();
    assert_eq!(found, [("port", false), ("nmae", true)], "{report}");
    let text = report.to_string();
    assert!(text.contains(": 1 problem, 1 warning;"), "{text}");
    assert!(text.contains("\n  port: must be in "), "{text}");
    assert!(text.contains("\n  warning: nmae: "), "{text}");
    // A document that cannot be decoded has its warnings already, and has each once.
    let report = refused(Inputs::new().layer("app.yaml", "nmae: x\nname: [a]\nport: 1\n"));
    let text = report.to_string();
    assert_eq!(text.matches("nmae: ").count(), 1, "{text}");
}

#[test]
fn what_is_printed_behind_a_word_has_one_blank_before_it() {
    let inputs = Inputs::new().layer("app.yaml", "nmae: x\nport: 1\n");
    let checked = builder().check(inputs.only_given()).unwrap().to_string();
    assert!(checked.contains("\n  warning: nmae: "), "{checked}");
    assert!(
        checked.contains("\n  to come: name: is required"),
        "{checked}"
    );
    assert!(checked.contains("\n    --> "), "{checked}");
}
