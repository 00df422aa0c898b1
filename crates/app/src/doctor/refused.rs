//! What receivers turned away: one step each, with a hint by listener, place and reason.

use tracebook_core::text;
use tracebook_store::refusals::Refusal;

use super::{Findings, step};
use crate::ground::schema::Check;
use crate::ports::{GRPC_PORT, HTTP_PORT, XRAY_PORT};

/// What was refused longer ago than this is not reported any more, in nanoseconds (ten minutes), unless nothing of its
/// source was accepted since.
const RECENT: i64 = 600_000_000_000;
/// A request that was accepted this long after a refusal shows that the sender was mended, in nanoseconds. Before, it
/// may be the same request, of which a part was refused, or another sender's.
const AFTER: i64 = 2_000_000_000;
/// The most steps of one source; the others are counted.
const MAX_STEPS: usize = 8;

const STEP: &str = "what arrives is accepted";

/// Addresses of the receivers, as hints name them.
struct Addresses {
    http: String,
    grpc: String,
    xray: String,
}

/// A hint for a kind of refusal.
struct Hint {
    applies: fn(&Refusal) -> bool,
    fix: fn(&Refusal, &Addresses) -> String,
}

/// The first that applies is given.
const HINTS: &[Hint] = &[
    Hint { applies: |r| r.reason.contains("TLS was begun"), fix: without_tls },
    Hint {
        applies: |r| word_after(&r.reason, "--allow-host ").is_some(),
        fix: |r, _| {
            let host = word_after(&r.reason, "--allow-host ").unwrap_or_default();
            format!(
                "# Name host.docker.internal in the service's settings, or allow its name:\ntracebook serve --allow-host {host}"
            )
        },
    },
    Hint {
        applies: |r| r.reason.contains("Requests of web pages are refused"),
        fix: |r, _| {
            let origin = word_after(&r.reason, "(Origin: ").filter(|origin| origin.contains("://"));
            match origin {
                Some(origin) => format!("tracebook serve --allow-origin {}", shell(origin.trim_end_matches(')'))),
                None => {
                    "# The page has no origin that could be allowed: serve it over HTTP, not from a file".to_owned()
                }
            }
        },
    },
    Hint {
        applies: |r| r.reason.contains("tracebook.toml"),
        fix: |r, _| match r.reason.split_once("write ").and_then(|(_, rest)| rest.split_once(" in the section")) {
            Some((line, _)) => format!("# In tracebook.toml, then start Tracebook again:\n# [receivers]\n# {line}"),
            None => String::new(),
        },
    },
    Hint {
        applies: |r| r.reason.contains("is not the address of a container"),
        fix: |_, _| {
            "# Only this machine and its containers may send; forward the port from the other machine, for example:\nssh -N -L 4318:127.0.0.1:4318 this-machine".to_owned()
        },
    },
    Hint {
        applies: |r| r.listener == "http" && r.place.contains("/opentelemetry.proto."),
        fix: |_, to| {
            format!(
                "# To stay with HTTP instead: export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf\nexport OTEL_EXPORTER_OTLP_ENDPOINT=http://{}",
                to.grpc
            )
        },
    },
    Hint {
        applies: |r| r.listener == "grpc" && r.reason.contains("speaks OTLP over gRPC only"),
        fix: |_, to| {
            format!(
                "# To stay with this port instead: export OTEL_EXPORTER_OTLP_PROTOCOL=grpc\nexport OTEL_EXPORTER_OTLP_ENDPOINT=http://{}",
                to.http
            )
        },
    },
    Hint {
        applies: |r| {
            r.listener == "http"
                && ["/api/v1/spans", "/api/v2/spans", "/api/traces"].iter().any(|p| r.place.contains(p))
        },
        fix: |_, to| {
            format!(
                "# Zipkin's and Jaeger's own formats are not received; both projects' SDKs send OTLP:\nexport OTEL_TRACES_EXPORTER=otlp OTEL_EXPORTER_OTLP_ENDPOINT=http://{}",
                to.http
            )
        },
    },
    Hint {
        applies: |r| r.listener == "http" && (r.place.contains(" /1/events") || r.place.contains(" /1/batch")),
        fix: |_, to| {
            format!(
                "# Honeycomb's Events API (libhoney, Beelines) is not received; send OTLP:\nexport OTEL_EXPORTER_OTLP_ENDPOINT=http://{}",
                to.http
            )
        },
    },
    Hint {
        applies: |r| r.reason.contains("Send Content-Type"),
        fix: |_, _| "export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf".to_owned(),
    },
    Hint {
        applies: |r| r.reason.starts_with("This is not an OTLP"),
        fix: |_, _| {
            "# The body is not what its Content-Type says. SDKs that send protobuf are read:\nexport OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf".to_owned()
        },
    },
    Hint {
        applies: |r| {
            source_of(r) == "otlp"
                && (r.reason.starts_with("Nothing is served at") || r.reason.contains("OTLP goes to"))
        },
        fix: |_, to| {
            format!(
                "# SDKs append /v1/traces to the general endpoint. An endpoint that is given in code is used as it is: append /v1/traces there, or remove it and\nexport OTEL_EXPORTER_OTLP_ENDPOINT=http://{}",
                to.http
            )
        },
    },
    Hint {
        applies: |r| r.reason.contains("AWS_ENDPOINT_URL is set"),
        fix: |_, to| format!("unset AWS_ENDPOINT_URL\nexport AWS_ENDPOINT_URL_CLOUDWATCH_LOGS=http://{}", to.http),
    },
    Hint {
        applies: |r| r.reason.contains("14 days old"),
        fix: |_, _| "# Compare the clock of the service with this machine's:\ndate -u".to_owned(),
    },
    Hint {
        applies: |r| r.place == DATAGRAM && r.reason.contains("header line"),
        fix: |_, to| {
            let (host, port) = to.xray.rsplit_once(':').unwrap_or(("127.0.0.1", "2000"));
            format!(
                "# A datagram is one line of header, a line end, and a segment:\nprintf '{{\"format\":\"json\",\"version\":1}}\\n%s' \"$(cat segment.json)\" > /dev/udp/{host}/{port}"
            )
        },
    },
    Hint {
        applies: |r| r.place == DATAGRAM && r.reason.contains("the end is lost"),
        fix: |_, _| {
            "# Let the SDK send subsegments earlier, in Python: xray_recorder.configure(streaming_threshold=10)"
                .to_owned()
        },
    },
    Hint {
        applies: |r| source_of(r) == "xray" && r.reason.contains("document"),
        fix: |_, _| {
            "# A segment has name, id, trace_id, start_time, and end_time or in_progress:\n# https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html".to_owned()
        },
    },
    Hint {
        applies: |r| r.reason.contains("over UDP, not TCP"),
        fix: |_, to| format!("export AWS_XRAY_DAEMON_ADDRESS={}", to.xray),
    },
    Hint {
        applies: |r| source_of(r) == "rollbar" && r.reason.contains("is served"),
        fix: |_, to| rollbar_endpoints(&to.http),
    },
    Hint {
        applies: |r| r.reason.contains("could not be stored") || r.reason.contains("queue is full"),
        fix: |_, _| "tracebook doctor journal".to_owned(),
    },
    Hint { applies: |r| r.reason.contains("prevent a loop"), fix: |_, _| "tracebook relay status".to_owned() },
];

/// The place of what came over UDP.
const DATAGRAM: &str = "UDP datagram";

fn without_tls(refusal: &Refusal, to: &Addresses) -> String {
    match refusal.listener.as_str() {
        "grpc" => format!("export OTEL_EXPORTER_OTLP_ENDPOINT=http://{} OTEL_EXPORTER_OTLP_INSECURE=true", to.grpc),
        "xray" => format!("export AWS_XRAY_DAEMON_ADDRESS={}", to.xray),
        _ => format!(
            "# Write http:// instead of https://, for example:\nexport OTEL_EXPORTER_OTLP_ENDPOINT=http://{}",
            to.http
        ),
    }
}

/// How the SDKs of Rollbar are pointed here, which no variable does.
pub(super) fn rollbar_endpoints(http: &str) -> String {
    format!(
        "# In Python, with the slash at the end:\n# rollbar.init('any-token', 'development', endpoint='http://{http}/api/1/')\n\
         # In Node:\n# new Rollbar({{ accessToken: 'any-token', endpoint: 'http://{http}/api/1/item/' }})"
    )
}

/// The local source that a refusal belongs to.
fn source_of(refusal: &Refusal) -> &'static str {
    let path = refusal.place.split(' ').nth(1).unwrap_or_default();
    match refusal.listener.as_str() {
        "xray" => "xray",
        "http" if path.starts_with("/api") && !["/spans", "/traces", "/v1/"].iter().any(|part| path.contains(part)) => {
            "rollbar"
        }
        "http" if path == "/" && refusal.place.split(' ').nth(2).is_some() => "cloudwatch",
        // The operations of X-Ray's API, and no other paths, begin with a capital.
        "http" if path.trim_start_matches('/').starts_with(|c: char| c.is_ascii_uppercase()) => "xray",
        _ => "otlp",
    }
}

/// The word after a text.
fn word_after<'a>(text: &'a str, before: &str) -> Option<&'a str> {
    let word = text.split_once(before)?.1.split_whitespace().next()?;
    Some(word.trim_end_matches('.').trim_end_matches(','))
}

/// A value as a shell reads it.
pub(super) fn shell(value: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_./:@%+,=-[]".contains(c);
    match !value.is_empty() && value.chars().all(plain) {
        // Brackets are patterns, which stay as they are where no file matches; quotes are surer.
        true if !value.contains(['[', ']']) => value.to_owned(),
        _ => format!("'{}'", value.replace('\'', r"'\''")),
    }
}

impl Findings {
    /// The steps of a source for what its receivers turned away.
    pub(super) fn refused(&self, source: &str, checks: &mut Vec<Check>) {
        let to = Addresses {
            http: self.address("http", HTTP_PORT),
            grpc: self.address("grpc", GRPC_PORT),
            xray: self.address("xray", XRAY_PORT),
        };
        let rows: Vec<&Refusal> = self.refusals.iter().filter(|row| source_of(row) == source).collect();
        let reported: Vec<(&Refusal, bool)> = rows
            .into_iter()
            .map(|row| (row, self.is_mended(row)))
            .filter(|(row, mended)| !mended || self.now.0.saturating_sub(row.last.0) < RECENT)
            .collect();
        for (row, mended) in reported.iter().take(MAX_STEPS) {
            let first = match row.count {
                1 => String::new(),
                _ => format!(", the first {}", self.ago(row.first)),
            };
            let since = if *mended { "; requests were accepted since" } else { "" };
            let detail = format!(
                "{} refused, the last {}{first}{since}: {}",
                what(row),
                self.ago(row.last),
                row.reason.trim_end()
            );
            let fix = match mended {
                true => String::new(),
                false => fix(row, &to),
            };
            checks.push(step(source, STEP, *mended, detail, fix));
        }
        let more = reported.len().saturating_sub(MAX_STEPS);
        if more > 0 {
            let detail = format!("and {} of refusals", text::count(more, "other kind"));
            checks.push(step(source, STEP, false, detail, "tracebook doctor --report report.md".to_owned()));
        }
    }

    /// Whether the sender was mended: the same, or for a wrong path the right request, was accepted later. Of datagrams
    /// only time can tell, because good ones say nothing about the sender of bad ones.
    fn is_mended(&self, refusal: &Refusal) -> bool {
        let later = |at: i64| at > refusal.last.0.saturating_add(AFTER);
        if refusal.place == DATAGRAM {
            return later(self.now.0.saturating_sub(RECENT));
        }
        let operation = refusal.place.starts_with("POST / ");
        self.heard.iter().any(|heard| {
            let row = Refusal { listener: heard.listener.clone(), place: heard.path.clone(), ..refusal.clone() };
            let same = match operation {
                true => heard.path == refusal.place,
                false => source_of(&row) == source_of(refusal) && sends(&heard.path),
            };
            (200..300).contains(&heard.status) && same && later(heard.last.0)
        })
    }
}

/// Whether requests of this kind carry telemetry.
fn sends(path: &str) -> bool {
    ["/v1/", "/opentelemetry.proto.", "/api/", "/TraceSegments", "/GetSamplingRules"]
        .iter()
        .any(|part| path.contains(part))
}

fn what(row: &Refusal) -> String {
    let count = usize::try_from(row.count).unwrap_or(usize::MAX);
    let were = if count == 1 { "was" } else { "were" };
    match row.place.as_str() {
        DATAGRAM => format!("{} {were}", text::count(count, DATAGRAM)),
        "TCP connection" => {
            format!("{} to the {} port {were}", text::count(count, "TCP connection"), row.listener)
        }
        place if place.contains(" /") => {
            format!("{} ({place}, {} port) {were}", text::count(count, "request"), row.listener)
        }
        _ => format!("{} {were}", text::count(count, "request")),
    }
}

fn fix(row: &Refusal, to: &Addresses) -> String {
    let hint = HINTS.iter().find(|hint| (hint.applies)(row)).map(|hint| (hint.fix)(row, to));
    hint.filter(|fix| !fix.is_empty()).unwrap_or_else(|| {
        "# The reason is above; a report has everything else:\ntracebook doctor --report report.md".to_owned()
    })
}
