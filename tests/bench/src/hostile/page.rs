//! The page of the guide about hostile documents: its tables are what a run measured.

use super::{MOST, MOST_OF_SMALL, Measured, pairs::PAIRS};
use std::{fmt::Write, fs, path::Path};

const BEGIN: &str = "<!-- Made by the benchmark, see CONTRIBUTING.md: hostile documents. -->";
const END: &str = "<!-- The end of what the benchmark makes. -->";

/// Writes the tables into the page, between its two marks.
pub(super) fn write(all: &[Measured]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../flux/src/docs/hostile.md");
    let page = fs::read_to_string(&path).expect("the page");
    let (begin, rest) = page
        .split_once(BEGIN)
        .expect("the mark where the tables begin");
    let (_, end) = rest.split_once(END).expect("the mark where the tables end");
    let page = format!("{begin}{BEGIN}\n{}\n{END}{end}", tables(all));
    fs::write(path, page).expect("the page");
}

fn tables(all: &[Measured]) -> String {
    let mut text = String::new();
    let is_pair = |one: &&Measured| PAIRS.iter().any(|(name, ..)| *name == one.shape);
    let of_format = |format| {
        all.iter()
            .filter(move |one| one.format == format && !is_pair(one))
    };
    for (format, name) in [
        ("json", "JSON"),
        ("jsonc", "JSON with comments"),
        ("json5", "JSON5"),
        ("yaml", "YAML"),
        ("toml", "TOML"),
    ] {
        table(&mut text, name, of_format(format));
    }
    table(
        &mut text,
        "Two documents, recordings, variables",
        all.iter().filter(is_pair),
    );
    let names = |of: fn(&Measured) -> bool| -> String {
        let those = all.iter().filter(|one| of(one));
        let names = those.map(|one| format!("{} in {}", one.shape, one.format.to_uppercase()));
        let names = names.collect::<Vec<_>>().join("; ");
        if names.is_empty() {
            "none".to_owned()
        } else {
            names
        }
    };
    let worst = all
        .iter()
        .max_by(|a, b| a.milliseconds_of_small.total_cmp(&b.milliseconds_of_small));
    let _ = write!(
        text,
        "\n## The gates\n\nOver {MOST} plain decodes of a good document, and within {MOST} of their own: {}.\n\n\
         Over a gate: {}.",
        names(Measured::is_relaxed),
        names(Measured::is_over)
    );
    if let Some(worst) = worst {
        let _ = write!(
            text,
            "\n\nThe dearest document of 4 KiB: {} in {}, {:.1} ms, of {MOST_OF_SMALL} ms that it may cost.",
            worst.shape,
            worst.format.to_uppercase(),
            worst.milliseconds_of_small
        );
    }
    text.push('\n');
    text
}

fn table<'m>(text: &mut String, name: &str, rows: impl Iterator<Item = &'m Measured>) {
    let _ = write!(
        text,
        "\n## {name}\n\n| shape | outcome | 32 KiB | 64 KiB | 128 KiB | growth | memory | parser | 4 KiB |\n\
         |---|---|---|---|---|---|---|---|---|\n"
    );
    for one in rows {
        let outcome = if one.is_refused {
            "refused"
        } else {
            "accepted"
        };
        let [small, middle, large] = one.times;
        let [least, more, most] = one.memory.map(|bytes| bytes / 1e6);
        let _ = writeln!(
            text,
            "| {} | {outcome} | {small:.1} | {middle:.1} | {large:.1} | {:.2} | {least:.0}, {more:.0}, {most:.0} MB | {:.1} | {:.1} ms |",
            one.shape,
            one.growth,
            one.own[Measured::LAST],
            one.milliseconds_of_small
        );
    }
}
