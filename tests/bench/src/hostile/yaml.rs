//! Shapes that only YAML has: aliases, tags, merge keys, block scalars, several documents.

use std::fmt::Write;

pub(super) fn anchors(format: &str, size: usize) -> Option<String> {
    let mut text = "password: hunter2hunter2\nport: x\nanything:\n".to_owned();
    let mut i = 0;
    while text.len() < size {
        let _ = writeln!(text, "  - &a{i} {{k: v}}\n  - *a{i}");
        i += 1;
    }
    (format == "yaml").then_some(text)
}

pub(super) fn laughs(format: &str, size: usize) -> Option<String> {
    let mut text =
        "password: hunter2hunter2\nport: x\nanything:\n  a0: &a0 [x, x, x, x]\n".to_owned();
    let mut i = 1;
    while text.len() < size && i < 12 {
        let before = i - 1;
        let aliases = vec![format!("*a{before}"); 8].join(", ");
        let _ = writeln!(text, "  a{i}: &a{i} [{aliases}]");
        i += 1;
    }
    while text.len() < size {
        let _ = writeln!(text, "  b{i}: *a1");
        i += 1;
    }
    (format == "yaml").then_some(text)
}

/// Each alias is a list of a third of the document.
pub(super) fn few_aliases(format: &str, size: usize) -> Option<String> {
    let long = "x,".repeat(size / 6);
    let mut text = format!("password: hunter2hunter2\nport: x\nanything:\n  a0: &a0 [{long}]\n");
    for i in 1..4 {
        let aliases = format!("*a{},", i - 1).repeat(20);
        let _ = writeln!(text, "  a{i}: &a{i} [{aliases}]");
    }
    text.push_str(&"# nothing\n".repeat(size.saturating_sub(text.len()) / 10));
    (format == "yaml").then_some(text)
}

/// Few signs for each alias of a text of half of the size.
pub(super) fn long_text_aliases(format: &str, size: usize) -> Option<String> {
    let long = "x".repeat(size / 2);
    let aliases = "*a,".repeat(size / 6);
    let text = format!(
        "password: hunter2hunter2\nport: x\nlabels: {{a: &a {long}}}\nnames: [{aliases}]\n"
    );
    (format == "yaml").then_some(text)
}

/// Few signs for each tag, whose handle stands for half of the size.
pub(super) fn long_tags(format: &str, size: usize) -> Option<String> {
    let long = "x".repeat(size / 2);
    let tagged = "!e!a 1,".repeat(size / 14);
    let text = format!(
        "%TAG !e! tag:{long},2026:\n---\npassword: hunter2hunter2\nport: x\nanything: [{tagged}]\n"
    );
    (format == "yaml").then_some(text)
}

pub(super) fn merge_keys(format: &str, size: usize) -> Option<String> {
    let mut text =
        "password: hunter2hunter2\nport: x\nanything:\n  base: &base {max: 7, name: n}\ntenants:\n"
            .to_owned();
    let mut i = 0;
    while text.len() < size {
        let _ = writeln!(text, "  t{i}: {{<<: *base}}");
        i += 1;
    }
    (format == "yaml").then_some(text)
}

pub(super) fn blocks(format: &str, size: usize) -> Option<String> {
    let mut text = "password: hunter2hunter2\nport: x\nlabels:\n".to_owned();
    let mut i = 0;
    while text.len() < size {
        let _ = writeln!(
            text,
            "  l{i}: |\n    one line\n    and another: with a colon"
        );
        i += 1;
    }
    (format == "yaml").then_some(text)
}

pub(super) fn documents(format: &str, size: usize) -> Option<String> {
    let text = "%YAML 1.1\n---\npassword: hunter2hunter2\n...\n".repeat(size / 46);
    (format == "yaml").then_some(text)
}
