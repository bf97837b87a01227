//! Sections in sections: nothing depends on how many there are.

use flux::{Capacitor, Flux, Format, Source, Unknown, inspect::Describe as _, source::Channel};
use std::collections::BTreeMap;

/// Each in the one before.
macro_rules! sections {
    ($outer:ident $inner:ident $($more:ident)*) => {
        #[derive(Flux, Debug)]
        struct $outer {
            #[flux(nested)]
            s: $inner,
        }
        sections!($inner $($more)*);
    };
    ($last:ident) => {};
}

sections!(A B C D E F G H I J K L Innermost);

#[derive(Flux, Debug)]
struct Innermost {
    #[flux(default = 1)]
    size: u32,
    #[flux(default)]
    labels: BTreeMap<String, u32>,
    #[flux(secret, default)]
    token: String,
}

const DEPTH: usize = 12;

fn variable(name: &str) -> String {
    format!("APP_{}{name}", "S_".repeat(DEPTH))
}

fn path(name: &str) -> String {
    format!("{}{name}", "s.".repeat(DEPTH))
}

fn document(innermost: &str) -> String {
    format!("{}{innermost}{}", "{s: ".repeat(DEPTH), "}".repeat(DEPTH))
}

/// Starts over a document, variables and arguments.
async fn started(
    unknown: Unknown,
    document: &str,
    variables: &[(String, &str)],
    arguments: &[String],
) -> (Capacitor<A>, Option<flux::Error>) {
    let (sender, channel) = Channel::buffered("app.yaml", 1);
    sender.send(document.as_bytes()).await.expect("a receiver");
    let capacitor = Capacitor::<A>::builder()
        .manual()
        .unknown(unknown)
        .source(Source::watcher(channel).format(Format::Yaml))
        .override_with(Source::env("APP_").variables(variables.iter().cloned()))
        .override_with(Source::args().arguments(arguments))
        .build()
        .expect("layers that work");
    let error = capacitor.start().await.err();
    (capacitor, error)
}

fn innermost(all: &A) -> &Innermost {
    &all.s.s.s.s.s.s.s.s.s.s.s.s
}

#[tokio::test]
async fn a_field_has_its_variable_and_its_argument_however_many_sections_it_is_in() {
    let variables = [(variable("SIZE"), "5"), (variable("LABELS_X"), "3")];
    let (capacitor, error) = started(Unknown::Deny, "{}", &variables, &[]).await;
    assert!(error.is_none(), "{error:?}");
    let app = capacitor.get();
    assert_eq!((innermost(&app).size, innermost(&app).labels["x"]), (5, 3));
    let explained = capacitor.explain(&path("size")).expect("a field");
    assert!(
        explained.to_string().contains(&variable("SIZE")),
        "{explained}"
    );

    let arguments = [format!("--{}", path("size")), "7".to_owned()];
    let (capacitor, error) = started(Unknown::Deny, "{}", &variables, &arguments).await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(innermost(&capacitor.get()).size, 7);

    let misspelt = [(variable("SIZZE"), "5")];
    let (_, error) = started(Unknown::Deny, "{}", &misspelt, &[]).await;
    let error = error.expect("a slip").to_string();
    let meant = format!("did you mean `{}`?", variable("SIZE"));
    assert!(error.contains(&meant), "{error}");
}

#[test]
fn what_is_described_of_a_type_has_every_section() {
    assert!(A::template(Format::Yaml).contains("size: 1"));
    assert!(A::reference("APP_").contains(&path("size")));
    assert!(A::variables("APP_").contains(&variable("SIZE")));
}

#[tokio::test]
async fn a_secret_is_not_told_however_many_sections_it_is_in() {
    for wrong in [
        "{tokn: hunter2}",
        "{size: hunter2, token: hunter2}",
        "{size: [hunter2, token: hunter2}",
        "{token: [hunter2]}",
        "hunter2",
    ] {
        let (capacitor, error) = started(Unknown::Deny, &document(wrong), &[], &[]).await;
        let error = error.expect(wrong);
        let status = serde_json::to_string(&*capacitor.status()).expect("JSON");
        let all = format!("{error} {error:?} {status}");
        assert!(!all.contains("hunter2"), "{wrong}: {all}");
    }
}

#[derive(Flux, Debug)]
struct Chain {
    #[flux(default = 0)]
    size: u32,
    #[flux(nested)]
    next: Option<Box<Chain>>,
}

#[tokio::test]
async fn a_type_that_contains_itself_has_variables_for_eight_sections_in_its_own() {
    for links in [0, 1, 7, 8, 9] {
        let name = format!("APP_{}SIZE", "NEXT_".repeat(links));
        let source = Source::env("APP_").variables([(name, "5")]);
        let builder = Capacitor::<Chain>::builder().manual().source(source);
        let capacitor = builder.build().expect("layers that work");
        capacitor.start().await.expect("no variable that is wrong");
        let chain = capacitor.get();
        let (mut at, mut sum) = (Some(&*chain), 0);
        while let Some(link) = at {
            sum += link.size;
            at = link.next.as_deref();
        }
        assert_eq!(sum, if links <= 8 { 5 } else { 0 }, "{links}");
    }
}
