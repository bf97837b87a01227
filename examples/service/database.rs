//! A database of one page, so that the example needs no other: it takes a password, then answers each line with how many
//! connections are open.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

pub const PASSWORD: &str = "correct-horse";
/// More connections than this are turned away.
pub const MOST: usize = 16;

/// At this port, or at a free one where it is 0.
pub async fn open(port: u16) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let address = listener.local_addr()?;
    let open = Arc::new(AtomicUsize::new(0));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let open = Arc::clone(&open);
            tokio::spawn(async move {
                open.fetch_add(1, Ordering::SeqCst);
                // A client that goes away is no concern of the server.
                let _ = talk(stream, &open).await;
                open.fetch_sub(1, Ordering::SeqCst);
            });
        }
    });
    Ok(address)
}

async fn talk(stream: TcpStream, open: &AtomicUsize) -> io::Result<()> {
    let mut lines = BufReader::new(stream).lines();
    let given = lines.next_line().await?.unwrap_or_default();
    let answer: &[u8] = match given == PASSWORD {
        _ if open.load(Ordering::SeqCst) > MOST => b"too many connections\n",
        false => b"wrong password\n",
        true => b"welcome\n",
    };
    lines.get_mut().write_all(answer).await?;
    while answer == b"welcome\n" && lines.next_line().await?.is_some() {
        let open = open.load(Ordering::SeqCst);
        let answer = format!("{open} connections are open\n");
        lines.get_mut().write_all(answer.as_bytes()).await?;
    }
    Ok(())
}
