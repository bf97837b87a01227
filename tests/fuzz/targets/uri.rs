//! Any text as a source URI: it is read or refused inside itself, it can be printed and read again, and no password is told.
#![no_main]

use flux_fuzz::is_peculiar;
use flux_syntax::{Uri, UriError, parse_given_uri, parse_uri};
use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|bytes: &[u8]| -> Corpus {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Corpus::Reject;
    };
    let (read, given) = (parse_uri(text), parse_given_uri(text));
    if !text.contains(['$', '@']) {
        // A refusal may name another fix.
        assert_eq!(
            read.as_ref().ok(),
            given.as_ref().ok(),
            "there is nothing in it that the two read differently"
        );
    }
    let password = password(text);
    if let Some(password) = password {
        assert!(read.is_err(), "the password {password} is taken");
    }
    for error in [read.as_ref().err(), given.as_ref().err()]
        .into_iter()
        .flatten()
    {
        told(text, password, error);
    }
    for uri in [read, given].into_iter().flatten() {
        read_again(&uri);
        expand(&uri);
    }
    Corpus::Keep
});

/// The password of `scheme://user:password@host`, where it is plain to see.
fn password(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("://")?;
    let (user, _) = rest.split_once('@')?;
    let (name, password) = user.split_once(':')?;
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let only = text.matches(password).count() == 1;
    (plain(name) && plain(password) && is_peculiar(password) && only).then_some(password)
}

fn told(text: &str, password: Option<&str>, error: &UriError) {
    assert!(
        text.get(error.span.clone()).is_some(),
        "{:?} is not in it",
        error.span
    );
    assert!(!error.message.is_empty());
    if let Some(password) = password {
        assert!(!error.message.contains(password), "{}", error.message);
    }
}

fn read_again(uri: &Uri) {
    let printed = match uri {
        // Three slashes are an absolute path; what has four begins with two.
        Uri::File { path } if path.to_string().starts_with("//") => return,
        Uri::File { path } => format!("file:{path}"),
        Uri::Env { prefix } => format!("env:{prefix}"),
        Uri::Args => "args".to_owned(),
        Uri::Whole(template) => template.to_string(),
        _ => return,
    };
    // A path may look as if it had a password in it.
    match parse_uri(&printed) {
        Ok(again) => assert_eq!(&again, uri, "{printed}"),
        Err(error) => assert!(error.message.contains("password"), "{printed}: {error}"),
    }
}

fn expand(uri: &Uri) {
    let lookup = |name: &str| (name != "UNSET").then(|| format!("value-9-of-{name}"));
    match uri {
        Uri::File { path } => drop(path.expand(&lookup)),
        Uri::Search { file, folders } => {
            drop(file.expand(&lookup));
            for folder in folders {
                drop(folder.expand(&lookup));
            }
        }
        Uri::Env { prefix } => drop(prefix.expand(&lookup)),
        Uri::Whole(whole) => drop(whole.expand(&lookup).map(|text| parse_given_uri(&text))),
        Uri::Remote(remote) => {
            let shown = format!("{remote:?}");
            let Ok(remote) = remote.expand(&lookup) else {
                return;
            };
            let shown = format!("{shown}{remote:?}{}{:?}", remote.origin(), remote.format());
            let Some(password) = remote.password.as_ref().filter(|p| is_peculiar(p)) else {
                return;
            };
            let options = remote.options.iter().map(|(_, value)| value);
            let parts = remote
                .user
                .iter()
                .chain(&remote.hosts)
                .chain(&remote.path)
                .chain(options);
            if !parts.into_iter().any(|part| part.contains(password)) {
                assert!(!shown.contains(password), "{shown}");
            }
        }
        _ => {}
    }
}
