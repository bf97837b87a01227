//! Chromium without a window, driven through a pipe by its own protocol.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Write},
    process::{ChildStdin, Command, Stdio},
    sync::{
        Mutex, OnceLock,
        mpsc::{Receiver, channel},
    },
    time::{Duration, Instant},
};

/// Nothing that a browser is asked for takes longer.
const LIMIT: Duration = Duration::from_secs(60);

struct Connection {
    orders: ChildStdin,
    messages: Receiver<Value>,
    last: u64,
    /// What was reported besides answers.
    events: Vec<Value>,
}

/// The one browser of this process; it ends with the pipe.
static BROWSER: OnceLock<Option<Mutex<Connection>>> = OnceLock::new();

fn browser() -> Option<&'static Mutex<Connection>> {
    BROWSER.get_or_init(start).as_ref()
}

fn start() -> Option<Mutex<Connection>> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let program = names.into_iter().find(|name| {
        let mut version = Command::new(name);
        let version = version
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        version.status().is_ok_and(|status| status.success())
    });
    let Some(program) = program else {
        let required = std::env::var_os("FLUX_TESTS_REQUIRED").is_some();
        assert!(!required, "Chromium is missing");
        println!("skipped: Chromium is missing");
        return None;
    };
    // Left to the system: this process has no moment at which it is not used any more.
    let profile = std::env::temp_dir().join(format!("flux-browser-{}", std::process::id()));
    // The protocol is spoken on descriptors 3 and 4.
    let mut child = Command::new("sh")
        .args([
            "-c",
            "exec \"$@\" 3<&0 4>&1 0</dev/null 1>/dev/null 2>&1",
            "sh",
            program,
        ])
        .args([
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-renderer-backgrounding",
            "--disable-backgrounding-occluded-windows",
            "--remote-debugging-pipe",
            "--window-size=1000,900",
        ])
        .arg(format!("--user-data-dir={}", profile.display()))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a shell");
    let (orders, answers) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let (sender, messages) = channel();
    std::thread::spawn(move || {
        let mut answers = BufReader::new(answers);
        let mut message = Vec::new();
        while answers
            .read_until(0, &mut message)
            .is_ok_and(|read| read > 0)
        {
            message.pop();
            let parsed = serde_json::from_slice(&message).expect("JSON of the protocol");
            if sender.send(parsed).is_err() {
                break;
            }
            message.clear();
        }
        // Reaps it.
        let _ = child.wait();
        let _ = std::fs::remove_dir_all(profile);
    });
    Some(Mutex::new(Connection {
        orders,
        messages,
        last: 0,
        events: Vec::new(),
    }))
}

impl Connection {
    fn call(&mut self, session: Option<&str>, method: &str, params: Value) -> Value {
        self.last += 1;
        let id = self.last;
        let mut order = json!({ "id": id, "method": method, "params": params });
        if let Some(session) = session {
            order["sessionId"] = session.into();
        }
        let mut bytes = serde_json::to_vec(&order).unwrap();
        bytes.push(0);
        self.orders.write_all(&bytes).expect("a browser that lives");
        loop {
            let message = self
                .messages
                .recv_timeout(LIMIT)
                .expect("an answer in time");
            if message["id"] == id {
                assert!(message["error"].is_null(), "{method}: {message}");
                return message["result"].clone();
            }
            self.events.push(message);
        }
    }
}

/// A tab.
pub struct Tab(String);

impl Tab {
    /// None where there is no browser.
    pub fn open() -> Option<Tab> {
        let mut connection = browser()?.lock().unwrap();
        // In a window of its own, since a tab behind another one is not painted.
        let blank = json!({ "url": "about:blank", "newWindow": true });
        let target = connection.call(None, "Target.createTarget", blank)["targetId"].clone();
        let attach = json!({ "targetId": target, "flatten": true });
        let session = connection.call(None, "Target.attachToTarget", attach);
        drop(connection);
        let tab = Tab(session["sessionId"].as_str().unwrap().to_owned());
        for domain in ["Page", "Runtime", "Network", "Log"] {
            tab.call(&format!("{domain}.enable"), json!({}));
        }
        Some(tab)
    }

    pub fn call(&self, method: &str, params: Value) -> Value {
        let connection = browser().expect("a browser");
        let mut connection = connection.lock().unwrap_or_else(|lock| lock.into_inner());
        connection.call(Some(&self.0), method, params)
    }

    /// Opens a page, and waits until it is loaded.
    pub fn load(&self, url: &str) {
        self.call("Page.navigate", json!({ "url": url }));
        self.until("the page is loaded", "document.readyState === 'complete'");
    }

    /// The value of an expression of the page.
    pub fn get(&self, expression: &str) -> Value {
        let params =
            json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let result = self.call("Runtime.evaluate", params);
        assert!(
            result["exceptionDetails"].is_null(),
            "{expression}: {result}"
        );
        result["result"]["value"].clone()
    }

    /// Waits until an expression is true; answers how long that took.
    pub fn until(&self, what: &str, expression: &str) -> Duration {
        let begin = Instant::now();
        while begin.elapsed() < LIMIT {
            // While a page is replaced by another one, it has none of its elements.
            let safe = format!(
                "(() => {{ try {{ return !!({expression}) }} catch {{ return false }} }})()"
            );
            if self.get(&safe) == true {
                return begin.elapsed();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!(
            "never came true: {what}; the page is\n{}",
            self.get("document.body.innerText")
        );
    }

    /// Types a text where the focus is.
    pub fn write(&self, text: &str) {
        self.call("Input.insertText", json!({ "text": text }));
    }

    /// Presses a key and lets it go.
    pub fn press(&self, key: &str) {
        let code = match key {
            "Enter" => 13,
            "Tab" => 9,
            "Escape" => 27,
            _ => 0,
        };
        let text = match key {
            "Enter" => "\r",
            "Tab" | "Escape" => "",
            key => key,
        };
        let down =
            json!({ "type": "keyDown", "key": key, "windowsVirtualKeyCode": code, "text": text });
        self.call("Input.dispatchKeyEvent", down);
        let up = json!({ "type": "keyUp", "key": key, "windowsVirtualKeyCode": code });
        self.call("Input.dispatchKeyEvent", up);
    }

    /// What the browser reported of this tab under a name.
    pub fn reported(&self, method: &str) -> Vec<Value> {
        // What has come until now is read before the answer.
        self.get("0");
        let connection = browser().expect("a browser").lock().unwrap();
        let events = connection.events.iter();
        let own = events.filter(|event| event["sessionId"] == *self.0 && event["method"] == method);
        own.map(|event| event["params"].clone()).collect()
    }

    /// A picture of the page, in the folder that `FLUX_SCREENSHOTS` names, if it names one.
    pub fn screenshot(&self, name: &str) {
        let Some(folder) = std::env::var_os("FLUX_SCREENSHOTS") else {
            return;
        };
        let png = self.call("Page.captureScreenshot", json!({ "format": "png" }));
        let png = BASE64_STANDARD
            .decode(png["data"].as_str().unwrap())
            .unwrap();
        let path = std::path::Path::new(&folder).join(format!("{name}.png"));
        std::fs::write(path, png).unwrap();
    }
}
