//! Under which condition a document need not be sent again: what is known of the version that was read last.

use hyper::header::{HeaderName, IF_NONE_MATCH};

use crate::source::remote::{http::HttpAnswer, retry_after::date};

/// After how many seconds without a change a version differs from the next one by its date.
const SETTLED: u64 = 2;

/// What the server answered about the version that was read last.
#[derive(Default)]
pub(super) struct Known {
    pub(super) tag: Option<String>,
    pub(super) modified: Option<String>,
    /// It was changed just before it was read, and may have changed again within the same second: neither its date nor a tag that is made
    /// of it (as nginx does) would show that.
    is_fresh: bool,
    /// The server's tags do not come from its dates: one stayed while its date went on, as with a server that dates each answer.
    tags_content: bool,
}

impl Known {
    /// What the answer reveals of its version, after this one.
    pub(super) fn next(&self, answer: &HttpAnswer) -> Self {
        let next = Known::of(answer);
        let stayed = next.tag.is_some() && next.tag == self.tag;
        let is_later = next.modified.is_some() && next.modified != self.modified;
        Known {
            tags_content: self.tags_content || (stayed && is_later),
            ..next
        }
    }

    fn of(answer: &HttpAnswer) -> Self {
        let (modified, read) = (answer.header("last-modified"), answer.header("date"));
        let changed = modified.and_then(date).zip(read.and_then(date));
        Known {
            tag: answer.header("etag").map(str::to_owned),
            modified: modified.map(str::to_owned),
            is_fresh: changed.is_some_and(|(modified, read)| read < modified + SETTLED),
            tags_content: false,
        }
    }

    /// The condition under which it need not be sent again: the server's tag. Its date is none, since servers answer that a document
    /// has not changed after it of an older one that was put back, and of any other one with that date.
    pub(super) fn condition(&self) -> Option<(HeaderName, String)> {
        let tag = self.tag.clone();
        let tag = tag.filter(|_| !self.is_fresh || self.tags_content);
        tag.map(|tag| (IF_NONE_MATCH, tag))
    }

    /// Whether a 304 is about the version that was asked for: one that names another tag is of a server or a cache that confused them.
    pub(super) fn is_confirmed_by(&self, answer: &HttpAnswer) -> bool {
        fn opaque(tag: &str) -> &str {
            tag.strip_prefix("W/").unwrap_or(tag)
        }
        let named = answer.header("etag").map(opaque);
        named.is_none_or(|named| self.tag.as_deref().map(opaque) == Some(named))
    }
}
