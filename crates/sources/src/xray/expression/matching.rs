//! Whether an expression matches a trace.

use tracebook_core::service_map::{Calls, NodeKind, Outcome, Place, calls, outcome};
use tracebook_core::trace::{Span, Trace};
use tracebook_core::value::{Attribute, Value};

use super::{AnnotationTest, Flag, Groups, Named, Node, Number, Text};

/// A trace to match, with what all matches share.
#[derive(Debug)]
pub struct Subject<'a> {
    trace: &'a Trace,
    calls: Calls,
    partial: bool,
    throttled: bool,
}

/// The scope of a keyword.
#[derive(Clone, Copy)]
enum About<'a> {
    /// The whole trace, represented by its root.
    Trace,
    /// One call, seen by `span`.
    Call { span: &'a Span, outcome: Outcome, place: &'a Place, root: bool },
}

impl<'a> Subject<'a> {
    pub fn new(trace: &'a Trace) -> Self {
        let partial = trace.spans.iter().any(|span| span.end.is_none());
        let throttled = trace.spans.iter().any(|span| outcome(span) == Outcome::Throttle);
        Self { trace, calls: calls(trace), partial, throttled }
    }

    pub fn trace(&self) -> &'a Trace {
        self.trace
    }

    /// The calls between its services.
    pub fn calls(&self) -> &Calls {
        &self.calls
    }

    /// Whether any part is in progress.
    pub fn partial(&self) -> bool {
        self.partial
    }

    /// Whether any part was throttled.
    pub fn throttled(&self) -> bool {
        self.throttled
    }

    pub(super) fn is(&self, node: &Node, groups: Option<&Groups>) -> bool {
        self.holds(node, About::Trace, groups)
    }

    /// Recurses no deeper than the parser allowed.
    fn holds(&self, node: &Node, about: About<'_>, groups: Option<&Groups>) -> bool {
        match node {
            Node::All(nodes) => nodes.iter().all(|node| self.holds(node, about, groups)),
            Node::Any(nodes) => nodes.iter().any(|node| self.holds(node, about, groups)),
            Node::Not(node) => !self.holds(node, about, groups),
            Node::Flag(flag) => self.flag(*flag, about),
            Node::Number(number, comparison, wanted) => {
                self.number(*number, about).is_some_and(|found| comparison.holds(found, *wanted))
            }
            Node::Text(text, test, wanted) => self.texts(*text, about, &|found| test.holds(found, wanted)),
            Node::Annotated(key) => self.annotations(key).next().is_some(),
            Node::Annotation(key, test) => self.annotations(key).any(|value| annotated(value, test)),
            Node::Service(named, None) => self.calls.places.iter().any(|place| is_named(named, place)),
            Node::Service(named, Some(filter)) => self.calls.calls.iter().any(|call| {
                let place = &self.calls.places[call.to];
                let span = &self.trace.spans[call.handled];
                is_named(named, place)
                    && self.holds(filter, About::Call { span, outcome: call.outcome, place, root: call.outside }, None)
            }),
            Node::Edge(from, to, filter) => self.calls.calls.iter().any(|call| {
                let place = &self.calls.places[call.to];
                let caller = match (call.from, call.outside) {
                    (Some(from), _) => &self.calls.places[from],
                    // A client has the name of the service that it calls.
                    (None, true) => &Place { kind: NodeKind::Client, name: place.name.clone() },
                    (None, false) => return false,
                };
                let span = &self.trace.spans[call.span];
                let about = About::Call { span, outcome: call.seen, place, root: call.outside };
                is_named(from, caller)
                    && is_named(to, place)
                    && filter.as_ref().is_none_or(|filter| self.holds(filter, about, None))
            }),
            // Groups within groups are not followed: they could form a loop.
            Node::Group(name) => groups
                .and_then(|groups| groups.get(name))
                .is_some_and(|group| group.root.as_ref().is_none_or(|root| self.holds(root, about, None))),
        }
    }

    fn flag(&self, flag: Flag, about: About<'_>) -> bool {
        let ended = match about {
            About::Trace => self.trace.root().map(outcome),
            About::Call { outcome, .. } => Some(outcome),
        };
        match (flag, about) {
            (Flag::Ok, _) => ended == Some(Outcome::Ok),
            (Flag::Error, _) => matches!(ended, Some(Outcome::Error | Outcome::Throttle)),
            (Flag::Fault, _) => ended == Some(Outcome::Fault),
            (Flag::Throttle, About::Trace) => self.throttled,
            (Flag::Throttle, About::Call { .. }) => ended == Some(Outcome::Throttle),
            (Flag::Partial, About::Trace) => self.partial,
            (Flag::Partial, About::Call { span, .. }) => span.end.is_none(),
            (Flag::Inferred, About::Trace) => self.calls.places.iter().any(|place| place.kind != NodeKind::Service),
            (Flag::Inferred, About::Call { place, .. }) => place.kind != NodeKind::Service,
            (Flag::Root, About::Trace) => true,
            (Flag::Root, About::Call { root, .. }) => root,
        }
    }

    fn number(&self, number: Number, about: About<'_>) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "lengths in seconds, statuses of three digits")]
        let real = |n: i64| n as f64;
        let span = match about {
            About::Trace => self.trace.root()?,
            About::Call { span, .. } => span,
        };
        match (number, about) {
            (Number::HttpStatus, _) => span.http_status().map(real),
            (Number::Duration, About::Trace) => Some(real(self.trace.duration()) / 1e9),
            (Number::ResponseTime | Number::Duration, _) => span.duration().map(|length| real(length) / 1e9),
        }
    }

    fn texts(&self, text: Text, about: About<'_>, test: &dyn Fn(&str) -> bool) -> bool {
        // What any span of a trace may set is searched in all of them.
        let anywhere = |keys: &[&str]| match about {
            About::Trace => self.trace.spans.iter().any(|span| first(span, keys).is_some_and(test)),
            About::Call { span, .. } => first(span, keys).is_some_and(test),
        };
        let span = match about {
            About::Trace => self.trace.root(),
            About::Call { span, .. } => Some(span),
        };
        match text {
            Text::Url => span.and_then(url).is_some_and(|url| test(&url)),
            Text::Method => span.and_then(Span::http_method).is_some_and(test),
            Text::UserAgent => span.and_then(|span| first(span, USER_AGENT)).is_some_and(test),
            Text::ClientIp => span.and_then(|span| first(span, CLIENT_IP)).is_some_and(test),
            Text::User => anywhere(USER),
            Text::Zone => anywhere(ZONE),
            Text::Instance => anywhere(INSTANCE),
            Text::Resource => anywhere(RESOURCE),
            Text::Name => match about {
                About::Trace => {
                    self.calls.places.iter().any(|place| test(&place.name))
                        || self.exceptions(about, &|e| test(&e.kind))
                }
                About::Call { place, .. } => test(&place.name) || self.exceptions(about, &|e| test(&e.kind)),
            },
            Text::Type => match about {
                About::Trace => self.calls.places.iter().any(|place| test(&type_of(place))),
                About::Call { place, .. } => test(&type_of(place)),
            },
            Text::Message => self.exceptions(about, &|e| test(&e.message)),
        }
    }

    fn exceptions(&self, about: About<'_>, test: &dyn Fn(&tracebook_core::trace::Exception) -> bool) -> bool {
        match about {
            About::Trace => self.trace.spans.iter().flat_map(|span| &span.exceptions).any(test),
            About::Call { span, .. } => {
                span.exceptions.iter().any(test)
                    || (!span.cause_ref.is_empty() && self.trace.exception(&span.cause_ref).is_some_and(test))
            }
        }
    }

    /// X-Ray's annotations, and OpenTelemetry's attributes, which X-Ray indexes too.
    fn annotations<'s>(&'s self, key: &'s str) -> impl Iterator<Item = &'s Value> {
        let of = move |list: &'s [Attribute]| list.iter().filter(move |a| a.key == key).map(|a| &a.value);
        self.trace.spans.iter().flat_map(move |span| {
            let otlp = span.protocol != tracebook_core::trace::Protocol::Xray;
            of(&span.annotations).chain(of(if otlp { &span.attributes } else { &[] }))
        })
    }
}

pub(crate) const USER: &[&str] = &["user", "enduser.id", "user.id"];
pub(crate) const USER_AGENT: &[&str] = &["http.request.user_agent", "user_agent.original", "http.user_agent"];
pub(crate) const CLIENT_IP: &[&str] =
    &["http.request.client_ip", "client.address", "http.client_ip", "net.peer.ip", "net.sock.peer.addr"];
pub(crate) const ZONE: &[&str] = &["aws.ec2.availability_zone"];
pub(crate) const INSTANCE: &[&str] = &["aws.ec2.instance_id"];
pub(crate) const RESOURCE: &[&str] = &["resource_arn", "aws.resource_arn"];

/// The first of these attributes that is a string.
pub(crate) fn first<'a>(span: &'a Span, keys: &[&str]) -> Option<&'a str> {
    keys.iter().find_map(|key| span.attribute(key)?.as_str())
}

/// The whole URL, assembled if the sender has it in parts.
pub(crate) fn url(span: &Span) -> Option<String> {
    if let Some(url) = first(span, &["http.request.url", "url.full", "http.url"]) {
        return Some(url.to_owned());
    }
    let path = first(span, &["http.target", "url.path"])?;
    let scheme = first(span, &["url.scheme", "http.scheme"]).unwrap_or("http");
    let host = first(span, &["http.host", "server.address", "net.host.name"])?;
    let port = ["server.port", "net.host.port"].iter().find_map(|key| span.attribute(key)?.as_int());
    let port = port.filter(|_| !host.contains(':')).map(|port| format!(":{port}")).unwrap_or_default();
    let query = first(span, &["url.query"]).filter(|query| !query.is_empty() && !path.contains('?'));
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    Some(format!("{scheme}://{host}{port}{path}{query}"))
}

/// X-Ray's name for the type of a place.
pub(crate) fn type_of(place: &Place) -> String {
    match place.kind {
        NodeKind::Client => "client".to_owned(),
        NodeKind::Service => String::new(),
        NodeKind::Remote | NodeKind::Messaging => "remote".to_owned(),
        NodeKind::Database => "Database::SQL".to_owned(),
        NodeKind::Aws => format!("AWS::{}", place.name),
    }
}

fn is_named(named: &Named, place: &Place) -> bool {
    named.name.as_ref().is_none_or(|name| *name == place.name)
        && named.kind.as_ref().is_none_or(|kind| kind.eq_ignore_ascii_case(&type_of(place)))
}

fn annotated(value: &Value, test: &AnnotationTest) -> bool {
    match (value, test) {
        (Value::Str(text), AnnotationTest::Text(test, wanted)) => test.holds(text, wanted),
        (Value::Bool(flag), AnnotationTest::Flag(wanted)) => flag == wanted,
        #[expect(clippy::cast_precision_loss, reason = "as X-Ray compares: numbers are doubles")]
        (Value::Int(n), AnnotationTest::Number(comparison, wanted)) => comparison.holds(*n as f64, *wanted),
        (Value::Double(d), AnnotationTest::Number(comparison, wanted)) => comparison.holds(*d, *wanted),
        _ => false,
    }
}
