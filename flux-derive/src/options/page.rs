//! That the tables of options in the documentation and the README are those of the table of options, checked by tests and written
//! anew on demand.

use super::{Form, Owner, Spec};
use std::{fmt::Write, fs, path::Path};

/// The rows of a Markdown table for these owners.
fn rows(heading: &str, owners: &[Owner]) -> String {
    let mut text = format!("| {heading} | |\n|---|---|\n");
    let documented = super::TABLE
        .iter()
        .filter(|spec| owners.contains(&spec.owner) && !spec.doc.is_empty());
    for spec in documented {
        let written = written(spec).replace('|', "\\|");
        writeln!(text, "| {written} | {} |", spec.doc).expect("memory");
    }
    text
}

/// The forms in which the option is written.
fn written(spec: &Spec) -> String {
    let (name, example) = (spec.name, spec.example);
    match spec.form {
        Form::Flag => format!("`{name}`"),
        Form::FlagOrExpr | Form::FlagOrText | Form::FlagOrFunction => {
            format!("`{name}`, `{name} = {example}`")
        }
        Form::TextOrFunction => format!("`{name} = {example}`, `{name} = path::to::function`"),
        Form::Brackets(_) | Form::Rules => format!("`{example}`"),
        _ => format!("`{name} = {example}`"),
    }
}

fn page() -> String {
    format!(
        "{}\nEach function is what the method of the same name on `flux::Builder` takes. Stages and steps run in the order written, the first one \
         innermost; stages and filters may be given more than once.\n\n{}\n\
         serde's `rename`, `rename_all`, `alias`, `with`, `deserialize_with`, `default`, `skip`, `deny_unknown_fields`, `crate`, and `flatten` on\n\
         a section, mean what they mean to serde.\n",
        rows("on the struct", &[Owner::Struct]),
        rows("on a field", &[Owner::Field, Owner::Rule]),
    )
}

/// Compares a file, or the part of it between two marks, with what it must contain; with `FLUX_WRITE_PAGES` it is written.
fn check(file: &str, marks: Option<(&str, &str)>, must: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let text = fs::read_to_string(&path).unwrap_or_default();
    let whole = match marks {
        None => must.to_owned(),
        Some((begin, end)) => {
            let (before, rest) = text.split_once(begin).expect("the first mark");
            let (_, after) = rest.split_once(end).expect("the second mark");
            format!("{before}{begin}\n{must}{end}{after}")
        }
    };
    if text == whole {
        return;
    }
    if std::env::var_os("FLUX_WRITE_PAGES").is_some() {
        fs::write(&path, whole).expect("a file");
    } else {
        panic!(
            "{file} differs from the table of options: run `FLUX_WRITE_PAGES=1 cargo test -p flux-derive`"
        );
    }
}

#[test]
fn the_page_of_options_is_the_table() {
    check("src/options.md", None, &page());
}

#[test]
fn the_readme_lists_the_options_of_the_table() {
    let readme = "../README.md";
    let marks = |name| {
        (
            format!("<!-- options on {name} -->"),
            format!("<!-- end of options on {name} -->"),
        )
    };
    let (begin, end) = marks("a field");
    let field = rows("on a field", &[Owner::Field, Owner::Rule]);
    check(readme, Some((&begin, &end)), &field);
    let (begin, end) = marks("the struct");
    let of_struct = rows("on the struct", &[Owner::Struct]);
    check(readme, Some((&begin, &end)), &of_struct);
}

#[test]
fn every_option_has_a_row_and_every_row_an_example() {
    for spec in super::TABLE {
        let needs = !matches!(spec.form, Form::Flag | Form::Ignored | Form::Refused(_));
        assert!(!needs || !spec.example.is_empty(), "{}", spec.name);
        let same = super::TABLE
            .iter()
            .filter(|one| one.owner == spec.owner && one.name == spec.name);
        assert_eq!(same.count(), 1, "{} is written twice", spec.name);
    }
}
