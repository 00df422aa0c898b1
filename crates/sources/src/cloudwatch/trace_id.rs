//! The trace that a log line names.

use tracebook_core::ids::TraceId;

/// The keys of trace ids, in lower case. What follows `root` must have X-Ray's form.
const KEYS: &[&str] = &["trace_id", "traceid", "oteltraceid", "aws-xray-trace-id", "traceparent", "root"];

/// The longest of [`KEYS`].
const LONGEST_KEY: usize = 17;

/// The trace id in a text: a field `trace_id`, `traceId`, `otelTraceID` or `AWS-XRAY-TRACE-ID` of a JSON object, else
/// the first `Root=1-…`, or X-Ray or W3C id after such a key (`trace_id=…`, `"traceId": "…"`, `traceparent: 00-…`).
pub fn trace_id_in(text: &str) -> Option<TraceId> {
    field_in(text).or_else(|| pair_in(text))
}

/// An object's own field takes precedence over nested or quoted ones.
fn field_in(text: &str) -> Option<TraceId> {
    if !text.trim_start().starts_with('{') {
        return None;
    }
    let mut found = None;
    // Text that only begins like JSON is searched as text afterwards.
    crate::json::members(text, |key, value| {
        if found.is_none()
            && key.len() <= LONGEST_KEY
            && KEYS.contains(&key.to_ascii_lowercase().as_str())
            && let Ok(id) = serde_json::from_str::<String>(value)
        {
            found = pair_in(&id).or_else(|| id_at(&id, &key));
        }
        Ok(())
    })
    .ok();
    found
}

/// The first `key=id` or `key: id` in a text, quoted or not.
fn pair_in(text: &str) -> Option<TraceId> {
    text.match_indices(['=', ':']).find_map(|(at, _)| {
        let before = text[..at].trim_end_matches(['"', '\'', '\\', ' ']);
        // The key must be close, so that a long run of blanks is not scanned again for every character.
        if at - before.len() > 4 {
            return None;
        }
        let key = key_before(before)?;
        id_at(&text[at + 1..], key)
    })
}

/// The word at the end of a text, if it is one of the keys.
fn key_before(text: &str) -> Option<&str> {
    let bytes = text.as_bytes();
    let is_key = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let length = bytes.iter().rev().take(LONGEST_KEY + 1).take_while(|byte| is_key(byte)).count();
    let key = &text[text.len() - length..];
    KEYS.iter().any(|known| key.eq_ignore_ascii_case(known)).then_some(key)
}

/// The id at the beginning of a text.
fn id_at(text: &str, key: &str) -> Option<TraceId> {
    const MAX_QUOTES: usize = 6;
    let quotes = text.bytes().take(MAX_QUOTES).take_while(|byte| matches!(byte, b'"' | b'\'' | b'\\' | b' ')).count();
    let text = &text[quotes..];
    // The longest is a traceparent, 55 characters.
    let length = text.bytes().take(60).take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'-').count();
    let id = &text[..length];
    if key.eq_ignore_ascii_case("traceparent") {
        return id.split('-').nth(1)?.parse().ok();
    }
    match key.eq_ignore_ascii_case("root") && !id.starts_with("1-") {
        true => None,
        false => id.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HEX: &str = "6b0459acd2fb2577c226bb0ed076fe79";

    #[test]
    fn lines_name_their_trace() {
        for line in [
            "Root=1-6b0459ac-d2fb2577c226bb0ed076fe79;Parent=53995c3f42cd8ad8;Sampled=1",
            "X-Amzn-Trace-Id: Root=1-6b0459ac-d2fb2577c226bb0ed076fe79",
            "2026-11-23 15:20:12 INFO [app] [trace_id=6b0459acd2fb2577c226bb0ed076fe79 span_id=1 trace_sampled=True] - hi",
            "trace_id: 6B0459ACD2FB2577C226BB0ED076FE79",
            "trace_id=1-6b0459ac-d2fb2577c226bb0ed076fe79",
            "trace_id=0x6b0459acd2fb2577c226bb0ed076fe79",
            "AWS-XRAY-TRACE-ID: 1-6b0459ac-d2fb2577c226bb0ed076fe79@53995c3f42cd8ad8 slow",
            "XRAY TraceId: 1-6b0459ac-d2fb2577c226bb0ed076fe79\tSegmentId: 1",
            "traceparent: 00-6b0459acd2fb2577c226bb0ed076fe79-53995c3f42cd8ad8-03",
            r#"{"message":"x","trace_id":"6b0459acd2fb2577c226bb0ed076fe79"}"#,
            r#"{"traceId" : "1-6b0459ac-d2fb2577c226bb0ed076fe79"}"#,
            r#"{"otelTraceID":"6b0459acd2fb2577c226bb0ed076fe79","otelSpanID":"1"}"#,
            r#"{"AWS-XRAY-TRACE-ID":"1-6b0459ac-d2fb2577c226bb0ed076fe79@53995c3f42cd8ad8"}"#,
            r#"{"traceId":"Root=1-6b0459ac-d2fb2577c226bb0ed076fe79;Sampled=1"}"#,
            r#"{"context":{"trace_id":"0x6b0459acd2fb2577c226bb0ed076fe79"}}"#,
            r#"{"message":"{\"trace_id\":\"6b0459acd2fb2577c226bb0ed076fe79\"}"}"#,
            r#"{"a":{"trace_id":"11111111111111111111111111111111"},"trace_id":"6b0459acd2fb2577c226bb0ed076fe79"}"#,
            r#"trace_id=0 then trace_id="6b0459acd2fb2577c226bb0ed076fe79""#,
            "{broken trace_id=6b0459acd2fb2577c226bb0ed076fe79",
            "é trace_id=6b0459acd2fb2577c226bb0ed076fe79é",
        ] {
            assert_eq!(trace_id_in(line).map(|id| id.to_string()).as_deref(), Some(HEX), "{line}");
        }
    }

    #[test]
    fn other_hex_is_not_a_trace_id() {
        for line in [
            "",
            "6b0459acd2fb2577c226bb0ed076fe79",
            "commit=6b0459acd2fb2577c226bb0ed076fe79",
            "my_trace_id=6b0459acd2fb2577c226bb0ed076fe79",
            "trace_id=00000000000000000000000000000000",
            "trace_id=6b0459acd2fb2577c226bb0ed076fe79a",
            "trace_id=6b0459acd2fb2577",
            "root=6b0459acd2fb2577c226bb0ed076fe79",
            "trace_id=é",
            "traceparent: 00-53995c3f42cd8ad8-01",
            r#"{"otelTraceID":"0","trace_id":12}"#,
            "trace_id=",
            "=",
        ] {
            assert_eq!(trace_id_in(line), None, "{line}");
        }
    }

    #[test]
    fn a_long_line_is_searched_in_one_pass() {
        for line in ["=".repeat(1 << 20), "a:".repeat(1 << 19), "\" =".repeat(1 << 18), "trace_id=".repeat(1 << 17)] {
            assert_eq!(trace_id_in(&line), None);
        }
        let blanks = format!("{}=", " ".repeat(1 << 10)).repeat(1 << 8);
        assert_eq!(trace_id_in(&blanks), None);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in r#"[\{"]{0,2}\PC{0,20}(trace_id|root|TraceId)?[ "\\]{0,3}[=:]\PC{0,70}"#) {
            trace_id_in(&text);
        }

        #[test]
        fn every_written_id_is_found(bytes: [u8; 16], prefix in "[a-z \\[]{0,30}", xray: bool) {
            prop_assume!(bytes != [0; 16]);
            let id = TraceId(bytes);
            let written = if xray { id.xray() } else { id.to_string() };
            prop_assert_eq!(trace_id_in(&format!("{prefix} trace_id={written} rest")), Some(id));
        }
    }
}
