//! Three members of a cluster as processes, and the lines between them.

use crate::{
    process::{Process, free_port, local},
    proxy::Proxy,
    switchboard::Numbers,
};
use flux::Source;
use std::{
    future::Future,
    net::TcpStream,
    path::Path,
    process::Command,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::task::block_in_place;

/// How many members a cluster has.
pub const SIZE: usize = 3;

/// A kind of server that runs as a cluster of three. One file per kind, and a line in `tests/tests/remote/members.rs`.
pub trait Cluster: Send + Sync + Sized + 'static {
    /// As the table calls it.
    const NAME: &'static str;
    /// The bound of staleness that the source's page states.
    const BOUND: Duration;
    /// Whether a source may name several members.
    const SEVERAL: bool = true;
    /// The members that can be cut off from the others.
    const CUTS: &'static [usize] = &[0, 1, 2];

    /// Three members that have found each other; none where the program is missing.
    fn start() -> impl Future<Output = Option<Self>> + Send;
    /// Its members.
    fn members(&self) -> &Members;
    /// The source that asks these members for a key.
    fn source(&self, members: &[usize], key: &str) -> Source;
    /// Whether the others can go on without this member when it is cut off as things are.
    fn can_be_cut_off(&self, member: usize) -> bool {
        let _ = member;
        true
    }
    /// Writes by way of one member, which may have no leader. An attempt that was not answered must not be done later, when it would
    /// undo a newer one: it holds for the version alone that was there when it began.
    fn write_at(
        &self,
        member: usize,
        key: &str,
        bytes: &[u8],
    ) -> impl Future<Output = Result<(), String>> + Send;

    /// Writes by way of the members that have no fault, until one of them has done it.
    fn write(&self, key: &str, bytes: &[u8]) -> impl Future<Output = ()> + Send {
        async move {
            let begin = Instant::now();
            loop {
                let mut why = Vec::new();
                for member in self.members().sound() {
                    match self.write_at(member, key, bytes).await {
                        Ok(()) => return,
                        Err(error) => why.push(error),
                    }
                }
                assert!(begin.elapsed() < Duration::from_secs(90), "{why:?}");
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }
}

/// A member and what was done to it.
struct Member {
    process: Process,
    /// Neither killed nor paused.
    runs: bool,
    /// Nothing passes between it and the others.
    is_cut_off: bool,
}

/// The members of a cluster. The lines go with them.
pub struct Members {
    members: Mutex<Vec<Member>>,
    /// The line from the first of a pair to the second.
    lines: Vec<(usize, usize, Proxy)>,
    /// The numbers of their processes, for who has to know which of them connects.
    numbers: Numbers,
}

/// A free port for each member.
pub fn ports() -> Vec<u16> {
    (0..SIZE).map(|_| free_port()).collect()
}

/// These members as a URI names them.
pub fn hosts(ports: &[u16], members: &[usize]) -> String {
    let hosts = members.iter().map(|at| local(ports[*at]).to_string());
    hosts.collect::<Vec<_>>().join(",")
}

/// A process that is ready once it takes connections at this port: it may have no leader yet.
pub fn listening(
    name: &'static str,
    recipe: impl Fn(&Path) -> Command + Send + Sync + 'static,
    port: u16,
) -> Process {
    Process::prepare(name, recipe, move || {
        TcpStream::connect(local(port)).is_ok()
    })
}

/// A line from each member to the port of each other one.
pub async fn lines_to(ports: &[u16]) -> Vec<(usize, usize, Proxy)> {
    let mut lines = Vec::new();
    for from in 0..ports.len() {
        for (to, port) in ports.iter().enumerate().filter(|(to, _)| *to != from) {
            lines.push((from, to, Proxy::to(local(*port)).await));
        }
    }
    lines
}

/// Where the line from one member to another one begins.
pub fn line(lines: &[(usize, usize, Proxy)], from: usize, to: usize) -> std::net::SocketAddr {
    let line = lines.iter().find(|line| (line.0, line.1) == (from, to));
    line.expect("a line").2.address()
}

impl Members {
    /// Starts them, one after the other.
    pub fn start(
        processes: Vec<Process>,
        lines: Vec<(usize, usize, Proxy)>,
        numbers: Numbers,
    ) -> Self {
        let member = |process| Member {
            process,
            runs: false,
            is_cut_off: false,
        };
        let members = Members {
            members: Mutex::new(processes.into_iter().map(member).collect()),
            lines,
            numbers,
        };
        (0..SIZE).for_each(|at| members.restart(at));
        members
    }

    fn with<T>(&self, at: usize, act: impl FnOnce(&mut Member) -> T) -> T {
        let mut members = self.members.lock().unwrap_or_else(PoisonError::into_inner);
        act(&mut members[at])
    }

    /// Those that run and are not cut off.
    pub fn sound(&self) -> Vec<usize> {
        let sound = |at: &usize| self.with(*at, |member| member.runs && !member.is_cut_off);
        (0..SIZE).filter(sound).collect()
    }

    /// Kills one, as `kill -9` does.
    pub fn kill(&self, at: usize) {
        block_in_place(|| {
            self.with(at, |member| {
                member.runs = false;
                member.process.kill();
            });
        });
    }

    /// Starts one that was killed, on the data that it left. It may have no leader.
    pub fn restart(&self, at: usize) {
        block_in_place(|| {
            self.with(at, |member| {
                let numbers = Arc::clone(&self.numbers);
                member.process.restart_and(|number| {
                    let mut numbers = numbers.lock().unwrap_or_else(PoisonError::into_inner);
                    numbers[at] = number;
                });
                member.runs = true;
            });
        });
    }

    /// Stops the time of one; its connections stay open.
    pub fn pause(&self, at: usize) {
        self.with(at, |member| {
            member.runs = false;
            member.process.pause();
        });
    }

    /// Lets the time of one go on.
    pub fn resume(&self, at: usize) {
        self.with(at, |member| {
            member.process.resume();
            member.runs = true;
        });
    }

    /// Nothing passes between this member and the others; clients still reach it.
    pub fn cut_off(&self, at: usize) {
        self.with(at, |member| member.is_cut_off = true);
        self.lines_of(at).for_each(Proxy::cut);
    }

    /// As [`cut_off`](Self::cut_off), but nobody is told that the connections are of no use.
    pub fn deaden(&self, at: usize) {
        self.with(at, |member| member.is_cut_off = true);
        self.lines_of(at).for_each(Proxy::deaden);
    }

    fn lines_of(&self, at: usize) -> impl Iterator<Item = &Proxy> {
        let of = move |(from, to, _): &&(usize, usize, Proxy)| *from == at || *to == at;
        self.lines.iter().filter(of).map(|(_, _, line)| line)
    }

    /// Everything passes again.
    pub fn mend(&self) {
        self.lines.iter().for_each(|(_, _, line)| line.mend());
        (0..SIZE).for_each(|at| self.with(at, |member| member.is_cut_off = false));
    }
}
