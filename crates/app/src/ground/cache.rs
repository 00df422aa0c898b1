//! Recent answers, so that reading them again costs no call.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Values by key, each with a lifetime.
#[derive(Debug)]
pub(crate) struct Cache<V> {
    most: usize,
    entries: Mutex<VecDeque<(String, Instant, V)>>,
}

impl<V: Clone> Cache<V> {
    /// With a maximum number of values.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, entries: Mutex::default() }
    }

    /// A value that has not expired.
    pub(crate) fn get(&self, key: &str) -> Option<V> {
        let now = Instant::now();
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|(_, until, _)| *until > now);
        entries.iter().find(|(known, _, _)| known == key).map(|(_, _, value)| value.clone())
    }

    pub(crate) fn put(&self, key: String, value: V, last: Duration) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|(known, _, _)| *known != key);
        entries.push_back((key, Instant::now() + last, value));
        while entries.len() > self.most {
            entries.pop_front();
        }
    }

    pub(crate) fn clear(&self) {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_and_excess_entries_are_removed() {
        let cache = Cache::new(2);
        let minute = Duration::from_secs(60);
        cache.put("a".to_owned(), 1, minute);
        cache.put("gone".to_owned(), 2, Duration::ZERO);
        assert_eq!((cache.get("a"), cache.get("gone")), (Some(1), None));
        cache.put("b".to_owned(), 3, minute);
        cache.put("a".to_owned(), 4, minute);
        cache.put("c".to_owned(), 5, minute);
        assert_eq!((cache.get("a"), cache.get("b"), cache.get("c")), (Some(4), None, Some(5)));
        cache.clear();
        assert_eq!(cache.get("a"), None);
    }
}
