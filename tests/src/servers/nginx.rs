//! nginx: a proxy and a web server as operations have them.

use crate::process::{Process, free_port, local, program};
use std::{net::SocketAddr, path::Path, process::Command};

/// A running nginx, with one server.
pub struct Nginx {
    process: Process,
    port: u16,
}

impl Nginx {
    /// One that passes everything on, with these settings of its server; none where the program is missing.
    pub fn before(upstream: SocketAddr, settings: &str) -> Option<Self> {
        let pass = format!("location / {{ proxy_pass http://{upstream}; }} {settings}");
        Self::start("", &pass)
    }

    /// One with these settings of its server, `listen` (such as ` ssl`) among them. `FOLDER` in them is its own, and `FOLDER/pages` is
    /// there.
    pub fn start(listen: &str, settings: &str) -> Option<Self> {
        let program = program("nginx")?;
        let port = free_port();
        let (listen, settings) = (listen.to_owned(), settings.to_owned());
        let recipe = move |folder: &Path| {
            let own = folder.display().to_string();
            let scratch: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
                .iter()
                .map(|kind| format!("{kind}_temp_path {own}/{kind};\n"))
                .collect();
            let text = format!(
                "daemon off;\nmaster_process off;\npid {own}/nginx.pid;\nerror_log {own}/log;\nevents {{}}\n\
                 http {{\naccess_log off;\ntypes {{ application/json json; }}\n{scratch}server {{\nlisten 127.0.0.1:{port}{listen};\n{}\n}}\n}}\n",
                settings.replace("FOLDER", &own)
            );
            std::fs::create_dir_all(folder.join("pages")).expect("a folder");
            std::fs::write(folder.join("nginx.conf"), text).expect("its settings");
            let mut command = Command::new(&program);
            command
                .arg("-p")
                .arg(folder)
                .arg("-c")
                .arg(folder.join("nginx.conf"));
            command
        };
        let probe = move || std::net::TcpStream::connect(local(port)).is_ok();
        let process = Process::start("nginx", recipe, probe);
        Some(Nginx { process, port })
    }

    /// Its process.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Its own folder.
    pub fn folder(&self) -> &Path {
        self.process.folder()
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        local(self.port)
    }

    /// Puts a page in the place of the one of this name, at once.
    pub fn put(&self, name: &str, bytes: &[u8]) {
        let pages = self.process.folder().join("pages");
        std::fs::write(pages.join("new"), bytes).expect("a page");
        std::fs::rename(pages.join("new"), pages.join(name)).expect("a page");
    }
}
