//! The last good configuration on disk: when it is written, what is in it, and when it is served.

use crate::kit::{App, Ear, Log, Teller, over_a_channel, pass, say, settle, write};
use flux::{
    Builder, Capacitor, Config, Error, Flux, Format, Secrets, Source, State,
    source::{Channel, ChannelSender, SourceError},
};
use std::{fs, os::unix::fs::PermissionsExt, path::Path, time::Duration};

/// A capacitor that keeps its last good configuration in `path`.
fn keeping<C: Config>(path: &Path) -> (Builder<C>, ChannelSender) {
    let (builder, sender) = over_a_channel::<C>();
    let path = path.to_str().unwrap();
    (builder.last_known_good(path, Secrets::Omit), sender)
}

/// Runs once with these documents, and stops.
async fn ran<C: Config>(path: &Path, documents: &[&str]) {
    let (builder, sender) = keeping::<C>(path);
    let capacitor = builder.build().unwrap();
    for document in documents {
        write(&sender, document).await;
        match capacitor.status().running {
            false => capacitor.start().await.unwrap(),
            true => settle().await,
        }
    }
    capacitor.stop().await;
}

/// Runs once with `n: 1` until its trial has passed, and stops.
async fn passed_its_trial(path: &Path) {
    let (builder, sender) = keeping::<App>(path);
    let capacitor = builder.trial(2).build().unwrap();
    say(&sender, 1).await;
    capacitor.start().await.unwrap();
    settle().await;
    pass(61.0).await;
    settle().await;
    capacitor.stop().await;
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Folder(tempfile::tempdir().unwrap())
    }
    fn file(&self) -> std::path::PathBuf {
        self.0.path().join("known-good.json")
    }
    fn text(&self) -> String {
        fs::read_to_string(self.file()).unwrap()
    }
    /// Every file's name in it.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).unwrap();
        let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name();
        entries
            .map(|entry| name(entry).into_string().unwrap())
            .collect()
    }
}

#[tokio::test(start_paused = true)]
async fn it_is_written_after_each_change_readable_by_its_owner_alone_and_nothing_is_left_beside_it()
{
    let folder = Folder::new();
    let (builder, sender) = keeping::<App>(&folder.file());
    let capacitor = builder.build().unwrap();
    say(&sender, 1).await;
    capacitor.start().await.unwrap();
    for n in 1..=3 {
        say(&sender, n).await;
        settle().await;
        assert!(
            folder.text().contains(&format!("\"n\": {n}")),
            "{}",
            folder.text()
        );
        let mode = fs::metadata(folder.file()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(folder.names(), ["known-good.json"]);
    }
    capacitor.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_file_that_others_could_read_is_replaced_and_not_written_into() {
    let folder = Folder::new();
    for name in [
        "known-good.json",
        &format!(".known-good.json.{}.new", std::process::id()),
    ] {
        let path = folder.0.path().join(name);
        fs::write(&path, "{}").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
    }
    let held = fs::File::open(folder.file()).unwrap();
    ran::<App>(&folder.file(), &["n: 1"]).await;
    let mode = fs::metadata(folder.file()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(
        std::io::read_to_string(held).unwrap(),
        "{}",
        "replaced as a whole"
    );
}

#[tokio::test(start_paused = true)]
async fn a_refused_change_is_not_written() {
    let folder = Folder::new();
    ran::<App>(&folder.file(), &["n: 1", "n: 2", "n: 100", "n: x", ""]).await;
    assert!(folder.text().contains("\"n\": 2"), "{}", folder.text());
}

#[tokio::test(start_paused = true)]
async fn nothing_is_written_while_a_change_is_on_probation() {
    let folder = Folder::new();
    let (builder, sender) = keeping::<App>(&folder.file());
    let capacitor = builder.probation(Duration::from_secs(30)).build().unwrap();
    say(&sender, 1).await;
    capacitor.start().await.unwrap();
    settle().await;
    let holds = |n: u32| folder.text().contains(&format!("\"n\": {n}"));
    assert!(holds(1));
    say(&sender, 2).await;
    pass(29.0).await;
    assert!(holds(1), "2 is on probation");
    write(&sender, "n: 2 # the same").await;
    settle().await;
    assert!(holds(1), "other bytes, the same probation");
    pass(2.0).await;
    assert!(holds(2), "2 is confirmed");
    say(&sender, 3).await;
    settle().await;
    capacitor.report_unhealthy("bad");
    settle().await;
    assert!(holds(2), "3 was taken back");
    say(&sender, 4).await;
    pass(10.0).await;
    capacitor.stop().await;
    assert!(holds(2), "a stop confirms nothing");
}

#[tokio::test(start_paused = true)]
async fn what_is_to_be_written_is_on_disk_once_stop_returns() {
    let folder = Folder::new();
    for n in 1..=5 {
        let (builder, sender) = keeping::<App>(&folder.file());
        let capacitor = builder.build().unwrap();
        say(&sender, n).await;
        capacitor.start().await.unwrap();
        capacitor.stop().await;
        assert!(folder.text().contains(&format!("\"n\": {n}")));
    }
}

#[derive(Flux, Debug, PartialEq)]
struct Shop {
    #[flux(default = 0, range = 0..=99)]
    n: u32,
    #[flux(secret)]
    password: Option<String>,
    #[flux(nested, default)]
    pools: Vec<Pool>,
    #[flux(default = 0.5)]
    ratio: f64,
    #[flux(default = "30s")]
    timeout: Duration,
}

#[derive(Flux, Debug, PartialEq)]
struct Pool {
    #[flux(default = 1)]
    size: u32,
    #[flux(secret, default = "none")]
    token: String,
}

#[tokio::test(start_paused = true)]
async fn secrets_are_left_out_at_any_depth() {
    let folder = Folder::new();
    let document = "{n: 1, password: hunter2, pools: [{size: 3, token: hunter22}, {size: 4}]}";
    ran::<Shop>(&folder.file(), &[document]).await;
    let text = folder.text();
    assert!(!text.contains("hunter"), "{text}");
    let capacitor = cold::<Shop>(&folder.file(), Down::Failing).await;
    let shop = capacitor.get();
    assert_eq!((shop.n, &shop.password), (1, &None));
    let pools: Vec<_> = shop
        .pools
        .iter()
        .map(|pool| (pool.size, &*pool.token))
        .collect();
    assert_eq!(pools, [(3, "none"), (4, "none")]);
}

#[tokio::test(start_paused = true)]
async fn a_secret_whose_key_was_forgotten_is_not_kept_as_a_key() {
    for document in [
        "{n: 1, pools: [{hunter2}]}",
        "{n: 1, pools: [{size: 3, 'token:hunter2': x}]}",
        "{n: 1, hunter2}",
    ] {
        let folder = Folder::new();
        ran::<Shop>(&folder.file(), &[document]).await;
        let text = folder.text();
        assert!(
            text.contains("\"n\": 1") && !text.contains("hunter"),
            "{text}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_configuration_with_secrets_is_not_written_at_all_where_that_was_chosen() {
    let (ear, _listening) = Ear::listen();
    let folder = Folder::new();
    let (builder, sender) = over_a_channel::<Shop>();
    let path = folder.file();
    let capacitor = builder
        .last_known_good(path.to_str().unwrap(), Secrets::Refuse)
        .build()
        .unwrap();
    write(&sender, "{n: 1, password: hunter2}").await;
    capacitor.start().await.unwrap();
    settle().await;
    assert!(!path.exists());
    let told = ear.text();
    assert!(
        told.contains("Secrets::Refuse") && !told.contains("hunter2"),
        "{told}"
    );
    write(&sender, "{n: 2}").await;
    settle().await;
    assert!(path.exists(), "without secrets there is nothing to refuse");
}

/// How a source is of no use.
#[derive(Debug, Clone, Copy)]
enum Down {
    Failing,
    Silent,
    Gone,
    Saying(&'static str),
}

/// A cold start over a source that is of no use.
async fn cold<C: Config>(path: &Path, down: Down) -> Capacitor<C> {
    let (capacitor, sender) = cold_with::<C>(path, down).await;
    // A source whose senders are all gone is closed; these tests are about others.
    std::mem::forget(sender);
    capacitor
}

async fn cold_with<C: Config>(path: &Path, down: Down) -> (Capacitor<C>, ChannelSender) {
    let (builder, sender) = keeping::<C>(path);
    let capacitor = builder.build().unwrap();
    match down {
        Down::Failing => sender
            .fail(SourceError::transient("no route"))
            .await
            .unwrap(),
        Down::Silent => {}
        Down::Gone => sender.fail(SourceError::closed("gone")).await.unwrap(),
        Down::Saying("") => sender.absent().await.unwrap(),
        Down::Saying(document) => write(&sender, document).await,
    }
    capacitor.start().await.expect("the last known good one");
    (capacitor, sender)
}

#[tokio::test(start_paused = true)]
async fn a_cold_start_serves_it_where_the_source_is_down_silent_gone_or_bad_and_says_so() {
    let folder = Folder::new();
    ran::<App>(&folder.file(), &["n: 7"]).await;
    for (down, said) in [
        (Down::Failing, "cannot be reached (no route)"),
        (Down::Silent, "has not answered yet"),
        (Down::Gone, "ended before its first report"),
        (Down::Saying("n: 100"), "must be in 0..=99"),
        (Down::Saying("n: x"), "expected u32"),
        (Down::Saying("{"), "channel"),
        (Down::Saying(""), "does not exist"),
    ] {
        let (capacitor, _sender) = cold_with::<App>(&folder.file(), down).await;
        let status = capacitor.status();
        assert_eq!(
            (status.state, capacitor.get().n),
            (State::Degraded, 7),
            "{down:?}"
        );
        assert_eq!(status.generation, 1);
        let error = status.error.as_ref().unwrap().to_string();
        assert!(error.contains(said), "{down:?}: {error}");
        if matches!(down, Down::Failing | Down::Silent) {
            assert!(error.contains("known-good.json"), "{error}");
            assert!(error.contains("last known good configuration, "), "{error}");
        }
        capacitor.stop().await;
        assert!(folder.text().contains("\"n\": 7"), "it is still there");
    }
}

#[tokio::test(start_paused = true)]
async fn neither_the_environment_nor_a_secret_that_the_file_does_not_have_is_a_warning_at_a_start_from_it()
 {
    #[derive(Flux, Debug)]
    struct Guarded {
        n: u32,
        #[flux(secret)]
        password: String,
    }
    let folder = Folder::new();
    let with_variable = || {
        let (builder, sender) = keeping::<Guarded>(&folder.file());
        let variables =
            Source::env("APP_").variables([("APP_PASSWORD", "correct-horse"), ("APP_N", "2")]);
        (builder.override_with(variables).build().unwrap(), sender)
    };
    let document = "{n: 1, password: correct-horse}";
    let (capacitor, sender) = with_variable();
    write(&sender, document).await;
    capacitor.start().await.unwrap();
    capacitor.stop().await;
    let (ear, _guard) = Ear::listen();
    let (capacitor, sender) = with_variable();
    sender.absent().await.unwrap();
    capacitor.start().await.unwrap();
    assert_eq!(capacitor.state(), State::Degraded);
    let told = ear.text();
    assert!(!told.contains("nothing of environment"), "{told}");
    assert_eq!(
        capacitor
            .status()
            .last_known_good
            .clone()
            .and_then(|file| file.problem),
        None
    );
    // What comes back is what was there.
    write(&sender, document).await;
    settle().await;
    assert_eq!(capacitor.state(), State::Healthy);
    let told = ear.text();
    assert!(!told.contains("without effect"), "{told}");
    assert!(capacitor.status().warnings.is_empty());
    // An edit of it is one.
    write(&sender, "{n: 3, password: correct-horse}").await;
    settle().await;
    let told = ear.text();
    assert!(
        told.contains("is changed here without effect: the variable APP_N"),
        "{told}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_it_serves_is_explained_by_it_and_not_by_the_layer_below() {
    let folder = Folder::new();
    ran::<App>(&folder.file(), &["n: 7"]).await;
    let (below, base) = Channel::buffered("base", 4);
    let (sender, channel) = Channel::buffered("channel", 4);
    let path = folder.file();
    let capacitor = Capacitor::<App>::builder()
        .source(Source::watcher(base).format(Format::Yaml))
        .source(Source::watcher(channel).format(Format::Yaml))
        .last_known_good(path.to_str().unwrap(), Secrets::Omit)
        .build()
        .unwrap();
    write(&below, "n: 3").await;
    let error = SourceError::transient("no route");
    sender.fail(error).await.unwrap();
    capacitor.start().await.unwrap();
    let explained = capacitor.explain("n").unwrap().to_string();
    assert!(
        explained.starts_with("n = 7\n  --> channel\n"),
        "{explained}"
    );
    let note = "channel: serves from the last known good file, which has no secrets";
    assert!(explained.contains(note), "{explained}");
    let effective = capacitor.effective().unwrap().with_origins();
    assert!(
        effective.to_string().contains(": 7  # channel"),
        "{effective}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_silent_source_is_waited_for_half_of_the_startup_timeout_or_five_seconds() {
    let folder = Folder::new();
    ran::<App>(&folder.file(), &["n: 7"]).await;
    for (limit, waits) in [(None, 5), (Some(30), 15)] {
        let (mut builder, _sender) = keeping::<App>(&folder.file());
        if let Some(limit) = limit {
            builder = builder.startup_timeout(Duration::from_secs(limit));
        }
        let capacitor = builder.build().unwrap();
        let begin = tokio::time::Instant::now();
        capacitor.start().await.unwrap();
        assert_eq!(begin.elapsed().as_secs(), waits);
        capacitor.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn it_is_served_through_the_pipeline_like_any_other() {
    let folder = Folder::new();
    ran::<App>(&folder.file(), &["n: 7"]).await;
    let log = Log::default();
    let (builder, sender) = keeping::<App>(&folder.file());
    let capacitor = builder.party(Teller::new("one", &log)).build().unwrap();
    sender
        .fail(SourceError::transient("no route"))
        .await
        .unwrap();
    capacitor.start().await.unwrap();
    assert_eq!(log.take(), ["one prepares 7", "one commits 7"]);
}

#[tokio::test(start_paused = true)]
async fn it_heals_when_the_source_comes_with_the_same_or_with_other_content() {
    let folder = Folder::new();
    for (n, generation) in [(7, 1), (8, 2)] {
        ran::<App>(&folder.file(), &["n: 7"]).await;
        let (capacitor, sender) = cold_with::<App>(&folder.file(), Down::Failing).await;
        write(&sender, "n: 100").await;
        settle().await;
        assert_eq!((capacitor.state(), capacitor.get().n), (State::Degraded, 7));
        say(&sender, n).await;
        settle().await;
        let status = capacitor.status();
        assert_eq!((status.state, capacitor.get().n), (State::Healthy, n));
        assert_eq!(status.generation, generation);
        assert!(status.error.is_none());
        capacitor.stop().await;
        assert!(folder.text().contains(&format!("\"n\": {n}")));
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_rescue_with_the_same_content_the_next_change_can_be_taken_back() {
    let folder = Folder::new();
    ran::<App>(&folder.file(), &["n: 7"]).await;
    let (builder, sender) = keeping::<App>(&folder.file());
    let capacitor = builder.probation(Duration::from_secs(30)).build().unwrap();
    sender
        .fail(SourceError::transient("no route"))
        .await
        .unwrap();
    capacitor.start().await.unwrap();
    for n in [7, 8] {
        say(&sender, n).await;
        settle().await;
    }
    assert!(capacitor.report_unhealthy("bad"));
    settle().await;
    assert_eq!(capacitor.get().n, 7);
}

#[tokio::test(start_paused = true)]
async fn a_good_source_is_taken_and_the_file_is_not() {
    let folder = Folder::new();
    ran::<App>(&folder.file(), &["n: 7"]).await;
    let (capacitor, _sender) = cold_with::<App>(&folder.file(), Down::Saying("n: 8")).await;
    assert_eq!((capacitor.state(), capacitor.get().n), (State::Healthy, 8));
}

#[tokio::test(start_paused = true)]
async fn without_a_usable_file_a_bad_start_is_what_it_was_and_garbage_is_told() {
    #[derive(Flux)]
    struct Other {
        #[flux(default = 0)]
        n: u32,
    }
    let folder = Folder::new();
    ran::<Other>(&folder.file(), &["n: 7"]).await;
    let foreign = folder.text();
    ran::<App>(&folder.file(), &["n: 7"]).await;
    let own = folder.text();
    let cases = [
        ("", "is not a last known good configuration of App"),
        ("{", "is not a last known good configuration of App"),
        ("null", "is not a last known good configuration of App"),
        ("[1, 2]", "is not a last known good configuration of App"),
        (
            &own[..own.len() / 2],
            "is not a last known good configuration of App",
        ),
        (&*foreign, "is not a last known good configuration of App"),
        (
            &*own.replace("\"version\": 2", "\"version\": 3"),
            "is not a last known",
        ),
        (
            &*own.replace("\"n\": 7", "\"n\": \"x\""),
            "does not fit the configuration",
        ),
    ]
    .map(|(content, told)| (Some(content.as_bytes().to_vec()), told));
    let binary = (
        Some(vec![0xff, 0xfe, 0x00]),
        "is not a last known good configuration of App",
    );
    for (content, said) in cases.into_iter().chain([binary, (None, "")]) {
        fs::remove_file(folder.file()).unwrap();
        if let Some(content) = &content {
            fs::write(folder.file(), content).unwrap();
        }
        let (ear, listening) = Ear::listen();
        let (builder, sender) = keeping::<App>(&folder.file());
        let capacitor = builder.build().unwrap();
        write(&sender, "n: 100").await;
        let error = capacitor.start().await.expect_err("a bad start");
        assert!(matches!(error, Error::Refused(_)), "{error}");
        assert_eq!(capacitor.state(), State::Empty);
        assert!(capacitor.try_snapshot().is_none());
        let told = ear.text();
        drop(listening);
        assert!(told.contains(said), "{content:?}: {told}");
        say(&sender, 1).await;
        settle().await;
        assert_eq!((capacitor.state(), capacitor.get().n), (State::Healthy, 1));
        capacitor.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_kept_value_that_breaks_a_rule_of_today_is_not_served() {
    let folder = Folder::new();
    ran::<App>(&folder.file(), &["n: 7"]).await;
    fs::write(
        folder.file(),
        folder.text().replace("\"n\": 7", "\"n\": 100"),
    )
    .unwrap();
    let (builder, sender) = keeping::<App>(&folder.file());
    let capacitor = builder.build().unwrap();
    sender
        .fail(SourceError::transient("no route"))
        .await
        .unwrap();
    capacitor.start().await.expect_err("100 breaks the rule");
    assert_eq!(capacitor.state(), State::Empty);
    say(&sender, 1).await;
    settle().await;
    assert_eq!((capacitor.state(), capacitor.get().n), (State::Healthy, 1));
}

#[tokio::test(start_paused = true)]
async fn a_file_that_cannot_be_written_is_told_and_nothing_else_suffers() {
    let (ear, _listening) = Ear::listen();
    let folder = Folder::new();
    let path = folder
        .0
        .path()
        .join("no-such-folder")
        .join("known-good.json");
    let (builder, sender) = keeping::<App>(&path);
    let capacitor = builder.build().unwrap();
    say(&sender, 1).await;
    capacitor.start().await.unwrap();
    settle().await;
    let told = ear.text();
    assert!(
        told.contains("no-such-folder") && told.contains("cannot be kept"),
        "{told}"
    );
    assert_eq!(capacitor.state(), State::Healthy);
    say(&sender, 2).await;
    settle().await;
    assert_eq!(capacitor.get().n, 2);
    capacitor.stop().await;
}

/// Two layers: the channel, and another one.
fn two(path: &Path, optional: bool) -> (Capacitor<Shop>, ChannelSender, ChannelSender) {
    let (builder, sender) = keeping::<Shop>(path);
    let (other, channel) = Channel::buffered("other", 8);
    let mut source = Source::watcher(channel).format(Format::Toml);
    if optional {
        source = source.optional();
    }
    let capacitor = builder.source(source).build().unwrap();
    (capacitor, sender, other)
}

#[tokio::test(start_paused = true)]
async fn what_is_live_is_used_and_only_what_is_down_comes_from_the_file() {
    let folder = Folder::new();
    let (capacitor, sender, other) = two(&folder.file(), false);
    write(&sender, "{n: 1, timeout: 5s}").await;
    write(&other, "ratio = 0.25").await;
    capacitor.start().await.unwrap();
    capacitor.stop().await;

    let (capacitor, sender, other) = two(&folder.file(), false);
    write(&sender, "{n: 2, timeout: 6s}").await;
    other
        .fail(SourceError::transient("no route"))
        .await
        .unwrap();
    capacitor.start().await.unwrap();
    let shop = capacitor.get();
    assert_eq!((shop.n, shop.ratio, shop.timeout.as_secs()), (2, 0.25, 6));
    assert_eq!(capacitor.state(), State::Degraded);
    let refused: Vec<bool> = capacitor
        .status()
        .layers
        .iter()
        .map(|one| one.refused)
        .collect();
    assert_eq!(refused, [false, true]);
    settle().await;
    assert!(
        folder.text().contains("ratio"),
        "what is only in the file stays in it"
    );
    drop(sender);
    capacitor.stop().await;

    let (capacitor, sender, other) = two(&folder.file(), false);
    sender
        .fail(SourceError::transient("no route"))
        .await
        .unwrap();
    other
        .fail(SourceError::transient("no route"))
        .await
        .unwrap();
    capacitor.start().await.expect("both are still in the file");
    assert_eq!((capacitor.get().n, capacitor.get().ratio), (1, 0.25));
    write(&sender, "{n: 3}").await;
    settle().await;
    assert!(
        folder.text().contains("\"n\": 1"),
        "not while a part is from the file"
    );
    write(&other, "ratio = 0.25").await;
    settle().await;
    assert_eq!(capacitor.state(), State::Healthy);
    assert!(
        folder.text().contains("\"n\": 3"),
        "all of it is from the sources now"
    );
    capacitor.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_optional_layer_that_was_absent_then_is_taken_as_absent_while_it_is_down() {
    let folder = Folder::new();
    let (capacitor, sender, other) = two(&folder.file(), true);
    write(&sender, "{n: 1}").await;
    other.absent().await.unwrap();
    capacitor.start().await.unwrap();
    capacitor.stop().await;
    let (capacitor, sender, other) = two(&folder.file(), true);
    write(&sender, "{n: 2}").await;
    other
        .fail(SourceError::transient("no route"))
        .await
        .unwrap();
    let before = folder.text();
    capacitor
        .start()
        .await
        .expect("it had nothing to say before");
    assert_eq!((capacitor.state(), capacitor.get().n), (State::Degraded, 2));
    let error = capacitor.last_error().unwrap().to_string();
    assert!(error.contains("no route"), "{error}");
    settle().await;
    assert_eq!(folder.text(), before, "not while a part is not known");
    write(&other, "ratio = 0.75").await;
    settle().await;
    assert_eq!(
        (capacitor.state(), capacitor.get().ratio),
        (State::Healthy, 0.75)
    );
    capacitor.stop().await;
}

#[tokio::test(start_paused = true)]
async fn every_format_comes_back_as_it_was() {
    let folder = Folder::new();
    let document = "n = 3\nratio = 1.5e3\ntimeout = \"1h 30m\"\n[[pools]]\nsize = 5\n";
    let open = || {
        let (sender, channel) = Channel::buffered("channel", 4);
        let path = folder.file();
        let capacitor = Capacitor::<Shop>::builder()
            .source(Source::watcher(channel).format(Format::Toml))
            .last_known_good(path.to_str().unwrap(), Secrets::Omit)
            .build()
            .unwrap();
        (capacitor, sender)
    };
    let (capacitor, sender) = open();
    write(&sender, document).await;
    capacitor.start().await.unwrap();
    let before = capacitor.get();
    capacitor.stop().await;
    let (capacitor, sender) = open();
    sender
        .fail(SourceError::transient("no route"))
        .await
        .unwrap();
    capacitor.start().await.unwrap();
    assert_eq!(*capacitor.get(), *before);
}

#[tokio::test(start_paused = true)]
async fn a_number_that_json_does_not_have_is_kept_as_it_was() {
    let folder = Folder::new();
    ran::<Shop>(&folder.file(), &["{n: 1}", "{n: 2, ratio: .inf}"]).await;
    let capacitor = cold::<Shop>(&folder.file(), Down::Failing).await;
    let shop = capacitor.get();
    assert_eq!((shop.n, shop.ratio), (2, f64::INFINITY));
}

#[tokio::test(start_paused = true)]
async fn it_works_in_manual_mode() {
    let folder = Folder::new();
    for (document, n) in [(Some("n: 1"), 1), (None, 1)] {
        let path = folder.file();
        let (capacitor, sender) = crate::by_hand::<App>(|builder| {
            builder
                .startup_timeout(Duration::from_millis(20))
                .last_known_good(path.to_str().unwrap(), Secrets::Omit)
        });
        if let Some(document) = document {
            write(&sender, document).await;
        }
        capacitor.start().await.unwrap();
        assert_eq!(capacitor.get().n, n);
        capacitor.stop().await;
        assert!(folder.text().contains("\"n\": 1"));
    }
}

/// A change is on trial for 60 s after it was applied.
#[tokio::test(start_paused = true)]
async fn a_change_on_trial_becomes_the_last_known_good_one_after_60_seconds_and_shows_in_the_status()
 {
    let (ear, _listening) = Ear::listen();
    let folder = Folder::new();
    passed_its_trial(&folder.file()).await;
    let (builder, sender) = keeping::<App>(&folder.file());
    let capacitor = builder.trial(2).build().unwrap();
    say(&sender, 1).await;
    capacitor.start().await.unwrap();
    settle().await;
    assert_eq!(
        capacitor.status().trial,
        None,
        "it is the last known good one"
    );
    say(&sender, 2).await;
    settle().await;
    let record = folder.0.path().join("known-good.json.trial");
    let holds = |n: u32| folder.text().contains(&format!("\"n\": {n}"));
    for (seconds, on_trial) in [(0.0, true), (50.0, true), (15.0, false)] {
        pass(seconds).await;
        settle().await;
        let status = capacitor.status();
        assert_eq!(status.trial.is_some(), on_trial);
        assert_eq!(record.exists(), on_trial);
        assert!(holds(if on_trial { 1 } else { 2 }));
        if let Some(trial) = &status.trial {
            assert_eq!(
                (trial.generation, &*trial.changed),
                (2, &["n".to_owned()][..])
            );
            assert!(
                status.to_string().contains("on trial: `n`, since 20"),
                "{status}"
            );
            let lasts = trial.until.duration_since(trial.since).unwrap();
            assert_eq!(lasts.as_secs(), 60);
            assert!(!status.to_string().contains("died"), "{status}");
        }
    }
    assert_eq!((capacitor.state(), capacitor.get().n), (State::Healthy, 2));
    capacitor.stop().await;
    let told = ear.text();
    for event in ["flux.trial.began", "flux.trial.passed"] {
        assert!(told.contains(event), "{told}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_or_denied_change_leaves_no_record() {
    let folder = Folder::new();
    passed_its_trial(&folder.file()).await;
    let (builder, sender) = keeping::<App>(&folder.file());
    let capacitor = builder
        .trial(2)
        .on_apply(|_, app: std::sync::Arc<flux::Snapshot<App>>| {
            std::future::ready(if app.n == 5 { Err("no") } else { Ok(()) })
        })
        .build()
        .unwrap();
    say(&sender, 1).await;
    capacitor.start().await.unwrap();
    let record = folder.0.path().join("known-good.json.trial");
    for document in ["n: 100", "n: x", "n: 5", "", "n: 1 # the same"] {
        write(&sender, document).await;
        settle().await;
        settle().await;
        assert!(!record.exists(), "{document}");
        assert_eq!(capacitor.get().n, 1);
    }
    capacitor.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_trial_without_a_last_known_good_file_or_without_a_try_is_a_declaration_that_cannot_work()
{
    let (builder, _sender) = over_a_channel::<App>();
    let error = builder.trial(2).build().unwrap_err();
    assert!(error.to_string().contains("last_known_good"), "{error}");
    let folder = Folder::new();
    let (builder, _sender) = keeping::<App>(&folder.file());
    let error = builder.trial(0).build().unwrap_err();
    assert!(error.to_string().contains("trial(1)"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_way_back_to_what_never_passed_its_trial_is_a_trial_itself() {
    let folder = Folder::new();
    ran::<App>(&folder.file(), &["n: 1"]).await;
    let (builder, sender) = keeping::<App>(&folder.file());
    let capacitor = builder.trial(2).build().unwrap();
    say(&sender, 1).await;
    capacitor.start().await.unwrap();
    for n in [2, 3] {
        say(&sender, n).await;
        pass(10.0).await;
        settle().await;
    }
    capacitor.rollback(2).await.unwrap();
    settle().await;
    assert_eq!(capacitor.get().n, 2);
    assert!(capacitor.status().trial.is_some(), "{}", capacitor.status());
    assert!(folder.text().contains("\"n\": 1"), "1 is trusted");
    pass(65.0).await;
    settle().await;
    assert!(capacitor.status().trial.is_none());
    assert!(folder.text().contains("\"n\": 2"));
    capacitor.rollback(1).await.unwrap();
    capacitor.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_trial_and_a_probation_may_last_as_long_as_a_duration() {
    let folder = Folder::new();
    ran::<App>(&folder.file(), &["n: 1"]).await;
    let (builder, sender) = keeping::<App>(&folder.file());
    let builder = builder.probation(Duration::MAX);
    let capacitor = builder.build().unwrap();
    say(&sender, 2).await;
    capacitor.start().await.unwrap();
    settle().await;
    assert_eq!((capacitor.state(), capacitor.get().n), (State::Healthy, 2));
    assert!(capacitor.last_error().is_none());
    capacitor.stop().await;
}
