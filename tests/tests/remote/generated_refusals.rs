//! Schedules of faults from a seed on an API server of Kubernetes that answers a list and refuses the watch from it: for want of rights,
//! because it is overloaded, because the version is forgotten, without a word. The oracle is [the same](crate::oracle); and a server
//! whose watches are refused is asked less and less.

use crate::{
    answers::{Answers, answer, serve},
    oracle::{BUSY, Limits, Watch},
    seeds::{Random, schedules, settles},
    watched::{Watched, document},
};
use flux::Source;
use flux_tests::servers::{Kubernetes, Remote};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};
use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    sync::watch::{Receiver, Sender, channel},
    time::{sleep, timeout_at},
};

/// What is done with a watch.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Watches {
    Work,
    /// They are refused by this status, with a pause that is asked for.
    Refused {
        status: u16,
        seconds: u64,
    },
    /// The version is forgotten: as an event of a watch that was opened.
    Forgotten,
    /// They end when they have begun.
    EndAtOnce,
}

#[derive(Clone, Copy)]
struct Object {
    n: Option<u64>,
    version: u64,
    watches: Watches,
}

struct Api {
    object: Sender<Object>,
    lists: AtomicU64,
}

fn status(code: u16, seconds: u64) -> String {
    format!(
        r#"{{"kind":"Status","apiVersion":"v1","metadata":{{}},"status":"Failure","message":"no","reason":"No","details":{{"retryAfterSeconds":{seconds}}},"code":{code}}}"#
    )
}

/// The object as JSON.
fn map(n: u64, version: u64) -> String {
    let text = String::from_utf8(document(n)).unwrap();
    let text = text.replace('"', "\\\"");
    format!(
        r#"{{"kind":"ConfigMap","apiVersion":"v1","metadata":{{"name":"app","resourceVersion":"{version}"}},"data":{{"app.json":"{text}"}}}}"#
    )
}

async fn chunk(client: &mut TcpStream, text: &str) -> std::io::Result<()> {
    let chunk = format!("{:x}\r\n{text}\r\n", text.len());
    client.write_all(chunk.as_bytes()).await
}

/// The number behind a parameter of the question.
fn number(head: &str, name: &str) -> Option<u64> {
    let (_, rest) = head.split_once(name)?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

impl Api {
    /// Announces each change from a version on, until the watch is over.
    async fn watch(
        mut object: Receiver<Object>,
        head: &str,
        client: &mut TcpStream,
    ) -> std::io::Result<()> {
        let seconds = number(head, "timeoutSeconds=").unwrap_or(60);
        let end = tokio::time::Instant::now() + Duration::from_secs(seconds);
        let mut seen = number(head, "resourceVersion=").unwrap_or(0);
        let mut last = 0;
        loop {
            let now = *object.borrow_and_update();
            if now.version > seen {
                seen = now.version;
                let (kind, n) = match now.n {
                    Some(n) => ("MODIFIED", n),
                    None => ("DELETED", last),
                };
                let map = map(n, seen);
                chunk(
                    client,
                    &format!("{{\"type\":\"{kind}\",\"object\":{map}}}\n"),
                )
                .await?;
            }
            last = now.n.unwrap_or(last);
            match timeout_at(end, object.changed()).await {
                Ok(Ok(())) => {}
                _ => return Ok(()),
            }
        }
    }
}

impl Answers for Api {
    async fn answer(&self, head: &str, client: &mut TcpStream) -> std::io::Result<()> {
        let now = *self.object.borrow();
        let json = "Content-Type: application/json\r\n";
        if !head.contains("watch=") {
            self.lists.fetch_add(1, SeqCst);
            let items = now.n.map(|n| map(n, now.version)).unwrap_or_default();
            let list = format!(
                r#"{{"kind":"ConfigMapList","apiVersion":"v1","metadata":{{"resourceVersion":"{}"}},"items":[{items}]}}"#,
                now.version
            );
            return answer(client, "200 OK", json, list.as_bytes()).await;
        }
        if let Watches::Refused {
            status: code,
            seconds,
        } = now.watches
        {
            let after = format!("{json}Retry-After: {seconds}\r\n");
            let headers = if seconds > 0 { &*after } else { json };
            let words = status(code, seconds);
            return answer(client, &format!("{code} No"), headers, words.as_bytes()).await;
        }
        let head_of_answer = format!("HTTP/1.1 200 OK\r\n{json}Transfer-Encoding: chunked\r\n\r\n");
        client.write_all(head_of_answer.as_bytes()).await?;
        match now.watches {
            Watches::Forgotten => {
                let gone = status(410, 0);
                chunk(
                    client,
                    &format!("{{\"type\":\"ERROR\",\"object\":{gone}}}\n"),
                )
                .await?;
            }
            Watches::EndAtOnce => {}
            _ => Self::watch(self.object.subscribe(), head, client).await?,
        }
        client.write_all(b"0\r\n\r\n").await
    }
}

struct Followed {
    api: Arc<Api>,
    watch: Watch,
    n: u64,
}

impl Followed {
    fn writes(&mut self, is_deleted: bool) {
        self.n += 1;
        let held = Some(self.n).filter(|_| !is_deleted);
        self.watch.may_hold(held);
        self.api.object.send_modify(|object| {
            object.n = held;
            object.version += 1;
        });
        self.watch.holds(held);
    }

    /// From now on this is done with watches that begin.
    fn watches(&self, watches: Watches) {
        self.api
            .object
            .send_modify(|object| object.watches = watches);
    }
}

async fn schedule(seed: u64, time: Duration) -> Option<()> {
    let mut random = Random(seed);
    let (object, _) = channel(Object {
        n: Some(0),
        version: 1,
        watches: Watches::Work,
    });
    let api = Arc::new(Api {
        object,
        lists: AtomicU64::new(0),
    });
    let address = serve(Arc::clone(&api)).await;
    let folder = tempfile::tempdir().unwrap();
    let kubeconfig = folder.path().join("config");
    let text = format!(
        "current-context: f\nclusters: [{{name: f, cluster: {{server: 'http://{address}'}}}}]\n\
         users: [{{name: f, user: {{}}}}]\ncontexts: [{{name: f, context: {{cluster: f, user: f}}}}]\n"
    );
    std::fs::write(&kubeconfig, text).unwrap();
    let uri = format!(
        "k8s://default/configmap/app/app.json?wait=5s&kubeconfig={}",
        kubeconfig.display()
    );
    let watched = Watched::started(Source::uri(uri)).await;
    let watch = Watch::over(&watched, Limits::of_a_server(Kubernetes::BOUND));
    watch.holds(Some(0));
    let mut followed = Followed {
        api: Arc::clone(&api),
        watch,
        n: 0,
    };
    let begin = Instant::now();
    while begin.elapsed() < time {
        for _ in 0..random.below(4) {
            followed.writes(random.below(6) == 0);
            sleep(random.millis(200)).await;
        }
        let watches = match random.below(6) {
            0 => Watches::Refused {
                status: 403,
                seconds: 0,
            },
            1 => Watches::Refused {
                status: 429,
                seconds: random.below(4),
            },
            2 => Watches::Refused {
                status: 410,
                seconds: 0,
            },
            3 => Watches::Forgotten,
            4 => Watches::EndAtOnce,
            _ => Watches::Refused {
                status: 503,
                seconds: random.below(4),
            },
        };
        println!(
            "kubernetes {:?}: fault {watches:?}, {:?} is held",
            begin.elapsed(),
            followed.watch.held()
        );
        followed.watches(watches);
        // A watch that is open goes on until its time is over.
        sleep(Duration::from_secs(6)).await;
        let lists = api.lists.load(SeqCst);
        let fault_begin = Instant::now();
        let longest = Kubernetes::BOUND + BUSY * 2;
        let length = match random.below(3) == 0 && time > longest {
            true => longest,
            false => random.millis(8000),
        };
        while fault_begin.elapsed() < length {
            followed.writes(random.below(8) == 0);
            sleep(random.millis(4000)).await;
        }
        let is_listed = matches!(
            watches,
            Watches::Forgotten | Watches::EndAtOnce | Watches::Refused { status: 410, .. }
        );
        // The list is all that is needed to be current.
        if is_listed {
            settles(&watched, &followed.watch).await;
        }
        let lists = api.lists.load(SeqCst) - lists;
        let most = 8 + fault_begin.elapsed().as_secs();
        assert!(lists <= most, "listed {lists} times, {most} at most");
        followed.watch.was_no_lie();
        followed.watches(Watches::Work);
        if random.below(2) == 0 {
            settles(&watched, &followed.watch).await;
        }
    }
    followed.writes(false);
    settles(&watched, &followed.watch).await;
    Some(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kubernetes_whose_watches_are_refused_under_random_faults() {
    schedules("kubernetes", "random_faults_of_watches", schedule).await;
}
