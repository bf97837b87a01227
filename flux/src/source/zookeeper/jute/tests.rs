use super::*;
use proptest::prelude::*;

/// As ZooKeeper's own client sends it.
#[test]
fn a_session_begins_with_these_bytes() {
    let mut expected = vec![0, 0, 0, 45, 0, 0, 0, 0];
    expected.extend([0; 8]);
    expected.extend([0, 0, 0x27, 0x10]);
    expected.extend([0; 8]);
    expected.extend([0, 0, 0, 16]);
    expected.extend([0; 17]);
    assert_eq!(begin(Duration::from_secs(10)), expected);
}

#[test]
fn questions_are_these_bytes() {
    let path = [0, 0, 0, 2, b'/', b'a'];
    let of = |xid: u8, kind: u8, rest: &[u8]| {
        let head = [0, 0, 0, xid, 0, 0, 0, kind];
        let length = u8::try_from(head.len() + rest.len()).unwrap();
        [&[0, 0, 0, length], &head[..], rest].concat()
    };
    let watched = [&path[..], &[1]].concat();
    let unwatched = [&path[..], &[0]].concat();
    assert_eq!(get_data_and_watch(7, "/a"), of(7, 4, &watched));
    assert_eq!(exists(8, "/a", true), of(8, 3, &watched));
    assert_eq!(exists(8, "/a", false), of(8, 3, &unwatched));
    assert_eq!(sync(9, "/a"), of(9, 9, &path));
    assert_eq!(ping(), [0, 0, 0, 8, 0xff, 0xff, 0xff, 0xfe, 0, 0, 0, 11]);
    assert_eq!(close(3), [0, 0, 0, 8, 0, 0, 0, 3, 0xff, 0xff, 0xff, 0xf5]);
    let mut expected = vec![
        0, 0, 0, 29, 0xff, 0xff, 0xff, 0xfc, 0, 0, 0, 100, 0, 0, 0, 0,
    ];
    expected.extend([0, 0, 0, 6]);
    expected.extend(b"digest");
    expected.extend([0, 0, 0, 3]);
    expected.extend(b"a:b");
    assert_eq!(digest("a:b"), expected);
}

/// Of a node whose fields all differ.
fn stat_bytes() -> Vec<u8> {
    let mut out = Vec::new();
    for number in [1_i64, 2, 3, 4] {
        long(&mut out, number);
    }
    for number in [5, 6, 7] {
        int(&mut out, number);
    }
    long(&mut out, 8);
    for number in [9, 10] {
        int(&mut out, number);
    }
    long(&mut out, 11);
    assert_eq!(out.len(), 68);
    out
}

const STAT: NodeStat = NodeStat {
    czxid: 1,
    mzxid: 2,
    aversion: 7,
    length: 9,
};

fn data_bytes() -> Vec<u8> {
    let mut out = Vec::new();
    buffer(&mut out, b"hello");
    out.extend(stat_bytes());
    out
}

fn granted_bytes(timeout: i32) -> Vec<u8> {
    let mut out = Vec::new();
    int(&mut out, 0);
    int(&mut out, timeout);
    long(&mut out, 0x1234);
    buffer(&mut out, &[7; 16]);
    out.push(0);
    out
}

fn event_bytes(kind: i32, path: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    int(&mut out, kind);
    int(&mut out, 3);
    buffer(&mut out, path);
    out
}

#[test]
fn answers_are_read() {
    assert_eq!(stat(&stat_bytes()), Ok(STAT));
    assert_eq!(data(&data_bytes()), Ok((&b"hello"[..], STAT)));
    let head = [
        0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 9, 0xff, 0xff, 0xff, 0x9b, 1, 2,
    ];
    let expected = AnswerHeader {
        xid: 5,
        error: -101,
    };
    assert_eq!(header(&head), Ok((expected, &[1, 2][..])));
    let granted_session = granted(&granted_bytes(4000)).unwrap();
    assert_eq!(granted_session.timeout, Duration::from_secs(4));
    assert_eq!(granted_session.id, 0x1234);
    let bytes = event_bytes(3, b"/a");
    let changed = event(&bytes).unwrap();
    assert!(changed.is_of_a_node() && changed.path == "/a" && changed.state == 3);
    let bytes = event_bytes(-1, b"");
    assert!(!event(&bytes).unwrap().is_of_a_node());
}

#[test]
fn a_session_of_no_time_is_none() {
    for timeout in [0, -1, i32::MIN] {
        assert!(granted(&granted_bytes(timeout)).unwrap().timeout.is_zero());
    }
}

#[test]
fn servers_of_before_and_after_are_read() {
    // Servers before 3.4 do not answer whether they are read only.
    let mut bytes = granted_bytes(4000);
    bytes.pop();
    assert!(granted(&bytes).is_ok());
    let mut bytes = data_bytes();
    bytes.extend([1, 2, 3]);
    assert_eq!(data(&bytes), Ok((&b"hello"[..], STAT)));
}

#[test]
fn a_node_without_data_is_empty() {
    let mut bytes = vec![0xff; 4];
    bytes.extend(stat_bytes());
    assert_eq!(data(&bytes), Ok((&[][..], STAT)));
}

#[test]
fn a_length_is_held_against_what_is_there() {
    for length in [i32::MIN, -2, 6 + 68, 16 << 20, i32::MAX] {
        let mut bytes = data_bytes();
        bytes[..4].copy_from_slice(&length.to_be_bytes());
        assert!(data(&bytes).is_err(), "{length}");
        let mut bytes = event_bytes(3, b"/a");
        bytes[8..12].copy_from_slice(&length.to_be_bytes());
        assert!(event(&bytes).is_err(), "{length}");
    }
    assert!(event(&event_bytes(3, &[b'/', 0xff])).is_err());
}

#[test]
fn a_record_that_is_cut_off_is_refused_wherever_it_is_cut() {
    for cut in 0..68 {
        assert!(stat(&stat_bytes()[..cut]).is_err(), "{cut}");
    }
    for cut in 0..data_bytes().len() {
        assert!(data(&data_bytes()[..cut]).is_err(), "{cut}");
    }
    let bytes = granted_bytes(1);
    for cut in 0..bytes.len() - 1 {
        assert!(granted(&bytes[..cut]).is_err(), "{cut}");
    }
    for cut in 0..HEADER {
        assert!(header(&[0; HEADER][..cut]).is_err(), "{cut}");
    }
    let bytes = event_bytes(3, b"/a");
    for cut in 0..bytes.len() {
        assert!(event(&bytes[..cut]).is_err(), "{cut}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_a_record_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
        let _ = (granted(&bytes), header(&bytes), stat(&bytes), event(&bytes));
        if let Ok((read, _)) = data(&bytes) {
            prop_assert!(read.len() <= bytes.len());
        }
    }

    #[test]
    fn a_question_is_as_long_as_it_announces(xid in 1..i32::MAX, path in "/[a-z/]{0,50}", credentials in ".{0,50}") {
        for question in [get_data_and_watch(xid, &path), exists(xid, &path, true), sync(xid, &path), close(xid), ping(), digest(&credentials)] {
            let (length, rest) = question.split_first_chunk().unwrap();
            prop_assert_eq!(u32::from_be_bytes(*length) as usize, rest.len());
        }
    }
}
