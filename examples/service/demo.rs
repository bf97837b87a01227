//! The service tried out: edits of its file, and what can be seen of them from outside.

use serde_json::Value;
use std::{error::Error, fs, io, net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

pub async fn run(address: SocketAddr) -> Outcome {
    let visitor = Visitor(address);
    println!("1. The service is started with four connections:");
    visitor.sees("/", "hello: 4 connections are open").await?;
    visitor.status().await?;

    println!(
        "\n2. `size: 6`: six are opened, then readers see the change, then the four are closed:"
    );
    edit(&[("size: 4", "size: 6")])?;
    visitor.sees("/", "hello: 6 connections are open").await?;

    println!("\n3. `size: 600` breaks a rule, and nobody is asked:");
    edit(&[("size: 6", "size: 600")])?;
    visitor.sees_status("state", "degraded").await?;
    visitor.sees("/", "hello: 6 connections are open").await?;

    println!(
        "\n4. `size: 8` is good, but the greeting in the same edit is not: the eight are closed again:"
    );
    edit(&[("size: 600", "size: 8"), ("hello.txt", "missing.txt")])?;
    visitor.sees_status("error", "missing.txt").await?;
    visitor.sees("/", "hello: 6 connections are open").await?;

    println!(
        "\n5. The greeting is written; what was refused for want of it is tried again by itself:"
    );
    fs::write("missing.txt", "good day")?;
    visitor
        .sees("/", "good day: 8 connections are open")
        .await?;
    visitor.status().await?;

    println!("\n6. `log: debug`: from now on visits are logged:");
    edit(&[("log: info", "log: debug")])?;
    while !tracing::enabled!(target: "service", tracing::Level::DEBUG) {
        sleep(Duration::from_millis(20)).await;
    }
    visitor
        .sees("/", "good day: 8 connections are open")
        .await?;

    println!("\n7. Another address waits for a restart; the rest of the edit applies:");
    edit(&[
        ("127.0.0.1:0", "127.0.0.1:9090"),
        ("missing.txt", "hello.txt"),
    ])?;
    visitor
        .sees_status("pending_restart", "listen.address")
        .await?;
    visitor.sees("/", "hello: 8 connections are open").await?;

    println!("\n8. What is in force, secrets left out:");
    println!("   {}", visitor.get("/config").await?);
    Ok(())
}

/// One edit of the file, however many lines it changes.
fn edit(changes: &[(&str, &str)]) -> io::Result<()> {
    let mut text = fs::read_to_string("service.yaml")?;
    for (old, new) in changes {
        text = text.replace(old, new);
    }
    fs::write("service.yaml", text)
}

struct Visitor(SocketAddr);

impl Visitor {
    async fn get(&self, path: &str) -> io::Result<String> {
        let mut stream = TcpStream::connect(self.0).await?;
        let request = format!("GET {path} HTTP/1.0\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        let body = answer.split_once("\r\n\r\n").map(|(_, body)| body);
        Ok(body.unwrap_or(&answer).trim_end().to_owned())
    }

    /// Asks again until the answer is the expected one.
    async fn sees(&self, path: &str, expected: &str) -> Outcome {
        let asking = async {
            while self.get(path).await? != expected {
                sleep(Duration::from_millis(20)).await;
            }
            io::Result::Ok(())
        };
        timeout(Duration::from_secs(60), asking)
            .await
            .map_err(|_| format!("{path} did not answer: {expected}"))??;
        println!("   GET {path}: {expected}");
        Ok(())
    }

    /// Asks again until a part of the status is as expected.
    async fn sees_status(&self, part: &str, expected: &str) -> Outcome {
        let asking = async {
            loop {
                let status: Value = serde_json::from_str(&self.get("/status").await?)?;
                if status[part].to_string().contains(expected) {
                    return Outcome::Ok(());
                }
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(Duration::from_secs(60), asking)
            .await
            .map_err(|_| format!("/status did not say {part}: {expected}"))??;
        self.status().await
    }

    async fn status(&self) -> Outcome {
        let status: Value = serde_json::from_str(&self.get("/status").await?)?;
        println!(
            "   GET /status: {}, generation {}, waits for a restart: {}",
            status["state"], status["generation"], status["pending_restart"]
        );
        for problem in status["error"]["problems"].as_array().into_iter().flatten() {
            println!("     {}: {}", problem["path"], problem["message"]);
        }
        Ok(())
    }
}
