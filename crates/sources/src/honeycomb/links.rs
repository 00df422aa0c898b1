//! Links to Honeycomb's pages.
//!
//! Source: `docs.honeycomb.io/investigate/collaborate/share-trace` and `…/share-query`. A trace link without times only
//! searches the last two hours, so both times are always there.

use reqwest::Url;
use tracebook_core::ids::{SpanId, TraceId};
use tracebook_core::time::Nanos;

use super::auth::Auth;
use super::spec::Spec;

/// The dataset of a whole environment.
pub const ALL: &str = "__all__";

/// Seconds before and after a trace that are searched too: clocks differ, and a span may come late.
const PAD: i64 = 60;

const SECOND: i64 = 1_000_000_000;

/// The UI of an API: `https://ui.eu1.honeycomb.io` for `https://api.eu1.honeycomb.io`; that of the US for other
/// endpoints.
pub fn ui(endpoint: &str) -> String {
    let host = Url::parse(endpoint).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
    let region = host.strip_prefix("api.").and_then(|rest| rest.strip_suffix("honeycomb.io"));
    let plain = |region: &str| region.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-');
    match region.filter(|region| region.is_empty() || (region.ends_with('.') && plain(region))) {
        Some(region) => format!("https://ui.{region}honeycomb.io"),
        None => "https://ui.honeycomb.io".to_owned(),
    }
}

/// The dataset for the spans of a service: `Backend Flask` → `backend-flask`.
pub fn dataset(service: &str) -> String {
    let dashed = |c: char| c.is_whitespace() || c == '/';
    service.trim().chars().map(|c| if dashed(c) { '-' } else { c }).flat_map(char::to_lowercase).collect()
}

/// A trace, optionally at one of its spans. `dataset` is a slug ([`dataset`]); empty or [`ALL`] searches the whole
/// environment.
pub fn trace(
    auth: &Auth,
    ui: &str,
    dataset: &str,
    id: TraceId,
    start: Nanos,
    end: Nanos,
    span: Option<SpanId>,
) -> Option<String> {
    let mut url = place(auth, ui, dataset)?;
    url.path_segments_mut().ok()?.push("trace");
    let from = start.0.div_euclid(SECOND).saturating_sub(PAD);
    let until = end.0.max(start.0).div_euclid(SECOND).saturating_add(1 + PAD);
    let mut query = url.query_pairs_mut();
    query.append_pair("trace_id", &id.to_string());
    if let Some(span) = span {
        query.append_pair("span", &span.to_string());
    }
    query.append_pair("trace_start_ts", &from.to_string());
    query.append_pair("trace_end_ts", &until.to_string());
    drop(query);
    Some(url.into())
}

/// A query, which the page runs when it is opened. Works on every plan.
pub fn query(auth: &Auth, ui: &str, dataset: &str, spec: &Spec) -> Option<String> {
    let mut url = place(auth, ui, dataset)?;
    url.query_pairs_mut().append_pair("query", &spec.json().to_string());
    Some(url.into())
}

/// `/TEAM/environments/ENVIRONMENT/datasets/DATASET`; classic teams have no environments. `None` if the team is
/// unknown.
fn place(auth: &Auth, ui: &str, dataset: &str) -> Option<Url> {
    if auth.team_slug.is_empty() {
        return None;
    }
    let mut url = Url::parse(ui).ok().filter(|url| url.scheme() == "https")?;
    let mut path = url.path_segments_mut().ok()?;
    path.clear().push(&auth.team_slug);
    if !auth.classic {
        path.extend(["environments", auth.environment_slug.as_str()]);
    }
    if !dataset.is_empty() && dataset != ALL {
        path.extend(["datasets", dataset]);
    }
    drop(path);
    Some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn auth(classic: bool) -> Auth {
        Auth {
            team_slug: "cruddur".to_owned(),
            environment_slug: if classic { String::new() } else { "dev".to_owned() },
            classic,
            ..Auth::default()
        }
    }

    #[test]
    fn pages_are_in_the_region_of_the_api() {
        for (endpoint, pages) in [
            ("https://api.honeycomb.io", "https://ui.honeycomb.io"),
            ("https://api.honeycomb.io/", "https://ui.honeycomb.io"),
            ("https://api.eu1.honeycomb.io", "https://ui.eu1.honeycomb.io"),
            ("http://127.0.0.1:4318", "https://ui.honeycomb.io"),
            ("https://api.evil-honeycomb.io", "https://ui.honeycomb.io"),
            ("", "https://ui.honeycomb.io"),
        ] {
            assert_eq!(ui(endpoint), pages, "{endpoint}");
        }
    }

    #[test]
    fn a_service_has_a_dataset() {
        assert_eq!(dataset(" Backend Flask"), "backend-flask");
        assert_eq!(dataset("a/b"), "a-b");
    }

    #[test]
    fn a_trace_link_has_both_times_padded() {
        let id: TraceId = "1-4efaaf4d-1e8720b39541901950019ee5".parse().expect("an id");
        let span: SpanId = "53995c3f42cd8ad8".parse().expect("an id");
        let (start, end) = (Nanos(1_795_447_212_900_000_000), Nanos(1_795_447_213_100_000_000));
        let link = trace(&auth(false), &ui(""), "backend-flask", id, start, end, Some(span));
        let begin = "https://ui.honeycomb.io/cruddur/environments/dev/datasets/backend-flask/trace";
        let times = "trace_start_ts=1795447152&trace_end_ts=1795447274";
        let ids = "trace_id=4efaaf4d1e8720b39541901950019ee5";
        assert_eq!(link, Some(format!("{begin}?{ids}&span=53995c3f42cd8ad8&{times}")));
        let link = trace(&auth(true), &ui(""), "backend-flask", id, start, Nanos(0), None);
        let begin = "https://ui.honeycomb.io/cruddur/datasets/backend-flask/trace";
        assert_eq!(link, Some(format!("{begin}?{ids}&trace_start_ts=1795447152&trace_end_ts=1795447273")));
        let link = trace(&auth(false), &ui(""), ALL, id, start, end, None);
        assert_eq!(link, Some(format!("https://ui.honeycomb.io/cruddur/environments/dev/trace?{ids}&{times}")));
        assert_eq!(trace(&Auth::default(), &ui(""), "x", id, start, end, None), None);
    }

    #[test]
    fn a_query_link_contains_the_query() {
        let spec = Spec::parse(r#"{"breakdowns": ["http.route"], "time_range": 60}"#).expect("a query");
        assert_eq!(
            query(&auth(false), "https://ui.eu1.honeycomb.io", "a b", &spec).as_deref(),
            Some(
                "https://ui.eu1.honeycomb.io/cruddur/environments/dev/datasets/a%20b\
                 ?query=%7B%22breakdowns%22%3A%5B%22http.route%22%5D%2C%22time_range%22%3A60%7D"
            )
        );
    }
}
