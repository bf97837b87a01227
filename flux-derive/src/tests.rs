//! What the macro says of features that are off, which `ui-tests`, with all of them on, cannot show.

use crate::{ast::Input, check, errors::Errors};

/// Every message about this struct, in one text.
fn messages(text: &str) -> String {
    let input = syn::parse_str(text).expect("a struct");
    let mut errors = Errors::default();
    let input = Input::read(&input, &mut errors);
    check::model(&input, &mut errors);
    errors.into_tokens().to_string()
}

#[cfg(not(all(
    feature = "etcd",
    feature = "file",
    feature = "json",
    feature = "nats",
    feature = "redis",
    feature = "rules",
    feature = "toml",
    feature = "yaml"
)))]
fn names_feature(text: &str, feature: &str) {
    let said = messages(text);
    assert!(
        said.contains(&format!("need the feature `{feature}` of `flux`")),
        "{said}"
    );
}

#[test]
#[cfg(not(feature = "file"))]
fn a_file_source_without_its_feature_names_it() {
    names_feature(
        "#[flux(source = \"file:app.json\")] struct C { a: u8 }",
        "file",
    );
}

#[test]
#[cfg(not(any(feature = "etcd", feature = "nats", feature = "redis")))]
fn a_server_without_its_feature_names_it() {
    for (uri, feature) in [
        ("redis://host/key", "redis"),
        ("rediss://host/key", "redis"),
        ("etcd://host/key", "etcd"),
        ("nats://host/bucket/key", "nats"),
    ] {
        let text = format!("#[flux(source = \"{uri}\")] struct C {{ a: u8 }}");
        names_feature(&text, feature);
    }
}

#[test]
#[cfg(not(any(feature = "json", feature = "yaml", feature = "toml")))]
fn a_format_without_its_feature_names_it() {
    for format in ["json", "yaml", "toml"] {
        let inferred = format!("#[flux(source = \"file:app.{format}\")] struct C {{ a: u8 }}");
        names_feature(&inferred, format);
        let named =
            format!("#[flux(source(\"file:app\", format = \"{format}\"))] struct C {{ a: u8 }}");
        names_feature(&named, format);
    }
}

#[test]
#[cfg(not(feature = "rules"))]
fn a_rule_without_its_feature_names_it() {
    for rule in ["email", "url", "pattern = \"a\""] {
        names_feature(
            &format!("struct C {{ #[flux({rule})] a: String }}"),
            "rules",
        );
    }
}

#[test]
fn what_needs_no_feature_is_accepted() {
    let said = messages(
        "#[flux(source = \"env:APP_\")] struct C { #[flux(range = 1..5, default = 2)] a: u8 }",
    );
    assert_eq!(said, "");
}
