//! What a variable holds, and how it is called.

use crate::support::Document;
use crate::support::Variable;
use crate::support::same_from_variables;
use flux::Flux;
use flux::Format;
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize, Debug, Clone, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Op {
    Keep,
    Remove(String),
    Move { from: String, to: u8 },
    Both(u8, String),
}

#[derive(Flux, Deserialize, Debug, PartialEq, Clone)]
struct Part {
    max: u32,
    #[serde(default)]
    min: u32,
}

#[tokio::test]
async fn an_enum_with_data_may_come_from_a_variable() {
    #[derive(Flux, Deserialize, Debug, PartialEq)]
    struct App {
        op: Op,
    }
    let document = || Document(Format::Json, r#"{"op": "keep"}"#);
    same_from_variables::<App>(
        document(),
        &[Variable(
            "APP_OP",
            r#"{"remove": "x"}"#,
            "/op",
            json!({"remove": "x"}),
        )],
    )
    .await;
    same_from_variables::<App>(
        document(),
        &[Variable(
            "APP_OP",
            "{remove=x}",
            "/op",
            json!({"remove": "x"}),
        )],
    )
    .await;
    same_from_variables::<App>(
        document(),
        &[Variable(
            "APP_OP",
            r#"{"move": {"from": "a,b", "to": 2}}"#,
            "/op",
            json!({"move": {"from": "a,b", "to": 2}}),
        )],
    )
    .await;
}

#[tokio::test]
async fn a_variable_may_have_an_earlier_name_of_its_field() {
    #[derive(Flux, Deserialize, Debug, PartialEq)]
    struct App {
        #[serde(alias = "listen", alias = "bind-port")]
        port: u16,
        #[flux(nested)]
        #[serde(alias = "db")]
        database: Part,
    }
    let document = || Document(Format::Json, r#"{"port": 1, "database": {"max": 1}}"#);
    for name in ["APP_PORT", "APP_LISTEN", "APP_BIND_PORT"] {
        same_from_variables::<App>(document(), &[Variable(name, "9", "/port", json!(9))]).await;
    }
    for name in ["APP_DATABASE_MAX", "APP_DB_MAX"] {
        same_from_variables::<App>(
            document(),
            &[Variable(name, "9", "/database/max", json!(9))],
        )
        .await;
    }
}
