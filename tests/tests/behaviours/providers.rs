//! figment's providers as layers, and what is told of them.

#![allow(clippy::result_large_err)] // figment's own error.

use flux::{
    Capacitor, Config, Flux, Source,
    figment::{
        Error, Metadata, Profile, Provider,
        error::{Actual, Kind},
        value::{Dict, Map, Value},
    },
};

#[derive(Flux, Debug)]
struct Secretive {
    #[flux(default = 1)]
    port: u16,
    #[flux(secret)]
    password: Option<u32>,
}

#[derive(Flux, Debug)]
struct Plain {
    #[flux(default = 1)]
    port: u16,
}

/// Answers with what it is given.
struct Given(fn() -> Result<Dict, Error>);

impl Provider for Given {
    fn metadata(&self) -> Metadata {
        Metadata::named("a given one")
    }
    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        Ok(Map::from([(Profile::Default, (self.0)()?)]))
    }
}

fn told<C: Config>(data: fn() -> Result<Dict, Error>) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let capacitor = Capacitor::<C>::builder()
        .provider(Given(data))
        .build()
        .unwrap();
    let error = runtime.block_on(capacitor.start()).expect_err("wrong");
    let status = serde_json::to_string(&*capacitor.status()).unwrap();
    format!("{error}\n{error:?}\n{status}")
}

/// Everything that a provider may quote.
const ERRORS: [fn() -> Result<Dict, Error>; 6] = [
    || {
        Err(Error::from(
            "invalid line: password = hunter2hunter2".to_owned(),
        ))
    },
    || {
        Err(Error::from(Kind::InvalidType(
            Actual::Str("hunter2hunter2".to_owned()),
            "u32".to_owned(),
        ))
        .with_path("password"))
    },
    || {
        Err(Error::from(Kind::InvalidValue(
            Actual::Str("hunter2hunter2".to_owned()),
            "u32".to_owned(),
        ))
        .with_path("pasword"))
    },
    || {
        Err(Error::from(Kind::UnknownVariant(
            "hunter2hunter2".to_owned(),
            &["a"],
        )))
    },
    || {
        Err(Error::from(Kind::UnknownField(
            "hunter2hunter2".to_owned(),
            &["a"],
        )))
    },
    || {
        Err(Error::from(Kind::Unsupported(Actual::Other(
            "hunter2hunter2".to_owned(),
        ))))
    },
];

#[test]
fn a_provider_that_cannot_be_read_tells_no_secret() {
    for error in ERRORS {
        let told = told::<Secretive>(error);
        assert!(told.contains("provider a given one"), "{told}");
        assert!(!told.contains("hunter"), "{told}");
    }
}

#[test]
fn a_provider_of_a_type_without_secrets_says_why_it_cannot_be_read() {
    let text = told::<Plain>(|| Err(Error::from("no such host".to_owned())));
    assert!(text.contains("cannot be read: no such host"), "{text}");
    let text = told::<Plain>(|| {
        Err(Error::from(Kind::InvalidType(
            Actual::Str("x".to_owned()),
            "u16".to_owned(),
        ))
        .with_path("port"))
    });
    assert!(
        text.contains("port: expected u16, found string \"x\""),
        "{text}"
    );
}

#[test]
fn values_of_a_provider_are_told_unless_they_are_secret() {
    let text = told::<Secretive>(|| {
        Ok(Dict::from([
            ("port".to_owned(), Value::from("x")),
            ("password".to_owned(), Value::from("hunter2hunter2")),
        ]))
    });
    assert!(
        text.contains("port: expected u16, found string \"x\""),
        "{text}"
    );
    assert!(
        text.contains("password: expected u32; what was found is secret"),
        "{text}"
    );
    assert!(!text.contains("hunter"), "{text}");
}

#[test]
fn a_provider_may_be_deep_but_not_too_deep() {
    fn deep(levels: usize) -> Dict {
        let inner = |value, _| Value::from(Dict::from([("a".to_owned(), value)]));
        // The innermost map is empty.
        let value = (2..levels).fold(Value::from(Dict::new()), inner);
        Dict::from([("deep".to_owned(), value)])
    }
    let too_deep: [fn() -> Result<Dict, Error>; 2] = [|| Ok(deep(129)), || Ok(deep(1_000))];
    for data in too_deep {
        let text = told::<Plain>(data);
        assert!(text.contains("more than 128 deep"), "{text}");
    }
    let deepest = Capacitor::<Plain>::builder().provider(Given(|| Ok(deep(128))));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let started = runtime.block_on(deepest.build().unwrap().start());
    started.expect("an unknown key is a warning");
}

fn number(port: u16) -> Dict {
    Dict::from([("port".to_owned(), Value::from(port))])
}

#[test]
fn a_provider_is_below_every_override_unless_it_is_one_itself() {
    let variables = || Source::env("APP_").variables([("APP_PORT", "2")]);
    let below = Capacitor::<Plain>::builder()
        .override_with(variables())
        .provider(Given(|| Ok(number(1))))
        .load();
    assert_eq!(below.unwrap().port, 2);
    let above = Capacitor::<Plain>::builder()
        .override_with(variables())
        .override_with(Source::provider(Given(|| Ok(number(1)))))
        .load();
    assert_eq!(above.unwrap().port, 1);
    let later = Capacitor::<Plain>::builder()
        .provider(Given(|| Ok(number(1))))
        .provider(Given(|| Ok(number(3))))
        .load();
    assert_eq!(later.unwrap().port, 3);
}

#[test]
fn a_layer_can_be_named_in_reports_and_in_the_status() {
    fn wrong() -> Result<Dict, Error> {
        Ok(Dict::from([("port".to_owned(), Value::from("x"))]))
    }
    let named = [
        Source::provider(Given(wrong)).named("command line"),
        Source::env("APP_")
            .variables([("APP_PORT", "x")])
            .named("command line"),
        Source::file("no-such-file.yaml").named("command line"),
    ];
    for source in named {
        let capacitor = Capacitor::<Plain>::builder()
            .source(source)
            .build()
            .unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let error = runtime
            .unwrap()
            .block_on(capacitor.start())
            .expect_err("wrong");
        let named = error.to_string().contains("command line");
        // A value of the environment is at its variable.
        assert!(named || error.to_string().contains("APP_PORT"), "{error}");
        assert_eq!(&*capacitor.status().layers[0].origin, "command line");
    }
}
