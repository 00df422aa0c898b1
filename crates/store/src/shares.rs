//! How much each sender takes of a kind of telemetry, so that making room takes from those that take most.
//!
//! A sender is a service, a log group, an environment or a watched command. Senders choose their names, so they are
//! counted in a fixed number of buckets and memory is bounded. The first ones get a bucket of their own; all others
//! share the rest by a hash of the name, so that whoever invents a name for every record takes from those that do the
//! same, not from those that were there before. Rows are counted by segments of consecutive numbers, so that the oldest
//! rows of a bucket are found without an index, which would cost an entry for every row that arrives.
//!
//! Counting begins when room is first needed. The counts are corrected whenever a segment is read, so it does no harm
//! if another process writes.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hasher as _};

/// How many rows a segment has.
pub(crate) const SEGMENT: i64 = 1_024;
const BUCKETS: usize = 512;
/// How many of them are for one sender each; the others are shared.
const OWN: usize = 384;

/// The bucket of a sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bucket(u16);

/// The senders that have a bucket of their own, by a hash of their name.
#[derive(Debug)]
pub(crate) struct Senders {
    own: HashMap<u64, u16>,
    free: Vec<u16>,
}

impl Default for Senders {
    fn default() -> Self {
        let own = u16::try_from(OWN).unwrap_or_default();
        Self { own: HashMap::new(), free: (0..own).rev().collect() }
    }
}

impl Senders {
    /// The bucket of a sender, its own as long as there are any.
    pub(crate) fn bucket(&mut self, sender: &str) -> Bucket {
        let mut hasher = DefaultHasher::new();
        hasher.write(sender.as_bytes());
        let hash = hasher.finish();
        if let Some(own) = self.own.get(&hash) {
            return Bucket(*own);
        }
        if let Some(own) = self.free.pop() {
            self.own.insert(hash, own);
            return Bucket(own);
        }
        let shared = OWN as u64 + hash % (BUCKETS - OWN) as u64;
        Bucket(u16::try_from(shared).unwrap_or_default())
    }

    /// Takes the buckets back of senders of which nothing is stored: `taken` says of a bucket whether anything is.
    pub(crate) fn free(&mut self, taken: impl Fn(Bucket) -> bool) {
        let Self { own, free } = self;
        own.retain(|_, bucket| {
            let kept = taken(Bucket(*bucket));
            if !kept {
                free.push(*bucket);
            }
            kept
        });
    }
}

/// The bytes of each bucket, in all and by segment.
#[derive(Debug)]
pub(crate) struct Shares {
    total: Vec<i64>,
    segments: BTreeMap<i64, Vec<(u16, i64)>>,
}

impl Default for Shares {
    fn default() -> Self {
        Self { total: vec![0; BUCKETS], segments: BTreeMap::new() }
    }
}

impl Shares {
    /// Adds what a row takes more than before, or less.
    pub(crate) fn add(&mut self, seq: i64, bucket: Bucket, bytes: i64) {
        self.add_to(seq.div_euclid(SEGMENT), bucket, bytes);
    }

    pub(crate) fn add_to(&mut self, segment: i64, Bucket(bucket): Bucket, bytes: i64) {
        self.total[usize::from(bucket)] += bytes;
        let counts = self.segments.entry(segment).or_default();
        match counts.iter_mut().find(|(known, _)| *known == bucket) {
            Some((_, count)) => *count += bytes,
            None => counts.push((bucket, bytes)),
        }
        if counts.iter().all(|(_, bytes)| *bytes <= 0) {
            self.segments.remove(&segment);
        }
    }

    /// Whether anything of a bucket is stored.
    pub(crate) fn has(&self, Bucket(bucket): Bucket) -> bool {
        self.total[usize::from(bucket)] > 0
    }

    /// Replaces the counts of a segment by what was read.
    pub(crate) fn correct(&mut self, segment: i64, rows: impl Iterator<Item = (Bucket, i64)>) {
        for (bucket, bytes) in self.segments.remove(&segment).unwrap_or_default() {
            self.total[usize::from(bucket)] -= bytes;
        }
        for (bucket, bytes) in rows {
            self.add_to(segment, bucket, bytes);
        }
    }

    /// The buckets that lose rows: those above a fair part, the mean, which is at most an eighth of the limit. What
    /// takes less is kept.
    pub(crate) fn large(&self, bodies: &Bodies, limit: u64) -> Large {
        // Of a sender without rows nothing can be dropped.
        let of = |(rows, bodies): (&i64, &i64)| if *rows > 0 { rows.saturating_add(*bodies) } else { 0 };
        let sums: Vec<i64> = self.total.iter().zip(&bodies.0).map(of).collect();
        let taking = || sums.iter().copied().filter(|bytes| *bytes > 0);
        let count = i64::try_from(taking().count()).unwrap_or(i64::MAX).max(1);
        let mean = taking().fold(0, i64::saturating_add) / count;
        let fair = mean.min(i64::try_from(limit / 8).unwrap_or(i64::MAX));
        Large(sums.iter().map(|bytes| *bytes > 0 && *bytes >= fair).collect())
    }

    /// The segment at or after `from` that has rows of large buckets.
    pub(crate) fn next(&self, from: i64, large: &Large) -> Option<i64> {
        let has = |counts: &[(u16, i64)]| counts.iter().any(|&(bucket, bytes)| bytes > 0 && large.has(Bucket(bucket)));
        self.segments.range(from..).find(|(_, counts)| has(counts)).map(|(segment, _)| *segment)
    }
}

/// The bytes of the resources and scopes that each bucket sent first, approximately: when unreferenced ones are
/// dropped, all counts are reduced alike.
#[derive(Debug)]
pub(crate) struct Bodies(Vec<i64>);

impl Default for Bodies {
    fn default() -> Self {
        Self(vec![0; BUCKETS])
    }
}

impl Bodies {
    pub(crate) fn add(&mut self, Bucket(bucket): Bucket, bytes: i64) {
        let count = &mut self.0[usize::from(bucket)];
        *count = count.saturating_add(bytes);
    }

    /// Reduces the counts to what is left of all.
    pub(crate) fn reduce_to(&mut self, left: u64) {
        let all: i128 = self.0.iter().copied().map(i128::from).sum();
        if all > i128::from(left) {
            for count in &mut self.0 {
                *count = i64::try_from(i128::from(*count) * i128::from(left) / all).unwrap_or(0);
            }
        }
    }
}

/// The buckets that lose rows.
pub(crate) struct Large(Vec<bool>);

impl Large {
    pub(crate) fn has(&self, Bucket(bucket): Bucket) -> bool {
        self.0[usize::from(bucket)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_least_is_kept() {
        let (mut shares, mut senders) = (Shares::default(), Senders::default());
        let (flood, quiet) = (senders.bucket("flood"), senders.bucket("quiet"));
        shares.add(1, quiet, 900);
        for seq in 2..5_000 {
            shares.add(seq, flood, 1_000);
        }
        let none = Bodies::default();
        let large = shares.large(&none, 1 << 40);
        assert!(large.has(flood) && !large.has(quiet));
        assert_eq!((shares.next(0, &large), shares.next(2, &large)), (Some(0), Some(2)));
        shares.correct(0, [(quiet, 900)].into_iter());
        let large = shares.large(&none, 1 << 40);
        assert_eq!(shares.next(0, &large), Some(1), "the first has none of it any more");
        // A sender above an eighth of the limit loses rows however much others take.
        shares.add(6_000, quiet, 1_000_000);
        let large = shares.large(&none, 8_000_000);
        assert!(large.has(quiet) && large.has(flood));
        let mut same = Shares::default();
        let [a, b, c, d] = ["a", "b", "c", "d"].map(|sender| senders.bucket(sender));
        for sender in [a, b, c] {
            same.add(1, sender, 10);
        }
        let large = same.large(&none, 1 << 40);
        assert!([a, b, c].iter().all(|sender| large.has(*sender)), "something can always go");
        // Resources count for the sender of the rows that refer to them.
        let mut bodies = Bodies::default();
        bodies.add(a, 1_000);
        bodies.add(d, 9_000);
        let large = same.large(&bodies, 1 << 40);
        assert!(large.has(a) && !large.has(b) && !large.has(d));
        bodies.reduce_to(1_000);
        assert_eq!(bodies.0.iter().sum::<i64>(), 1_000);
    }

    #[test]
    fn memory_does_not_grow_with_the_number_of_names() {
        let (mut shares, mut senders) = (Shares::default(), Senders::default());
        for n in 0..100_000 {
            shares.add(n, senders.bucket(&format!("service-{n}")), 1);
        }
        assert_eq!(senders.own.len(), OWN);
        assert_eq!(shares.total.len(), BUCKETS);
        assert!(shares.segments.values().all(|counts| counts.len() <= BUCKETS));
        assert_eq!(shares.total.iter().sum::<i64>(), 100_000);
    }

    #[test]
    fn a_name_for_every_record_takes_nothing_from_those_that_were_there_before() {
        let (mut shares, mut senders) = (Shares::default(), Senders::default());
        let quiet: Vec<Bucket> = (0..100).map(|n| senders.bucket(&format!("quiet-{n}"))).collect();
        for (seq, bucket) in (0..).zip(quiet.iter().cycle().take(2_000)) {
            shares.add(seq, *bucket, 400);
        }
        for seq in 2_000..22_000 {
            shares.add(seq, senders.bucket(&format!("flood-{seq}")), 400);
        }
        let large = shares.large(&Bodies::default(), 9 << 20);
        assert!(quiet.iter().all(|bucket| !large.has(*bucket)));
        assert!(large.has(senders.bucket("flood-21999")));
        // Buckets of senders that are gone are given to others.
        senders.free(|bucket| !quiet.contains(&bucket));
        assert_eq!(senders.free.len(), 100);
        let Bucket(again) = senders.bucket("another");
        assert!(usize::from(again) < OWN);
    }
}
