//! What the programs in fuzz_targets do with an input. A panic is a finding, and so is an input that takes longer than a
//! second.

pub mod aws;
pub mod evidence;
pub mod filters;
pub mod http;
pub mod markdown;
pub mod otlp;
mod stores;
pub mod text;
pub mod xray;

use tracebook_core::time::Nanos;

/// When every input arrives.
const NOW: Nanos = Nanos(1_795_447_213_087_028_123);

/// The parts of an input that has several texts, separated by a line of `%%`.
fn parts<const N: usize>(input: &[u8]) -> [String; N] {
    let text = String::from_utf8_lossy(input);
    let mut rest = text.split("\n%%\n");
    std::array::from_fn(|_| rest.next().unwrap_or_default().to_owned())
}
