//! serde attributes that cannot keep paths or partial layers.
use flux::Flux;

#[derive(Flux)]
#[serde(tag = "kind", untagged, content = "c", from = "Other", try_from = "Other", transparent, remote = "Other")]
#[serde(into = "Other", bound = "", crate = "serde", expecting = "a config", rename = "x", rename_al = "x")]
struct Section {
    one: u8,
}

fn main() {}
