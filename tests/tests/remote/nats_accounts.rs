//! Two accounts on one server of NATS, each with a bucket of the same name: what is seen, lost and refused is that of the account.

use crate::watched::{Watched, document};
use flux::source::ErrorKind;
use flux_tests::{proxy::Proxy, servers::NatsAccounts};

const KEY: &str = "app.config";

/// A source for each account, with the values 1 and 101, by way of one line.
async fn both(server: &NatsAccounts, proxy: &Proxy) -> [Watched; 2] {
    server.write(0, KEY, document(1)).await;
    server.write(1, KEY, document(101)).await;
    let one = Watched::started(server.source(0, proxy.address(), KEY)).await;
    let two = Watched::started(server.source(1, proxy.address(), KEY)).await;
    [one, two]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_source_sees_the_bucket_of_its_own_account() {
    let Some(server) = NatsAccounts::start().await else {
        return;
    };
    let proxy = Proxy::to(server.address()).await;
    let [one, two] = both(&server, &proxy).await;
    for n in 2..=5 {
        server.write(0, KEY, document(n)).await;
        one.sees(n).await;
        server.write(1, KEY, document(100 + n)).await;
        two.sees(100 + n).await;
    }
    assert_eq!(proxy.connections(), 2, "one for each account");
    // Of one account they share it.
    let third = Watched::started(server.source(1, proxy.address(), KEY)).await;
    assert_eq!(proxy.connections(), 2);
    proxy.hang_up();
    server.write(0, KEY, document(6)).await;
    server.write(1, KEY, document(106)).await;
    one.sees(6).await;
    two.sees(106).await;
    third.sees(106).await;
    one.has_applied(&[1, 2, 3, 4, 5, 6]);
    two.has_applied(&[101, 102, 103, 104, 105, 106]);
    third.has_applied(&[105, 106]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_in_one_account_is_not_reported_to_the_other() {
    let Some(server) = NatsAccounts::start().await else {
        return;
    };
    let proxy = Proxy::to(server.address()).await;
    let [one, two] = both(&server, &proxy).await;
    for n in 2..=4 {
        server.may_read([true, false]).await;
        proxy.hang_up();
        server.write(0, KEY, document(n)).await;
        server.write(1, KEY, document(100 + n)).await;
        one.until("the value of one, and a refusal of the other", || {
            assert_eq!(one.refusal(), None);
            let follows = one.capacitor.get().n == n && one.is_live();
            follows && two.refusal().is_some()
        })
        .await;
        let refused = two.refusal().expect("it is refused");
        assert!(refused.contains("ermissions"), "{refused}");
        server.may_read([true; 2]).await;
        two.sees(100 + n).await;
        assert_eq!(one.refusal(), None);
    }
    one.has_applied(&[1, 2, 3, 4]);
    two.has_applied(&[101, 102, 103, 104]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_that_is_missing_in_one_account_is_there_in_the_other() {
    let Some(server) = NatsAccounts::start().await else {
        return;
    };
    let proxy = Proxy::to(server.address()).await;
    let [one, two] = both(&server, &proxy).await;
    server.delete_bucket(1).await;
    let is_missing = |trouble: flux::source::SourceError| {
        trouble.kind() == ErrorKind::Configuration && trouble.to_string().contains("no bucket")
    };
    two.until("the bucket is missing", || {
        assert!(one.trouble().is_none_or(|trouble| !is_missing(trouble)));
        two.trouble().is_some_and(is_missing)
    })
    .await;
    server.write(0, KEY, document(2)).await;
    one.sees(2).await;
    server.make_bucket(1).await;
    server.write(1, KEY, document(102)).await;
    two.sees(102).await;
    one.has_applied(&[1, 2]);
    two.has_applied(&[101, 102]);
}
