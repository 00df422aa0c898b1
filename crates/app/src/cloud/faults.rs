//! The reachability of sources, from the outcomes of calls.

use std::sync::PoisonError;

use tracebook_sources::cloud::{Fault, SourceError};

use super::Cloud;
use crate::ground::error::{Code, Error};
use crate::ground::schema::Vendor;

impl Cloud {
    /// Records an outcome and returns it. An answer of any kind means that the source can be reached.
    pub(crate) fn noted<T>(&self, vendor: Vendor, outcome: Result<T, SourceError>) -> Result<T, Error> {
        let now = self.runtime.now();
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
                // A wrong request says nothing about the source.
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
    use std::sync::Arc;

    use super::*;
    use crate::testing::{self, ManualClock};

    #[tokio::test]
    async fn an_unreachable_source_says_since_when() {
        let clock = Arc::new(ManualClock::at("2026-11-25T10:00:00Z"));
        let folder = tempfile::tempdir().expect("a folder");
        let cloud = testing::cloud(folder.path(), &testing::runtime_at(&clock)).await;
        let gone = || Err::<(), _>(SourceError::new(Fault::Unreachable, "no answer", "Check the network"));
        let first = cloud.noted(Vendor::Aws, gone()).expect_err("fails");
        assert_eq!((first.message.as_str(), first.exit_code()), ("no answer", 3));
        clock.advance(300_000_000_000);
        let second = cloud.noted(Vendor::Aws, gone()).expect_err("fails");
        assert!(second.message.starts_with("no answer (since 2026-11-25T10:00:00"), "{}", second.message);
        assert!(cloud.reach(Vendor::Aws).problem.is_some());
        assert!(cloud.reach(Vendor::Rollbar).problem.is_none());
        cloud.noted(Vendor::Aws, Ok(())).expect("answers");
        let reach = cloud.reach(Vendor::Aws);
        assert!(reach.problem.is_none() && reach.unreachable_since.is_none());
    }
}
