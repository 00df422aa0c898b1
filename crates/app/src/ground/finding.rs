//! What a capture read, before it is frozen.

use tracebook_core::console::AsPrinted;
use tracebook_core::evidence::Body;
use tracebook_core::freeze::Origin;
use tracebook_core::telemetry::{ErrorRecord, LogRecord, SpanRecord};
use tracebook_core::time::Nanos;

use crate::ground::error::Error;
use crate::ground::schema::Capture;

/// The most log events or console lines of a capture.
pub(crate) const MAX_ROWS: u32 = 200;

/// What a capture read.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    pub(crate) body: Body,
    pub(crate) raw: Raw,
    pub(crate) warnings: Vec<String>,
    /// The number of rows that was asked for.
    pub(crate) limit: u32,
    /// Origin at a cloud source.
    pub(crate) origin: Origin,
    /// When the source answered, where that is not the moment of the capture.
    pub(crate) asked_at: Option<Nanos>,
}

/// The records that a capture was read from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Raw {
    pub(crate) spans: Vec<SpanRecord>,
    pub(crate) logs: Vec<LogRecord>,
    pub(crate) errors: Vec<ErrorRecord>,
    pub(crate) console: AsPrinted,
}

impl Finding {
    pub(crate) fn new(body: Body, limit: u32) -> Self {
        let (raw, origin) = (Raw::default(), Origin::default());
        Self { body, raw, warnings: Vec::new(), limit, origin, asked_at: None }
    }
}

/// The item of the requested name; all items where none is requested.
pub(crate) fn named<T>(all: Vec<T>, request: &Capture, what: &str, name: fn(&T) -> &String) -> Result<Vec<T>, Error> {
    let Some(wanted) = &request.id else { return Ok(all) };
    let names = all.iter().map(|one| name(one).as_str()).collect::<Vec<_>>().join(", ");
    let found: Vec<T> = all.into_iter().filter(|one| name(one) == wanted).collect();
    match found.is_empty() {
        true => Err(Error::not_found(format!("there is no {what} {wanted:?}"), format!("There are: {names}"))),
        false => Ok(found),
    }
}

/// The given id, or `None` for the newest.
pub(crate) fn one_of<'a>(request: &'a Capture, what: &str, where_ids_are: &str) -> Result<Option<&'a str>, Error> {
    match (&request.id, request.latest) {
        (Some(_), true) => Err(both()),
        (Some(id), false) => Ok(Some(id)),
        (None, true) => Ok(None),
        (None, false) => Err(Error::usage(
            format!("which {what}?"),
            format!("Give its id ({where_ids_are}), or --latest for the newest"),
        )),
    }
}

pub(crate) fn both() -> Error {
    Error::usage("both an id and --latest were given", "Give one of the two")
}
