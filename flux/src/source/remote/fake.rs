//! A web server for unit tests, whose answers the test writes.

#![allow(clippy::unwrap_used)] // In helpers too.

use std::{
    io::Read,
    net::{SocketAddr, TcpListener, TcpStream},
    sync::Arc,
    thread,
};

/// Its address. `answer` has the head of each question and the connection, on a thread of that connection; it ends with the process.
pub(crate) fn web(answer: impl Fn(&str, &mut TcpStream) + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let answer = Arc::new(answer);
    thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let answer = Arc::clone(&answer);
            thread::spawn(move || {
                let (mut head, mut byte) = (Vec::new(), [0]);
                while matches!(client.read(&mut byte), Ok(1)) {
                    head.extend(byte);
                    if head.ends_with(b"\r\n\r\n") {
                        answer(&String::from_utf8_lossy(&head), &mut client);
                        head.clear();
                    }
                }
            });
        }
    });
    address
}

/// An answer with these headers, each with its line break.
pub(crate) fn found(headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\n{headers}Content-Length: {length}\r\n\r\n{body}").into_bytes()
}
