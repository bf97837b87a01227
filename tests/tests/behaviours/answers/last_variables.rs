//! What `plan` and `diff` answer without a process where a layer is a file of variables.

use clap::{Args as _, FromArgMatches as _};
use flux::{Capacitor, Flux, Root, Secrets, Source, cli};
use std::{cell::RefCell, fs, path::PathBuf};

#[derive(Flux, Debug)]
struct Lettered {
    #[flux(default = 1)]
    port: u16,
    #[flux(default = 1)]
    workers: u16,
}

std::thread_local! {
    /// The folder with the files of this test.
    static FOLDER: RefCell<PathBuf> = RefCell::default();
}

impl Root for Lettered {
    fn declared() -> flux::Builder<Self> {
        let name = |name: &str| FOLDER.with_borrow(|one| one.join(name).display().to_string());
        Capacitor::builder()
            .source(Source::file(name("app.yaml")))
            .source(Source::uri(format!(
                "dotenv:{}?prefix=APP_",
                name("app.env")
            )))
            .last_known_good(name("last.json"), Secrets::Omit)
    }
    fn global() -> &'static flux::__private::Global<Self> {
        unreachable!("no command reads it")
    }
    fn local() -> &'static std::thread::LocalKey<flux::__private::Local<Self>> {
        unreachable!("no command reads it")
    }
}

fn run(word: &str) -> (u8, String) {
    let parser = cli::Command::augment_args(clap::Command::new("config").no_binary_name(true));
    let matches = parser.try_get_matches_from([word]).unwrap();
    let command = cli::Command::from_arg_matches(&matches).unwrap();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = command.write::<Lettered>(&mut out, &mut err).unwrap();
    (code, String::from_utf8([out, err].concat()).unwrap())
}

#[test]
fn a_layer_of_variables_is_compared_and_a_file_that_cannot_be_used_is_no_answer() {
    let folder = tempfile::tempdir().unwrap();
    FOLDER.set(folder.path().to_owned());
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("app.yaml", "port: 81\n");
    write("app.env", "APP_WORKERS=4\n");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let app = Lettered::declared().build().unwrap();
        app.start().await.unwrap();
        crate::until("it is kept", || folder.path().join("last.json").exists()).await;
        app.stop().await;
    });
    write("app.yaml", "port: 82\n");
    write("app.env", "APP_WORKERS=5\n");
    for word in ["plan", "diff"] {
        let (code, told) = run(word);
        assert_eq!(code, 0, "{word}: {told}");
        assert!(told.contains("port: 81 -> 82"), "{word}: {told}");
        assert!(told.contains("workers: 4 -> 5"), "{word}: {told}");
    }
    write("last.json", "{}");
    for word in ["plan", "diff"] {
        let (code, told) = run(word);
        assert_eq!(code, 2, "{word}: {told}");
        assert!(
            told.contains("there is nothing to compare with"),
            "{word}: {told}"
        );
    }
}
