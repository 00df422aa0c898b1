//! What every kind of evidence can say of itself.

use std::collections::BTreeSet;

use crate::time::Nanos;

/// Each kind of evidence implements it where its data is defined.
pub trait Content {
    /// What lists, alternative texts and cards call it, on one line of some 200 characters at most.
    fn title(&self) -> String;

    /// First and last moment that the data speaks of; zeros where it speaks of none.
    fn range(&self) -> (Nanos, Nanos);

    /// The protocols that the data came by, in words.
    fn via(&self) -> BTreeSet<&'static str>;

    /// Why no bytes are kept beside it as they were received, where none are.
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
