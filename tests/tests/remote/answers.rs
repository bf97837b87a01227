//! Servers whose answers a test writes, for the faults that real ones do not show when asked to: caches, refusals of one question alone.

use std::{net::SocketAddr, sync::Arc};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// Answers the questions of one client after the other, each by its head.
pub(crate) trait Answers: Send + Sync + 'static {
    /// Writes the answer. The connection ends with an error.
    fn answer(
        &self,
        head: &str,
        client: &mut TcpStream,
    ) -> impl Future<Output = std::io::Result<()>> + Send;
}

/// Serves these answers for as long as the runtime is there.
pub(crate) async fn serve(answers: Arc<impl Answers>) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let answers = Arc::clone(&answers);
            tokio::spawn(async move {
                let mut head = Vec::new();
                while let Ok(byte) = client.read_u8().await {
                    head.push(byte);
                    if head.ends_with(b"\r\n\r\n") {
                        let question = String::from_utf8_lossy(&head).into_owned();
                        if answers.answer(&question, &mut client).await.is_err() {
                            return;
                        }
                        head.clear();
                    }
                }
            });
        }
    });
    address
}

/// Writes an answer with this status and these headers, each with its line break.
pub(crate) async fn answer(
    client: &mut TcpStream,
    status: &str,
    headers: &str,
    body: &[u8],
) -> std::io::Result<()> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\n\r\n");
    client.write_all(head.as_bytes()).await?;
    client.write_all(body).await
}

/// The value of a header, where the head has it; its name with a colon.
#[cfg(feature = "https")]
pub(crate) fn header<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    head.lines().find_map(|line| {
        let (begin, value) = line.split_at_checked(name.len())?;
        begin.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}
