//! How files of a folder are declared, beside other layers, and what cannot work.

use super::{DropInApp, DropInFolder, built, source};
use flux::{
    Capacitor, Flux, Format, Source,
    capacitor::{Generation, GenerationOutcome},
    source::{Channel, DropIns},
    testing::harness,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

#[derive(Flux, Debug)]
#[flux(
    source = "file:app.yaml",
    optional_source = "file:conf.d/*.yaml",
    optional_override = "file:/etc/app/override.d/*",
    override = "env:DROP_IN_"
)]
struct DeclaredApp {
    #[flux(default = 0)]
    n: u32,
    #[flux(default = "nobody")]
    name: String,
}

#[tokio::test]
async fn files_have_their_place_among_the_layers() {
    let app = harness::<DeclaredApp>()
        .document("app.yaml", "{n: 1, name: base}")
        .document(
            "conf.d/*.yaml",
            DropIns::document([("20-b.yaml", "n: 3"), ("10-a.yaml", "{n: 2, name: a}")]),
        )
        .document(
            "/etc/app/override.d/*",
            DropIns::document([("x.toml", "n = 4")]),
        )
        .start()
        .await;
    assert_eq!((app.get().n, &*app.get().name), (4, "a"));
    let origins: Vec<String> = (app.status().layers.iter())
        .map(|layer| layer.origin.to_string())
        .collect();
    assert_eq!(
        origins,
        [
            "app.yaml",
            "conf.d/*.yaml",
            "conf.d/10-a.yaml",
            "conf.d/20-b.yaml",
            "/etc/app/override.d/*",
            "/etc/app/override.d/x.toml",
            "environment",
        ]
    );
    app.remove("/etc/app/override.d/*").await.unwrap();
    assert_eq!(app.get().n, 3);
    let broken = DropIns::document([("10-a.yaml", "name: [")]);
    let report = app.set("conf.d/*.yaml", broken).await.unwrap_err();
    assert_eq!(report.problems()[0].origin, "conf.d/10-a.yaml");
    assert_eq!(report.problems()[0].layer, Some(2));
    let report = app.set("conf.d/*.yaml", "n: 1").await.unwrap_err();
    assert!(
        report.to_string().contains("source::DropIns::document"),
        "{report}"
    );
    // In one source nothing counts while a file of it is refused; the others do.
    app.set("app.yaml", "n: 9").await.unwrap_err();
    app.set(
        "conf.d/*.yaml",
        DropIns::document([("5.yaml", "name: five")]),
    )
    .await
    .unwrap();
    assert_eq!((app.get().n, &*app.get().name), (9, "five"));
}

#[tokio::test]
async fn two_sources_of_one_folder_are_told_apart() {
    let folder = DropInFolder::of(&[("10-a.yaml", "n: 1"), ("20-b.yml", "n: 2")]);
    let capacitor = Capacitor::<DropInApp>::builder()
        .source(source(&folder.pattern("*.yml")))
        .source(source(&folder.pattern("*.yaml")).named("site"))
        .build()
        .unwrap();
    capacitor.start().await.unwrap();
    assert_eq!(capacitor.get().n, 1);
    let set = capacitor.explain("n").unwrap().to_string();
    assert!(set.contains("site/10-a.yaml:1:4"), "{set}");
    folder.put("15-c.yaml", "n: [");
    crate::until("the refusal", || capacitor.last_error().is_some()).await;
    let report = capacitor.last_error().unwrap().to_string();
    assert!(report.contains("site/15-c.yaml:"), "{report}");
    folder.put("30-d.yml", "name: d");
    crate::until("the other source", || capacitor.get().name == "d").await;
}

#[test]
fn a_load_reads_them_once() {
    let folder = DropInFolder::of(&[("10-a.yaml", "n: 1"), ("20-b.yaml", "n: 2")]);
    let builder = Capacitor::<DropInApp>::builder().source(folder.source());
    assert_eq!(builder.load().unwrap().n, 2);
}

#[test]
fn what_cannot_work_is_refused_at_the_start() {
    let problem = |source: Source| {
        let built = Capacitor::<DropInApp>::builder().source(source).build();
        built.expect_err("it cannot work").to_string()
    };
    for (path, expected) in [
        ("/etc/*/app.yaml", "not in that of a folder"),
        ("conf.d/**.yaml", "`**` has no meaning"),
        ("conf.d/.*.yaml", "cannot begin with a dot"),
        (
            "conf.d/*.conf",
            "the format of `conf.d/*.conf` is not known",
        ),
    ] {
        for source in [
            Source::file(path),
            Source::uri("${DROP_IN}").variables([("DROP_IN", format!("file:{path}"))]),
            Source::uri("file:${DROP_IN}").variables([("DROP_IN", path)]),
        ] {
            let problem = problem(source);
            assert!(problem.contains(expected), "{problem}");
        }
    }
    let searched = Source::search("*.yaml", ["/etc"]);
    assert!(problem(searched).contains("looks for one file"));
}

#[tokio::test]
async fn the_programs_own_reducer_gets_each_file() {
    let folder = DropInFolder::of(&[("10-a.yaml", "n: 1"), ("20-b.yaml", "n: 2")]);
    let capacitor = Capacitor::<DropInApp>::builder()
        .source(folder.source())
        .reducer(|_: Option<&DropInApp>, layers| {
            let mut all = layers.iter().map(|layer| (*layer).clone());
            let first = all.next().unwrap_or_default();
            Ok::<_, std::convert::Infallible>(first)
        })
        .build()
        .unwrap();
    capacitor.start().await.unwrap();
    assert_eq!(capacitor.get().n, 1);
}

/// The layers of files and declared ones are the same layers.
#[tokio::test]
async fn a_null_a_list_and_a_map_are_merged_as_in_declared_layers() {
    let texts = [
        "labels: {a: 1, b: 2}\nhosts: [a]\npool: {size: 5}",
        "labels: {a: ~, c: 3}\nhosts: [b]\npool: {idle: 7}",
        "labels: {b: 7}\nhosts: [c]\npool: {}",
        "labels: {d: 4}\nlables: {}",
    ];
    let folder = DropInFolder::new();
    let mut declared = Capacitor::<DropInApp>::builder();
    for (number, text) in texts.iter().enumerate() {
        let name = format!("{number}.yaml");
        folder.put(&name, text);
        let (sender, channel) = Channel::latest(folder.origin(&name));
        sender.try_send(text.as_bytes()).unwrap();
        declared = declared.source(Source::watcher(channel).format(Format::Yaml).optional());
    }
    let declared = declared.build().unwrap();
    declared.start().await.unwrap();
    let in_folder = built::<DropInApp>(folder.source());
    in_folder.start().await.unwrap();
    let value = |app: &Capacitor<DropInApp>| format!("{:?}", *app.get());
    assert_eq!(value(&in_folder), value(&declared));
    let warnings = |app: &Capacitor<DropInApp>| {
        let warnings = app.status().warnings.clone();
        warnings.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert!(!warnings(&declared).is_empty());
    assert_eq!(warnings(&in_folder), warnings(&declared));
}

#[derive(Flux, Debug)]
#[flux(optional_source = "file:conf.d/*.yaml")]
struct RandomFiles {
    #[flux(default = 0)]
    n: u32,
    #[flux(default)]
    labels: BTreeMap<String, u32>,
}

/// What each file of a folder has, and whether it can be read.
type RandomFolder = BTreeMap<String, (u32, bool)>;

fn made_of(files: &RandomFolder) -> (u32, BTreeMap<String, u32>) {
    let labels = files.iter().map(|(name, (n, _))| (name.clone(), *n));
    let last = files.last_key_value().map_or(0, |(_, (n, _))| *n);
    (last, labels.collect())
}

fn document_of(files: &RandomFolder) -> Vec<u8> {
    let text = |(name, (n, is_good)): (&String, &(u32, bool))| {
        let end = if *is_good { "" } else { "[" };
        let text = format!("n: {n}\nlabels: {{{name}: {n}}}\n{end}");
        (format!("{name}.yaml"), text)
    };
    DropIns::document(files.iter().map(text))
}

/// Files come, change, break and go, and at times a generation of before serves again.
#[tokio::test]
async fn after_any_changes_the_files_are_what_they_would_be_at_a_start() {
    let mut random: u64 = 7;
    let mut below = |limit: u64| {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % limit
    };
    let app = harness::<RandomFiles>()
        .with(|builder| builder.generations(6))
        .start()
        .await;
    let mut files = RandomFolder::new();
    let (mut serves, mut known) = (RandomFolder::new(), BTreeMap::new());
    // What was gone when a generation was taken back may not go again.
    let mut stays = BTreeSet::new();
    let mut number = 0;
    for round in 0..60 {
        for _ in 0..=below(3) {
            number += 1;
            let name = format!("f{:02}", below(12));
            match below(8) {
                0..3 if !stays.contains(&name) => drop(files.remove(&name)),
                3 => drop(files.insert(name, (number, false))),
                _ => drop(files.insert(name, (number, true))),
            }
        }
        let is_good = files.values().all(|(_, is_good)| *is_good);
        let outcome = app.set("conf.d/*.yaml", document_of(&files)).await;
        assert_eq!(outcome.is_ok(), is_good, "{round}: {outcome:?}");
        if is_good {
            serves.clone_from(&files);
            known.insert(app.status().generation, serves.clone());
        }
        let value = || (app.get().n, app.get().labels.clone());
        assert_eq!(value(), made_of(&serves), "round {round}");
        for (name, (n, _)) in &serves {
            let set = app.explain(&format!("labels.{name}")).unwrap();
            let place = format!("conf.d/{name}.yaml:2:");
            assert!(set.to_string().contains(&place), "{set}, {n}");
        }
        if round % 10 == 0 {
            app.blame("").unwrap();
        }
        let status = app.status();
        let origins: Vec<&str> = status.layers.iter().map(|one| &*one.origin).collect();
        assert!(origins.is_sorted(), "{origins:?}");
        // While something is refused, the absence of a file may be taken back as well.
        if !is_good || below(4) > 0 {
            continue;
        }
        let kept = app.status().generations.clone();
        let mut applied = kept.iter().rev();
        let before = |one: &&Arc<Generation>| {
            one.outcome == GenerationOutcome::Applied && one.number < status.generation
        };
        let back = applied.find(before).map(|one| one.number);
        let Some((back, of_then)) = back.and_then(|back| Some((back, known.get(&back)?.clone())))
        else {
            continue;
        };
        app.rollback(Some(back)).await.unwrap();
        assert_eq!(value(), made_of(&of_then), "round {round}, back to {back}");
        let gone = of_then.keys().filter(|name| !files.contains_key(*name));
        stays.extend(gone.cloned());
        // What is other content than what was taken back is taken up.
        for name in files
            .keys()
            .chain(of_then.keys())
            .cloned()
            .collect::<Vec<_>>()
        {
            number += 1;
            files.insert(name, (number, true));
        }
        app.set("conf.d/*.yaml", document_of(&files)).await.unwrap();
        serves.clone_from(&files);
        assert_eq!(value(), made_of(&serves), "round {round}, after {back}");
        known.insert(app.status().generation, serves.clone());
    }
}
