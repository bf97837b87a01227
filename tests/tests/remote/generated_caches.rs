//! Schedules of faults from a seed on what is between a document of the web and its reader: caches with older copies, replicas that lag
//! behind, answers that ask for a pause, compressed ones, connections that end. The oracle is [the same](crate::oracle).

use crate::{
    answers::{Answers, answer, header, serve},
    oracle::{BUSY, Limits, Watch},
    seeds::{Random, schedules, settles},
    watched::{Watched, document},
};
use flux::{Format, Source};
use flux_tests::servers::{Https, Remote};
use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant},
};
use tokio::{net::TcpStream, time::sleep};

/// A version of the document, and when it was made; nothing where there is none.
#[derive(Clone, Copy)]
struct Version {
    n: Option<u64>,
    made: u64,
}

#[derive(Clone, Copy, Debug)]
enum Way {
    /// The server itself.
    Straight,
    /// A cache that has had a copy since then, and shows its age or does not hide that of the document.
    Cached { since: Instant },
    /// Every second answer is of a replica that has the version before.
    Lagging,
    /// The server asks to be left alone for so many seconds, by this status.
    Busy { status: u16, seconds: u64 },
    /// What is no document is compressed.
    PackedRefusals,
    /// The document is compressed, and nobody asked for that.
    PackedDocument,
    /// The second question on a connection ends it.
    HangingUp,
}

struct Site {
    now: Version,
    before: Version,
    /// What a cache has.
    copy: Version,
    way: Way,
    /// What tells a version from another one.
    has_tags: bool,
    has_dates: bool,
    /// How many questions there were, and the connections that had one.
    asked: u64,
    known: Vec<std::net::SocketAddr>,
}

struct Web(Mutex<Site>);

/// A date so many seconds after the beginning of the schedule.
fn date(seconds: u64) -> String {
    let (minute, second) = (seconds / 60 % 60, seconds % 60);
    format!("Sun, 06 Nov 1994 08:{minute:02}:{second:02} GMT")
}

impl Web {
    fn site(&self) -> MutexGuard<'_, Site> {
        self.0.lock().unwrap()
    }

    fn write(&self, n: Option<u64>) {
        let mut site = self.site();
        let made = site.now.made + 3;
        site.before = site.now;
        site.now = Version { n, made };
    }
}

impl Site {
    /// The status, the headers and the body of the answer to a question; nothing where the connection is to end.
    fn answer(
        &mut self,
        head: &str,
        client: std::net::SocketAddr,
    ) -> Option<(u16, String, Vec<u8>)> {
        self.asked += 1;
        let is_known = self.known.contains(&client);
        self.known.push(client);
        let mut headers = String::new();
        let version = match self.way {
            Way::HangingUp if is_known => return None,
            Way::Cached { since } => {
                headers += &format!("Age: {}\r\n", since.elapsed().as_secs());
                self.copy
            }
            Way::Lagging if self.asked.is_multiple_of(2) => self.before,
            Way::Busy { status, seconds } => {
                headers += &format!("Retry-After: {seconds}\r\nContent-Encoding: gzip\r\n");
                return Some((status, headers, b"\x1f\x8b words".to_vec()));
            }
            _ => self.now,
        };
        if matches!(self.way, Way::PackedRefusals) {
            headers += "Content-Encoding: gzip\r\n";
        }
        let Some(n) = version.n else {
            return Some((404, headers, b"\x1f\x8b nothing".to_vec()));
        };
        let (tag, modified) = (format!("\"{}\"", version.made), date(version.made));
        // The document is read long after it was made, so that its date is one.
        headers += &format!("Date: {}\r\n", date(version.made + 2));
        if self.has_tags {
            headers += &format!("ETag: {tag}\r\n");
        }
        if self.has_dates {
            headers += &format!("Last-Modified: {modified}\r\n");
        }
        let same = |name, value: &str| header(head, name) == Some(value);
        if self.has_tags && same("if-none-match:", &tag)
            // What is put back has an older date, and servers answer so of that, too.
            || self.has_dates && header(head, "if-modified-since:").is_some()
        {
            return Some((304, headers, Vec::new()));
        }
        if matches!(self.way, Way::PackedDocument) {
            headers += "Content-Encoding: gzip\r\n";
            return Some((200, headers, b"\x1f\x8b document".to_vec()));
        }
        let headers = headers.replace("Content-Encoding: gzip\r\n", "");
        Some((200, headers, document(n)))
    }
}

impl Answers for Web {
    async fn answer(&self, head: &str, client: &mut TcpStream) -> std::io::Result<()> {
        let peer = client.peer_addr()?;
        let found = self.site().answer(head, peer);
        let Some((status, headers, body)) = found else {
            return Err(std::io::ErrorKind::ConnectionAborted.into());
        };
        answer(client, &format!("{status} Answer"), &headers, &body).await
    }
}

struct Followed {
    web: Arc<Web>,
    watch: Watch,
    n: u64,
}

impl Followed {
    fn writes(&mut self, is_deleted: bool) {
        self.n += 1;
        let held = Some(self.n).filter(|_| !is_deleted);
        self.watch.may_hold(held);
        self.web.write(held);
        self.watch.holds(held);
    }

    /// Writes for as long as a fault lasts, at least once.
    async fn writes_for(&mut self, random: &mut Random, length: Duration) {
        let begin = Instant::now();
        loop {
            self.writes(random.below(8) == 0);
            let rest = length.saturating_sub(begin.elapsed());
            if rest.is_zero() {
                return;
            }
            sleep(rest.min(random.millis(10_000))).await;
        }
    }
}

/// The next fault.
fn way(random: &mut Random, has_dates: bool) -> Way {
    match random.below(10) {
        0..=3 => {
            let ago = Duration::from_secs(random.below(60));
            let since = Instant::now().checked_sub(ago);
            Way::Cached {
                since: since.unwrap_or_else(Instant::now),
            }
        }
        4 if has_dates => Way::Lagging,
        5 | 6 => Way::Busy {
            status: [429, 503][random.below(2) as usize],
            seconds: 1 + random.below(3),
        },
        7 => Way::PackedDocument,
        8 => Way::HangingUp,
        _ => Way::PackedRefusals,
    }
}

async fn schedule(seed: u64, time: Duration) -> Option<()> {
    let mut random = Random(seed);
    let version = Version {
        n: Some(0),
        made: 0,
    };
    let (has_tags, has_dates) = (random.below(2) == 0, random.below(2) == 0);
    let web = Arc::new(Web(Mutex::new(Site {
        now: version,
        before: version,
        copy: version,
        way: Way::Straight,
        has_tags,
        has_dates,
        asked: 0,
        known: Vec::new(),
    })));
    let address = serve(Arc::clone(&web)).await;
    let source = Source::uri(format!("http://{address}/app.json#poll=1s")).format(Format::Json);
    let watched = Watched::started(source).await;
    let watch = Watch::over(&watched, Limits::of_a_server(Https::BOUND));
    watch.holds(Some(0));
    let mut followed = Followed {
        web: Arc::clone(&web),
        watch,
        n: 0,
    };
    let begin = Instant::now();
    while begin.elapsed() < time {
        for _ in 0..random.below(4) {
            followed.writes(random.below(6) == 0);
            sleep(random.millis(1500)).await;
        }
        let way = way(&mut random, has_dates);
        println!(
            "https {:?}: fault {way:?}, tags {has_tags}, dates {has_dates}, {:?} is held",
            begin.elapsed(),
            followed.watch.held()
        );
        let asked = {
            let mut site = web.site();
            // An older copy, or that of this moment.
            site.copy = match random.below(2) {
                0 => site.before,
                _ => site.now,
            };
            site.way = way;
            site.asked
        };
        let longest = Https::BOUND + BUSY * 2;
        let length = match random.below(3) == 0 && time > longest {
            true => longest,
            false => random.millis(8000),
        };
        let fault_begin = Instant::now();
        followed.writes_for(&mut random, length).await;
        let asked = web.site().asked - asked;
        if let Way::Busy { seconds, .. } = way {
            let most = 3 + fault_begin.elapsed().as_secs() / seconds;
            assert!(asked <= most, "asked {asked} times, {most} at most");
        }
        followed.watch.was_no_lie();
        web.site().way = Way::Straight;
        if random.below(2) == 0 {
            settles(&watched, &followed.watch).await;
        }
    }
    followed.writes(false);
    settles(&watched, &followed.watch).await;
    Some(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn https_behind_caches_under_random_faults() {
    schedules("https", "random_faults_of_caches", schedule).await;
}
