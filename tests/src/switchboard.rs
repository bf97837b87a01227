//! One address at which all members of a cluster reach another one, each by a line of its own.
//!
//! Some servers must all be given the same addresses of their peers, so a line that is particular to two of them is found by who
//! connects: the owner of the connection's other end.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// The numbers of the processes of the members; 0 of one that was never started.
pub type Numbers = Arc<Mutex<Vec<u32>>>;

/// Ends with its owner.
pub struct Switchboard {
    address: SocketAddr,
    listening: JoinHandle<()>,
}

impl Switchboard {
    /// Passes the connections of each member on to the line that is its own; those of others nowhere.
    pub async fn over(members: Numbers, lines: Vec<Option<SocketAddr>>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let listening = tokio::spawn(async move {
            loop {
                let Ok((mut client, from)) = listener.accept().await else {
                    continue;
                };
                let numbers = members.lock().unwrap_or_else(PoisonError::into_inner);
                let numbers = numbers.clone();
                let lines = lines.clone();
                tokio::spawn(async move {
                    let member = tokio::task::spawn_blocking(move || owner(from, &numbers)).await;
                    let line = member.ok().flatten().and_then(|member| lines[member]);
                    if let Some(line) = line
                        && let Ok(mut line) = TcpStream::connect(line).await
                    {
                        let _ = (client.set_nodelay(true), line.set_nodelay(true));
                        let _ = tokio::io::copy_bidirectional(&mut client, &mut line).await;
                    }
                });
            }
        });
        Switchboard { address, listening }
    }

    /// Where the members connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Switchboard {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

/// Which of these processes holds the end of a connection that is at this port of this machine.
fn owner(end: SocketAddr, numbers: &[u32]) -> Option<usize> {
    let table = std::fs::read_to_string("/proc/net/tcp").ok()?;
    let ours = format!(":{:04X}", end.port());
    let inode = table.lines().skip(1).find_map(|line| {
        let mut words = line.split_whitespace();
        let is_ours = words.nth(1)?.ends_with(&ours);
        is_ours.then(|| words.nth(7)).flatten()
    })?;
    let socket = format!("socket:[{inode}]");
    numbers.iter().position(|number| {
        let open = std::fs::read_dir(format!("/proc/{number}/fd"));
        open.into_iter().flatten().flatten().any(|entry| {
            std::fs::read_link(entry.path()).is_ok_and(|link| link.as_os_str() == &*socket)
        })
    })
}
