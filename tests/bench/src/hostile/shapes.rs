//! Documents that are large in one way. Each is about as many bytes long as it is asked to be; none where the format has no such
//! thing.

use super::yaml;
use std::fmt::Write;

pub(crate) const FORMATS: &[&str] = match cfg!(feature = "recordings") {
    true => &["json", "jsonc", "json5", "yaml", "toml"],
    false => &["json", "yaml", "toml"],
};

pub(crate) type Make = fn(&str, usize) -> Option<String>;

/// What goes wrong beside whatever is large: a type that does not fit, so that the slow pass runs.
const WRONG: &str = "x";

/// Where it can be anywhere in a line.
pub(crate) const COMMENT: &str = "/* c */";

pub(crate) const SHAPES: &[(&str, Make)] = &[
    ("one wrong type beside broken rules in a list", |f, n| {
        list(f, n, "nums", "0", true)
    }),
    ("broken rules in a list", |f, n| {
        list(f, n, "nums", "0", false)
    }),
    ("wrong types in a list", |f, n| {
        list(f, n, "nums", "\"x\"", false)
    }),
    ("empty names in a list", |f, n| {
        list(f, n, "names", "\"\"", true)
    }),
    ("a long list of texts, all good", |f, n| {
        list(f, n, "names", "\"name\"", false)
    }),
    ("a union of many texts, all different", |f, n| {
        numbered_list(f, n, "list")
    }),
    ("a set of many texts", |f, n| numbered_list(f, n, "tags")),
    ("brackets in strings", |f, n| {
        list(f, n, "names", "\"]\"", true)
    }),
    ("closing braces in strings", |f, n| {
        list(f, n, "names", "\"}{\"", true)
    }),
    ("many unknown keys", |f, n| {
        Some(fields(f, n, "", |i| format!("unknown_{i}"), "1"))
    }),
    ("unknown keys near a known one", |f, n| {
        Some(fields(f, n, "", |i| format!("passwor{i}"), "1"))
    }),
    ("unknown keys with a secret", |f, n| {
        Some(fields(f, n, "", |i| format!("u{i}"), "\"hunter2hunter2\""))
    }),
    ("one long key", |f, n| {
        Some(fields(f, 1, "", |_| "k".repeat(n), "1"))
    }),
    ("a long key with many keys below it", long_key),
    ("many long keys", |f, n| {
        Some(fields(
            f,
            n,
            "",
            |i| format!("{}{i}", "k".repeat(2_000)),
            "1",
        ))
    }),
    ("one long text", |f, n| {
        Some(document(f, &format!("\"{}\"", "a".repeat(n)), "host"))
    }),
    ("one long text of the wrong type", |f, n| {
        Some(document(f, &format!("\"{}\"", "a".repeat(n)), "nums"))
    }),
    ("a long secret beside many problems", long_secret),
    ("many secrets beside many problems", |f, n| {
        many_secrets(f, n)
    }),
    (
        "values of the program's types beside many problems, on one line",
        program_values,
    ),
    ("labels that are too long", |f, n| {
        map(f, n, "labels", |_| format!("\"{}\"", "v".repeat(70)))
    }),
    ("labels of the wrong type", |f, n| {
        map(f, n, "labels", |_| "[1]".to_owned())
    }),
    ("sections with an error in each", |f, n| {
        map(f, n, "tenants", |_| section(f, "max", "77"))
    }),
    ("sections with a wrong type in each", |f, n| {
        map(f, n, "tenants", |_| section(f, "max", "\"x\""))
    }),
    ("sections with an unknown key in each", |f, n| {
        map(f, n, "tenants", |_| section(f, "maxx", "7"))
    }),
    ("many good sections", |f, n| {
        map(f, n, "tenants", |_| section(f, "max", "7"))
    }),
    ("keys that stand twice", twice),
    ("deep lists", |f, n| deep(f, n, "[", "]")),
    ("lists below the limit of depth, many", many_deep),
    ("deep maps of a free value", |f, n| deep_maps(f, n)),
    ("unfinished: a list that does not end", |f, n| {
        unfinished(f, n)
    }),
    ("comments", comments),
    ("blank lines", |f, n| {
        Some(format!(
            "{}{}",
            "\n".repeat(n),
            document(f, WRONG_TEXT, "port")
        ))
    }),
    ("anchors and aliases", yaml::anchors),
    ("aliases of aliases", yaml::laughs),
    ("lists of aliases of lists, few signs", yaml::few_aliases),
    ("aliases of one long text", yaml::long_text_aliases),
    ("tags behind a long handle", yaml::long_tags),
    ("merge keys", yaml::merge_keys),
    ("block scalars", yaml::blocks),
    ("directives and documents", yaml::documents),
    ("headers of tables", headers),
    ("dotted keys", dotted),
    ("escapes", |f, n| {
        Some(document(
            f,
            &format!("\"{}\"", "\\u0041".repeat(n / 6)),
            "nums",
        ))
    }),
    ("wide characters", |f, n| {
        Some(document(f, &format!("\"{}\"", "漢".repeat(n / 3)), "nums"))
    }),
];

const WRONG_TEXT: &str = "\"x\"";

/// Whether a document of JSON is one of this format.
fn is_json(format: &str) -> bool {
    matches!(format, "json" | "jsonc" | "json5")
}

/// One key and its value.
fn document(format: &str, value: &str, key: &str) -> String {
    match format {
        "json" | "jsonc" | "json5" => {
            format!("{{\"password\": \"hunter2hunter2\", \"{key}\": {value}}}")
        }
        "yaml" => format!("password: hunter2hunter2\n{key}: {value}\n"),
        _ => format!("password = \"hunter2hunter2\"\n{key} = {value}\n"),
    }
}

/// Several keys and their values.
fn with(format: &str, key: &str, value: &str, wrong: bool) -> String {
    let port = if wrong {
        format!("\"{WRONG}\"")
    } else {
        "1".to_owned()
    };
    match format {
        "json" | "jsonc" | "json5" => {
            format!("{{\"password\": \"hunter2hunter2\", \"port\": {port}, \"{key}\": {value}}}")
        }
        "yaml" => format!("password: hunter2hunter2\nport: {port}\n{key}: {value}\n"),
        _ => format!("password = \"hunter2hunter2\"\nport = {port}\n{key} = {value}\n"),
    }
}

fn list(format: &str, size: usize, key: &str, item: &str, wrong: bool) -> Option<String> {
    let items = vec![item; size / (item.len() + 2)];
    Some(with(format, key, &format!("[{}]", items.join(", ")), wrong))
}

fn numbered_list(format: &str, size: usize, key: &str) -> Option<String> {
    let items: Vec<String> = (0..size / 12).map(|i| format!("\"text{i:06}\"")).collect();
    Some(with(format, key, &format!("[{}]", items.join(",")), false))
}

fn fields(
    format: &str,
    size: usize,
    under: &str,
    key: impl Fn(usize) -> String,
    value: &str,
) -> String {
    let mut text = match format {
        "json" | "jsonc" | "json5" => "{\"password\": \"hunter2hunter2\"".to_owned(),
        "yaml" => "password: hunter2hunter2\n".to_owned(),
        _ => "password = \"hunter2hunter2\"\n".to_owned(),
    };
    let mut i = 0;
    while i == 0 || text.len() < size {
        let key = key(i);
        let _ = match format {
            "json" | "jsonc" | "json5" => write!(text, ", \"{under}{key}\": {value}"),
            "yaml" => writeln!(text, "? {under}{key}\n: {value}"),
            _ => writeln!(text, "{under}{key} = {value}"),
        };
        i += 1;
    }
    if is_json(format) {
        text.push('}');
    }
    text
}

fn map(format: &str, size: usize, key: &str, value: impl Fn(usize) -> String) -> Option<String> {
    let mut entries = String::new();
    let mut i = 0;
    while entries.len() < size {
        let value = value(i);
        let _ = match format {
            "json" | "jsonc" | "json5" => write!(
                entries,
                "{}\"entry{i}\": {value}",
                if i == 0 { "" } else { ", " }
            ),
            "yaml" => writeln!(entries, "  entry{i}: {value}"),
            _ => writeln!(entries, "entry{i} = {value}"),
        };
        i += 1;
    }
    Some(match format {
        "json" | "jsonc" | "json5" => document(format, &format!("{{{entries}}}"), key),
        "yaml" => format!("password: hunter2hunter2\n{key}:\n{entries}"),
        _ => format!("password = \"hunter2hunter2\"\n[{key}]\n{entries}"),
    })
}

fn section(format: &str, key: &str, value: &str) -> String {
    match format {
        "json" | "jsonc" | "json5" => format!("{{\"{key}\": {value}}}"),
        "yaml" => format!("{{{key}: {value}}}"),
        _ => format!("{{ {key} = {value} }}"),
    }
}

fn long_key(format: &str, size: usize) -> Option<String> {
    let long = "k".repeat(size / 2);
    let mut inner = String::new();
    let mut i = 0;
    while inner.len() < size / 2 {
        let _ = match format {
            "json" | "jsonc" | "json5" => {
                write!(inner, "{}\"u{i}\": 1", if i == 0 { "" } else { "," })
            }
            "yaml" => writeln!(inner, "    u{i}: 1"),
            _ => writeln!(inner, "u{i} = 1"),
        };
        i += 1;
    }
    Some(match format {
        "json" | "jsonc" | "json5" => format!(
            "{{\"password\": \"hunter2hunter2\", \"tenants\": {{\"{long}\": {{{inner}}}}}}}"
        ),
        "yaml" => format!("password: hunter2hunter2\ntenants:\n  ? {long}\n  :\n{inner}"),
        _ => format!("password = \"hunter2hunter2\"\n[tenants.{long}]\n{inner}"),
    })
}

fn long_secret(format: &str, size: usize) -> Option<String> {
    let secret = "s".repeat(size - size / 8);
    let items = vec!["0"; size / 24].join(",");
    Some(match format {
        "json" | "jsonc" | "json5" => {
            format!("{{\"password\": \"{secret}\", \"nums\": [{items}], \"port\": \"x\"}}")
        }
        "yaml" => format!("password: {secret}\nnums: [{items}]\nport: x\n"),
        _ => format!("password = \"{secret}\"\nnums = [{items}]\nport = \"x\"\n"),
    })
}

fn many_secrets(format: &str, size: usize) -> Option<String> {
    let text = map(format, size / 2, "tokens", |i| format!("\"secret-{i:08}\""))?;
    let items = vec!["0"; size / 4].join(",");
    Some(match format {
        "json" | "jsonc" | "json5" => {
            format!("{{\"nums\": [{items}], \"port\": \"x\", {}", &text[1..])
        }
        "yaml" => format!("nums: [{items}]\nport: x\n{text}"),
        _ => format!("nums = [{items}]\nport = \"x\"\n{text}"),
    })
}

/// With comments where a comment can be anywhere.
fn program_values(format: &str, size: usize) -> Option<String> {
    if format == "toml" {
        return None;
    }
    let comment = match format {
        "jsonc" | "json5" => COMMENT,
        _ => "",
    };
    let value = format!("{{\"user\": {comment}\"u\", \"token\": \"t\"}}");
    let values = vec![value.as_str(); size / 2 / (value.len() + 2)].join(", ");
    let item = format!("{comment}0");
    let items = vec![item.as_str(); size / 2 / (item.len() + 2)].join(", ");
    Some(format!(
        "{{\"password\": \"hunter2hunter2\", \"port\": \"x\", \"credentials\": [{values}], \"nums\": [{items}]}}"
    ))
}

fn twice(format: &str, size: usize) -> Option<String> {
    let entry = match format {
        "json" | "jsonc" | "json5" => "\"host\": \"a\"",
        "yaml" => "host: a",
        _ => "host = \"a\"",
    };
    let entries = vec![entry; size / (entry.len() + 2)];
    Some(match format {
        "json" | "jsonc" | "json5" => format!("{{{}}}", entries.join(", ")),
        _ => entries.join("\n"),
    })
}

fn deep(format: &str, size: usize, open: &str, close: &str) -> Option<String> {
    let value = format!("{}{}", open.repeat(size / 2), close.repeat(size / 2));
    Some(document(format, &value, "anything"))
}

fn many_deep(format: &str, size: usize) -> Option<String> {
    let one = format!("{}1{}", "[".repeat(60), "]".repeat(60));
    let items = vec![one.as_str(); size / one.len()].join(",");
    Some(with(format, "anything", &format!("[{items}]"), true))
}

fn deep_maps(format: &str, size: usize) -> Option<String> {
    let (open, close) = match format {
        "json" | "jsonc" | "json5" => ("{\"a\":", "}"),
        "yaml" => ("{a: ", "}"),
        _ => ("{a=", "}"),
    };
    let one = format!("{}1{}", open.repeat(60), close.repeat(60));
    let items = vec![one.as_str(); size / one.len()].join(",");
    Some(with(format, "anything", &format!("[{items}]"), true))
}

fn unfinished(format: &str, size: usize) -> Option<String> {
    let text = list(format, size, "nums", "1", false)?;
    Some(
        text.trim_end()
            .trim_end_matches('}')
            .trim_end_matches(']')
            .to_owned(),
    )
}

fn comments(format: &str, size: usize) -> Option<String> {
    let begin = if is_json(format) { "//" } else { "#" };
    let comment = format!("{begin} a comment with [ brackets ] and \"quotes\"\n");
    let comments = comment.repeat(size / 44);
    (format != "json").then(|| format!("{comments}{}", document(format, WRONG_TEXT, "port")))
}

fn headers(format: &str, size: usize) -> Option<String> {
    let mut text = "password = \"hunter2hunter2\"\nport = \"x\"\n".to_owned();
    let mut i = 0;
    while text.len() < size {
        let _ = writeln!(text, "[tenants.t{i}]");
        i += 1;
    }
    (format == "toml").then_some(text)
}

fn dotted(format: &str, size: usize) -> Option<String> {
    let mut text = "password = \"hunter2hunter2\"\nport = \"x\"\n".to_owned();
    let mut i = 0;
    while text.len() < size {
        let _ = writeln!(text, "tenants.t{i}.labels.a.b.c = 1");
        i += 1;
    }
    (format == "toml").then_some(text)
}
