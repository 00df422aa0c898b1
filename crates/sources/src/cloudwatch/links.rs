//! Links to log groups, streams, events and queries in the CloudWatch console.
//!
//! AWS does not document these URLs; they are what its console makes and many tools build. Names are escaped with
//! `encodeURIComponent` applied twice, with `%` written as `$`: `/` becomes `$252F`. A query is in JSURL. An invalid
//! name of a region, group or stream makes no link.

use tracebook_core::time::Nanos;

use crate::aws::is_region;
use crate::cloud::Range;

/// The longest query that is put into a URL.
const MAX_QUERY_LENGTH: usize = 6_000;

pub fn group(region: &str, group: &str) -> Option<String> {
    Some(format!("{}log-groups/log-group/{}", home(region)?, group_name(group)?))
}

pub fn stream(region: &str, group: &str, stream: &str) -> Option<String> {
    let stream = stream_name(stream)?;
    Some(format!("{}log-groups/log-group/{}/log-events/{stream}", home(region)?, group_name(group)?))
}

/// A group's events, or one stream's, by a filter pattern (which may be empty) and a range.
pub fn events(region: &str, group: &str, stream: Option<&str>, pattern: &str, range: Range) -> Option<String> {
    let mut link = format!("{}log-groups/log-group/{}/log-events", home(region)?, group_name(group)?);
    if let Some(stream) = stream {
        link.push('/');
        link.push_str(&stream_name(stream)?);
    }
    if pattern.len() > MAX_QUERY_LENGTH {
        return None;
    }
    let (from, until) = (range.from.millis(), range.until.millis());
    Some(format!("{link}$3FfilterPattern$3D{}$26start$3D{from}$26end$3D{until}", twice(pattern)))
}

/// An Insights query with its groups and range.
pub fn insights(region: &str, groups: &[String], query: &str, range: Range) -> Option<String> {
    if query.len() > MAX_QUERY_LENGTH || groups.len() > 50 {
        return None;
    }
    let mut sources = String::new();
    for group in groups {
        group_name(group)?;
        sources.push_str("~'");
        sources.push_str(&jsurl(group));
    }
    let time = |moment: Nanos| jsurl(&moment.rfc3339());
    Some(format!(
        "{}logs-insights$3FqueryDetail$3D~(end~'{}~start~'{}~timeType~'ABSOLUTE~tz~'UTC~editorString~'{}~source~({sources}))",
        home(region)?,
        time(range.until),
        time(range.from),
        jsurl(query),
    ))
}

/// The beginning of every URL; `None` if the region is invalid.
fn home(region: &str) -> Option<String> {
    let domain = match region {
        r if r.starts_with("cn-") => "console.amazonaws.cn",
        r if r.starts_with("us-gov-") => "console.amazonaws-us-gov.com",
        r if r.starts_with("eusc-") => "console.amazonaws-eusc.eu",
        _ => "console.aws.amazon.com",
    };
    is_region(region).then(|| format!("https://{region}.{domain}/cloudwatch/home?region={region}#logsV2:"))
}

fn group_name(group: &str) -> Option<String> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'/' | b'#');
    ((1..=512).contains(&group.len()) && group.bytes().all(plain)).then(|| twice(group))
}

fn stream_name(stream: &str) -> Option<String> {
    let valid = (1..=512).contains(&stream.chars().count())
        && !stream.contains([':', '*'])
        && !stream.chars().any(char::is_control);
    valid.then(|| twice(stream))
}

/// `encodeURIComponent` twice, with `$` for `%`.
fn twice(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b if b.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&b) => out.push(char::from(b)),
            b => out.push_str(&format!("$25{b:02X}")),
        }
    }
    out
}

/// A string in JSURL: `*` and two hex digits, or `**` and four, for everything but letters, digits, `-`, `_` and `.`;
/// `!` for `$`.
fn jsurl(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for unit in text.encode_utf16() {
        match u8::try_from(unit) {
            Ok(b'$') => out.push('!'),
            Ok(b) if b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.') => out.push(char::from(b)),
            Ok(b) => out.push_str(&format!("*{b:02x}")),
            Err(_) => out.push_str(&format!("**{unit:04x}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HOME: &str = "https://eu-central-1.console.aws.amazon.com/cloudwatch/home?region=eu-central-1#logsV2:";

    fn range() -> Range {
        Range { from: Nanos::from_millis(1_795_447_200_000), until: Nanos::from_millis(1_795_450_800_000) }
    }

    #[test]
    fn names_are_encoded_as_the_console_does() {
        // The examples are those of https://stackoverflow.com/questions/60796991 and the repositories that build the
        // same.
        let region = "eu-central-1";
        assert_eq!(
            group(region, "/aws/lambda/x"),
            Some(format!("{HOME}log-groups/log-group/$252Faws$252Flambda$252Fx"))
        );
        assert_eq!(
            stream(region, "/aws/lambda/x", "2026/11/23/[$LATEST]0123abcd"),
            Some(format!(
                "{HOME}log-groups/log-group/$252Faws$252Flambda$252Fx/log-events/2026$252F11$252F23$252F$255B$2524LATEST$255D0123abcd"
            ))
        );
        assert_eq!(
            events(region, "cruddur", None, "\"GET /api\" -200", range()),
            Some(format!(
                "{HOME}log-groups/log-group/cruddur/log-events$3FfilterPattern$3D$2522GET$2520$252Fapi$2522$2520-200$26start$3D1795447200000$26end$3D1795450800000"
            ))
        );
        assert_eq!(
            events(region, "cruddur", Some("a/b"), "", range()),
            Some(format!(
                "{HOME}log-groups/log-group/cruddur/log-events/a$252Fb$3FfilterPattern$3D$26start$3D1795447200000$26end$3D1795450800000"
            ))
        );
    }

    #[test]
    fn a_query_is_written_in_jsurl() {
        let groups = ["/aws/lambda/x".to_owned(), "cruddur".to_owned()];
        assert_eq!(
            insights("eu-central-1", &groups, "fields @message\n| filter @message like /é$/", range()),
            Some(format!(
                "{HOME}logs-insights$3FqueryDetail$3D~(end~'2026-11-23T16*3a20*3a00.000Z~start~'2026-11-23T15*3a20*3a00.000Z\
                 ~timeType~'ABSOLUTE~tz~'UTC~editorString~'fields*20*40message*0a*7c*20filter*20*40message*20like*20*2f*e9!*2f\
                 ~source~(~'*2faws*2flambda*2fx~'cruddur))"
            ))
        );
        assert_eq!(jsurl("€"), "**20ac");
    }

    #[test]
    fn each_partition_has_its_console() {
        for (region, start) in [
            (
                "us-gov-west-1",
                "https://us-gov-west-1.console.amazonaws-us-gov.com/cloudwatch/home?region=us-gov-west-1#",
            ),
            ("cn-north-1", "https://cn-north-1.console.amazonaws.cn/cloudwatch/home?region=cn-north-1#"),
            ("ap-southeast-2", "https://ap-southeast-2.console.aws.amazon.com/cloudwatch/home?region=ap-southeast-2#"),
        ] {
            assert!(group(region, "g").is_some_and(|link| link.starts_with(start)), "{region}");
        }
    }

    #[test]
    fn an_invalid_name_makes_no_link() {
        for region in ["", "evil.com/#us-east-1", "us-east-1/..", "US-EAST-1", "-east-1"] {
            assert_eq!(group(region, "g"), None, "{region}");
        }
        for name in ["", "a b", "a\"b", "é", &"a".repeat(513)] {
            assert_eq!(group("us-east-1", name), None, "{name}");
            assert_eq!(insights("us-east-1", &[name.to_owned()], "", range()), None, "{name}");
        }
        assert_eq!(stream("us-east-1", "g", "a:b"), None);
        assert_eq!(events("us-east-1", "g", Some(""), "", range()), None);
    }

    proptest! {
        #[test]
        fn no_input_leaves_the_fragment(name in "\\PC{0,40}", pattern in "\\PC{0,40}") {
            let links = [
                stream("us-east-1", "g", &name),
                events("us-east-1", "g", None, &pattern, range()),
                insights("us-east-1", &[], &pattern, range()),
            ];
            for link in links.into_iter().flatten() {
                prop_assert_eq!(link.matches('#').count(), 1);
                prop_assert!(link.bytes().all(|b| b.is_ascii_graphic() && !b"\"<>&\\^`{|}".contains(&b) || b == b'&'), "{}", link);
            }
        }
    }
}
