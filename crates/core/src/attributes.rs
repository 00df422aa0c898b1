//! Which attributes say most about a span, in one ranked table.
//!
//! The names are those of both generations of OpenTelemetry's semantic conventions (the registry of release 1.40 with
//! its deprecated names, and release 1.11, which most instrumentations still send), and the fields of X-Ray's segment
//! documents by their dotted path. A name that the table does not know is the author's own.

use crate::text::beginning;
use crate::trace::{Span, SpanKind};
use crate::value::{Attribute, Value, get};

/// How much an attribute says, most important first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// The statement that was sent to a database.
    Statement,
    /// The URL, path or route of a request.
    Url,
    /// What a call did: a queue, a procedure, a table, a prompt's model.
    Operation,
    /// The result: a status, an error's class.
    Outcome,
    /// The author's own, including the user and feature flags of the conventions, which only the author can set.
    Own,
    /// Of the conventions, beside the point: method, database, peer, sizes.
    Convention,
    /// What frameworks, SDKs and resources add to every span.
    Framework,
}

/// Names and their ranks. A name that ends with a dot stands for everything that begins with it; the longest match
/// counts.
const RANKS: &[(Rank, &[&str])] = &[
    (Rank::Statement, &["db.query.text", "db.statement", "sql.sanitized_query"]),
    (
        Rank::Url,
        &[
            "url.full",
            "url.path",
            "url.query",
            "url.template",
            "http.url",
            "http.target",
            "http.route",
            "http.path",
            "http.request.url",
            "sql.url",
        ],
    ),
    (
        Rank::Operation,
        &[
            "db.query.summary",
            "db.operation",
            "db.operation.name",
            "db.collection.name",
            "db.sql.table",
            "db.mongodb.collection",
            "db.cassandra.table",
            "db.stored_procedure.name",
            "messaging.destination",
            "messaging.destination.name",
            "messaging.operation",
            "messaging.operation.name",
            "messaging.operation.type",
            "rpc.service",
            "rpc.method",
            "graphql.operation.name",
            "graphql.operation.type",
            "graphql.document",
            "faas.trigger",
            "faas.invoked_name",
            "gen_ai.operation.name",
            "gen_ai.request.model",
            "aws.operation",
            "aws.table_name",
            "aws.queue_url",
            "aws.bucket_name",
            "aws.key",
            "aws.dynamodb.table_names",
            "aws.s3.bucket",
            "aws.s3.key",
        ],
    ),
    (
        Rank::Outcome,
        &[
            "error.type",
            "error.message",
            "exception.",
            "http.response.status_code",
            "http.status_code",
            "http.response.status",
            "http.request.resend_count",
            "http.resend_count",
            "rpc.grpc.status_code",
            "rpc.response.status_code",
            "db.response.status_code",
            "db.response.returned_rows",
        ],
    ),
    // Set by hand: no instrumentation knows them.
    (Rank::Own, &["user.", "enduser.", "session.id", "feature_flag.", "user"]),
    (
        Rank::Convention,
        &[
            "http.",
            "url.",
            "db.",
            "sql.",
            "messaging.",
            "rpc.",
            "graphql.",
            "faas.",
            "gen_ai.",
            "aws.",
            "server.",
            "client.",
            "source.",
            "destination.",
            "network.",
            "net.",
            "peer.",
            "error.",
            "event.",
            "log.",
            "file.",
            "tls.",
            "cloudevents.",
            "session.",
            "dns.",
            "namespace",
            "error",
            "fault",
            "throttle",
        ],
    ),
    (
        Rank::Framework,
        &[
            "telemetry.",
            "otel.",
            "service.",
            "process.",
            "host.",
            "os.",
            "container.",
            "k8s.",
            "cloud.",
            "device.",
            "browser.",
            "webengine.",
            "heroku.",
            "deployment.",
            "oci.",
            "thread.",
            "code.",
            "net.sock.",
            "network.peer.",
            "network.local.",
            "network.protocol.",
            "network.transport",
            "network.type",
            "net.transport",
            "net.protocol.",
            "net.host.",
            "net.app.",
            "http.flavor",
            "http.scheme",
            "http.user_agent",
            "http.host",
            "http.server_name",
            "http.client_ip",
            "http.request.header.",
            "http.response.header.",
            "http.request.user_agent",
            "http.request.client_ip",
            "http.request.x_forwarded_for",
            "http.request.traced",
            "http.request_content_length",
            "http.response_content_length",
            "http.request.body.size",
            "http.response.body.size",
            "http.response.content_length",
            "url.scheme",
            "url.port",
            "url.domain",
            "url.fragment",
            "url.extension",
            "user_agent.",
            "client.address",
            "client.port",
            "db.connection_string",
            "db.user",
            "db.driver_manager",
            "db.jdbc.",
            "sql.driver_version",
            "sql.database_version",
            "sql.connection_string",
            "sql.preparation",
            "sql.user",
            "aws.xray.",
            "aws.account_id",
            "aws.ec2.",
            "aws.ecs.",
            "aws.eks.",
            "aws.elastic_beanstalk.",
            "aws.log.",
            "aws.cloudwatch_logs",
            "aws.retries",
            "aws.request_id",
            "aws.extended_request_id",
            "aws.lambda.",
            "rpc.system",
            "rpc.system.name",
            "cause.",
            "links",
            "id",
            "name",
            "type",
            "origin",
            "inferred",
            "precursor_ids",
            "resource_arn",
            "remote",
            "sampled",
            "traced",
            "metadata",
            "annotation",
            "trace.",
            "trace_id",
            "span_id",
            "parent_id",
            "xray.",
            "library.",
            "meta.",
            "SampleRate",
        ],
    ),
];

/// The rank of an attribute's name.
pub fn rank(key: &str) -> Rank {
    let mut best: (usize, Rank) = (0, Rank::Own);
    for (rank, names) in RANKS {
        for name in *names {
            let fits = if name.ends_with('.') { key.starts_with(name) } else { key == *name };
            // An exact name is longer than every prefix of it.
            let length = name.len() * 2 + usize::from(!name.ends_with('.'));
            if fits && length > best.0 {
                best = (length, *rank);
            }
        }
    }
    best.1
}

/// The author's own attributes, in the order in which they were sent.
pub fn own<'a>(attributes: impl Iterator<Item = &'a Attribute>) -> impl Iterator<Item = &'a Attribute> {
    attributes.filter(|a| rank(&a.key) == Rank::Own)
}

/// What a span did, in one line: its statement, URL or operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detail {
    /// `SQL`, `URL`, …
    pub label: &'static str,
    /// The text as sent, on one line.
    pub text: String,
}

/// The decisive attribute of a span, in the order of [`Rank`]; `None` if it has none beyond its name.
pub fn detail(span: &Span) -> Option<Detail> {
    let detail = |label: &'static str, text: &str| {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        (!text.is_empty()).then_some(Detail { label, text })
    };
    if let Some(text) = first(span, &["db.query.text", "db.statement", "sql.sanitized_query"]) {
        let system = first(span, &["db.system.name", "db.system", "sql.database_type"]).unwrap_or_default();
        let sql = !matches!(
            system.to_ascii_lowercase().as_str(),
            "redis" | "mongodb" | "dynamodb" | "aws.dynamodb" | "elasticsearch" | "memcached" | "couchdb"
        );
        return detail(if sql { "SQL" } else { "query" }, beginning(text, 4_000));
    }
    if let Some(text) = url(span) {
        return detail("URL", &text);
    }
    let pair = |a: Option<&str>, b: Option<&str>| match (a, b) {
        (Some(a), Some(b)) => Some(format!("{a} {b}")),
        (one, other) => one.or(other).map(str::to_owned),
    };
    let operations = [
        (
            "queue",
            pair(
                first(span, &["messaging.operation.name", "messaging.operation.type", "messaging.operation"]),
                first(span, &["messaging.destination.name", "messaging.destination", "aws.queue_url"]),
            ),
        ),
        ("RPC", pair(first(span, &["rpc.service"]), first(span, &["rpc.method"]))),
        (
            "query",
            first(span, &["db.query.summary"]).map(str::to_owned).or_else(|| {
                pair(
                    first(span, &["db.operation.name", "db.operation"]),
                    first(span, &["db.collection.name", "db.sql.table", "db.mongodb.collection"]),
                )
            }),
        ),
        (
            "AWS",
            pair(
                first(span, &["aws.operation"]),
                first(span, &["aws.table_name", "aws.bucket_name", "aws.s3.bucket", "aws.queue_url"]),
            ),
        ),
        ("GraphQL", pair(first(span, &["graphql.operation.type"]), first(span, &["graphql.operation.name"]))),
        ("model", first(span, &["gen_ai.request.model"]).map(str::to_owned)),
    ];
    // What the span's name says already is not repeated.
    operations.into_iter().find_map(|(label, text)| {
        let text = text.filter(|text| !span.name.contains(text.as_str()))?;
        detail(label, &text)
    })
}

/// The URL of a request: as sent, or the path with its query. For a request that a service handled, the path stands in
/// its title, so that only a query or a URL adds to it.
fn url(span: &Span) -> Option<String> {
    if let Some(full) = first(span, &["url.full", "http.url", "http.request.url"]) {
        return Some(beginning(full, 2_000).to_owned());
    }
    if let Some(target) = first(span, &["http.target"]) {
        return worth(span, beginning(target, 2_000).to_owned());
    }
    let path = first(span, &["url.path", "http.route", "url.template"])?;
    let query = first(span, &["url.query"]).filter(|q| !q.is_empty());
    worth(
        span,
        match query {
            Some(query) => format!("{}?{}", beginning(path, 1_000), beginning(query.trim_start_matches('?'), 1_000)),
            None => beginning(path, 2_000).to_owned(),
        },
    )
}

fn worth(span: &Span, target: String) -> Option<String> {
    let told = matches!(span.kind, SpanKind::Server | SpanKind::Segment) && !target.contains('?');
    (!told && !span.name.contains(&target)).then_some(target)
}

fn first<'a>(span: &'a Span, keys: &[&str]) -> Option<&'a str> {
    keys.iter().find_map(|key| get(&span.attributes, key).and_then(Value::as_str)).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::SpanId;
    use crate::time::Nanos;
    use crate::trace::Protocol;

    #[test]
    fn names_have_ranks_of_both_generations() {
        for (key, expected) in [
            ("db.statement", Rank::Statement),
            ("db.query.text", Rank::Statement),
            ("url.full", Rank::Url),
            ("http.url", Rank::Url),
            ("http.route", Rank::Url),
            ("messaging.destination.name", Rank::Operation),
            ("http.status_code", Rank::Outcome),
            ("exception.type", Rank::Outcome),
            ("user.id", Rank::Own),
            ("feature_flag.key", Rank::Own),
            ("app.user_handle", Rank::Own),
            ("cart.items", Rank::Own),
            ("db.name", Rank::Convention),
            ("net.peer.name", Rank::Convention),
            ("server.address", Rank::Convention),
            ("net.sock.peer.addr", Rank::Framework),
            ("telemetry.sdk.name", Rank::Framework),
            ("process.pid", Rank::Framework),
            ("thread.id", Rank::Framework),
            ("host.name", Rank::Framework),
            ("cause.working_directory", Rank::Framework),
            ("aws.xray.sdk", Rank::Framework),
            ("service.name", Rank::Framework),
            ("code.function", Rank::Framework),
            ("id", Rank::Framework),
            ("identity", Rank::Own),
            ("hostile", Rank::Own),
        ] {
            assert_eq!(rank(key), expected, "{key}");
        }
        assert!(Rank::Statement < Rank::Own && Rank::Url < Rank::Own && Rank::Own < Rank::Framework);
    }

    #[test]
    fn no_name_has_two_ranks() {
        let mut all: Vec<&str> = RANKS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        let n = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(n, all.len());
    }

    fn told(kind: SpanKind, name: &str, attributes: &[(&str, &str)]) -> Option<(&'static str, String)> {
        let mut span = Span::new(SpanId([1; 8]), name, Protocol::Otlp, Nanos(0));
        span.kind = kind;
        span.attributes = attributes.iter().map(|(k, v)| Attribute::new(*k, *v)).collect();
        detail(&span).map(|d| (d.label, d.text))
    }

    #[test]
    fn the_decisive_attribute_is_found() {
        let client = SpanKind::Client;
        let sql = told(client, "SELECT", &[("db.system", "postgresql"), ("db.statement", "SELECT 1\n  FROM t")]);
        assert_eq!(sql, Some(("SQL", "SELECT 1 FROM t".into())));
        assert_eq!(told(client, "GET", &[("url.full", "http://a/b?c")]), Some(("URL", "http://a/b?c".into())));
        assert_eq!(told(client, "GET", &[("http.url", "http://a/b")]), Some(("URL", "http://a/b".into())));
        assert_eq!(told(SpanKind::Server, "GET /b", &[("http.route", "/b")]), None, "its title says it");
        assert_eq!(
            told(SpanKind::Server, "GET /b", &[("url.path", "/b"), ("url.query", "q=1")]),
            Some(("URL", "/b?q=1".into()))
        );
        assert_eq!(
            told(
                SpanKind::Producer,
                "send",
                &[("messaging.operation.name", "publish"), ("messaging.destination.name", "avatars")]
            ),
            Some(("queue", "publish avatars".into()))
        );
        assert_eq!(
            told(client, "x", &[("db.system", "redis"), ("db.statement", "GET k")]),
            Some(("query", "GET k".into()))
        );
        assert_eq!(told(SpanKind::Internal, "work", &[("cart.items", "3")]), None);
    }
}
