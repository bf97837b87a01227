//! The records of ZooKeeper's protocol as bytes: what Flux asks, and what a server answers, read within the bounds of its frame.

use std::time::Duration;

/// The answers that belong to no question have these in place of its number.
pub(super) const EVENT: i32 = -1;
pub(super) const PING: i32 = -2;
pub(super) const AUTHENTICATED: i32 = -4;

/// The kinds of questions.
const EXISTS: i32 = 3;
const GET_DATA: i32 = 4;
const SYNC: i32 = 9;
const PING_KIND: i32 = 11;
const AUTHENTICATE: i32 = 100;
const CLOSE: i32 = -11;

/// An answer's number, the change that the server has got to, and an error code.
pub(super) const HEADER: usize = 4 + 8 + 4;

/// Why a server's bytes are no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed(pub(super) &'static str);

const CUT_OFF: Malformed = Malformed("an answer that ends before its last field");

/// What a server grants to who begins a session.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Granted {
    /// After so long a silence of the client the server ends the session.
    pub(super) timeout: Duration,
    /// Zero where the session is refused.
    pub(super) id: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AnswerHeader {
    pub(super) xid: i32,
    pub(super) error: i32,
}

/// What is known of a node beside its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NodeStat {
    /// The changes that created the node and wrote its data.
    pub(super) czxid: i64,
    pub(super) mzxid: i64,
    /// How often its rights were changed.
    pub(super) aversion: i32,
    pub(super) length: i32,
}

/// What a watch reports: a change of the node at `path`, or, without a path, a change of the session's own state.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NodeEvent<'a> {
    pub(super) kind: i32,
    pub(super) state: i32,
    pub(super) path: &'a str,
}

impl NodeEvent<'_> {
    const OF_THE_SESSION: i32 = -1;

    pub(super) fn is_of_a_node(&self) -> bool {
        self.kind != Self::OF_THE_SESSION
    }
}

/// Begins a session that has seen nothing, on a server that is in touch with a majority.
pub(super) fn begin(timeout: Duration) -> Vec<u8> {
    let timeout = i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX);
    frame(|out| {
        int(out, 0); // The version of the protocol.
        long(out, 0); // The newest change that was seen.
        int(out, timeout);
        long(out, 0); // The session to go on with; none.
        buffer(out, &[0; 16]);
        out.push(0); // Whether a server without a majority would do.
    })
}

pub(super) fn digest(credentials: &str) -> Vec<u8> {
    frame(|out| {
        int(out, AUTHENTICATED);
        int(out, AUTHENTICATE);
        int(out, 0);
        buffer(out, b"digest");
        buffer(out, credentials.as_bytes());
    })
}

pub(super) fn get_data_and_watch(xid: i32, path: &str) -> Vec<u8> {
    of_node(xid, GET_DATA, path, Some(true))
}

pub(super) fn exists(xid: i32, path: &str, watch: bool) -> Vec<u8> {
    of_node(xid, EXISTS, path, Some(watch))
}

pub(super) fn sync(xid: i32, path: &str) -> Vec<u8> {
    of_node(xid, SYNC, path, None)
}

pub(super) fn ping() -> Vec<u8> {
    frame(|out| {
        int(out, PING);
        int(out, PING_KIND);
    })
}

pub(super) fn close(xid: i32) -> Vec<u8> {
    frame(|out| {
        int(out, xid);
        int(out, CLOSE);
    })
}

fn of_node(xid: i32, kind: i32, path: &str, watch: Option<bool>) -> Vec<u8> {
    frame(|out| {
        int(out, xid);
        int(out, kind);
        buffer(out, path.as_bytes());
        out.extend(watch.map(u8::from));
    })
}

/// A record behind its length.
fn frame(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = vec![0; 4];
    write(&mut out);
    let length = u32::try_from(out.len() - 4).unwrap_or(u32::MAX);
    out[..4].copy_from_slice(&length.to_be_bytes());
    out
}

fn int(out: &mut Vec<u8>, number: i32) {
    out.extend(number.to_be_bytes());
}

fn long(out: &mut Vec<u8>, number: i64) {
    out.extend(number.to_be_bytes());
}

fn buffer(out: &mut Vec<u8>, bytes: &[u8]) {
    int(out, i32::try_from(bytes.len()).unwrap_or(i32::MAX));
    out.extend(bytes);
}

/// What is left of a record. A server that is newer than this client may add fields at the end, which are left unread.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(CUT_OFF)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(CUT_OFF)?;
        self.0 = rest;
        Ok(*taken)
    }

    fn int(&mut self) -> Result<i32, Malformed> {
        self.array().map(i32::from_be_bytes)
    }

    fn long(&mut self) -> Result<i64, Malformed> {
        self.array().map(i64::from_be_bytes)
    }

    /// Data; that of a node may be absent, which is like none.
    fn buffer(&mut self) -> Result<&'a [u8], Malformed> {
        match self.int()? {
            -1 => Ok(&[]),
            length => match usize::try_from(length) {
                Ok(length) => self.take(length),
                Err(_) => Err(Malformed("data of a negative length")),
            },
        }
    }

    fn text(&mut self) -> Result<&'a str, Malformed> {
        let bytes = self.buffer()?;
        std::str::from_utf8(bytes).map_err(|_| Malformed("a path that is not UTF-8"))
    }

    fn stat(&mut self) -> Result<NodeStat, Malformed> {
        let (czxid, mzxid) = (self.long()?, self.long()?);
        // The times of both, and the versions of data and children.
        self.take(8 + 8 + 4 + 4)?;
        let aversion = self.int()?;
        self.take(8)?; // The session that owns it.
        let length = self.int()?;
        self.take(4 + 8)?; // How many children, and their newest change.
        Ok(NodeStat {
            czxid,
            mzxid,
            aversion,
            length,
        })
    }
}

pub(super) fn granted(record: &[u8]) -> Result<Granted, Malformed> {
    let mut fields = Fields(record);
    fields.int()?; // The version of the protocol.
    let timeout = u64::try_from(fields.int()?);
    let id = fields.long()?;
    fields.buffer()?; // What it takes to go on with the session.
    Ok(Granted {
        timeout: Duration::from_millis(timeout.unwrap_or_default()),
        id,
    })
}

/// The beginning of every answer, and what follows it.
pub(super) fn header(record: &[u8]) -> Result<(AnswerHeader, &[u8]), Malformed> {
    let mut fields = Fields(record);
    let xid = fields.int()?;
    fields.long()?;
    let error = fields.int()?;
    Ok((AnswerHeader { xid, error }, fields.0))
}

pub(super) fn data(record: &[u8]) -> Result<(&[u8], NodeStat), Malformed> {
    let mut fields = Fields(record);
    Ok((fields.buffer()?, fields.stat()?))
}

pub(super) fn stat(record: &[u8]) -> Result<NodeStat, Malformed> {
    Fields(record).stat()
}

pub(super) fn event(record: &[u8]) -> Result<NodeEvent<'_>, Malformed> {
    let mut fields = Fields(record);
    Ok(NodeEvent {
        kind: fields.int()?,
        state: fields.int()?,
        path: fields.text()?,
    })
}

#[cfg(test)]
mod tests;
