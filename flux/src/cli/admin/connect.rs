//! Connects to a socket without waiting for a process that does not answer: the system itself would wait for ever once the queue of those
//! who connect is full.

use std::{
    io,
    os::unix::net::UnixStream,
    path::Path,
    thread::sleep,
    time::{Duration, Instant},
};
use tokio::runtime;

/// A connection that blocks, with the user of the process at its other end and the own one.
pub(super) struct ConnectedSocket {
    pub(super) stream: UnixStream,
    pub(super) users: (u32, u32),
}

/// Connects. While the queue is full it tries again until the time is over; then the error is of the kind `WouldBlock`.
pub(super) fn connect(path: &Path, patience: Duration) -> io::Result<ConnectedSocket> {
    let until = Instant::now() + patience;
    loop {
        match once(path) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && Instant::now() < until => {
                sleep(Duration::from_millis(50));
            }
            connected => return connected,
        }
    }
}

fn once(path: &Path) -> io::Result<ConnectedSocket> {
    let user = |stream: &tokio::net::UnixStream| Ok::<_, io::Error>(stream.peer_cred()?.uid());
    let path = path.to_owned();
    // A thread of its own, since the caller's may belong to another runtime.
    let connecting = std::thread::spawn(move || {
        let runtime = runtime::Builder::new_current_thread().enable_io().build()?;
        runtime.block_on(async {
            let other = tokio::net::UnixStream::connect(path).await?;
            let (myself, _) = tokio::net::UnixStream::pair()?;
            let users = (user(&other)?, user(&myself)?);
            let stream = other.into_std()?;
            stream.set_nonblocking(false)?;
            Ok(ConnectedSocket { stream, users })
        })
    });
    let panicked = |_| io::Error::other("the thread that connects panicked");
    connecting.join().map_err(panicked)?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn a_process_that_accepts_nobody_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()
            .unwrap();
        let _inside = runtime.enter();
        let socket = tokio::net::UnixSocket::new_stream().unwrap();
        socket.bind(&path).unwrap();
        let _listener = socket.listen(1).unwrap();
        let mut waiting = Vec::new();
        let full = loop {
            match connect(&path, Duration::ZERO) {
                Ok(connected) => waiting.push(connected),
                Err(error) => break error,
            }
            assert!(waiting.len() < 10_000);
        };
        assert_eq!(full.kind(), io::ErrorKind::WouldBlock);
        assert_eq!(waiting[0].users.0, waiting[0].users.1);
        let again = connect(&path, Duration::from_millis(120));
        assert!(again.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock));
    }
}
