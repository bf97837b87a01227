//! An object store for pictures: where bytes lie is an enum, sizes and times have units, and credentials are secrets.

use crate::support::{
    Document, Variable, same, same_from_variables, same_with_each_value_in_its_variable,
};
use bytesize::ByteSize;
use flux::{Flux, Format};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;
use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};
use url::Url;

#[derive(Flux, Deserialize, Debug, PartialEq)]
struct Settings {
    #[flux(nested)]
    server: Server,
    #[flux(nested)]
    media: Media,
    repo: Store,
    #[serde(default)]
    old_store: Option<Box<Store>>,
    #[flux(nested)]
    #[serde(default)]
    client: Option<Client>,
}

#[derive(Flux, Deserialize, Debug)]
struct Server {
    address: SocketAddr,
    #[flux(secret, opaque)]
    api_key: Option<SecretString>,
    #[serde(default)]
    danger: Arc<Danger>,
    #[serde(with = "humantime_serde", default)]
    max_age: Option<Duration>,
}

impl PartialEq for Server {
    fn eq(&self, other: &Self) -> bool {
        let key = |server: &Self| {
            server
                .api_key
                .as_ref()
                .map(|key| key.expose_secret().to_owned())
        };
        (key(self), self.address, &self.danger, self.max_age)
            == (key(other), other.address, &other.danger, other.max_age)
    }
}

#[derive(Deserialize, Debug, Clone, PartialEq, Default)]
struct Danger {
    #[serde(default)]
    read_only: bool,
}

#[derive(Flux, Deserialize, Debug, PartialEq)]
struct Media {
    max_file_size: ByteSize,
    #[serde(with = "humantime_serde")]
    process_timeout: Duration,
    #[serde(default)]
    filters: Arc<[Arc<str>]>,
    #[flux(nested)]
    image: Dimensions,
    #[flux(nested)]
    video: Option<Dimensions>,
}

#[derive(Flux, Deserialize, Debug, PartialEq)]
struct Dimensions {
    max_width: u16,
    #[serde(default)]
    quality: Quality,
}

#[derive(Deserialize, Debug, Clone, Copy, PartialEq, Default)]
#[serde(transparent)]
struct Quality(u8);

#[derive(Deserialize, Debug, Clone, PartialEq)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Store {
    Filesystem(Filesystem),
    ObjectStorage {
        endpoint: Url,
        bucket_name: String,
        #[serde(default)]
        use_path_style: bool,
        #[serde(default, with = "humantime_serde")]
        signature_expiration: Option<Duration>,
    },
    Memory,
}

#[derive(Deserialize, Debug, Clone, PartialEq)]
struct Filesystem {
    path: PathBuf,
    #[serde(default)]
    cache: Option<ByteSize>,
}

#[derive(Flux, Deserialize, Debug, PartialEq)]
struct Client {
    #[serde(with = "humantime_serde")]
    timeout: Duration,
    proxy: Option<Url>,
}

const DOCUMENT: Document<'static> = Document(
    Format::Toml,
    r#"
[server]
address = "0.0.0.0:8080"
api_key = "s3cret"
danger = { read_only = true }
max_age = "7d"

[media]
max_file_size = "40MiB"
process_timeout = "1m 30s"
filters = ["blur", "crop"]
image = { max_width = 10000, quality = 80 }

[repo]
type = "object_storage"
endpoint = "http://minio:9000"
bucket_name = "pictures"
signature_expiration = "15s"

[old_store]
type = "filesystem"
path = "/mnt/files"
cache = 1048576

[client]
timeout = "30s"
"#,
);

#[tokio::test]
async fn sizes_times_secrets_and_stores_are_read_as_serde_reads_them() {
    let settings: Settings = same(DOCUMENT).await;
    assert_eq!(settings.media.max_file_size, ByteSize::mib(40));
    assert_eq!(settings.media.filters[1].as_ref(), "crop");
    assert!(settings.media.video.is_none() && settings.server.danger.read_only);
}

#[tokio::test]
async fn variables_set_sizes_times_secrets_and_a_section_that_was_off() {
    same_from_variables::<Settings>(
        DOCUMENT,
        &[
            Variable(
                "APP_SERVER_ADDRESS",
                "[::]:80",
                "/server/address",
                json!("[::]:80"),
            ),
            Variable(
                "APP_SERVER_API_KEY",
                "other",
                "/server/api_key",
                json!("other"),
            ),
            Variable("APP_SERVER_MAX_AGE", "1h", "/server/max_age", json!("1h")),
            Variable(
                "APP_MEDIA_MAX_FILE_SIZE",
                "1GB",
                "/media/max_file_size",
                json!("1GB"),
            ),
            Variable(
                "APP_MEDIA_PROCESS_TIMEOUT",
                "2s",
                "/media/process_timeout",
                json!("2s"),
            ),
            Variable(
                "APP_MEDIA_FILTERS",
                "a,b",
                "/media/filters",
                json!(["a", "b"]),
            ),
            Variable(
                "APP_MEDIA_VIDEO_MAX_WIDTH",
                "640",
                "/media/video/max_width",
                json!(640),
            ),
            Variable(
                "APP_CLIENT_PROXY",
                "http://p:1",
                "/client/proxy",
                json!("http://p:1"),
            ),
            Variable(
                "APP_MEDIA_IMAGE_QUALITY",
                "75",
                "/media/image/quality",
                json!(75),
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn each_value_may_come_from_its_variable() {
    same_with_each_value_in_its_variable::<Settings>(DOCUMENT).await;
}
