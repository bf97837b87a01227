//! Between a client and web servers: every request goes to the server of the moment, so that its going is not the connection's.

use std::{
    net::SocketAddr,
    process::Stdio,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// Where requests go.
#[derive(Clone)]
pub(crate) enum Backend {
    /// To nobody yet: they wait.
    Nobody,
    Plain(SocketAddr),
    /// By TLS, with more headers.
    Secured(SocketAddr, String),
}

pub(crate) struct Relay {
    address: SocketAddr,
    backend: watch::Sender<Backend>,
    /// Requests with this in their head wait.
    hold: watch::Sender<Option<&'static str>>,
    /// Requests with this in their head are answered with 401.
    refuse: watch::Sender<Option<&'static str>>,
    noted: Arc<Noted>,
}

#[derive(Default)]
struct Noted {
    asked: AtomicUsize,
    held: AtomicUsize,
    refused: AtomicUsize,
    answered: Mutex<Vec<u8>>,
}

impl Relay {
    pub(crate) async fn to(backend: Backend) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (backend, current) = watch::channel(backend);
        let (hold, holding) = watch::channel(None);
        let (refuse, refusing) = watch::channel(None);
        let noted = Arc::<Noted>::default();
        let notes = Arc::clone(&noted);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (current, noted) = (current.clone(), Arc::clone(&notes));
                let (holding, refusing) = (holding.clone(), refusing.clone());
                tokio::spawn(async move {
                    let _ = carry(client, current, holding, refusing, &noted).await;
                });
            }
        });
        Relay {
            address,
            backend,
            hold,
            refuse,
            noted,
        }
    }

    /// New requests with this in their head are refused (401); what is under way goes on.
    pub(crate) fn refuse(&self, text: &'static str) {
        self.refuse.send_replace(Some(text));
    }

    /// Requests with this in their head wait, until [`release`](Self::release).
    pub(crate) fn hold(&self, text: &'static str) {
        self.hold.send_replace(Some(text));
    }

    /// Those that wait go on.
    pub(crate) fn release(&self) {
        self.hold.send_replace(None);
    }

    /// How many requests had to wait so far.
    pub(crate) fn held(&self) -> usize {
        self.noted.held.load(SeqCst)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where the next requests go, those included that wait.
    pub(crate) fn turn(&self, backend: Backend) {
        self.backend.send_replace(backend);
    }

    /// How many requests went to a server.
    pub(crate) fn asked(&self) -> usize {
        self.noted.asked.load(SeqCst)
    }

    /// How many requests were refused.
    pub(crate) fn refused(&self) -> usize {
        self.noted.refused.load(SeqCst)
    }

    /// Whether any answer had this in it.
    pub(crate) fn has_answered(&self, text: &str) -> bool {
        let answered = self.noted.answered.lock().unwrap();
        String::from_utf8_lossy(&answered).contains(text)
    }
}

/// One request and its answer; the next one comes on another connection.
async fn carry(
    mut client: TcpStream,
    mut current: watch::Receiver<Backend>,
    mut holding: watch::Receiver<Option<&'static str>>,
    refusing: watch::Receiver<Option<&'static str>>,
    noted: &Noted,
) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await?);
    }
    let text = String::from_utf8_lossy(&head).into_owned();
    let waits = |held: &Option<&str>| held.is_some_and(|held| text.contains(held));
    if waits(&holding.borrow_and_update()) {
        noted.held.fetch_add(1, SeqCst);
        let released = holding.wait_for(|held| !waits(held)).await;
        released.map_err(std::io::Error::other)?;
    }
    let refused = *refusing.borrow();
    if refused.is_some_and(|refused| text.contains(refused)) {
        noted.refused.fetch_add(1, SeqCst);
        let body = r#"{"kind":"Status","apiVersion":"v1","status":"Failure","message":"Unauthorized","reason":"Unauthorized","code":401}"#;
        let answer = format!(
            "HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        return client.write_all(answer.as_bytes()).await;
    }
    let backend = current.wait_for(|backend| !matches!(backend, Backend::Nobody));
    let backend = backend.await.map_err(std::io::Error::other)?.clone();
    noted.asked.fetch_add(1, SeqCst);
    let mut headers = "Connection: close\r\n".to_owned();
    if let Backend::Secured(_, more) = &backend {
        headers += more;
        // Who asks there is the relay.
        let kept = text.split_inclusive("\r\n");
        let kept = kept.filter(|line| !line.to_ascii_lowercase().starts_with("authorization:"));
        head = kept.collect::<String>().into_bytes();
    }
    head.splice(head.len() - 2..head.len() - 2, headers.into_bytes());
    match backend {
        Backend::Nobody => Ok(()),
        Backend::Plain(address) => {
            let (from, to) = TcpStream::connect(address).await?.into_split();
            answer(&head, client, from, to, noted).await
        }
        Backend::Secured(address, _) => {
            let mut line = tokio::process::Command::new("openssl")
                .args(["s_client", "-quiet", "-connect", &address.to_string()])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .kill_on_drop(true)
                .spawn()?;
            let (to, from) = (line.stdin.take().unwrap(), line.stdout.take().unwrap());
            answer(&head, client, from, to, noted).await
        }
    }
}

async fn answer(
    head: &[u8],
    client: TcpStream,
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    noted: &Noted,
) -> std::io::Result<()> {
    to.write_all(head).await?;
    let (mut gone, mut client) = client.into_split();
    let mut all = Vec::new();
    let mut part = vec![0; 64 << 10];
    let mut nothing = [0];
    loop {
        let length = tokio::select! {
            length = from.read(&mut part) => length?,
            _ = gone.read(&mut nothing) => return Ok(()),
        };
        all.extend_from_slice(&part[..length]);
        noted
            .answered
            .lock()
            .unwrap()
            .extend_from_slice(&part[..length]);
        if length == 0 {
            break;
        }
        client.write_all(&part[..length]).await?;
    }
    // A server that died in the middle of its answer is taken for one that had nothing more to say.
    let chunked = String::from_utf8_lossy(&all).contains("Transfer-Encoding: chunked");
    if chunked && !all.ends_with(b"0\r\n\r\n") {
        client.write_all(b"0\r\n\r\n").await?;
    }
    Ok(())
}
