//! Freezes live data as immutable evidence.

use std::sync::Arc;

use crate::canonical::to_canonical;
use crate::credentials;
use crate::doubts;
use crate::endpoint::Endpoint;
use crate::evidence::{Body, Evidence, Frozen, Provenance, SCHEMA};
use crate::ids::Id;
use crate::json::Json;
use crate::question::Question;
use crate::time::Nanos;

/// Properties of a capture that are not part of its data.
#[derive(Clone, Debug)]
pub struct Click {
    /// The new evidence's id.
    pub id: Id,
    /// The query.
    pub question: Question,
    pub captured_at: Nanos,
    /// The version that freezes: `tracebook 0.1.0`.
    pub tool: String,
    /// The evidence that this one replaces.
    pub supersedes: Option<Id>,
    /// Provenance from the source.
    pub origin: Origin,
}

/// Provenance from a cloud source; empty for local telemetry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The API used: `X-Ray API`; if `None`, the protocols of the data.
    pub via: Vec<String>,
    /// The systems that answered.
    pub endpoints: Vec<Endpoint>,
    /// The cloud region.
    pub region: Option<String>,
    /// Link to the vendor's console; dropped if an emulator answered.
    pub console_link: Option<String>,
    /// When the vendor deletes it; dropped if an emulator answered.
    pub expires: Option<Nanos>,
    /// How far a sender's clock was ahead of the arrival of its data, or behind, if negative.
    pub clock_skew: Option<Nanos>,
}

impl Origin {
    /// The link to the vendor's console, which does not show what an emulator answered.
    pub fn link(&self) -> Option<&str> {
        self.console_link.as_deref().filter(|_| !self.is_emulated())
    }

    fn is_emulated(&self) -> bool {
        self.endpoints.iter().any(Endpoint::is_emulator)
    }
}

/// A frozen capture, with the removed values, which must be removed from its raw bytes too.
#[derive(Debug)]
pub struct Freeze {
    pub frozen: Frozen,
    /// The credential-shaped texts that were removed. Never printed or stored.
    pub removed: Arc<credentials::Removed>,
}

/// Freezes a capture: removes credentials, adds provenance, computes the digest.
///
/// # Errors
/// Only if the body has no JSON form.
pub fn body(body: Body, click: Click) -> Result<Freeze, serde_json::Error> {
    Clean::new(body)?.freeze(click)
}

/// A body without credentials.
#[derive(Debug)]
pub struct Clean {
    body: Body,
    /// The protocols of the data as it was received.
    via: Vec<String>,
    range: (Nanos, Nanos),
    removed: Arc<credentials::Removed>,
    /// The body's canonical JSON.
    canonical: String,
}

impl Clean {
    /// Removes credentials.
    ///
    /// # Errors
    /// Only if the body has no JSON form.
    pub fn new(body: Body) -> Result<Self, serde_json::Error> {
        let via = body.content().via().into_iter().map(str::to_owned).collect();
        let range = body.range();
        let canonical = to_canonical(&body)?;
        let mut json: Json<'_> = serde_json::from_str(&canonical)?;
        let removed = Arc::new(credentials::remove_from_json(&mut json));
        if removed.is_empty() {
            drop(json);
            return Ok(Self { body, via, range, removed, canonical });
        }
        let body: Body = serde_json::from_str(&serde_json::to_string(&json)?)?;
        let canonical = to_canonical(&body)?;
        Ok(Self { body, via, range, removed, canonical })
    }

    /// What was removed.
    pub fn removed(&self) -> &Arc<credentials::Removed> {
        &self.removed
    }

    /// Adds provenance and computes the digest.
    ///
    /// # Errors
    /// Only if the body has no JSON form.
    pub fn freeze(self, click: Click) -> Result<Freeze, serde_json::Error> {
        let Self { body, via, range, removed, canonical } = self;
        let via = if click.origin.via.is_empty() { via } else { click.origin.via.clone() };
        let evidence = evidence(body, via, range, click, &removed);
        Ok(Freeze { frozen: evidence.seal_with(&canonical)?, removed })
    }
}

fn evidence(
    body: Body,
    via: Vec<String>,
    range: (Nanos, Nanos),
    click: Click,
    removed: &credentials::Removed,
) -> Evidence {
    // The filter is published too, also as part of the link.
    let without = |text: &str| {
        let clean = credentials::remove_from_text(text, &mut credentials::Removed::default());
        removed.take_from_text(&clean).into_owned()
    };
    let mut question = click.question;
    question.filter = without(&question.filter);
    let ahead = doubts::ahead(&body, click.captured_at);
    let open = body.trace().map_or(0, |trace| trace.spans.iter().filter(|span| span.end.is_none()).count());
    let console_link = click.origin.link().map(without);
    let expires = click.origin.expires.filter(|_| !click.origin.is_emulated());
    Evidence {
        schema: SCHEMA,
        id: click.id,
        body,
        provenance: Provenance {
            question,
            via,
            endpoints: click.origin.endpoints.into_iter().map(Endpoint::recognised).collect(),
            region: click.origin.region,
            range,
            captured_at: click.captured_at,
            ahead,
            tool: click.tool,
            console_link,
            expires,
            clock_skew: click.origin.clock_skew,
            without_end: u32::try_from(open).unwrap_or(u32::MAX),
            credentials_removed: u32::try_from(removed.count()).unwrap_or(u32::MAX),
            supersedes: click.supersedes,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assemble::{LooseSpan, assemble};
    use crate::ids::SpanId;
    use crate::question::Source;
    use crate::trace::{Protocol, Span};
    use crate::value::Attribute;

    const TRACE: &str = "6b0459acd2fb2577c226bb0ed076fe79";

    fn frozen(attributes: Vec<Attribute>) -> Freeze {
        let mut span = Span::new(SpanId([1; 8]), "home", Protocol::Otlp, Nanos(1_795_447_213_087_028_123));
        span.end = Some(Nanos(1_795_447_213_099_428_123));
        span.attributes = attributes;
        let loose = vec![LooseSpan::from(span)];
        let click = Click {
            id: "01JD4ZK8S7M5V9TQ2WXYB3CDEF".parse().expect("a ULID"),
            question: Question::default(),
            captured_at: Nanos(1_795_447_300_000_000_000),
            tool: "tracebook 0.1.0".into(),
            supersedes: None,
            origin: Origin::default(),
        };
        body(Body::Trace(assemble(TRACE.parse().expect("an id"), loose)), click).expect("a trace has a JSON form")
    }

    #[test]
    fn what_was_frozen_reads_back_with_the_same_digest() {
        let Freeze { frozen, .. } = frozen(vec![Attribute::new("n", i64::MAX), Attribute::new("x", f64::NAN)]);
        let again = Frozen::read(&frozen.canonical).expect("reads back");
        assert_eq!(again.digest, frozen.digest);
        assert_eq!(again.evidence.clone().seal().expect("seals").canonical, frozen.canonical);
        assert_eq!(frozen.evidence.title(), "home, 1 span, 12.4 ms");
        assert!(frozen.canonical.contains("9223372036854775807"), "64-bit integers keep every digit");
    }

    #[test]
    fn credentials_are_removed_before_the_digest() {
        let Freeze { frozen, removed } = frozen(vec![
            Attribute::new("http.request.header.authorization", "Bearer abc.def.ghi"),
            Attribute::new("note", "key AKIAIOSFODNN7EXAMPLE used"),
        ]);
        assert!(!frozen.canonical.contains("AKIAIOSFODNN7EXAMPLE"));
        assert!(!frozen.canonical.contains("abc.def"));
        assert_eq!(frozen.evidence.provenance.credentials_removed, 2);
        assert_eq!(removed.count(), 2);
    }

    #[test]
    fn an_emulator_has_no_console() {
        let click = |url: &str| Click {
            id: "01JD4ZK8S7M5V9TQ2WXYB3CDEF".parse().expect("a ULID"),
            question: Question { source: Source::Xray, ..Question::default() },
            captured_at: Nanos(1_795_447_300_000_000_000),
            tool: "tracebook 0.1.0".into(),
            supersedes: None,
            origin: Origin {
                endpoints: vec![Endpoint { source: Source::Xray, url: url.to_owned(), ..Endpoint::default() }],
                console_link: Some("https://us-east-1.console.aws.amazon.com/xray".to_owned()),
                expires: Some(Nanos(1_797_447_300_000_000_000)),
                ..Origin::default()
            },
        };
        let frozen = |url: &str| {
            let trace = assemble(TRACE.parse().expect("an id"), Vec::new());
            body(Body::Trace(trace), click(url)).expect("a trace has a JSON form").frozen
        };
        let emulated = frozen("http://127.0.0.1:5000");
        let provenance = &emulated.evidence.provenance;
        assert!(provenance.is_emulated() && provenance.endpoints[0].emulator);
        assert_eq!((&provenance.console_link, provenance.expires), (&None, None));
        assert_eq!(Frozen::read(&emulated.canonical).expect("reads back"), emulated);
        let aws = frozen("https://xray.us-east-1.amazonaws.com").evidence.provenance;
        assert!(!aws.is_emulated() && aws.console_link.is_some() && aws.expires.is_some());
    }

    #[test]
    fn evidence_of_versions_without_endpoints_keeps_its_digest() {
        let Freeze { frozen, .. } = frozen(vec![]);
        assert!(!frozen.canonical.contains("endpoints"), "{}", frozen.canonical);
    }

    #[test]
    fn a_named_secret_is_removed_from_all_other_texts() {
        // A removed value that equals a trace id or a kind must not make the evidence unreadable.
        let Freeze { frozen, removed } = frozen(vec![
            Attribute::new("db.password", "corr3ct-horse"),
            Attribute::new("a_token", TRACE),
            Attribute::new("b_token", "internal"),
            Attribute::new("c_token", "attributes"),
            Attribute::new("note", format!("tried corr3ct-horse and {TRACE}")),
            Attribute::new("blob", crate::value::Value::Bytes(b"corr3ct-horse".to_vec())),
        ]);
        assert!(!frozen.canonical.contains("corr3ct-horse"), "{}", frozen.canonical);
        assert!(!frozen.canonical.contains("Y29ycjNjdC1ob3JzZQ"), "in base64: {}", frozen.canonical);
        assert_eq!(frozen.canonical.matches(TRACE).count(), 1, "only as the trace's own id: {}", frozen.canonical);
        assert_eq!(usize::try_from(frozen.evidence.provenance.credentials_removed).ok(), Some(removed.count()));
    }

    #[test]
    fn evidence_of_a_later_version_is_rejected() {
        let Freeze { frozen, .. } = frozen(vec![]);
        let later = frozen.canonical.replace("\"schema\":1", "\"schema\":99");
        let error = Frozen::read(&later).expect_err("too new").to_string();
        assert!(error.contains("newer Tracebook"), "{error}");
    }

    /// Spans as the course's services send them.
    fn ten_thousand() -> Body {
        let mut loose = Vec::new();
        for n in 0..10_000u32 {
            let start = 1_795_447_213_087_028_123 + i64::from(n) * 1_000;
            let mut id = [7; 8];
            id[..4].copy_from_slice(&n.to_be_bytes());
            let mut span = Span::new(SpanId(id), "GET /api/activities/home", Protocol::Otlp, Nanos(start));
            span.end = Some(Nanos(start + 4_000_000));
            span.attributes = vec![
                Attribute::new("http.request.method", "GET"),
                Attribute::new("url.full", format!("http://localhost:4567/api/activities/{n}?page={n}&order=asc")),
                Attribute::new("http.response.status_code", 200),
                Attribute::new("client.address", "127.0.0.1"),
                Attribute::new("user_agent.original", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"),
                Attribute::new(
                    "db.query.text",
                    format!("SELECT uuid, message, token_count FROM activities WHERE id = {n} LIMIT 20"),
                ),
                Attribute::new("thread.name", "MainThread"),
                Attribute::new("enduser.id", format!("user-{n}")),
                Attribute::new("session.id", format!("{:032x}", u128::from(n) * 7919)),
            ];
            if n % 100 == 0 {
                span.attributes
                    .push(Attribute::new("http.request.header.authorization", format!("Bearer s3cr3t{n:08}x")));
            }
            loose.push(LooseSpan::from(span));
        }
        Body::Trace(assemble(TRACE.parse().expect("an id"), loose))
    }

    #[test]
    fn ten_thousand_spans_are_frozen_quickly() {
        let trace = ten_thousand();
        let click = Click {
            id: "01JD4ZK8S7M5V9TQ2WXYB3CDEF".parse().expect("a ULID"),
            question: Question::default(),
            captured_at: Nanos(1_795_447_300_000_000_000),
            tool: "tracebook 0.1.0".into(),
            supersedes: None,
            origin: Origin::default(),
        };
        // The best of three, compared with writing and digesting the same evidence: other programs run, too.
        let best = |work: &mut dyn FnMut()| {
            let time = |work: &mut dyn FnMut()| {
                let start = std::time::Instant::now();
                work();
                start.elapsed()
            };
            (0..3).map(|_| time(work)).min().expect("three runs")
        };
        let mut last = None;
        let took = best(&mut || last = Some(body(trace.clone(), click.clone()).expect("a trace has a JSON form")));
        let freeze = last.expect("three runs");
        let evidence = &freeze.frozen.evidence;
        let sealed = best(&mut || drop(evidence.clone().seal().expect("seals")));
        let size = freeze.frozen.canonical.len();
        assert_eq!(freeze.removed.count(), 100);
        // `-- --nocapture` prints the figures.
        let limit = (4 * sealed).max(std::time::Duration::from_secs(1));
        assert!(took < limit, "10,000 spans of {size} bytes were frozen in {took:?}, and written in {sealed:?}");
        eprintln!("10,000 spans, {size} bytes: frozen in {took:?}, of which {sealed:?} for writing and digest");
    }
}
