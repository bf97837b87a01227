//! The API server of Kubernetes, over an etcd of its own.

use super::Remote;
use crate::process::{Process, free_port, local, page, program};
use flux::Source;
use k8s_openapi::{
    ByteString,
    api::{
        core::v1::{ConfigMap, Secret},
        rbac::v1::{PolicyRule, Role, RoleBinding, RoleRef, Subject},
    },
};
use kube::{
    Api, Client, Config,
    api::{DeleteParams, ObjectMeta, Patch, PatchParams, PostParams},
};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    collections::BTreeMap,
    fmt::Debug,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio::{sync::Mutex, task::block_in_place};

/// An API server that asks who comes (RBAC), and the store behind it.
pub struct Kubernetes {
    process: Process,
    store: Process,
    port: u16,
    client: Mutex<Client>,
    /// The files of its clients, which a wiped server leaves alone.
    kubeconfigs: TempDir,
}

const ADMIN: &str = "s3cret";
const GUARDED: &str = "hunter2";

/// The objects are named by the first part of a key, their entries by the second.
fn parts(key: &str) -> (String, &str) {
    let (name, entry) = key.split_once('/').unwrap_or(("app", key));
    (name.to_owned(), entry)
}

/// Puts an object in the place of the one of its name, or makes it.
async fn put<K>(all: &Api<K>, name: &str, object: &K)
where
    K: Clone + Debug + DeserializeOwned + Serialize,
{
    let params = PostParams::default();
    match all.replace(name, &params, object).await {
        Ok(_) => {}
        Err(kube::Error::Api(status)) if status.code == 404 => {
            all.create(&params, object).await.expect("made");
        }
        Err(error) => panic!("{error}"),
    }
}

fn map(name: &str, entry: &str, document: Vec<u8>) -> ConfigMap {
    ConfigMap {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            ..ObjectMeta::default()
        },
        binary_data: Some(BTreeMap::from([(entry.to_owned(), ByteString(document))])),
        ..ConfigMap::default()
    }
}

async fn connect(port: u16) -> Client {
    let mut config = Config::new(format!("https://127.0.0.1:{port}").parse().expect("a URI"));
    config.accept_invalid_certs = true;
    config.auth_info.token = Some(ADMIN.to_owned().into());
    config.read_timeout = Some(Duration::from_secs(30));
    Client::try_from(config).expect("a client")
}

impl Kubernetes {
    /// The kubeconfig of a user, for the server by way of `address`.
    fn kubeconfig(&self, address: SocketAddr, token: &str) -> PathBuf {
        let name = format!("{token}-{}.yaml", address.port());
        let path = self.kubeconfigs.path().join(name);
        let text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: flux\n\
             clusters: [{{name: flux, cluster: {{server: 'https://{address}', insecure-skip-tls-verify: true}}}}]\n\
             users: [{{name: flux, user: {{token: {token}}}}}]\n\
             contexts: [{{name: flux, context: {{cluster: flux, user: flux}}}}]\n"
        );
        // Another case may be reading it.
        static FILES: AtomicUsize = AtomicUsize::new(0);
        let beside = path.with_extension(FILES.fetch_add(1, Ordering::Relaxed).to_string());
        fs::write(&beside, text).expect("a kubeconfig");
        fs::rename(&beside, &path).expect("a kubeconfig");
        path
    }

    /// A kubeconfig without TLS and without a user, for a relay at `address`.
    pub fn plain_kubeconfig(&self, address: SocketAddr) -> PathBuf {
        let path = self.kubeconfigs.path().join("plain.yaml");
        let text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: flux\n\
             clusters: [{{name: flux, cluster: {{server: 'http://{address}'}}}}]\n\
             users: [{{name: flux, user: {{}}}}]\n\
             contexts: [{{name: flux, context: {{cluster: flux, user: flux}}}}]\n"
        );
        fs::write(&path, text).expect("a kubeconfig");
        path
    }

    /// The same for a user whose token the relay sees.
    pub fn plain_kubeconfig_with(&self, address: SocketAddr, token: &str) -> PathBuf {
        let path = self.plain_kubeconfig(address);
        let text = fs::read_to_string(&path).expect("a kubeconfig");
        let user = format!("user: {{token: {token}}}");
        let beside = path.with_extension("new");
        fs::write(&beside, text.replace("user: {}", &user)).expect("a kubeconfig");
        fs::rename(&beside, &path).expect("a kubeconfig");
        path
    }

    /// Writes a ConfigMap with these entries and no others.
    pub async fn write_map(&self, name: &str, text: &[(&str, &str)], bytes: &[(&str, &[u8])]) {
        let text = text.iter();
        let bytes = bytes.iter();
        let map = ConfigMap {
            data: Some(
                text.map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
                    .collect(),
            ),
            binary_data: Some(
                bytes
                    .map(|(name, bytes)| ((*name).to_owned(), ByteString(bytes.to_vec())))
                    .collect(),
            ),
            ..map(name, "", Vec::new())
        };
        put(&self.maps().await, name, &map).await;
    }

    /// Writes a Secret with one entry.
    pub async fn write_secret(&self, name: &str, entry: &str, bytes: &[u8]) {
        let secret = Secret {
            metadata: ObjectMeta {
                name: Some(name.to_owned()),
                ..ObjectMeta::default()
            },
            data: Some(BTreeMap::from([(
                entry.to_owned(),
                ByteString(bytes.to_vec()),
            )])),
            ..Secret::default()
        };
        let secrets = Api::namespaced(self.client.lock().await.clone(), "default");
        put(&secrets, name, &secret).await;
    }

    async fn maps(&self) -> Api<ConfigMap> {
        Api::namespaced(self.client.lock().await.clone(), "default")
    }

    async fn bound(&self, subjects: Vec<Subject>) {
        let client = self.client.lock().await.clone();
        let roles: Api<Role> = Api::namespaced(client.clone(), "default");
        let role = Role {
            metadata: ObjectMeta {
                name: Some("reader".to_owned()),
                ..ObjectMeta::default()
            },
            rules: Some(vec![PolicyRule {
                api_groups: Some(vec![String::new()]),
                resources: Some(vec!["configmaps".to_owned()]),
                resource_names: Some(vec!["app".to_owned(), "quiet".to_owned()]),
                verbs: vec!["list".to_owned(), "watch".to_owned()],
                ..PolicyRule::default()
            }]),
        };
        let force = PatchParams::apply("flux").force();
        roles
            .patch("reader", &force, &Patch::Apply(&role))
            .await
            .expect("a role");
        let bindings: Api<RoleBinding> = Api::namespaced(client, "default");
        let binding = RoleBinding {
            metadata: role.metadata.clone(),
            role_ref: RoleRef {
                api_group: Some("rbac.authorization.k8s.io".to_owned()),
                kind: "Role".to_owned(),
                name: "reader".to_owned(),
            },
            subjects: Some(subjects),
        };
        bindings
            .patch("reader", &force, &Patch::Apply(&binding))
            .await
            .expect("a binding");
        // The authorizer learns of it by a watch of its own.
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

impl Remote for Kubernetes {
    const NAME: &'static str = "kubernetes";
    const BOUND: Duration = Duration::from_secs(20);
    // They are those of the store behind it.
    const COPIES: bool = false;
    /// The watch that the source asks for; the server ends it then.
    const IDLE: Option<Duration> = Some(Duration::from_secs(5));
    /// By HTTP/2 or one a watch, as the server speaks.
    const CONNECTIONS: usize = 30;

    async fn start() -> Option<Self> {
        let assets = std::env::var_os("KUBEBUILDER_ASSETS").map(PathBuf::from);
        let asset = |name: &str| {
            let own = assets.as_ref().map(|folder| folder.join(name));
            own.filter(|path| path.is_file()).or_else(|| program(name))
        };
        let (etcd, apiserver) = (asset("etcd")?, asset("kube-apiserver")?);
        let (store, peers, port) = (free_port(), free_port(), free_port());
        let recipe = move |folder: &Path| {
            let clients = format!("http://127.0.0.1:{store}");
            let peers = format!("http://127.0.0.1:{peers}");
            let mut command = Command::new(&etcd);
            command
                .args(["--name", "flux", "--data-dir"])
                .arg(folder.join("data"))
                .args(["--listen-client-urls", &clients])
                .args(["--advertise-client-urls", &clients])
                .args(["--listen-peer-urls", &peers])
                .args(["--initial-advertise-peer-urls", &peers])
                .args(["--initial-cluster", &format!("flux={peers}")]);
            command
        };
        let probe = move || page(local(store), "/health").contains("true");
        let store_process = block_in_place(|| Process::start("kube-etcd", recipe, probe));
        let recipe = move |folder: &Path| {
            let path = |name: &str| folder.join(name);
            let tokens = format!(
                "{ADMIN},admin,uid1,\"system:masters\"\n{GUARDED},guarded,uid2,\"readers\"\n"
            );
            fs::write(path("tokens.csv"), tokens).expect("its tokens");
            if !path("sa.key").exists() {
                let made = Command::new("openssl")
                    .args(["genrsa", "-out"])
                    .arg(path("sa.key"))
                    .arg("2048")
                    .output();
                assert!(
                    made.is_ok_and(|made| made.status.success()),
                    "openssl makes a key"
                );
            }
            let mut command = Command::new(&apiserver);
            command
                .arg(format!("--etcd-servers=http://127.0.0.1:{store}"))
                .args(["--bind-address=127.0.0.1", "--advertise-address=127.0.0.1"])
                .arg(format!("--secure-port={port}"))
                .args(["--insecure-port=0", "--authorization-mode=RBAC"])
                .arg(format!("--cert-dir={}", path("certs").display()))
                .arg(format!(
                    "--token-auth-file={}",
                    path("tokens.csv").display()
                ))
                .arg("--service-account-issuer=https://flux.test")
                .arg(format!(
                    "--service-account-key-file={}",
                    path("sa.key").display()
                ))
                .arg(format!(
                    "--service-account-signing-key-file={}",
                    path("sa.key").display()
                ))
                .arg("--service-cluster-ip-range=10.0.0.0/24")
                .arg("--disable-admission-plugins=ServiceAccount,NamespaceLifecycle")
                .args(["--endpoint-reconciler-type=none", "--allow-privileged=true"]);
            command
        };
        let ready = move || {
            let asked = Command::new("curl")
                .args(["-sk", "--max-time", "2", "-H"])
                .arg(format!("Authorization: Bearer {ADMIN}"))
                .arg(format!("https://127.0.0.1:{port}/readyz"))
                .output();
            asked.is_ok_and(|answer| answer.stdout == b"ok")
        };
        let process = block_in_place(|| Process::start("kube-apiserver", recipe, ready));
        Some(Kubernetes {
            process,
            store: store_process,
            port,
            client: Mutex::new(connect(port).await),
            kubeconfigs: tempfile::tempdir().expect("a temporary folder"),
        })
    }

    fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    fn address(&self) -> SocketAddr {
        local(self.port)
    }

    fn uri(&self, address: SocketAddr, key: &str) -> String {
        let (name, entry) = parts(key);
        let kubeconfig = self.kubeconfig(address, ADMIN);
        format!(
            "k8s://default/configmap/{name}/{entry}?wait=5s&kubeconfig={}",
            kubeconfig.display()
        )
    }

    fn guarded(&self, address: SocketAddr, key: &str) -> Source {
        let (name, entry) = parts(key);
        let kubeconfig = self.kubeconfig(address, GUARDED).display().to_string();
        let source = flux::source::Kubernetes::config_map("default", name, entry);
        Source::watcher(source.kubeconfig(kubeconfig).wait(Duration::from_secs(5)))
    }

    async fn write(&self, key: &str, bytes: &[u8]) {
        let (name, entry) = parts(key);
        let maps = self.maps().await;
        let map = map(&name, entry, bytes.to_vec());
        // Other entries stay as they are.
        let patch = Patch::Merge(&map);
        let begin = Instant::now();
        loop {
            match maps.patch(&name, &PatchParams::default(), &patch).await {
                Ok(_) => return,
                Err(kube::Error::Api(status)) if status.code == 404 => {
                    return put(&maps, &name, &map).await;
                }
                // A server that was away may be on its way back to its store.
                Err(error) => assert!(begin.elapsed() < Duration::from_secs(60), "{error}"),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn write_many(&self, key: &str, documents: Vec<Vec<u8>>) -> Vec<usize> {
        let (maps, (name, entry)) = (self.maps().await, parts(key));
        let count = documents.len();
        // The server takes one change of an object at a time; to put is cheaper than to patch.
        for document in documents {
            put(&maps, &name, &map(&name, entry, document)).await;
        }
        (0..count).collect()
    }

    async fn delete(&self, key: &str) {
        let (name, _) = parts(key);
        match self
            .maps()
            .await
            .delete(&name, &DeleteParams::default())
            .await
        {
            Ok(_) => {}
            Err(kube::Error::Api(status)) if status.code == 404 => {}
            Err(error) => panic!("{error}"),
        }
    }

    async fn refuse(&self) {
        self.bound(Vec::new()).await;
    }

    async fn grant(&self) {
        self.bound(vec![Subject {
            kind: "User".to_owned(),
            name: "guarded".to_owned(),
            api_group: Some("rbac.authorization.k8s.io".to_owned()),
            ..Subject::default()
        }])
        .await;
    }

    /// Its memory is the store's.
    async fn wipe(&mut self) {
        block_in_place(|| {
            self.process.kill();
            self.store.wipe();
            self.store.restart();
            self.process.restart();
        });
    }

    async fn restarted(&mut self) {
        self.client = Mutex::new(connect(self.port).await);
    }

    fn largest(&self) -> usize {
        // An object has at most a mebibyte, and the bytes of a map stand in it as base64.
        (1 << 20) * 3 / 4 - 1024
    }

    async fn guests(&self) -> usize {
        let client = self.client.lock().await.clone();
        let request = http::Request::get("/metrics")
            .body(Vec::new())
            .expect("a request");
        let all = client.request_text(request).await.expect("metrics");
        let line = all.lines().find_map(|line| {
            line.strip_prefix(
                "apiserver_registered_watchers{group=\"\",kind=\"ConfigMap\",version=\"v1\"}",
            )
        });
        line.and_then(|count| count.trim().parse().ok())
            .unwrap_or(0)
    }
}
