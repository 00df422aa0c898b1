//! Links to AWS's console. AWS does not document their form: it is the one that the console itself shows and many
//! public projects build. A broken link does no harm, because the evidence is stored here.

use tracebook_core::ids::TraceId;
use tracebook_core::time::Nanos;

use crate::aws::is_region;

/// How long X-Ray keeps a trace: 30 days (<https://docs.aws.amazon.com/xray/latest/devguide/xray-api-tutorial.html>).
const RETENTION: i64 = 30 * 24 * 3_600 * 1_000_000_000;

/// A trace in the CloudWatch console; `None` if the region is invalid.
pub fn trace(region: &str, id: TraceId) -> Option<String> {
    Some(format!("{}#xray:traces/{}", home(region)?, id.xray()))
}

/// The service map in the CloudWatch console; `None` if the region is invalid.
pub fn service_map(region: &str) -> Option<String> {
    Some(format!("{}#xray:service-map/map", home(region)?))
}

/// When the link to a trace expires, by the trace's start.
pub fn expires(start: Nanos) -> Nanos {
    Nanos(start.0.saturating_add(RETENTION))
}

fn home(region: &str) -> Option<String> {
    let domain = match region {
        r if r.starts_with("cn-") => "console.amazonaws.cn",
        r if r.starts_with("us-gov-") => "console.amazonaws-us-gov.com",
        r if r.starts_with("eusc-") => "console.amazonaws-eusc.eu",
        _ => "console.aws.amazon.com",
    };
    is_region(region).then(|| format!("https://{region}.{domain}/cloudwatch/home?region={region}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_into_the_region() {
        let id: TraceId = "4efaaf4d1e8720b39541901950019ee5".parse().expect("an id");
        assert_eq!(
            trace("eu-central-1", id).as_deref(),
            Some(
                "https://eu-central-1.console.aws.amazon.com/cloudwatch/home?region=eu-central-1#xray:traces/1-4efaaf4d-1e8720b39541901950019ee5"
            )
        );
        assert_eq!(
            service_map("cn-north-1").as_deref(),
            Some("https://cn-north-1.console.amazonaws.cn/cloudwatch/home?region=cn-north-1#xray:service-map/map")
        );
        for wrong in ["", "evil.example/", "US-EAST-1", "us-east-1#x"] {
            assert_eq!(trace(wrong, id), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_trace_is_kept_for_thirty_days() {
        let start = Nanos::parse_rfc3339("2026-11-23T15:20:12Z").expect("a time");
        assert_eq!(expires(start).rfc3339(), "2026-12-23T15:20:12.000Z");
        assert_eq!(expires(Nanos(i64::MAX)), Nanos(i64::MAX));
    }
}
