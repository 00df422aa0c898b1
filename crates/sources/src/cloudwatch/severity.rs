//! The severity of a log event, as far as its text says so.

/// The words that loggers write, most of them at the beginning of a line.
const WORDS: &[&str] = &[
    "TRACE",
    "DEBUG",
    "INFO",
    "NOTICE",
    "WARN",
    "WARNING",
    "ERROR",
    "SEVERE",
    "CRITICAL",
    "ALERT",
    "EMERGENCY",
    "FATAL",
];

/// A word that begins later than this is part of the message.
const WITHIN: usize = 40;

/// The severity that a message contains, as written: the field `level`, `levelname` or `severity` of a JSON message, or
/// the first word such as `ERROR` near the beginning. Empty if there is none.
pub fn severity_in(message: &str) -> String {
    field_in(message).or_else(|| word_in(message).map(str::to_owned)).unwrap_or_default()
}

fn field_in(message: &str) -> Option<String> {
    const LONGEST: usize = 20;
    if !message.trim_start().starts_with('{') {
        return None;
    }
    let mut found = None;
    // What came before an error in the JSON counts: such a message is shown as text all the same.
    crate::json::members(message, |key, value| {
        if found.is_none()
            && matches!(key.as_ref(), "level" | "levelname" | "severity")
            && let Ok(word) = serde_json::from_str::<String>(value)
            && (1..=LONGEST).contains(&word.len())
        {
            found = Some(word);
        }
        Ok(())
    })
    .ok();
    found
}

fn word_in(message: &str) -> Option<&str> {
    let mut rest = message;
    loop {
        let start = rest.find(|c: char| c.is_ascii_alphanumeric())?;
        let word = &rest[start..];
        if message.len() - word.len() >= WITHIN {
            return None;
        }
        let end = word.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(word.len());
        if WORDS.contains(&&word[..end]) {
            return Some(&word[..end]);
        }
        rest = &word[end..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn severities_of_common_loggers_are_found() {
        for (message, severity) in [
            ("ERROR:cruddur:no such user", "ERROR"),
            ("2026-11-23 15:20:12,231 WARNING app: slow", "WARNING"),
            ("[INFO]\t2026-11-23T15:20:12Z\tstart", "INFO"),
            (r#"{"msg":"ERROR","level":"warn"}"#, "warn"),
            (r#"{"levelname":"INFO","message":"x"}"#, "INFO"),
            (r#"{"severity":3,"a":1}"#, ""),
            ("[2026-Nov-23 15:20] 127.0.0.1 GET http /api/activities/home? 200 OK", ""),
            ("the request has come to its end, and in it we saw an ERROR", ""),
            ("ERRORS_SEEN=0", ""),
            ("no error at all", ""),
            ("", ""),
        ] {
            assert_eq!(severity_in(message), severity, "{message}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(message in r#"[\{ ]{0,2}\PC{0,60}"#) {
            severity_in(&message);
        }
    }
}
