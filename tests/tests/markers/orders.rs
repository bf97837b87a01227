//! What a program is asked and ordered while it runs: at its page, at its socket, by its own code.

use crate::{outputs::Outputs, search::Secretive};
use flux::{Capacitor, inspect::Inputs, page::Page};
use http_body_util::BodyExt;
use serde_json::json;
use std::{
    io::{Read, Write},
    net::Shutdown,
    os::unix::net::UnixStream,
    path::Path,
    time::Duration,
};
use tower_service::Service;

/// Everything that can be ordered; `text` is a document that may be bad.
pub(crate) async fn orders<C: Secretive>(
    outputs: &Outputs,
    capacitor: &Capacitor<C>,
    page: &Page,
    socket: &Path,
    text: &str,
) {
    posted(outputs, page, text).await;
    asked(outputs, socket, text).await;
    for inputs in [
        Inputs::new().layer("upper", text),
        Inputs::new().layer("nowhere", text),
    ] {
        match capacitor.plan_with_parties(&inputs).await {
            Ok(plan) => {
                outputs.text(&plan.to_string());
                outputs.debugged(&plan);
                outputs.data(&plan);
            }
            Err(error) => outputs.text(&error.to_string()),
        }
    }
    outputs.error(&capacitor.rollback(None).await.err());
    outputs.error(&capacitor.rollback(1).await.err());
    outputs.error(&capacitor.pin().await.err());
    outputs.error(&capacitor.unpin().await.err());
    match capacitor.trust().await {
        Ok(trusted) => outputs.debugged(&trusted),
        Err(error) => outputs.error(&Some(error)),
    }
    outputs.error(&capacitor.reload().await.err());
}

/// At the page, whose token is known.
async fn posted(outputs: &Outputs, page: &Page, text: &str) {
    let terms = answer(page, http::Request::get("/control.json"), String::new()).await;
    let terms: serde_json::Value = serde_json::from_str(&terms).unwrap_or_default();
    let token = terms["token"].as_str().expect("orders are allowed");
    let document: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
    for accept in ["application/json", "text/html"] {
        for layer in ["upper", "nowhere"] {
            let form = format!("token={token}&layer={layer}&document={document}");
            let request = http::Request::post("/plan").header("accept", accept);
            outputs.text(&answer(page, request, form).await);
        }
    }
    for order in ["/rollback", "/pin", "/unpin", "/trust", "/?rollback"] {
        let form = format!("token={token}");
        outputs.text(&answer(page, http::Request::post(order), form).await);
    }
}

async fn answer(page: &Page, request: http::request::Builder, body: String) -> String {
    let request = request.body(body).unwrap();
    let reply = page.clone().call(request).await.unwrap();
    let mut body = reply.into_body();
    let Some(Ok(frame)) = body.frame().await else {
        return String::new();
    };
    let bytes = frame.into_data().unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// At the socket, where one request is a connection.
async fn asked(outputs: &Outputs, socket: &Path, text: &str) {
    let inputs = |layer: &str| {
        json!({
            "only_given": false, "partial": false, "without": [],
            "documents": [{ "layer": layer, "text": text, "path": "next" }],
        })
    };
    let questions = [
        json!({ "do": "show", "as": "toml", "origins": true, "format": "human" }),
        json!({ "do": "show", "as": "json", "origins": false, "format": "json" }),
        json!({ "do": "explain", "path": "password", "format": "human" }),
        json!({ "do": "explain", "path": null, "format": "json" }),
        json!({ "do": "silent", "format": "human" }),
        json!({ "do": "blame", "path": "password", "format": "json" }),
        json!({ "do": "diff", "inputs": inputs("upper"), "format": "human" }),
        json!({ "do": "plan", "inputs": inputs("upper"), "format": "human" }),
        json!({ "do": "plan", "inputs": inputs("nowhere"), "format": "sarif" }),
        json!({ "do": "status", "format": "human" }),
        json!({ "do": "status", "format": "json" }),
        json!({ "do": "trust", "format": "human" }),
        json!({ "do": text, "format": "human" }),
    ];
    let path = socket.to_owned();
    let ask = move || {
        let ask = |question: &serde_json::Value| -> std::io::Result<String> {
            let mut stream = UnixStream::connect(&path)?;
            stream.set_read_timeout(Some(Duration::from_secs(60)))?;
            stream.write_all(format!("{question}\n").as_bytes())?;
            stream.shutdown(Shutdown::Write)?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            Ok(answer)
        };
        questions.iter().map(ask).collect::<Vec<_>>()
    };
    // This thread is the program's.
    let answers = tokio::task::spawn_blocking(ask).await.unwrap();
    for answer in answers {
        match answer {
            Ok(answer) => {
                assert!(answer.contains("\"code\""), "no answer: {answer}");
                outputs.text(&answer);
            }
            Err(error) => panic!("no answer at the socket: {error}"),
        }
    }
}
