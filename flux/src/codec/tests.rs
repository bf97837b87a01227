//! What each format accepts.

use super::*;
use std::sync::Arc;

/// A document whose lists or maps are in each other so deep, the root counted.
type DeepText = fn(usize) -> String;

#[test]
fn each_format_accepts_exactly_the_depth_that_its_refusal_names() {
    struct Echo;
    impl Codec for Echo {
        fn name(&self) -> &str {
            "echo"
        }
        fn decode(&self, text: &str) -> Result<Tree, String> {
            let depth: usize = text.parse().unwrap();
            let wrap = |tree, _| Tree::Map(vec![("v".to_owned(), tree)]);
            Ok((0..depth).fold(Tree::Null, wrap))
        }
    }
    let echo = || Decoder::Custom(Arc::new(Echo));
    // Of TOML, what is counted are the levels of a value, or the parts of a key.
    let cases: Vec<(&str, Decoder, DeepText)> = vec![
        #[cfg(feature = "jsonc")]
        ("JSONC lists", Decoder::Jsonc, |n| {
            format!("{{\"v\":{}{},}}", "[".repeat(n - 1), "]".repeat(n - 1))
        }),
        #[cfg(feature = "json5")]
        ("JSON5 lists", Decoder::Json5, |n| {
            format!("{{v:{}{},}}", "[".repeat(n - 1), "]".repeat(n - 1))
        }),
        #[cfg(feature = "json5")]
        ("JSON5 maps", Decoder::Json5, |n| {
            format!("{}1{}", "{v:".repeat(n), "}".repeat(n))
        }),
        ("JSON lists", Decoder::Json, |n| {
            format!("{{\"v\":{}{}}}", "[".repeat(n - 1), "]".repeat(n - 1))
        }),
        ("JSON maps", Decoder::Json, |n| {
            format!("{}1{}", "{\"v\":".repeat(n), "}".repeat(n))
        }),
        ("YAML flow lists", Decoder::Yaml, |n| {
            format!("v: {}{}", "[".repeat(n - 1), "]".repeat(n - 1))
        }),
        ("YAML flow maps", Decoder::Yaml, |n| {
            format!("{}1{}", "{v: ".repeat(n), "}".repeat(n))
        }),
        ("YAML block lists", Decoder::Yaml, |n| {
            format!("v:\n  {}1", "- ".repeat(n - 1))
        }),
        ("YAML block maps", Decoder::Yaml, |n| {
            let line = |at: usize| format!("{}v:\n", " ".repeat(at));
            (0..n).map(line).collect()
        }),
        ("TOML lists", Decoder::Toml, |n| {
            format!("v = {}{}", "[".repeat(n), "]".repeat(n))
        }),
        ("TOML inline tables", Decoder::Toml, |n| {
            format!("v = {}1{}", "{v = ".repeat(n), "}".repeat(n))
        }),
        ("TOML dotted keys", Decoder::Toml, |n| {
            format!("{}v = 1", "v.".repeat(n - 1))
        }),
        ("TOML headers", Decoder::Toml, |n| {
            format!("[v{}]", ".v".repeat(n - 1))
        }),
        ("TOML headers of lists", Decoder::Toml, |n| {
            format!("[[v{}]]", ".v".repeat(n - 1))
        }),
        ("a codec", echo(), |n| n.to_string()),
    ];
    for (case, decoder, nested) in cases {
        let read = |depth: usize| tree(&decoder, &nested(depth)).map(drop);
        let depths = (2..400).take_while(|depth| read(*depth).is_ok());
        let deepest = depths.last().unwrap();
        let refusal = read(deepest + 1).unwrap_err();
        let names = format!("more than {deepest} ");
        assert!(
            refusal.message.contains(&names),
            "{case}, {deepest}: {}",
            refusal.message
        );
        assert!(refusal.too_much && !refusal.quotes, "{case}");
    }
}
