//! What the service answers.

use crate::{Settings, greeting::Greeting, pool::Pool};
use axum::{Json, Router, extract::State, http::StatusCode, routing::get};
use flux::{
    Config, Guard, Status,
    schema::{Field, Kind},
};
use serde_json::{Value, json};

pub fn routes(pool: Pool, greeting: Greeting) -> Router {
    Router::new()
        .route("/", get(greet))
        .route("/status", get(status))
        .route("/config", get(config))
        .with_state((pool, greeting))
}

async fn greet(State((pool, greeting)): State<(Pool, Greeting)>) -> Result<String, StatusCode> {
    let answer = pool.ask("how are you?").await.map_err(|error| {
        tracing::error!(%error, "the database did not answer");
        StatusCode::SERVICE_UNAVAILABLE
    })?;
    tracing::debug!("greeted a visitor");
    Ok(format!("{}: {answer}\n", greeting.words()))
}

/// State, generation, what is refused and why, every layer's health, what waits for a restart. Never a secret.
async fn status() -> Json<Status> {
    Json(Status::clone(&Settings::capacitor().status()))
}

/// The values in force. Which of them are secret is known from the field table, so that no field can be forgotten here.
async fn config() -> Result<Json<Value>, StatusCode> {
    let settings = Settings::get();
    let mut values =
        serde_json::to_value(&*settings).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    hide(Settings::fields(), &mut values);
    let generation = Guard::generation(&settings);
    Ok(Json(json!({ "generation": generation, "values": values })))
}

fn hide(fields: &'static [Field], values: &mut Value) {
    for field in fields {
        if let (Kind::Section(inner), true) = (field.kind(), field.is_flattened()) {
            hide(inner(), values);
            continue;
        }
        match values.get_mut(field.name()) {
            None | Some(Value::Null) => {}
            Some(value) if field.is_secret() => *value = "(set)".into(),
            Some(value) => hide_inside(field.kind(), value),
        }
    }
}

fn hide_inside(kind: Kind, value: &mut Value) {
    match (kind, value) {
        (Kind::Section(inner), section) => hide(inner(), section),
        (Kind::List(item), Value::Array(items)) => {
            items.iter_mut().for_each(|one| hide_inside(*item, one));
        }
        (Kind::Map(entry), Value::Object(entries)) => {
            entries
                .values_mut()
                .for_each(|one| hide_inside(*entry, one));
        }
        _ => {}
    }
}
