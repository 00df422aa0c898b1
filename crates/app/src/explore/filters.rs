//! The filter languages of the sources: checks of a filter, and examples.

use tracebook_core::filter::Filter;

use super::Explorer;
use crate::cloud;
use crate::cloud::vendor::verdict;
use crate::ground::error::Error;
use crate::ground::schema::{FilterCheck, FilterVerdict};

const LOCAL: &[(&str, &str)] = &[
    ("home 200", "words, anywhere"),
    ("service:backend-flask", "who took part"),
    ("status:error", "ok, fault, throttle…"),
    ("duration>100ms", "also <, >=, <="),
    ("http.route=/api/home", "any attribute"),
];

impl Explorer {
    pub(crate) async fn filter_check(&self, request: FilterCheck) -> Result<FilterVerdict, Error> {
        Ok(match request.source.info().vendor {
            None => verdict(Filter::parse(&request.filter).map(drop).map_err(|e| e.to_string()), LOCAL),
            Some(vendor) => cloud::vendor(vendor).check_filter(request.source, &request.filter),
        })
    }
}
