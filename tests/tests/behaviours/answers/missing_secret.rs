//! What is advised where a secret is missing: the places where secrets come from, and not the document that lacks it.

use flux::{
    Builder, Capacitor, Flux, Source, inspect::CheckError, inspect::Inputs, report::Problem,
};
use std::fs;

#[derive(Flux, Debug)]
struct App {
    #[flux(nested)]
    smtp: Smtp,
    #[flux(nested, default)]
    relays: Vec<Smtp>,
}

#[derive(Flux, Debug)]
struct Smtp {
    #[flux(default = 300)]
    sessions: u32,
    #[flux(secret)]
    auth_password: String,
}

struct Program {
    folder: tempfile::TempDir,
    prefix: Option<&'static str>,
    has_dotenv: bool,
}

impl Program {
    fn new(prefix: Option<&'static str>, has_dotenv: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("host.yaml"), "smtp:\n  sessions: 6\n").unwrap();
        Program {
            folder,
            prefix,
            has_dotenv,
        }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn builder(&self) -> Builder<App> {
        let mut builder = Capacitor::<App>::builder().source(Source::file(self.path("host.yaml")));
        if self.has_dotenv {
            let file = format!("{}?prefix=MAIL_", self.path("mail.env"));
            builder = builder.source(Source::dotenv(file).optional());
        }
        match self.prefix {
            Some(prefix) => builder.override_with(Source::env(prefix).variables([("X", "")])),
            None => builder,
        }
    }

    /// The only problem.
    fn missing(&self) -> Problem {
        match self.builder().check(Inputs::new()) {
            Err(CheckError::Refused(report)) => match report.problems() {
                [one] => one.clone(),
                all => panic!("{all:?}"),
            },
            other => panic!("{other:?}"),
        }
    }
}

const MISSING: &str = "is required, and no layer sets it; set";
const VARIABLES: &str = "MAIL_SMTP_AUTH_PASSWORD, or MAIL_SMTP_AUTH_PASSWORD_FILE to the path of a file that contains it";

#[test]
fn a_missing_secret_is_to_be_set_by_a_variable_its_file_or_a_file_of_variables_and_not_in_a_document()
 {
    let variable = "MAIL_SMTP_AUTH_PASSWORD";
    let program = Program::new(Some("MAIL_"), false);
    let missing = program.missing();
    assert_eq!(missing.message, format!("{MISSING} {variable}"));
    // The document that has the section is not to blame.
    assert_eq!((missing.line, &*missing.origin), (None, ""));

    let program = Program::new(Some("MAIL_?files=true"), false);
    assert_eq!(program.missing().message, format!("{MISSING} {VARIABLES}"));

    let program = Program::new(Some("MAIL_?files=true"), true);
    let dotenv = program.path("mail.env");
    let advice = format!("{MISSING} {VARIABLES}, or `{variable}` in {dotenv}");
    let absent = format!("{advice}, which does not exist");
    assert_eq!(program.missing().message, absent);
    for nothing in ["", "# none yet\n"] {
        fs::write(&dotenv, nothing).unwrap();
        assert_eq!(
            program.missing().message,
            format!("{advice}, which sets nothing")
        );
    }
    fs::write(&dotenv, "MAIL_SMTP_SESSIONS=7\n").unwrap();
    let missing = program.missing();
    assert_eq!((&*missing.message, missing.line), (&*advice, None));
    let json = serde_json::to_value(&missing.fix).unwrap();
    assert_eq!(json["file_variable"], format!("{variable}_FILE"));

    // A file of variables alone.
    let program = Program::new(None, true);
    let missing = program.missing();
    let dotenv = program.path("mail.env");
    let advice = format!("{MISSING} `{variable}` in {dotenv}, which does not exist");
    assert_eq!((&*missing.message, missing.line), (&*advice, None));
}

#[test]
fn without_another_place_a_secret_is_to_be_set_in_the_document_at_its_section() {
    let program = Program::new(None, false);
    let missing = program.missing();
    let document = program.path("host.yaml");
    assert_eq!(
        missing.message,
        format!("{MISSING} `smtp.auth_password` in {document}")
    );
    assert_eq!((missing.line, &*missing.origin), (Some(2), &*document));
}

#[test]
fn what_is_missing_in_an_item_of_a_list_is_placed_at_the_item() {
    let program = Program::new(Some("MAIL_"), false);
    let text =
        "smtp:\n  auth_password: hunter2\nrelays:\n- auth_password: hunter3\n- sessions: 7\n";
    fs::write(program.path("host.yaml"), text).unwrap();
    let missing = program.missing();
    assert_eq!(
        (missing.path.as_str(), missing.line),
        ("relays[1].auth_password", Some(5))
    );
}
