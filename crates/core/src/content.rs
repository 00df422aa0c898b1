//! The trait of all kinds of evidence.

use std::collections::BTreeSet;

use crate::time::Nanos;

/// Each kind implements it beside the definition of its data.
pub trait Content {
    /// The title in lists, alternative texts and cards: one line of at most about 200 characters.
    fn title(&self) -> String;

    /// The time range of the data; zeros without times.
    fn range(&self) -> (Nanos, Nanos);

    /// The protocols of the data, as text.
    fn via(&self) -> BTreeSet<&'static str>;

    /// Why there is no raw data, if there is none.
    fn why_no_raw(&self) -> &'static str {
        "It came with an import; an export holds the data and its digest, not the bytes as received"
    }
}

impl<T: Content> Content for Box<T> {
    fn title(&self) -> String {
        (**self).title()
    }

    fn range(&self) -> (Nanos, Nanos) {
        (**self).range()
    }

    fn via(&self) -> BTreeSet<&'static str> {
        (**self).via()
    }

    fn why_no_raw(&self) -> &'static str {
        (**self).why_no_raw()
    }
}
