//! Which watcher a URI is opened with, and the error where its feature is off.

use flux_syntax::Remote;
#[cfg(any(feature = "_remote", feature = "file"))]
use flux_syntax::Scheme;

use super::DynWatcher;

/// The watcher of what a URI names.
pub(crate) fn open(place: Remote<String>) -> Result<Box<dyn DynWatcher>, String> {
    match place.scheme {
        #[cfg(feature = "etcd")]
        Scheme::Etcd => Ok(Box::new(super::Etcd::at(place))),
        #[cfg(feature = "consul")]
        Scheme::Consul => Ok(Box::new(super::Consul::at(place))),
        #[cfg(feature = "file")]
        Scheme::Dir => Ok(Box::new(super::Dir::new(place.at(0)))),
        #[cfg(feature = "firestore")]
        Scheme::Firestore => Ok(Box::new(super::Firestore::at(place))),
        #[cfg(feature = "k8s")]
        Scheme::K8s => Ok(Box::new(super::Kubernetes::at(place))),
        #[cfg(feature = "zookeeper")]
        Scheme::ZooKeeper => Ok(Box::new(super::ZooKeeper::at(place))),
        #[cfg(feature = "https")]
        Scheme::Https => Ok(Box::new(super::Https::at(place))),
        #[cfg(feature = "nats")]
        Scheme::Nats => Ok(Box::new(super::Nats::at(place))),
        #[cfg(feature = "redis")]
        Scheme::Redis => Ok(Box::new(super::Redis::at(place))),
        #[allow(
            unreachable_patterns,
            reason = "with every feature on there is nothing left"
        )]
        scheme => Err(format!(
            "`{}` needs the cargo feature `{}` of flux, which is not enabled",
            place.origin(),
            scheme.as_str()
        )),
    }
}
