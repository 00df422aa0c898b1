//! Fake credentials and texts that look like some, for tests of `tracebook_core::credentials`. Generated when a test
//! runs, so that no scanner of repositories reports them. Included with `#[path]` by the tests of several crates.

mod look_alikes;
mod secrets;

pub(crate) use look_alikes::look_alikes;
pub(crate) use secrets::secrets;

/// Characters from a set, the same for the same seed.
pub(crate) fn fake(set: &str, length: usize, seed: u64) -> String {
    let set: Vec<char> = set.chars().collect();
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x1234_5678_9abc_def1;
    (0..length)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            set[usize::try_from(state >> 40).expect("24 bits") % set.len()]
        })
        .collect()
}

pub(crate) const HEX: &str = "0123456789abcdef";
pub(crate) const DIGITS: &str = "0123456789";
pub(crate) const LOWER: &str = "abcdefghijklmnopqrstuvwxyz0123456789";
pub(crate) const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
pub(crate) const ALNUM: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
pub(crate) const URL: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
pub(crate) const BASE64: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// A UUID.
pub(crate) fn uuid(seed: u64) -> String {
    let h = fake(HEX, 32, seed);
    format!("{}-{}-4{}-a{}-{}", &h[..8], &h[8..12], &h[13..16], &h[17..20], &h[20..])
}
