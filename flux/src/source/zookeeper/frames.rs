//! The frames of a connection, one after the other, each behind its length; one that is too long is passed over, not kept.

use std::{io, ops::Range};

use tokio::{
    io::{AsyncRead, AsyncReadExt},
    time::Instant,
};

use super::jute::HEADER;

/// The length before each frame.
const LENGTH: usize = 4;
/// Room is made for so much at a time: memory is spent on what has arrived, not on what was announced.
const ROOM: usize = 16 << 10;

/// What arrived whole.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Frame<'a> {
    Whole(&'a [u8]),
    /// The header of an answer of this length, of which the rest will be passed over.
    TooLong(&'a [u8], usize),
}

/// The bytes of a connection that have been read and not used yet.
pub(super) struct Frames {
    bytes: Vec<u8>,
    /// How many of them have been used.
    used: usize,
    /// How many of those to come are passed over.
    unwanted: usize,
    longest: usize,
    /// When bytes last arrived.
    pub(super) last_read: Instant,
}

enum Buffered {
    Whole(Range<usize>),
    TooLong(Range<usize>, usize),
    Incomplete,
}

impl Frames {
    pub(super) fn new(longest: usize) -> Self {
        Frames {
            bytes: Vec::new(),
            used: 0,
            unwanted: 0,
            longest,
            last_read: Instant::now(),
        }
    }

    /// From now on a frame may be so long.
    pub(super) fn allow(&mut self, longest: usize) {
        self.longest = longest;
    }

    /// The next frame. Nothing is lost where the future is dropped before it is ready.
    pub(super) async fn next(
        &mut self,
        stream: &mut (impl AsyncRead + Unpin),
    ) -> io::Result<Frame<'_>> {
        loop {
            match self.buffered()? {
                Buffered::Whole(range) => return Ok(Frame::Whole(&self.bytes[range])),
                Buffered::TooLong(range, length) => {
                    return Ok(Frame::TooLong(&self.bytes[range], length));
                }
                Buffered::Incomplete => {}
            }
            self.bytes.drain(..self.used);
            self.used = 0;
            if self.bytes.is_empty() {
                self.bytes.shrink_to(ROOM);
            }
            self.bytes.reserve(ROOM);
            if stream.read_buf(&mut self.bytes).await? == 0 {
                return Err(io::Error::new(
                    io::ErrorKind::UnexpectedEof,
                    "the server has closed the connection",
                ));
            }
            self.last_read = Instant::now();
        }
    }

    fn buffered(&mut self) -> io::Result<Buffered> {
        let unwanted = self.unwanted.min(self.bytes.len() - self.used);
        self.used += unwanted;
        self.unwanted -= unwanted;
        let rest = &self.bytes[self.used..];
        let Some((length, rest)) = rest.split_first_chunk::<LENGTH>() else {
            return Ok(Buffered::Incomplete);
        };
        let announced = i32::from_be_bytes(*length);
        let Ok(length) = usize::try_from(announced) else {
            let text = format!("the server announces an answer of {announced} bytes");
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        };
        let is_too_long = length > self.longest;
        let kept = if is_too_long { HEADER } else { length };
        if rest.len() < kept {
            return Ok(Buffered::Incomplete);
        }
        let begin = self.used + LENGTH;
        let range = begin..begin + kept;
        self.used = range.end;
        Ok(match is_too_long {
            true => {
                self.unwanted = length - kept;
                Buffered::TooLong(range, length)
            }
            false => Buffered::Whole(range),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tokio::io::AsyncWriteExt;

    /// The lengths of the frames in `bytes`, which arrive in pieces of `piece` bytes, and how it ends.
    async fn read(bytes: &[u8], piece: usize, longest: usize) -> (Vec<usize>, String) {
        let (mut server, mut client) = tokio::io::duplex(piece);
        let bytes = bytes.to_vec();
        let writing = async move {
            let _ = server.write_all(&bytes).await;
        };
        // Owns its end, and drops it: who writes is not to wait for ever.
        let reading = async move {
            let (mut frames, mut lengths) = (Frames::new(longest), Vec::new());
            let mut most = 0;
            loop {
                match frames.next(&mut client).await {
                    Ok(Frame::Whole(frame)) => lengths.push(frame.len()),
                    Ok(Frame::TooLong(head, length)) => {
                        assert_eq!(head.len(), HEADER);
                        lengths.push(length);
                    }
                    Err(error) => {
                        assert!(most <= 4 * (longest + ROOM), "{most}");
                        return (lengths, error.to_string());
                    }
                }
                most = most.max(frames.bytes.capacity());
            }
        };
        tokio::join!(writing, reading).1
    }

    fn framed(length: usize) -> Vec<u8> {
        let mut out = u32::try_from(length).unwrap().to_be_bytes().to_vec();
        out.extend((0..length).map(|byte| byte as u8));
        out
    }

    const CLOSED: &str = "the server has closed the connection";

    #[tokio::test]
    async fn frames_arrive_in_pieces_of_any_size() {
        let lengths = [0, 1, 16, 300, 40_000, 3];
        let bytes: Vec<u8> = lengths.iter().flat_map(|&length| framed(length)).collect();
        for piece in [3, 4, 5, 64, 1 << 20] {
            let (read, end) = read(&bytes, piece, 40_000).await;
            assert_eq!((read.as_slice(), end.as_str()), (&lengths[..], CLOSED));
        }
    }

    #[tokio::test]
    async fn a_frame_that_is_too_long_is_passed_over_and_costs_no_memory() {
        let lengths = [10, 500_000, 7, 101, 100];
        let bytes: Vec<u8> = lengths.iter().flat_map(|&length| framed(length)).collect();
        for piece in [61, 4096, 1 << 20] {
            let (read, end) = read(&bytes, piece, 100).await;
            assert_eq!((read.as_slice(), end.as_str()), (&lengths[..], CLOSED));
        }
    }

    #[tokio::test]
    async fn what_is_announced_and_does_not_come_costs_no_memory() {
        let mut bytes = (16_u32 << 20).to_be_bytes().to_vec();
        bytes.extend([0; 100]);
        let (mut server, mut client) = tokio::io::duplex(1 << 10);
        let mut frames = Frames::new(16 << 20);
        server.write_all(&bytes).await.unwrap();
        drop(server);
        assert!(frames.next(&mut client).await.is_err());
        assert!(frames.bytes.capacity() <= 4 * ROOM);
    }

    #[tokio::test]
    async fn a_negative_length_is_refused() {
        let (read, end) = read(&(-5_i32).to_be_bytes(), 8, 100).await;
        assert!(read.is_empty());
        assert_eq!(end, "the server announces an answer of -5 bytes");
    }

    #[tokio::test]
    async fn a_frame_that_is_cut_off_is_none() {
        let bytes = framed(20);
        for cut in 0..bytes.len() {
            let (read, end) = read(&bytes[..cut], 8, 100).await;
            assert_eq!((read, end.as_str()), (vec![], CLOSED));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_bytes_are_frames_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..200), zeros in any::<bool>(), piece in 1_usize..50) {
            let mut bytes = bytes;
            if zeros {
                // Short lengths: some of it is frames.
                for at in (0..bytes.len()).step_by(8) {
                    let end = (at + 3).min(bytes.len());
                    bytes[at..end].fill(0);
                }
            }
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let (lengths, _) = runtime.block_on(read(&bytes, piece, 64));
            let whole: usize = lengths.iter().filter(|&&length| length <= 64).sum();
            prop_assert!(whole <= bytes.len());
        }
    }
}
