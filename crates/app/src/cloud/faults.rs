//! A source's fault as the app's: which class, and since when nobody answers.

use std::sync::PoisonError;

use tracebook_core::time::Nanos;
use tracebook_sources::cloud::{Fault, SourceError};

use super::Cloud;
use crate::ground::error::{Code, Error};
use crate::rpc::Vendor;

impl Cloud {
    /// Notes how it went, and hands it on. An answer of any kind says that the source can be reached.
    pub(crate) fn noted<T>(&self, vendor: Vendor, outcome: Result<T, SourceError>, now: Nanos) -> Result<T, Error> {
        let mut all = self.reach.lock().unwrap_or_else(PoisonError::into_inner);
        let reach = all.entry(vendor).or_default();
        match outcome {
            Ok(answer) => {
                reach.unreachable_since = None;
                reach.problem = None;
                Ok(answer)
            }
            Err(error) => {
                let (fault, mut error) = (error.fault, Error::from(error));
                match fault {
                    Fault::Cancelled => return Err(error),
                    Fault::Unreachable => {
                        let since = reach.unreachable_since.get_or_insert_with(|| now.rfc3339());
                        if *since != now.rfc3339() {
                            error.message = format!("{} (since {since})", error.message);
                        }
                    }
                    _ => reach.unreachable_since = None,
                }
                // What was asked wrongly says nothing of the source.
                reach.problem = match error.code {
                    Code::Usage | Code::NotFound | Code::Unsupported => None,
                    _ => Some(error.body()),
                };
                Err(error)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unreachable_source_says_since_when() {
        let cloud = Cloud::new(std::path::Path::new("."));
        let at = |text: &str| Nanos::parse_rfc3339(text).expect("a time");
        let gone = || Err::<(), _>(SourceError::new(Fault::Unreachable, "no answer", "Check the network"));
        let first = cloud.noted(Vendor::Aws, gone(), at("2026-11-25T10:00:00Z")).expect_err("fails");
        assert_eq!((first.message.as_str(), first.exit_code()), ("no answer", 3));
        let second = cloud.noted(Vendor::Aws, gone(), at("2026-11-25T10:05:00Z")).expect_err("fails");
        assert!(second.message.starts_with("no answer (since 2026-11-25T10:00:00"), "{}", second.message);
        assert!(cloud.reach(Vendor::Aws).problem.is_some());
        assert!(cloud.reach(Vendor::Rollbar).problem.is_none());
        cloud.noted(Vendor::Aws, Ok(()), at("2026-11-25T10:06:00Z")).expect("answers");
        let reach = cloud.reach(Vendor::Aws);
        assert!(reach.problem.is_none() && reach.unreachable_since.is_none());
    }
}
