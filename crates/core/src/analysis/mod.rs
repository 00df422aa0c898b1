//! What can be read from a trace beside its data: where its time went, where it failed, what was retried, and whether
//! its clocks agree. Nothing of it is frozen, so that a better reading also applies to what was captured before.

pub mod headline;
pub mod skew;
pub mod timing;
