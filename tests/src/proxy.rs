//! A line to a server that can be cut, blocked and slowed down, and that counts who comes.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

/// What the line does with what comes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Line {
    /// Passes it on, this much later.
    Open(Duration),
    /// Ends every connection, and each new one at once.
    Cut,
    /// Takes everything and passes nothing on; nobody is told.
    Dead,
}

/// A line to a server. Ends with its last owner.
pub struct Proxy {
    address: SocketAddr,
    line: watch::Sender<Line>,
    /// How often everybody was hung up on.
    ended: watch::Sender<u64>,
    counts: Arc<Counts>,
    listening: JoinHandle<()>,
}

#[derive(Default)]
struct Counts {
    connections: AtomicUsize,
    open: AtomicUsize,
    asked: AtomicU64,
    answered: AtomicU64,
}

impl Proxy {
    /// A line to `server`, which need not run.
    pub async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (line, state) = watch::channel(Line::Open(Duration::ZERO));
        let (ended, endings) = watch::channel(0);
        let counts = Arc::new(Counts::default());
        let counted = Arc::clone(&counts);
        let listening = tokio::spawn(async move {
            loop {
                let Ok((client, _)) = listener.accept().await else {
                    continue;
                };
                counted.connections.fetch_add(1, SeqCst);
                let (line, mut ended) = (state.clone(), endings.clone());
                ended.mark_unchanged();
                let carried = carry(client, server, line, ended, Arc::clone(&counted));
                tokio::spawn(carried);
            }
        });
        Proxy {
            address,
            line,
            ended,
            counts,
            listening,
        }
    }

    /// Where clients connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends every connection and refuses new ones, until [`mend`](Self::mend).
    pub fn cut(&self) {
        self.line.send_replace(Line::Cut);
        self.hang_up();
    }

    /// Ends every connection; new ones are welcome.
    pub fn hang_up(&self) {
        self.ended.send_modify(|times| *times += 1);
    }

    /// Takes everything and passes nothing on, in both directions, until [`mend`](Self::mend). What was swallowed is lost.
    pub fn deaden(&self) {
        self.line.send_replace(Line::Dead);
    }

    /// Passes everything on, but later.
    pub fn delay(&self, by: Duration) {
        self.line.send_replace(Line::Open(by));
    }

    /// Passes everything on.
    pub fn mend(&self) {
        self.line.send_replace(Line::Open(Duration::ZERO));
    }

    /// How many connections were made so far, refused ones included.
    pub fn connections(&self) -> usize {
        self.counts.connections.load(SeqCst)
    }

    /// How many connections are open now.
    pub fn open(&self) -> usize {
        self.counts.open.load(SeqCst)
    }

    /// How many bytes went to the server and came from it.
    pub fn bytes(&self) -> (u64, u64) {
        let Counts {
            asked, answered, ..
        } = &*self.counts;
        (asked.load(SeqCst), answered.load(SeqCst))
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.listening.abort();
        self.cut();
    }
}

async fn carry(
    mut client: TcpStream,
    server: SocketAddr,
    mut line: watch::Receiver<Line>,
    mut ended: watch::Receiver<u64>,
    counts: Arc<Counts>,
) {
    if *line.borrow() == Line::Cut {
        return;
    }
    counts.open.fetch_add(1, SeqCst);
    let carried = async {
        if let Ok(mut server) = TcpStream::connect(server).await {
            let _ = (client.set_nodelay(true), server.set_nodelay(true));
            let (from_client, to_client) = client.split();
            let (from_server, to_server) = server.split();
            // Either end's going is the end of both: what a half-closed connection means is not the matter here.
            tokio::select! {
                () = pass(from_client, to_server, line.clone(), &counts.asked) => {}
                () = pass(from_server, to_client, line.clone(), &counts.answered) => {}
            }
        }
    };
    tokio::select! {
        () = carried => {
            // Who is on a dead line is not told that the other end went.
            if *line.borrow_and_update() == Line::Dead {
                let _ = line.wait_for(|line| *line != Line::Dead).await;
            }
        }
        _ = ended.changed() => {}
    }
    counts.open.fetch_sub(1, SeqCst);
}

async fn pass(
    mut from: impl AsyncReadExt + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
    line: watch::Receiver<Line>,
    count: &AtomicU64,
) {
    let mut bytes = vec![0; 64 << 10];
    let mut swallowed = false;
    loop {
        let Ok(length @ 1..) = from.read(&mut bytes).await else {
            return;
        };
        count.fetch_add(length as u64, SeqCst);
        let state = *line.borrow();
        match state {
            Line::Dead => swallowed = true,
            _ if swallowed => return,
            Line::Open(by) => {
                if !by.is_zero() {
                    tokio::time::sleep(by).await;
                }
                if to.write_all(&bytes[..length]).await.is_err() {
                    return;
                }
            }
            Line::Cut => return,
        }
    }
}
