//! What `ui-tests` cannot show: what the macro reports of features that are off, and how much it emits.

use crate::{ast::Input, check, errors::Errors, expand};

/// Every message about this struct, in one text.
fn messages(text: &str) -> String {
    let input = syn::parse_str(text).expect("a struct");
    let mut errors = Errors::default();
    let input = Input::read(&input, &mut errors);
    check::model(&input, &mut errors);
    errors.into_tokens().to_string()
}

#[cfg(not(all(
    feature = "consul",
    feature = "etcd",
    feature = "file",
    feature = "json",
    feature = "nats",
    feature = "pipeline",
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
#[cfg(not(any(
    feature = "consul",
    feature = "etcd",
    feature = "firestore",
    feature = "https",
    feature = "k8s",
    feature = "nats",
    feature = "redis",
    feature = "zookeeper"
)))]
fn a_server_without_its_feature_names_it() {
    for (uri, feature) in [
        ("redis://host/key", "redis"),
        ("rediss://host/key", "redis"),
        ("etcd://host/key", "etcd"),
        ("nats://host/bucket/key", "nats"),
        ("consul://host/key", "consul"),
        ("k8s://default/secret/name/key", "k8s"),
        ("zookeeper://host/path", "zookeeper"),
        ("firestore://project/collection/document", "firestore"),
        ("https://host/app.json", "https"),
        ("http://host/app.json", "https"),
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
#[cfg(not(any(feature = "jsonc", feature = "json5")))]
fn json_with_comments_without_its_feature_names_it() {
    for format in ["jsonc", "json5"] {
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
#[cfg(not(feature = "pipeline"))]
fn a_step_without_its_feature_names_it() {
    for step in [
        "timeout = \"1s\"",
        "retry(attempts = 3, base = \"1s\", max = \"1s\")",
    ] {
        let text = format!("#[flux(source = \"env\", {step})] struct C {{ a: u8 }}");
        names_feature(&text, "pipeline");
    }
}

#[test]
fn a_signal_that_is_misspelt_gets_a_suggestion_and_needs_its_feature() {
    let text = messages("#[flux(source = \"env\", reload_on = \"SIGHUB\")] struct C { a: u8 }");
    assert!(text.contains("did you mean `SIGHUP`"), "{text}");
    #[cfg(not(feature = "signal"))]
    names_feature(
        "#[flux(source = \"env\", reload_on = \"SIGHUP\")] struct C { a: u8 }",
        "signal",
    );
}

#[test]
fn a_socket_of_another_kind_is_refused_and_needs_its_feature() {
    for address in ["tcp:127.0.0.1:80", "/run/app.sock", "unix:"] {
        let text = format!("#[flux(source = \"env\", admin = \"{address}\")] struct C {{ a: u8 }}");
        let text = messages(&text);
        assert!(
            text.contains("is the address of a Unix domain socket"),
            "{text}"
        );
    }
    #[cfg(not(feature = "cli"))]
    names_feature(
        "#[flux(source = \"env\", admin = \"unix:/run/app.sock\")] struct C { a: u8 }",
        "cli",
    );
}

#[test]
#[cfg(not(feature = "json"))]
fn a_file_of_the_last_good_configuration_without_its_feature_names_it() {
    let text = "#[flux(source = \"env\", last_known_good = \"state\")] struct C { a: u8 }";
    names_feature(text, "json");
}

#[test]
fn what_needs_no_feature_is_accepted() {
    let said = messages(
        "#[flux(source = \"env:APP_\", rate_limit(per_second = 1, burst = 1), filter = path)]
        struct C { #[flux(range = 1..5, default = 2, max_change = \"1%\")] a: u8 }",
    );
    assert_eq!(said, "");
}

/// What is emitted for this struct.
fn expansion(text: &str) -> String {
    let input = syn::parse_str(text).expect("a struct");
    let mut errors = Errors::default();
    let input = Input::read(&input, &mut errors);
    let model = check::model(&input, &mut errors).expect("a model");
    expand::all(&model).to_string()
}

#[test]
fn a_struct_without_transition_rules_emits_nothing_for_them() {
    let plain = expansion("struct C { a: u8, #[flux(secret)] b: String }");
    assert!(!plain.contains("fn transition") && !plain.contains("fn defer"));
    let only_checked = expansion("struct C { #[flux(immutable)] a: u8, b: String }");
    assert_eq!(
        only_checked.matches("__f :: transition ::").count(),
        2,
        "the rule and how to print"
    );
    assert!(!only_checked.contains("fn defer"));
    let only_deferred = expansion("struct C { #[flux(restart)] a: u8, b: String }");
    assert_eq!(only_deferred.matches("__f :: transition ::").count(), 1);
    assert!(!only_deferred.contains("fn transition"));
}

#[cfg(feature = "pipeline")]
#[test]
fn what_a_retry_does_not_name_has_a_default_that_fits_the_rest() {
    for (written, whole) in [
        ("", "attempts = 3, base = \"100ms\", max = \"10s\""),
        (
            "attempts = 5",
            "attempts = 5, base = \"100ms\", max = \"10s\"",
        ),
        ("base = \"1m\"", "attempts = 3, base = \"1m\", max = \"1m\""),
        (
            "max = \"50ms\"",
            "attempts = 3, base = \"50ms\", max = \"50ms\"",
        ),
    ] {
        let [short, long] = [written, whole].map(|options| {
            expansion(&format!(
                "#[flux(source = \"env\", retry({options}))] struct C {{ a: u8 }}"
            ))
        });
        assert_eq!(short, long, "{written}");
    }
}

#[test]
fn the_steps_of_the_pipeline_are_emitted_in_the_order_written() {
    let steps = "filter = a, on_apply = b, circuit_breaker(failures = 1, recovery = \"1s\"), transform = c, filter = d";
    let emitted = expansion(&format!(
        "#[flux(source = \"env\", {steps}, history = 3)] struct C {{ a: u8 }}"
    ));
    let at = |call: &str| {
        emitted
            .find(call)
            .unwrap_or_else(|| panic!("{call} in {emitted}"))
    };
    let calls = [
        ". history (3usize)",
        ". filter (a)",
        ". on_apply (b)",
        ":: CircuitBreaker :: failures (1u32)",
        ". transform (c)",
        ". filter (d)",
    ];
    assert!(calls.map(at).is_sorted(), "{emitted}");
}

/// What `expand` emits on a struct with a source, `fallback` emits after an error, and no hot field may take the name of.
#[test]
fn every_function_on_the_type_is_known_by_its_name() {
    let emitted = |expanded: String| -> std::collections::BTreeSet<String> {
        let names = expanded.match_indices(" fn ").filter_map(|(at, found)| {
            let is_public = ["pub", "pub async"]
                .iter()
                .any(|visible| expanded[..at].ends_with(visible));
            let name = expanded[at + found.len()..].split([' ', '(']).next();
            name.filter(|_| is_public).map(str::to_owned)
        });
        names.collect()
    };
    let known: std::collections::BTreeSet<String> = crate::words::FUNCTIONS
        .iter()
        .map(ToString::to_string)
        .collect();
    let text = "#[flux(source = \"env\")] pub struct App { n: u8 }";
    assert_eq!(emitted(expansion(text)), known);
    let input = syn::parse_str(text).expect("a struct");
    let input = Input::read(&input, &mut Errors::default());
    assert_eq!(emitted(crate::fallback::all(&input).to_string()), known);
}

#[test]
fn a_struct_without_keys_of_earlier_versions_has_no_code_for_them() {
    let words = ["current", "OLD", "saw_outdated", "option_env"];
    let plain = expansion("struct C { #[serde(alias = \"b\")] a: u8, #[flux(nested)] c: C }");
    assert!(!words.iter().any(|word| plain.contains(word)), "{plain}");
    let text = "struct C { #[flux(was = \"b\", removed = \"9.0\")] a: u8, #[flux(deprecated = \"use `a`\")] c: Option<u8> }";
    let evolved = expansion(text);
    for word in words {
        assert!(evolved.contains(word), "{word}: {evolved}");
    }
}

#[test]
#[cfg(feature = "json")]
fn an_option_that_belongs_into_the_brackets_of_another_is_shown_there() {
    let said = messages("#[flux(source = \"file:app.json\", trial = true)] struct C { a: u8 }");
    let words = "`trial` is not an option of a struct; write it inside of another, `last_known_good(\\\"..\\\", trial = true)`";
    assert!(said.contains(words), "{said}");
    let said =
        messages("#[flux(source = \"file:app.json\", recovery = \"3s\")] struct C { a: u8 }");
    assert!(said.contains("`circuit_breaker(recovery = "), "{said}");
}
