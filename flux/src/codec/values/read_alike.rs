//! Tests that documents with the same content are read alike by every type: each scalar against each other one, as a value, an
//! item, a key, and a document on its own.

use super::values;
use crate::{
    codec::{Decoder, Unknown},
    layer::Config,
    problem::Cx,
};
use serde::Deserialize;
use serde_json::Value;
use std::{
    cell::RefCell,
    collections::{BTreeMap, HashMap},
    fmt::Debug,
    time::Duration,
};

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
enum Either {
    Count(u64),
    Real(f64),
    Switch(bool),
    Text(String),
    Texts(Vec<String>),
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ReadWord {
    A,
    True,
    Null,
    X(Option<String>),
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct ReadWhole {
    #[serde(default)]
    a: Option<Value>,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

#[derive(Debug, flux_derive::Flux)]
#[flux(crate = crate)]
struct ReadPart {
    #[flux(default)]
    a: Option<String>,
    #[flux(default)]
    x: BTreeMap<String, String>,
}

macro_rules! kinds {
    ($($name:ident: [$($attribute:meta),*] $type:ty;)*) => {$(
        #[allow(non_camel_case_types, dead_code)]
        #[derive(Debug, flux_derive::Flux)]
        #[flux(crate = crate)]
        struct $name {
            $(#[$attribute])*
            v: $type,
        }
    )*
    fn each(decoder: &Decoder, texts: &[String], check: &dyn Fn(&str, &[Seen])) {
        $( check(stringify!($name), &seen::<$name>(decoder, texts)); )*
    }};
}

kinds! {
    text: [] String;
    optional_text: [] Option<String>;
    unsigned: [] u32;
    signed: [] i64;
    float: [] f64;
    switch: [] bool;
    character: [] char;
    texts: [] Vec<String>;
    optionals: [] Vec<Option<String>>;
    pair: [] (String, i64);
    by_text: [] BTreeMap<String, String>;
    by_text_to_optional: [] BTreeMap<String, Option<i64>>;
    by_number: [] BTreeMap<i64, String>;
    any: [] Value;
    anything: [] BTreeMap<String, Value>;
    either: [] Either;
    word: [] ReadWord;
    words: [] Vec<ReadWord>;
    whole: [] ReadWhole;
    time: [] Duration;
    size: [flux(bytes)] u64;
    section: [flux(nested)] ReadPart;
    optional_section: [flux(nested)] Option<ReadPart>;
    list: [flux(nested)] Vec<ReadPart>;
    map: [flux(nested)] BTreeMap<String, ReadPart>;
    map_by_number: [flux(nested)] HashMap<u8, ReadPart>;
    rest: [serde(flatten)] BTreeMap<String, String>;
    rest_of_anything: [serde(flatten)] BTreeMap<String, Value>;
    rest_of_sections: [serde(flatten), flux(nested)] BTreeMap<String, ReadPart>;
}

/// A document, by what it is known, and how it is read.
struct Seen {
    text: String,
    known_by: Option<Vec<u8>>,
    read: String,
}

fn seen<T: Config + Debug>(decoder: &Decoder, texts: &[String]) -> Vec<Seen> {
    let all = texts.iter().map(|text| Seen {
        text: text.clone(),
        known_by: values(T::fields(), decoder, text.as_bytes()),
        read: match crate::codec::decode::<T>(decoder, text.as_bytes(), Unknown::Ignore) {
            Ok(decoded) => {
                let mut cx = Cx::default();
                let value = T::finish(decoded.layer, &mut cx);
                match cx.into_problems().is_empty() {
                    true => format!("{value:?}, empty: {}", decoded.empty),
                    false => "refused".to_owned(),
                }
            }
            Err(_) => "refused".to_owned(),
        },
    });
    all.collect()
}

/// There are no documents that are read in two ways and known by the same values.
fn every_type_reads_alike(decoder: &Decoder, texts: &[String]) {
    let found = RefCell::new(Vec::new());
    each(decoder, texts, &|name, all| {
        let mut by_values: HashMap<&[u8], &Seen> = HashMap::new();
        for seen in all {
            let Some(known_by) = &seen.known_by else {
                continue;
            };
            let first = by_values.entry(known_by).or_insert(seen);
            if first.read != seen.read {
                let [one, other] = [*first, seen].map(|it| format!("{:?}: {}", it.text, it.read));
                found.borrow_mut().push(format!("{name}: {one} | {other}"));
            }
        }
    });
    let found = found.into_inner();
    assert!(
        found.is_empty(),
        "{} times:\n{}",
        found.len(),
        found.join("\n")
    );
}

/// What is between semicolons, without the blanks around it.
fn listed(text: &str) -> Vec<String> {
    let all = text.split(';');
    all.map(|one| one.trim().replace('⏎', "\n")).collect()
}

/// Every scalar in every place that a document has.
fn documents(scalars: &[String], keys: &[String], places: &[String]) -> Vec<String> {
    let mut all = Vec::new();
    for place in places {
        let fillings = if place.contains("KEY") { keys } else { scalars };
        for filling in fillings {
            all.push(place.replace("KEY", filling).replace("VALUE", filling));
        }
    }
    all
}

#[test]
fn yaml_of_the_same_values_is_read_alike_by_every_type() {
    let scalars = listed(
        r##"~ ; null ; Null ; NULL ;  ; '' ; "" ; !!null '' ; !!null ~ ; !!null null ; !!str ~ ; !!str ; !!str '' ; ! '' ;
            0 ; -0 ; +0 ; 00 ; 1 ; +1 ; 01 ; 1. ; 1.0 ; 1e0 ; 1_000 ; 0x1 ; 0o1 ; 0b1 ; '1' ; !!int 1 ; !!int '1' ;
            !!float 1 ; !!str 1 ; ! 1 ; !a 1 ; .nan ; .NaN ; .NAN ; .inf ; .Inf ; +.inf ; -.inf ; nan ; inf ; NaN ; true ;
            True ; TRUE ; yes ; on ; 'true' ; !!bool true ; !!bool 'true' ; !!str true ; a ; 'a' ; "a" ; "\x61" ; !a a ;
            ! a ; !!str a ; |⏎  a ; |-⏎  a ; >-⏎  a ; >⏎  a⏎⏎ ; &x a ; &x '' ; &x ; &x ~ ; &x !!str ; 10MB ; '10MB' ; 1s ;
            "1s" ; 0s ; [] ; [ ] ; {} ; { } ; [~] ; [null] ; [''] ; [1] ; ['1'] ; [true] ; [a, 1] ; [a, '1'] ; {a: ~} ;
            {a: null} ; {a: } ; {a} ; {a: ''} ; {~: a} ; {null: a} ; {Null: a} ; {'': a} ; {? : a} ; {: a} ; {1: a} ;
            {'1': a} ; {+1: a} ; {0x1: a} ; {01: a} ; {true: a} ; {True: a} ; {'true': a} ; {!!str 1: a} ; {!x 1: a} ;
            !x {a: 1} ; !!map {a: 1} ; {x: ~} ; {x: } ; {x: {}} ; {x: a} ; {x: {a: 1}} ; !X a ; !x ~ ; !x ; !x null ;
            !x '' ; !a ; !a ~ ; !a '' ; 18446744073709551616 ; 1e400 ; -1e400 ; 1e-400 ; 0.1 ; .1 ; 1__0 ; 2001-01-01 ;
            0e0 ; -0.0 ; 0.0 ; {a: 1, <<: {a: 2}} ; {<<: {a: 2}} ; {a: 2} ; {<<: [{a: 1}, {a: 2}]} ; {<<: ~} ; {<<: {}} ;
            {'<<': {a: 2}} ; {<<: {}, a: 2} ; {a: 1, a: 1} ; {a: {b: 1, <<: {b: 2}}} ; {a: {<<: {b: 1}}} ; {a: {b: 1}} ;
            [{<<: {a: x}}] ; [{a: x}] ; {k: {<<: {a: x}}} ; {k: {a: x}}"##,
    );
    let keys = listed(
        r##"~ ; null ; Null ; NULL ; '' ; "" ; !!null '' ; !!str ~ ; !!str ; 0 ; -0 ; +0 ; 00 ; 1 ; +1 ; 01 ; 1.0 ; 0x1 ;
            '1' ; !!int 1 ; !!int '1' ; !!str 1 ; ! 1 ; !a 1 ; true ; True ; TRUE ; 'true' ; !!bool true ; a ; 'a' ;
            "\x61" ; !a a ; &x a ; &x ~ ; .nan ; .NaN ; v ; 'v' ; !!str v ; !a v ; "\x76" ; ? v⏎ ; ? ~⏎ ; ? null⏎ ;
            ? 'v'⏎ ; ?"##,
    );
    let places = listed(
        r##"v: VALUE ; v: [VALUE] ; v: {a: VALUE} ; v: {x: VALUE} ; v:⏎- VALUE ; VALUE ; v: {KEY: a} ; v: {KEY: 1} ;
            v: {KEY: {a: b}} ; v: {KEY: ~} ; KEY: a ; KEY: 1 ; KEY: {a: b} ; v: [{KEY: a}] ; v: {x: {KEY: a}} ;
            v: {a: {KEY: a}}"##,
    );
    let mut all = documents(&scalars, &keys, &places);
    all.retain(|text| !text.contains("[|") && !text.contains("{a: |"));
    every_type_reads_alike(&Decoder::Yaml, &all);
}

#[test]
fn json_of_the_same_values_is_read_alike_by_every_type() {
    let scalars = listed(
        r##"null ; true ; false ; 0 ; -0 ; -0.0 ; 0.0 ; 1 ; 1.0 ; 1e0 ; 1E0 ; 1e+0 ; 10e-1 ; 18446744073709551616 ; 1e400 ;
            "" ; "1" ; "a" ; "\u0061" ; "true" ; "null" ; "1s" ; "10MB" ; [] ; [ ] ; {} ; [null] ; [1] ; ["1"] ; [1.0] ;
            {"a": null} ; {"a": 1} ; {"\u0061": 1} ; {"a": "1"} ; {"x": {}} ; {"x": null} ; {"x": {"a": "b"}} ;
            {"1": "a"} ; {"01": "a"} ; {"+1": "a"} ; {"a": 1, "a": 1} ; {"true": "a"} ; "x" ; {"X": "a"} ; "\ud83d\ude00" ;
            "😀" ; {"$plain": "1"} ; {"$serde_json::private::Number": "1"} ; {"$serde_json::private::RawValue": "1"} ;
            {"<<": {"a": 2}} ; {"a": 2}"##,
    );
    let keys =
        listed(r##"a ; \u0061 ; 1 ; +1 ; 01 ; 1.0 ; -0 ; 0 ;  ; null ; true ; v ; \u0076 ; V"##);
    let places = listed(
        r##"{"v": VALUE} ; {"v": [VALUE]} ; {"v": {"a": VALUE}} ; {"v": {"x": VALUE}} ; VALUE ; {"v": {"KEY": "a"}} ;
            {"v": {"KEY": null}} ; {"v": {"KEY": {"a": "b"}}} ; {"KEY": "a"} ; {"KEY": {"a": "b"}} ;
            {"v": {"a": {"KEY": 1}}}"##,
    );
    let all = documents(&scalars, &keys, &places);
    every_type_reads_alike(&Decoder::Json, &all);
    #[cfg(feature = "jsonc")]
    every_type_reads_alike(&Decoder::Jsonc, &all);
}

#[cfg(feature = "json5")]
#[test]
fn json5_of_the_same_values_is_read_alike_by_every_type() {
    let scalars = listed(
        r##"null ; true ; 0 ; -0 ; +0 ; 0x0 ; -0.0 ; 0. ; .0 ; 1 ; +1 ; 0x1 ; 1.0 ; 1. ; 1e0 ; .1e1 ; 10 ; 0xA ; 0xa ; NaN ;
            +NaN ; -NaN ; Infinity ; +Infinity ; -Infinity ; 18446744073709551616 ; 0x10000000000000000 ; 1e400 ; "" ; '' ;
            "a" ; 'a' ; 'a' ; 'a' ; '' ; "1" ; '1' ; "true" ; 'null' ; '1s' ; '10MB' ; [] ; {} ; [null] ; [1,] ;
            [1] ; ['1'] ; {a: null} ; {a: 1} ; {'a': 0x1} ; {"a": 1,} ; {a: '1'} ; {x: {}} ; {x: {a: 'b'}} ;
            {'1': 'a'} ; {a: 1, 'a': 1} ; {true: 'a'} ; 'x' ; {$plain: '1'} ;
            {'$serde_json::private::Number': '1'} ; {"$serde_json::private::RawValue": "1"} ; {a: 2}"##,
    );
    let keys =
        listed(r##"a ; 'a' ; "a" ; '1' ; '01' ; '' ; null ; true ; NaN ; Infinity ; v ; 'v' ; V"##);
    let places = listed(
        r##"{v: VALUE} ; {v: [VALUE]} ; {v: {a: VALUE}} ; {'v': {x: VALUE}} ; VALUE ; {v: {KEY: 'a'}} ; {v: {KEY: null}} ;
            {v: {KEY: {a: 'b'}}} ; {KEY: 'a'} ; {KEY: {a: 'b'}} ; {v: {a: {KEY: 1}}}"##,
    );
    let all = documents(&scalars, &keys, &places);
    every_type_reads_alike(&Decoder::Json5, &all);
}

#[test]
fn toml_of_the_same_values_is_read_alike_by_every_type() {
    let scalars = listed(
        r##"true ; false ; 0 ; -0 ; +0 ; 1 ; +1 ; 0x1 ; 0o1 ; 0b1 ; 1_0 ; 10 ; 0xA ; 0xa ; 1.0 ; +1.0 ; 1e0 ; 1E0 ; 1.0e0 ;
            nan ; +nan ; -nan ; inf ; +inf ; -inf ; -0.0 ; 0.0 ; +0.0 ; 1_0.0 ; 10.0 ; "" ; '' ; "a" ; 'a' ; "\u0061" ;
            '''a''' ; """⏎a""" ; "1" ; '1' ; "true" ; 1979-05-27T07:32:00Z ; 1979-05-27 07:32:00Z ; 1979-05-27t07:32:00z ;
            1979-05-27T07:32:00.0Z ; 1979-05-27T07:32:00+00:00 ; 1979-05-27 ; 07:32:00 ; '1979-05-27' ; [] ; {} ; [1] ;
            [1,] ; [[]] ; {a = 1} ; {a = 0x1} ; {'a' = 1} ; {a = '1'} ; {a.b = 1} ; {a = {b = 1}} ; {'a.b' = 1} ;
            {1 = 'a'} ; {'1' = 'a'} ; {01 = 'a'} ; {x = {}} ; {x = {a = 'b'}} ; {true = 'a'} ; '1s' ; '10MB' ;
            9223372036854775808 ; 0xffffffffffffffff ; {'$__toml_private_datetime' = '1979-05-27'} ; {'$plain' = '1'} ;
            {"$serde_json::private::Number" = "1"} ; 0x00 ; 00 ; {'<<' = {a = 2}} ; {a = 2}"##,
    );
    let keys = listed(
        r##"a ; 'a' ; "\u0061" ; 1 ; '1' ; 01 ; 0x1 ; -0 ; 0 ; true ; v ; 'v' ; v.a ; a.v ; 'a.v' ; 1.0 ; '1.0' ; null ; ''"##,
    );
    let places = listed(
        r##"v = VALUE ; v = [VALUE] ; v = {a = VALUE} ; v = {x = VALUE} ; [v]⏎a = VALUE ; [v.x]⏎a = VALUE ;
            [[v]]⏎a = VALUE ; v = {KEY = 'a'} ; v = {KEY = 1} ; v = {KEY = {a = 'b'}} ; KEY = 'a' ; KEY = {a = 'b'} ;
            [KEY]⏎a = 'b' ; [v.KEY]⏎a = 'b' ; [[v.KEY]]⏎a = 'b' ; v.KEY = 1"##,
    );
    let all = documents(&scalars, &keys, &places);
    every_type_reads_alike(&Decoder::Toml, &all);
}
