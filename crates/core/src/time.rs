//! Timestamps and durations in nanoseconds, and their text forms.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Nanoseconds since the Unix epoch, UTC: 1677 to 2262.
///
/// A decimal string in JSON, since numbers in JavaScript and RFC 8785 are exact only up to 2^53.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, ts_rs::TS)]
#[ts(as = "String")]
pub struct Nanos(pub i64);

impl Nanos {
    /// From whole milliseconds since the epoch, clamped to the range.
    pub fn from_millis(millis: i64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }

    /// Whole milliseconds since the epoch, rounded down.
    pub fn millis(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// From seconds with a fraction, as X-Ray writes them.
    ///
    /// Uses the shortest decimal form of the float, which keeps the digits that the sender wrote. `None` for NaN,
    /// infinities and values out of range.
    pub fn from_seconds(seconds: f64) -> Option<Self> {
        if !seconds.is_finite() || seconds.abs() > 9.2e9 {
            return None;
        }
        let text = format!("{}", seconds.abs());
        let (whole, fraction) = text.split_once('.').unwrap_or((text.as_str(), ""));
        let mut nanos: i64 = whole.parse::<i64>().ok()?.checked_mul(1_000_000_000)?;
        let mut digits: String = fraction.chars().take(9).collect();
        while digits.len() < 9 {
            digits.push('0');
        }
        nanos = nanos.checked_add(digits.parse::<i64>().ok()?)?;
        Some(Self(if seconds < 0.0 { -nanos } else { nanos }))
    }

    /// RFC 3339 in UTC with milliseconds, the format of the command line:
    /// `2026-11-23T15:20:12.231Z`.
    pub fn rfc3339(self) -> String {
        self.format(3)
    }

    /// RFC 3339 in UTC with all nine digits of the fraction.
    pub fn rfc3339_nanos(self) -> String {
        self.format(9)
    }

    /// `2026-11-23 15:20:12 UTC`, for captions.
    pub fn human(self) -> String {
        let text = self.format(0);
        text.trim_end_matches('Z').replace('T', " ") + " UTC"
    }

    fn format(self, digits: usize) -> String {
        let seconds = self.0.div_euclid(1_000_000_000);
        let fraction = self.0.rem_euclid(1_000_000_000);
        let Ok(stamp) = jiff::Timestamp::from_second(seconds) else {
            return format!("{}ns", self.0);
        };
        let civil = jiff::tz::TimeZone::UTC.to_datetime(stamp);
        let base = format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}",
            civil.year(),
            civil.month(),
            civil.day(),
            civil.hour(),
            civil.minute(),
            civil.second()
        );
        if digits == 0 {
            return base + "Z";
        }
        let all = format!("{fraction:09}");
        format!("{base}.{}Z", &all[..digits])
    }

    /// Reads any RFC 3339 time.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let stamp: jiff::Timestamp = text.parse().ok()?;
        i64::try_from(stamp.as_nanosecond()).ok().map(Self)
    }
}

/// A time zone, to read times as people write them.
#[derive(Clone, Debug)]
pub struct Zone(jiff::tz::TimeZone);

impl Zone {
    pub fn utc() -> Self {
        Self(jiff::tz::TimeZone::UTC)
    }

    /// From the bytes of a TZif file, such as `/etc/localtime`.
    pub fn tzif(bytes: &[u8]) -> Option<Self> {
        jiff::tz::TimeZone::tzif("local", bytes).ok().map(Self)
    }

    /// From a POSIX rule, such as `CET-1CEST,M3.5.0,M10.5.0/3`.
    pub fn posix(rule: &str) -> Option<Self> {
        jiff::tz::TimeZone::posix(rule).ok().map(Self)
    }

    /// Reads RFC 3339, or a time of this zone: `2026-11-23 15:20`, `2026-11-23`, `15:20` (of the day of `now`).
    pub fn read(&self, text: &str, now: Nanos) -> Option<Nanos> {
        let text = text.trim();
        if let Some(time) = Nanos::parse_rfc3339(text) {
            return Some(time);
        }
        let civil = match text.parse::<jiff::civil::Time>() {
            Ok(time) if !text.contains('-') => {
                let today = self.0.to_datetime(jiff::Timestamp::from_second(now.0.div_euclid(1_000_000_000)).ok()?);
                today.date().to_datetime(time)
            }
            _ => text.parse::<jiff::civil::DateTime>().ok()?,
        };
        let stamp = self.0.to_timestamp(civil).ok()?;
        i64::try_from(stamp.as_nanosecond()).ok().map(Nanos)
    }
}

impl fmt::Display for Nanos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339())
    }
}

impl Serialize for Nanos {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Nanos {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse()
            .map(Self)
            .map_err(|_| de::Error::custom(format!("{text:?} is not a decimal number of nanoseconds")))
    }
}

/// A duration for display: `12.4 ms`, `1.25 s`, `830 µs`, `3 m 05 s`. Input in nanoseconds.
pub fn human_duration(nanos: i64) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let nanos = nanos.unsigned_abs();
    #[expect(clippy::cast_precision_loss, reason = "rounded to three figures just below")]
    let value = nanos as f64;
    let three = |v: f64| {
        let text = if v >= 99.95 {
            format!("{v:.0}")
        } else if v >= 9.995 {
            format!("{v:.1}")
        } else {
            format!("{v:.2}")
        };
        match text.contains('.') {
            true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
            false => text,
        }
    };
    // Values that three digits would round up to the next unit use that unit.
    let body = match nanos {
        0 => "0 ms".to_owned(),
        1..1_000 => format!("{nanos} ns"),
        1_000..999_500 => format!("{} µs", three(value / 1e3)),
        999_500..999_500_000 => format!("{} ms", three(value / 1e6)),
        999_500_000..59_950_000_000 => format!("{} s", three(value / 1e9)),
        _ => {
            let seconds = nanos.max(60_000_000_000) / 1_000_000_000;
            match seconds {
                0..3600 => format!("{} m {:02} s", seconds / 60, seconds % 60),
                _ => format!("{} h {:02} m", seconds / 3600, seconds / 60 % 60),
            }
        }
    };
    format!("{sign}{body}")
}

/// Parses a duration: `15m`, `2h`, `90s`, `250ms`, `10us`, `7d`, `1.5s`.
/// Returns nanoseconds.
pub fn parse_duration(text: &str) -> Option<i64> {
    let text = text.trim();
    let split = text.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
    let (number, unit) = text.split_at(split);
    let number: f64 = number.parse().ok()?;
    let factor = match unit.trim() {
        "ns" => 1.0,
        "us" | "µs" => 1e3,
        "ms" => 1e6,
        "s" => 1e9,
        "m" | "min" => 6e10,
        "h" => 3.6e12,
        "d" => 8.64e13,
        "w" => 6.048e14,
        _ => return None,
    };
    let nanos = number * factor;
    #[expect(clippy::cast_possible_truncation, reason = "range checked in the same line")]
    (nanos.is_finite() && nanos < 9.2e18).then_some(nanos.round() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        let zone = Zone::posix("CET-1CEST,M3.5.0,M10.5.0/3").expect("a rule");
        let now = Nanos::parse_rfc3339("2026-11-23T23:30:00Z").expect("a time");
        for (text, wanted) in [
            ("2026-11-23T15:20:00Z", "2026-11-23T15:20:00.000Z"),
            ("2026-11-23T15:20:00+05:30", "2026-11-23T09:50:00.000Z"),
            ("2026-11-23 15:20", "2026-11-23T14:20:00.000Z"),
            (" 2026-11-23T15:20:05.5 ", "2026-11-23T14:20:05.500Z"),
            ("2026-07-01", "2026-06-30T22:00:00.000Z"),
            ("15:20", "2026-11-24T14:20:00.000Z"),
            ("09:05:10", "2026-11-24T08:05:10.000Z"),
        ] {
            assert_eq!(zone.read(text, now).map(Nanos::rfc3339).as_deref(), Some(wanted), "{text}");
        }
        for text in ["", "soon", "15m", "25:00", "2026-13-01", "1795447213", "-"] {
            assert_eq!(zone.read(text, now), None, "{text}");
        }
        assert!(Zone::tzif(b"no").is_none() && Zone::posix("Not a rule!").is_none());
        assert_eq!(Zone::utc().read("12:00", Nanos(0)), Some(Nanos(43_200_000_000_000)));
    }

    #[test]
    fn seconds_keep_the_digits_that_were_written() {
        assert_eq!(Nanos::from_seconds(1_795_447_213.087_028), Some(Nanos(1_795_447_213_087_028_000)));
        assert_eq!(Nanos::from_seconds(1_795_447_213.088_983_8), Some(Nanos(1_795_447_213_088_983_800)));
        assert_eq!(Nanos::from_seconds(0.0), Some(Nanos(0)));
        assert_eq!(Nanos::from_seconds(f64::NAN), None);
        assert_eq!(Nanos::from_seconds(1e300), None);
    }

    #[test]
    fn written_times_read_back() {
        let t = Nanos(1_795_447_213_087_028_123);
        assert_eq!(t.rfc3339(), "2026-11-23T15:20:13.087Z");
        assert_eq!(Nanos::parse_rfc3339(&t.rfc3339_nanos()), Some(t));
        assert_eq!(t.human(), "2026-11-23 15:20:13 UTC");
        assert_eq!(Nanos(i64::MIN).rfc3339_nanos().len(), 30, "the far end still has a written form");
    }

    #[test]
    fn durations_are_parsed_and_formatted() {
        for (n, text) in [
            (0, "0 ms"),
            (830, "830 ns"),
            (12_400_000, "12.4 ms"),
            (100_000_000, "100 ms"),
            (1_250_000_000, "1.25 s"),
            (185_000_000_000, "3 m 05 s"),
            (999_999, "1 ms"),
            (999_499, "999 µs"),
            (999_999_999, "1 s"),
            (59_999_999_999, "1 m 00 s"),
            (-5_000_000, "-5 ms"),
        ] {
            assert_eq!(human_duration(n), text);
        }
        assert_eq!(parse_duration("15m"), Some(900_000_000_000));
        assert_eq!(parse_duration("1.5s"), Some(1_500_000_000));
        assert_eq!(parse_duration("100"), None, "a unit is required: 100 what?");
        assert_eq!(parse_duration("ms"), None);
    }
}
