//! The filter languages of the sources: checks of a filter, and examples.

use tracebook_core::event_filter::EventFilter;
use tracebook_core::filter::Filter;
use tracebook_core::question::Source;
use tracebook_sources::honeycomb::spec;
use tracebook_sources::rollbar::client::{FORMS as ROLLBAR, ItemsRequest};
use tracebook_sources::xray;

use super::Explorer;
use crate::ground::error::Error;
use crate::ground::schema::{FilterCheck, FilterExample, FilterVerdict};

const LOCAL: &[(&str, &str)] = &[
    ("home 200", "words, anywhere"),
    ("service:backend-flask", "who took part"),
    ("status:error", "ok, fault, throttle…"),
    ("duration>100ms", "also <, >=, <="),
    ("http.route=/api/home", "any attribute"),
];

const CLOUDWATCH: &[(&str, &str)] = &[
    ("group:cruddur", "the log group; it stands first"),
    ("group:cruddur ERROR", "a word; case counts"),
    ("group:cruddur \"500 INTERNAL\"", "an exact phrase"),
    ("group:cruddur ?timeout ?refused", "one of them"),
    ("group:cruddur ERROR -healthcheck", "excluding a word"),
    ("group:cruddur { $.level = \"ERROR\" }", "a field of JSON"),
    ("group:cruddur [ip, ..., status = 4*]", "a column"),
    ("group:cruddur trace:1-5e1b4151-43a0913a12345678912345678", "events that name a trace"),
];

impl Explorer {
    pub(crate) async fn filter_check(&self, request: FilterCheck) -> Result<FilterVerdict, Error> {
        let text = request.filter.as_str();
        let (outcome, forms): (Result<(), String>, Vec<(&str, &str)>) = match request.source {
            Source::Local => (Filter::parse(text).map(drop).map_err(|e| e.to_string()), LOCAL.to_vec()),
            Source::Xray => (xray::client::check_expression(text), xray::client::forms()),
            Source::Cloudwatch => (EventFilter::parse(text).map(drop).map_err(|e| e.to_string()), CLOUDWATCH.to_vec()),
            Source::Rollbar => (ItemsRequest::parse(text).map(drop).map_err(|e| e.message), ROLLBAR.to_vec()),
            Source::Honeycomb => (spec::Spec::parse(text).map(drop).map_err(|e| e.message), spec::FORMS.to_vec()),
        };
        let forms = forms
            .into_iter()
            .map(|(example, meaning)| FilterExample { example: example.to_owned(), meaning: meaning.to_owned() })
            .collect();
        Ok(FilterVerdict { ok: outcome.is_ok(), message: outcome.err().unwrap_or_default(), forms })
    }
}
