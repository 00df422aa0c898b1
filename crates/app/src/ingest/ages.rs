//! How old telemetry is for certain, whatever the machine's clock says.
//!
//! Arrivals are stored by the clock of the machine, which can be wrong: a machine starts a year ahead, or a year behind
//! until the network sets it. Age is therefore counted by the time that certainly passed: while a process runs, and
//! between two processes since the same start of the machine, by the machine's monotonic clock; across a start of the
//! machine by the clock, but at most [`GAP`], by which data can go too early. A *mark* says that everything with an
//! arrival up to a moment of the clock was there when a certain time had passed. What is deleted is what a mark has
//! that is as old as the limit.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use tracebook_core::time::Nanos;

/// The file in the data directory. Without it, ages are counted from now on.
const FILE: &str = "telemetry.ages";

/// What a pause across a start of the machine counts at most: the clock may be wrong by any amount.
const GAP: Duration = Duration::from_hours(24);

/// Between two marks, but for long limits.
const SPACING: Duration = Duration::from_hours(1);
/// Marks for the time of one limit, at most.
const MOST: u32 = 256;

/// The least time between two writes of the file.
const SAVED: Duration = Duration::from_secs(120);

/// The clocks at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Look {
    /// The clock of the machine.
    #[serde(with = "clock")]
    pub(super) now: Nanos,
    /// Time since the machine started, suspension included.
    pub(super) since_boot: Duration,
    /// Which start of the machine; empty if unknown.
    pub(super) boot: String,
}

/// Everything that arrived up to `arrival` was there when `passed` had passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Mark {
    passed: Duration,
    #[serde(with = "clock")]
    arrival: Nanos,
}

/// Ages that can be relied on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ages {
    /// The time that certainly passed since ages are counted.
    passed: Duration,
    last: Look,
    /// In order.
    marks: Vec<Mark>,
}

impl Ages {
    /// Counts from now on. The clock is believed for what is stored if it agrees with the newest arrival: not before
    /// it, and at most [`GAP`] after it; and if it was not set back by more than that since something arrived.
    pub(super) fn new(look: Look, newest: Option<Nanos>, set_back: Option<Nanos>, limit: Duration) -> Self {
        let passed = limit.saturating_add(SPACING);
        let mut marks = Vec::new();
        let since = newest.map(|newest| i128::from(look.now.0) - i128::from(newest.0));
        let steady = set_back.is_none_or(|by| i128::from(by.0) <= nanos(GAP));
        if steady && since.is_none_or(|since| (0..=nanos(GAP)).contains(&since)) {
            let spacing = spacing(limit);
            marks.extend((0..=MOST + 1).rev().filter_map(|n| {
                let ago = spacing.checked_mul(n)?;
                Some(Mark { passed: passed.checked_sub(ago)?, arrival: earlier(look.now, ago) })
            }));
        } else {
            marks.push(Mark { passed, arrival: look.now });
        }
        Self { passed, last: look, marks }
    }

    /// Goes on where an earlier process ended.
    pub(super) fn resumed(mut self, look: Look, limit: Duration) -> Self {
        let same = !look.boot.is_empty() && look.boot == self.last.boot;
        match look.since_boot.checked_sub(self.last.since_boot).filter(|_| same) {
            Some(passed) => self.advance(look, passed, limit),
            None => {
                let by_clock = u64::try_from(look.now.0.saturating_sub(self.last.now.0)).unwrap_or(0);
                self.advance(look, Duration::from_nanos(by_clock).min(GAP), limit);
            }
        }
        self
    }

    /// Takes notice of the clocks, in the process that looked at them before.
    pub(super) fn look(&mut self, look: Look, limit: Duration) {
        let passed = look.since_boot.saturating_sub(self.last.since_boot);
        self.advance(look, passed, limit);
    }

    fn advance(&mut self, look: Look, passed: Duration, limit: Duration) {
        self.passed = self.passed.saturating_add(passed);
        if look.now < self.last.now {
            // What arrives from now on has earlier times than these marks, and is not as old as they say.
            self.marks.retain(|mark| mark.arrival <= look.now);
        }
        let due = self.marks.last().is_none_or(|last| self.passed.saturating_sub(last.passed) >= spacing(limit));
        if due {
            self.marks.push(Mark { passed: self.passed, arrival: look.now });
        }
        // The last one that is old enough, and those that are not.
        let old = self.old(limit).saturating_sub(1);
        self.marks.drain(..old);
        self.last = look;
    }

    /// How many marks are as old as the limit.
    fn old(&self, limit: Duration) -> usize {
        self.marks.partition_point(|mark| mark.passed.saturating_add(limit) <= self.passed)
    }

    /// What arrived before this time is older than the limit.
    pub(super) fn oldest_kept(&self, limit: Duration) -> Nanos {
        let last = self.old(limit).checked_sub(1).and_then(|last| self.marks.get(last));
        last.map_or(Nanos(i64::MIN), |mark| mark.arrival)
    }
}

/// Between two marks.
fn spacing(limit: Duration) -> Duration {
    SPACING.max(limit / MOST)
}

fn nanos(duration: Duration) -> i128 {
    i128::try_from(duration.as_nanos()).unwrap_or(i128::MAX)
}

fn earlier(now: Nanos, by: Duration) -> Nanos {
    Nanos(now.0.saturating_sub(i64::try_from(by.as_nanos()).unwrap_or(i64::MAX)))
}

/// Ages in the file of a data directory.
#[derive(Debug)]
pub(super) struct Kept {
    path: PathBuf,
    saved: Option<Look>,
    failed: bool,
}

impl Kept {
    pub(super) fn new(data_dir: &Path) -> Self {
        Self { path: data_dir.join(FILE), saved: None, failed: false }
    }

    /// What an earlier process wrote, if it can be read.
    pub(super) fn read(&self) -> Option<Ages> {
        let text = std::fs::read(&self.path).ok()?;
        let ages: Ages = serde_json::from_slice(&text).ok()?;
        // Whatever else is in there would be believed.
        ages.marks.is_sorted_by_key(|mark| mark.passed).then_some(ages)
    }

    /// Writes now and then. A start after a crash counts a little less than passed.
    pub(super) fn write(&mut self, ages: &Ages) {
        let recent = self.saved.as_ref().is_some_and(|saved| {
            ages.last.since_boot.saturating_sub(saved.since_boot) < SAVED && ages.last.now >= saved.now
        });
        if recent {
            return;
        }
        self.saved = Some(ages.last.clone());
        let written =
            serde_json::to_vec(ages).map_err(std::io::Error::other).and_then(|json| replace(&self.path, &json));
        match written {
            Ok(()) => self.failed = false,
            Err(error) if !self.failed => {
                self.failed = true;
                tracing::warn!(%error, "the age of telemetry could not be noted: after a restart it counts as younger");
            }
            Err(_) => {}
        }
    }
}

/// Replaces a file as a whole. The new one has mode 0600.
fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(path.parent().unwrap_or(Path::new(".")))?;
    file.write_all(bytes)?;
    file.persist(path).map(drop).map_err(|error| error.error)
}

/// Nanoseconds since 1970 as a number.
mod clock {
    use serde::{Deserialize as _, Deserializer, Serializer};

    use tracebook_core::time::Nanos;

    pub(super) fn serialize<S: Serializer>(time: &Nanos, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_i64(time.0)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Nanos, D::Error> {
        i64::deserialize(from).map(Nanos)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000_000_000;
    const DAY: i64 = 24 * HOUR;
    const YEAR: i64 = 365 * DAY;
    const WEEK: Duration = Duration::from_hours(7 * 24);
    const START: i64 = 1_795_000_000_000_000_000;

    /// A machine with a clock that can be set.
    struct Machine {
        /// What has really passed, in nanoseconds.
        real: i64,
        booted: i64,
        boots: u32,
        /// How far the clock is off.
        off: i64,
        /// Arrivals of what is stored: when it really arrived, and by the clock.
        stored: Vec<(i64, i64)>,
        ages: Option<Ages>,
    }

    impl Machine {
        fn new() -> Self {
            Self { real: 0, booted: 0, boots: 1, off: 0, stored: Vec::new(), ages: None }
        }

        fn see(&self) -> Look {
            Look {
                now: Nanos(START + self.real + self.off),
                since_boot: Duration::from_nanos((self.real - self.booted).unsigned_abs()),
                boot: self.boots.to_string(),
            }
        }

        /// Starts the program.
        fn start(&mut self) {
            let newest = self.stored.iter().map(|(_, clock)| Nanos(*clock)).max();
            let saved = self.ages.take().map(|ages| serde_json::to_string(&ages).expect("JSON"));
            self.ages = Some(match saved {
                Some(saved) => serde_json::from_str::<Ages>(&saved).expect("JSON").resumed(self.see(), WEEK),
                None => {
                    let last = self.stored.last().map(|(_, clock)| Nanos(*clock));
                    let set_back = newest.zip(last).map(|(newest, last)| Nanos(newest.0 - last.0));
                    Ages::new(self.see(), newest, set_back, WEEK)
                }
            });
            self.trim();
        }

        /// Runs, and stores something every hour. What is deleted must be older than the limit.
        fn run(&mut self, hours: i64) {
            for _ in 0..hours {
                self.real += HOUR;
                self.stored.push((self.real, self.see().now.0));
                let look = self.see();
                self.ages.as_mut().expect("it runs").look(look, WEEK);
                self.trim();
            }
        }

        fn trim(&mut self) {
            let before = self.ages.as_ref().expect("it runs").oldest_kept(WEEK);
            let real = self.real;
            // Each start of the machine may count a day that did not pass.
            let least = 7 * DAY - i64::from(self.boots - 1) * DAY;
            self.stored.retain(|(arrived, clock)| {
                let kept = *clock >= before.0;
                assert!(kept || real - arrived >= least, "deleted after {} hours", (real - arrived) / HOUR);
                kept
            });
        }

        /// Off for some days, and started again.
        fn reboot(&mut self, days: i64) {
            self.real += days * DAY;
            self.booted = self.real;
            self.boots += 1;
        }

        fn oldest_hours(&self) -> i64 {
            self.stored.iter().map(|(arrived, _)| (self.real - arrived) / HOUR).max().unwrap_or(0)
        }
    }

    #[test]
    fn a_week_is_kept_while_the_clock_is_right() {
        let mut machine = Machine::new();
        machine.start();
        machine.run(30 * 24);
        assert!((7 * 24..7 * 24 + 3).contains(&machine.oldest_hours()), "{} hours", machine.oldest_hours());
        assert!(machine.ages.as_ref().expect("it runs").marks.len() < 200);
    }

    #[test]
    fn nothing_is_deleted_early_whatever_the_clock_does_while_it_runs() {
        for jump in [YEAR, -YEAR, 3 * DAY, -3 * DAY, HOUR, -HOUR, 20 * YEAR, -30 * YEAR] {
            let mut machine = Machine::new();
            machine.start();
            machine.run(100);
            machine.off = jump;
            machine.run(50);
            machine.off = 0;
            // `trim` checks that what goes is old enough.
            machine.run(2 * 24);
            let during = machine.stored.iter().filter(|(arrived, _)| (101 * HOUR..=150 * HOUR).contains(arrived));
            assert_eq!(during.count(), 50, "{jump}: all that arrived under the wrong clock is kept for a week");
            machine.run(10 * 24);
            let under_right_clock = machine.stored.iter().filter(|(arrived, _)| *arrived <= 100 * HOUR).count();
            assert_eq!(under_right_clock, 0, "{jump}: and what is old goes");
        }
    }

    #[test]
    fn a_start_with_a_wrong_clock_deletes_nothing_early() {
        for (known, off) in
            [(true, YEAR), (false, YEAR), (true, -YEAR), (false, -YEAR), (true, 8 * DAY), (false, 8 * DAY)]
        {
            let mut machine = Machine::new();
            machine.start();
            machine.run(48);
            machine.reboot(0);
            machine.off = off;
            if !known {
                machine.ages = None;
            }
            machine.start();
            assert_eq!(machine.stored.len(), 48, "{off}");
            machine.run(24);
            // The clock is corrected, while it runs or before the next start.
            machine.off = 0;
            machine.run(24);
            machine.reboot(0);
            machine.start();
            machine.run(24);
            machine.run(9 * 24);
            let left = machine.stored.iter().filter(|(arrived, _)| *arrived <= 72 * HOUR);
            // What came under a clock that was ahead has its time before it.
            assert_eq!(left.count(), if off > 0 { 24 } else { 0 }, "{known} {off}");
        }
    }

    #[test]
    fn a_clock_that_was_set_back_is_not_believed_for_what_is_stored() {
        let mut machine = Machine::new();
        machine.start();
        machine.run(24);
        machine.off = YEAR;
        machine.run(24);
        machine.off = 0;
        machine.run(24);
        // Without the file, the clock agrees with what arrived while it was wrong.
        machine.off = YEAR;
        machine.ages = None;
        machine.start();
        machine.run(24);
        assert_eq!(machine.stored.len(), 96);
    }

    #[test]
    fn a_pause_counts_a_day_after_a_start_of_the_machine_and_wholly_without() {
        let mut machine = Machine::new();
        machine.start();
        machine.run(24);
        machine.reboot(40);
        machine.start();
        assert_eq!(machine.stored.len(), 24, "a clock 40 days ahead looks the same");
        machine.run(6 * 24 + 2);
        // What arrived at the moment of a mark goes with the next one.
        let old = machine.stored.iter().filter(|(arrived, _)| *arrived <= 24 * HOUR);
        assert!(old.count() <= 1, "{}", machine.oldest_hours());

        let mut machine = Machine::new();
        machine.start();
        machine.run(24);
        // Suspended, or the program did not run.
        machine.real += 40 * DAY;
        machine.start();
        assert!(machine.stored.len() <= 1, "{}", machine.stored.len());

        // One hour a week, with a start of the machine each time: it goes after seven starts.
        let mut machine = Machine::new();
        for _ in 0..20 {
            machine.start();
            machine.run(1);
            machine.reboot(7);
        }
        assert!(machine.stored.len() <= 9, "{}", machine.stored.len());
    }

    #[test]
    fn limits_can_be_very_long() {
        let look = |hours: u64| Look {
            now: Nanos(START + i64::try_from(hours).expect("small") * HOUR),
            since_boot: Duration::from_hours(hours),
            boot: "a".to_owned(),
        };
        for limit in [Duration::from_hours(24 * 400), Duration::from_hours(24 * u64::from(u32::MAX))] {
            let mut ages = Ages::new(look(0), None, None, limit);
            for hours in 1..2_000 {
                ages.look(look(hours), limit);
            }
            assert!(ages.marks.len() < 600, "{}", ages.marks.len());
            assert!(ages.oldest_kept(limit).0 < START);
        }
    }

    #[test]
    fn a_file_that_is_damaged_is_as_none() {
        let dir = tempfile::TempDir::new().expect("a temporary directory");
        let mut kept = Kept::new(dir.path());
        assert_eq!(kept.read(), None);
        let machine = Machine::new();
        let ages = Ages::new(machine.see(), None, None, WEEK);
        kept.write(&ages);
        assert_eq!(kept.read(), Some(ages));
        for text in ["", "{}", "{\"passed\":1}", "[", "\0\0"] {
            std::fs::write(dir.path().join(FILE), text).expect("writes");
            assert_eq!(kept.read(), None, "{text}");
        }
    }
}
