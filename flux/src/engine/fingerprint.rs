//! How what a layer contained becomes 16 bytes that outlive the process.
//!
//! SipHash-2-4 of 128 bits under a random key, which is written beside the fingerprints. The key makes the fingerprints of two
//! machines incomparable and tables made in advance worthless. It does not protect a document whose every part but a few digits is
//! known to someone who can read the file: the file is readable by its owner alone, who can read the sources too.

use std::fmt;

/// The random key of one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FingerprintKey(pub(crate) u64, pub(crate) u64);

/// What a layer contained.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Fingerprint(pub(crate) u128);

impl Fingerprint {
    /// Of a file of several that is gone, while what it contained is what is trusted. One that was never there has none.
    pub(crate) const GONE: Fingerprint = Fingerprint(1);

    /// Of a document; without one, of a source that holds nothing.
    pub(crate) fn of(key: FingerprintKey, content: Option<&[u8]>) -> Self {
        match content {
            Some(bytes) => Fingerprint(sip128(key, bytes)),
            None => Fingerprint(0),
        }
    }

    /// Of the values of a document, which are no document.
    pub(crate) fn of_values(key: FingerprintKey, values: &[u8]) -> Self {
        Fingerprint(sip128(FingerprintKey(!key.0, key.1), values))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// SipHash-2-4 with a result of 128 bits, as its authors publish it.
fn sip128(key: FingerprintKey, bytes: &[u8]) -> u128 {
    let mut state = [
        key.0 ^ 0x736f_6d65_7073_6575,
        key.1 ^ 0x646f_7261_6e64_6f6d ^ 0xee,
        key.0 ^ 0x6c79_6765_6e65_7261,
        key.1 ^ 0x7465_6462_7974_6573,
    ];
    let mut words = bytes.chunks_exact(8);
    for word in &mut words {
        let mut eight = [0; 8];
        eight.copy_from_slice(word);
        absorb(&mut state, u64::from_le_bytes(eight));
    }
    let mut last = [0; 8];
    let rest = words.remainder();
    last[..rest.len()].copy_from_slice(rest);
    last[7] = bytes.len().to_le_bytes()[0];
    absorb(&mut state, u64::from_le_bytes(last));
    state[2] ^= 0xee;
    rounds(&mut state, 4);
    let low = state[0] ^ state[1] ^ state[2] ^ state[3];
    state[1] ^= 0xdd;
    rounds(&mut state, 4);
    let high = state[0] ^ state[1] ^ state[2] ^ state[3];
    u128::from(low) | u128::from(high) << 64
}

fn absorb(state: &mut [u64; 4], word: u64) {
    state[3] ^= word;
    rounds(state, 2);
    state[0] ^= word;
}

fn rounds(state: &mut [u64; 4], count: usize) {
    let [mut a, mut b, mut c, mut d] = *state;
    for _ in 0..count {
        a = a.wrapping_add(b);
        b = b.rotate_left(13) ^ a;
        a = a.rotate_left(32);
        c = c.wrapping_add(d);
        d = d.rotate_left(16) ^ c;
        a = a.wrapping_add(d);
        d = d.rotate_left(21) ^ a;
        c = c.wrapping_add(b);
        b = b.rotate_left(17) ^ c;
        c = c.rotate_left(32);
    }
    *state = [a, b, c, d];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_published_function() {
        let key = FingerprintKey(0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908);
        // The first and the second vector of the reference implementation.
        let vectors: [[u8; 16]; 2] = [
            [
                0xa3, 0x81, 0x7f, 0x04, 0xba, 0x25, 0xa8, 0xe6, 0x6d, 0xf6, 0x72, 0x14, 0xc7, 0x55,
                0x02, 0x93,
            ],
            [
                0xda, 0x87, 0xc1, 0xd8, 0x6b, 0x99, 0xaf, 0x44, 0x34, 0x76, 0x59, 0x11, 0x9b, 0x22,
                0xfc, 0x45,
            ],
        ];
        for (length, vector) in vectors.into_iter().enumerate() {
            let bytes: Vec<u8> = (0..length).map(|n| n.to_le_bytes()[0]).collect();
            assert_eq!(sip128(key, &bytes), u128::from_le_bytes(vector));
        }
    }

    #[test]
    fn content_key_and_absence_make_a_difference() {
        let (one, other) = (FingerprintKey(1, 2), FingerprintKey(1, 3));
        let of = |key, text: &str| Fingerprint::of(key, Some(text.as_bytes()));
        assert_eq!(of(one, "a long enough text"), of(one, "a long enough text"));
        assert_ne!(of(one, "a long enough text"), of(one, "a long enough tex_"));
        assert_ne!(of(one, "a"), of(other, "a"));
        assert_ne!(of(one, ""), Fingerprint::of(one, None));
    }
}
