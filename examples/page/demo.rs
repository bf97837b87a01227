//! The page asked as probes, browsers and programs ask it.

use super::{ADMIN, GOOD};
use serde_json::Value;
use std::{error::Error, fs, net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

pub async fn run(address: SocketAddr) -> Outcome {
    let client = Client(address);
    println!("1. Probes, programs and people ask the same address:");
    println!(
        "   /config/healthz: {}",
        client.get("/config/healthz").await?.trim_end()
    );
    println!("   /config/effective.yaml:");
    for line in client.get("/config/effective.yaml").await?.lines() {
        println!("   | {line}");
    }

    println!("\n2. A bad edit is on top of the page:");
    fs::write("app.yaml", GOOD.replace("200", "20000"))?;
    let refused = client.until("/config", "configuration refused").await?;
    for part in [
        "must be in 1..=10000, found 20000",
        "app.yaml:1:11",
        "1 | visitors: 20000",
    ] {
        if !refused.contains(part) {
            return Err(format!("the page does not have: {part}").into());
        }
        println!("   | {part}");
    }
    println!(
        "   /config/healthz: {}",
        client.get("/config/healthz").await?.trim_end()
    );

    println!("\n3. A good one is applied; an admin goes back to the first:");
    fs::write("app.yaml", GOOD.replace("200", "300"))?;
    client
        .until("/config/status.json", "\"generation\":2")
        .await?;
    let refusal = client.post("/config/rollback", "").await?;
    println!("   without control: {}", refusal.trim_end());
    let terms: Value = serde_json::from_str(&client.get("/admin/config/control.json").await?)?;
    let token = terms["token"].as_str().ok_or("no token")?;
    let answer = client
        .post("/admin/config/rollback", &format!("token={token}&to=1"))
        .await?;
    println!("   with control: {answer}");
    println!("   /config/explain.json?path=visitors: {}", {
        let one: Value =
            serde_json::from_str(&client.get("/config/explain.json?path=visitors").await?)?;
        one["value"].clone()
    });
    Ok(())
}

struct Client(SocketAddr);

impl Client {
    async fn get(&self, path: &str) -> Outcome<String> {
        self.ask(&format!(
            "GET {path} HTTP/1.0\r\nAuthorization: {ADMIN}\r\n\r\n"
        ))
        .await
    }

    async fn post(&self, path: &str, form: &str) -> Outcome<String> {
        let length = form.len();
        let head = format!(
            "POST {path} HTTP/1.0\r\nAuthorization: {ADMIN}\r\nAccept: application/json\r\nContent-Length: {length}\r\n\r\n"
        );
        self.ask(&format!("{head}{form}")).await
    }

    async fn ask(&self, request: &str) -> Outcome<String> {
        let mut stream = TcpStream::connect(self.0).await?;
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        let body = answer.split_once("\r\n\r\n").map(|(_, body)| body);
        Ok(body.unwrap_or_default().to_owned())
    }

    /// Asks again until the answer has this.
    async fn until(&self, path: &str, part: &str) -> Outcome<String> {
        let asking = async {
            loop {
                let answer = self.get(path).await?;
                if answer.contains(part) {
                    return Outcome::Ok(answer);
                }
                sleep(Duration::from_millis(20)).await;
            }
        };
        let answer = timeout(Duration::from_secs(60), asking).await;
        answer.map_err(|_| format!("{path} did not answer: {part}"))?
    }
}
