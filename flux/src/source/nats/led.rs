//! Whether an answer about a stream of NATS counts: a server without a leader answers from what it has, and a leader that was cut
//! off goes on for some time.

use std::time::Duration;

use async_nats::jetstream::stream::{ClusterInfo, PeerInfo, SourceInfo};

/// How long ago the leader may have had contact with a server that counts for its majority. In a quiet bucket it has it every second.
pub(super) const CONTACT: Duration = Duration::from_secs(10);

/// Whether a leader with a majority gave this answer. A server without peers has no cluster.
pub(super) fn by_a_majority(cluster: Option<&ClusterInfo>) -> bool {
    let Some(cluster) = cluster else {
        return true;
    };
    let followers = cluster.replicas.iter().filter(|one| has_contact(one));
    cluster.leader.is_some() && 2 * (followers.count() + 1) > cluster.replicas.len() + 1
}

/// Whether what the leader has reaches a server.
pub(super) fn keeps_up(cluster: Option<&ClusterInfo>, server: Option<&str>) -> bool {
    let (Some(cluster), Some(server)) = (cluster, server) else {
        return true;
    };
    let replica = cluster.replicas.iter().find(|one| one.name == server);
    // Neither the leader nor a replica: the stream has moved away from it.
    replica.map_or(cluster.leader.as_deref() == Some(server), has_contact)
}

/// Whether a stream has had contact with the one that it mirrors, or that is its only source: in a quiet one it has it every second. None
/// at all is that of a copy whose server was just started. Of several sources nothing shows which one has the key.
pub(super) fn is_fed(mirror: Option<&SourceInfo>, sources: &[SourceInfo]) -> bool {
    let contact = |origin: &SourceInfo| origin.active.is_some_and(|ago| ago < CONTACT);
    let only = match sources {
        [only] => Some(only),
        _ => None,
    };
    mirror.into_iter().chain(only).all(contact)
}

/// A replica that a new leader has never had contact with was last seen 0 ns ago, and is not current.
fn has_contact(replica: &PeerInfo) -> bool {
    !replica.offline && replica.active < CONTACT && (replica.current || !replica.active.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replica(name: &str, current: bool, seconds: f64) -> PeerInfo {
        PeerInfo {
            name: name.to_owned(),
            current,
            active: Duration::from_secs_f64(seconds),
            offline: false,
            lag: None,
        }
    }

    fn cluster(leader: Option<&str>, replicas: Vec<PeerInfo>) -> ClusterInfo {
        ClusterInfo {
            name: None,
            raft_group: None,
            leader: leader.map(str::to_owned),
            leader_since: None,
            replicas,
        }
    }

    #[test]
    fn only_a_leader_with_a_majority_counts() {
        assert!(by_a_majority(None), "one server");
        assert!(by_a_majority(Some(&cluster(Some("a"), vec![]))));
        let three = |leader, b, c| by_a_majority(Some(&cluster(leader, vec![b, c])));
        let (well, behind) = (replica("b", true, 0.5), replica("b", false, 0.5));
        let (gone, never) = (replica("c", false, 10.0), replica("c", false, 0.0));
        assert!(three(Some("a"), well.clone(), gone.clone()));
        assert!(three(Some("a"), behind, never.clone()));
        assert!(!three(Some("a"), gone.clone(), never.clone()), "cut off");
        // As a server answers that has lost the others.
        let alone = vec![replica("a", true, 2.4), well, never];
        assert!(!by_a_majority(Some(&cluster(None, alone))));
    }

    #[test]
    fn a_copy_counts_while_it_has_contact_with_what_it_copies() {
        assert!(is_fed(None, &[]), "no copy");
        let origin = |active: &str| -> SourceInfo {
            let text = format!(r#"{{"name": "KV_origin", "lag": 0, "active": {active}}}"#);
            serde_json::from_str(&text).unwrap()
        };
        let (well, gone) = (origin("5000000"), origin("10000000000"));
        assert!(is_fed(None, &[well.clone(), gone]), "of several");
        assert!(is_fed(None, &[well]));
        for (active, fed) in [
            ("-1", false),
            ("5000000", true),
            ("9900000000", true),
            ("10000000000", false),
        ] {
            assert_eq!(is_fed(Some(&origin(active)), &[]), fed, "{active}");
            assert_eq!(is_fed(None, &[origin(active)]), fed, "{active}");
        }
    }

    #[test]
    fn a_consumer_is_where_the_leader_is_or_a_replica_in_contact() {
        let replicas = vec![replica("b", true, 0.5), replica("c", false, 12.0)];
        let cluster = cluster(Some("a"), replicas);
        for (server, keeps) in [("a", true), ("b", true), ("c", false), ("d", false)] {
            assert_eq!(keeps_up(Some(&cluster), Some(server)), keeps, "{server}");
        }
        assert!(keeps_up(None, None));
    }
}
