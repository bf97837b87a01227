//! Pages for people: how Flux is used, how types are written, how keys change their names, where configuration comes from, what hostile documents cost, how to
//! migrate, what errors mean.

#[doc = include_str!("docs/patterns.md")]
pub mod patterns {}

#[doc = include_str!("docs/answers.md")]
pub mod answers {}

// Its links lead to the feature.
#[cfg_attr(feature = "page", doc = include_str!("docs/page.md"))]
#[cfg_attr(
    not(feature = "page"),
    doc = "Built with the feature `page`, to which its links lead."
)]
pub mod page {}

#[doc = include_str!("docs/types.md")]
pub mod types {}

#[doc = include_str!("docs/evolution.md")]
pub mod evolution {}

#[doc = include_str!("docs/security.md")]
pub mod security {}

// Its examples use figment.
#[cfg_attr(feature = "figment", doc = include_str!("docs/migration.md"))]
#[cfg_attr(
    not(feature = "figment"),
    doc = "Built with the feature `figment`, whose crate its examples use."
)]
pub mod migration {}

#[doc = include_str!("docs/errors.md")]
pub mod errors {}

#[doc(inline)]
pub use sources::{arguments, environment};

pub mod sources {
    #![doc = include_str!("docs/sources.md")]

    pub mod file {
        #![doc = include_str!("docs/sources/file.md")]
    }

    pub mod dir {
        #![doc = include_str!("docs/sources/dir.md")]
    }

    pub mod environment {
        #![doc = include_str!("docs/sources/environment.md")]
    }

    pub mod dotenv {
        #![doc = include_str!("docs/sources/dotenv.md")]
    }

    pub mod arguments {
        #![doc = include_str!("docs/sources/arguments.md")]
    }

    pub mod redis {
        #![doc = include_str!("docs/sources/redis.md")]
    }

    pub mod etcd {
        #![doc = include_str!("docs/sources/etcd.md")]
    }

    pub mod nats {
        #![doc = include_str!("docs/sources/nats.md")]
    }

    pub mod consul {
        #![doc = include_str!("docs/sources/consul.md")]
    }

    pub mod kubernetes {
        #![doc = include_str!("docs/sources/kubernetes.md")]
    }

    pub mod zookeeper {
        #![doc = include_str!("docs/sources/zookeeper.md")]
    }

    pub mod firestore {
        #![doc = include_str!("docs/sources/firestore.md")]
    }

    pub mod https {
        #![doc = include_str!("docs/sources/https.md")]
    }
}

#[doc = include_str!("docs/faults.md")]
pub mod faults {}

#[doc = include_str!("docs/scale.md")]
pub mod scale {}

#[doc = include_str!("docs/hostile.md")]
pub mod hostile {}

#[doc = include_str!("docs/dependencies.md")]
pub mod dependencies {}

#[doc = include_str!("docs/stability.md")]
pub mod stability {}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    #[test]
    fn the_page_of_every_source_states_its_bound_of_staleness_and_what_was_seen() {
        let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/docs/sources");
        for page in fs::read_dir(pages).unwrap() {
            let path = page.unwrap().path();
            let text = fs::read_to_string(&path).unwrap();
            // These are read at start alone.
            let is_watched = !path.ends_with("environment.md") && !path.ends_with("arguments.md");
            for part in ["- Bound of staleness: ", "- Seen: "] {
                assert!(
                    text.contains(part) == is_watched,
                    "{}: {part}",
                    path.display()
                );
            }
        }
    }
}
