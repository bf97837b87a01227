use super::*;

/// The next event: its name, its id and its data.
async fn next(events: &mut PageBody) -> Option<(String, String, serde_json::Value)> {
    let frame = tokio::time::timeout(Duration::from_secs(60), events.frame());
    let frame = frame.await.expect("an event in time")?.unwrap();
    let text = String::from_utf8(frame.into_data().unwrap().to_vec()).unwrap();
    assert!(
        text.ends_with("\n\n") && text.matches("\n\n").count() == 1,
        "{text}"
    );
    let part = |name: &str| {
        let mut lines = text.lines();
        let line = lines.find_map(|line| line.strip_prefix(name));
        line.unwrap_or_default().trim_start().to_owned()
    };
    let data = part("data:");
    let data = serde_json::from_str(&data).unwrap_or_default();
    Some((part("event:"), part("id:"), data))
}

async fn follow(site: &Site, uri: &str, last: &str) -> Response<PageBody> {
    let last = [("last-event-id", last)];
    let headers = if last[0].1.is_empty() { &[][..] } else { &last };
    call(&site.page, Method::GET, uri, headers, "").await
}

#[tokio::test]
async fn a_change_arrives_with_what_changed_alone() {
    let site = Site::of(GOOD).await;
    let reply = follow(&site, "/events", "").await;
    assert_eq!(reply.headers()["content-type"], "text/event-stream");
    let mut events = reply.into_body();
    let (name, _, first) = next(&mut events).await.unwrap();
    assert_eq!(name, "picture");
    assert!(first["rows"]["all"].as_str().unwrap().contains("9090"));
    // Only a page with control has it.
    assert!(first["parts"].get("control").is_none());

    site.write("port: 9091\npassword: zq-hunter2-qz\nlabels: { new: one }\n")
        .await;
    let (_, _, change) = next(&mut events).await.unwrap();
    let rows = &change["rows"];
    let paths: Vec<_> = rows["changed"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one[0])
        .collect();
    assert_eq!(paths, ["port", "tokens", "labels"]);
    assert_eq!(change["title"], "healthy · app");
    assert!(
        change["parts"]["generations"]
            .as_str()
            .unwrap()
            .contains("Generation 2")
    );

    site.write("port: none\n").await;
    let (_, _, refused) = next(&mut events).await.unwrap();
    assert_eq!(refused["rows"], serde_json::json!({}));
    let problems = refused["parts"]["problems"].as_str().unwrap();
    assert!(problems.contains("<pre>1 | port: none"), "{problems}");
    assert_eq!(refused["title"], "degraded · app");
}

#[tokio::test(start_paused = true)]
async fn a_browser_resumes_where_it_was() {
    let site = Site::of(GOOD).await;
    let mut events = follow(&site, "/events", "").await.into_body();
    let (_, id, _) = next(&mut events).await.unwrap();
    drop(events);
    // The page has the same name for it.
    assert!(
        site.get("/")
            .await
            .body
            .contains(&format!("data-picture=\"{id}\""))
    );
    for (uri, last) in [("/events", &*id), (&*format!("/events?since={id}"), "")] {
        let mut events = follow(&site, uri, last).await.into_body();
        assert_eq!(next(&mut events).await.unwrap().0, "beat", "{uri}");
    }
    site.write("port: 9091\n").await;
    // An earlier picture, the same number of another process, and what is no name: each is shown everything.
    for last in [&*id, "00000000-2", "%7f"] {
        let reply = follow(&site, &format!("/events?since={last}"), "").await;
        let (name, _, all) = next(&mut reply.into_body()).await.unwrap();
        assert_eq!(name, "picture");
        assert!(all["rows"]["all"].as_str().unwrap().contains("9091"));
    }
}

#[tokio::test]
async fn the_number_of_listeners_is_bounded() {
    let mut site = Site::of(GOOD).await;
    site.page = site.page.listeners(2);
    let first = follow(&site, "/events", "").await;
    let second = follow(&site, "/events", "").await;
    let third = follow(&site, "/events", "").await;
    assert_eq!([first.status(), second.status()], [200, 200]);
    assert_eq!(third.status(), 503);
    // A place is free again with its connection.
    drop(first);
    assert_eq!(follow(&site, "/events", "").await.status(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_slow_listener_is_given_the_newest_alone() {
    let site = Site::of(GOOD).await;
    let mut events = follow(&site, "/events", "").await.into_body();
    next(&mut events).await.unwrap();
    for port in 1..=50 {
        site.write(&format!("port: {port}\n")).await;
    }
    let (_, _, change) = next(&mut events).await.unwrap();
    assert_eq!(change["rows"]["changed"][0][0], "port");
    assert!(
        change["rows"]["changed"][0][1]
            .as_str()
            .unwrap()
            .contains(">50<")
    );
    // Nothing else waits: what comes next is a sign of life.
    assert_eq!(next(&mut events).await.unwrap().0, "beat");
}

#[tokio::test(start_paused = true)]
async fn a_stream_beats_and_ends_so_that_a_server_can_shut_down() {
    let site = Site::of(GOOD).await;
    let mut events = follow(&site, "/events", "").await.into_body();
    next(&mut events).await.unwrap();
    let begin = tokio::time::Instant::now();
    let mut beats = 0;
    while let Some((name, ..)) = next(&mut events).await {
        assert_eq!(name, "beat");
        beats += 1;
    }
    assert_eq!(beats, 2);
    assert!(begin.elapsed() < Duration::from_secs(16));
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_in_time_under_steady_changes_too() {
    let site = Site::of(GOOD).await;
    let mut events = follow(&site, "/events", "").await.into_body();
    next(&mut events).await.unwrap();
    let begin = tokio::time::Instant::now();
    for port in 1.. {
        site.write(&format!("port: {port}\n")).await;
        match next(&mut events).await {
            Some((name, ..)) => assert_eq!(name, "picture"),
            None => break,
        }
        assert!(begin.elapsed() < Duration::from_secs(20));
    }
    assert!(begin.elapsed() >= Duration::from_secs(15));
}

#[tokio::test(start_paused = true)]
async fn a_browser_that_reads_nothing_loses_its_place_to_another_one() {
    let mut site = Site::of(GOOD).await;
    site.page = site.page.listeners(1);
    let mut first = follow(&site, "/events", "").await.into_body();
    next(&mut first).await.unwrap();
    // As long as a stream may last nobody loses a place.
    tokio::time::sleep(Duration::from_secs(14)).await;
    assert_eq!(follow(&site, "/events", "").await.status(), 503);
    tokio::time::sleep(Duration::from_secs(7)).await;
    let mut second = follow(&site, "/events", "").await.into_body();
    assert_eq!(next(&mut second).await.unwrap().0, "picture");
    assert!(next(&mut first).await.is_none());
    // The place of the second one is its own.
    drop(first);
    assert_eq!(follow(&site, "/events", "").await.status(), 503);
    drop(second);
    assert_eq!(follow(&site, "/events", "").await.status(), 200);
}
