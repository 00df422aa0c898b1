use proptest::prelude::*;
use tracebook_core::assemble::{LooseSpan, assemble};
use tracebook_core::ids::{SpanId, TraceId};
use tracebook_core::time::Nanos;
use tracebook_core::trace::{Exception, Protocol, Span, SpanKind, StatusCode, Trace};
use tracebook_core::value::{Attribute, Value};

use super::*;

fn span(id: u8, parent: u8, kind: SpanKind, name: &str, seconds: (f64, f64)) -> Span {
    let protocol = match kind {
        SpanKind::Segment | SpanKind::Subsegment => Protocol::Xray,
        _ => Protocol::Otlp,
    };
    let at = |s| Nanos::from_seconds(s).expect("in range");
    let mut span = Span::new(SpanId([id; 8]), name, protocol, at(seconds.0));
    span.parent = (parent > 0).then_some(SpanId([parent; 8]));
    span.kind = kind;
    span.service = name.to_owned();
    span.end = Some(at(seconds.1));
    span
}

/// A front end that succeeds after 6 s, although its back end failed and a queue throttled it.
fn trace() -> Trace {
    let mut front = span(1, 0, SpanKind::Segment, "frontend", (0.0, 6.0));
    front.attributes = vec![
        Attribute::new("http.request.method", "GET"),
        Attribute::new("http.request.url", "http://cruddur.com/api/activities/home"),
        Attribute::new("http.request.user_agent", "curl/8"),
        Attribute::new("http.request.client_ip", "203.0.113.7"),
        Attribute::new("http.response.status", 200i64),
        Attribute::new("user", "andrewbrown"),
        Attribute::new("aws.ec2.instance_id", "i-1"),
    ];
    front.annotations = vec![
        Attribute::new("handle", "andrewbrown"),
        Attribute::new("age", 31i64),
        Attribute::new("ratio", 0.5),
        Attribute::new("admin", true),
        Attribute::new("aws.local.service", "x"),
    ];
    let mut call = span(2, 1, SpanKind::Subsegment, "backend.local", (1.0, 5.0));
    call.attributes = vec![Attribute::new("namespace", "remote")];
    call.status.code = StatusCode::Error;
    let mut back = span(3, 2, SpanKind::Segment, "backend-flask", (1.5, 4.0));
    back.status.code = StatusCode::Fault;
    back.exceptions =
        vec![Exception { kind: "TypeError".into(), message: "no return value".into(), ..Exception::default() }];
    let mut queue = span(4, 3, SpanKind::Subsegment, "SQS", (2.0, 2.1));
    queue.attributes = vec![Attribute::new("namespace", "aws")];
    queue.status.code = StatusCode::Throttle;
    of(vec![front, call, back, queue])
}

fn of(spans: Vec<Span>) -> Trace {
    assemble(TraceId([7; 16]), spans.into_iter().map(LooseSpan::from))
}

fn holds(trace: &Trace, text: &str) -> bool {
    let expression = Expression::parse(text).unwrap_or_else(|problem| panic!("{text}: {problem}"));
    let mut groups = Groups::new();
    groups.insert("Slow".to_owned(), Expression::parse("responsetime > 5").expect("fine"));
    groups.insert("All".to_owned(), Expression::default());
    groups.insert("Nested".to_owned(), Expression::parse("group.name = \"All\"").expect("fine"));
    expression.matches(&Subject::new(trace), &groups)
}

#[test]
fn a_table_of_expressions_that_match_and_that_do_not() {
    let trace = trace();
    for text in [
        "",
        "  ",
        "ok",
        "!fault",
        "NOT error",
        "ok = true",
        "fault != true",
        "throttle",
        "!partial",
        "inferred",
        "root",
        "responsetime > 5",
        "responsetime >= 6 AND duration <= 6",
        "duration = 6.0",
        "http.status = 200",
        "http.status != 404",
        "http.url CONTAINS \"/api/activities\"",
        "http.url BEGINSWITH \"http://cruddur.com/\" and http.url endswith \"home\"",
        "http.method = \"GET\"",
        "http.useragent CONTAINS \"curl\"",
        "http.clientip != \"127.0.0.1\"",
        "user = \"andrewbrown\"",
        "user CONTAINS \"\"",
        "instance.id = \"i-1\"",
        "name = \"backend-flask\"",
        "name = \"TypeError\"",
        "message CONTAINS \"return\"",
        "type = \"AWS::SQS\"",
        "annotation.handle = \"andrewbrown\"",
        "annotation.handle CONTAINS \"brown\"",
        "annotation.age",
        "annotation.age > 29 AND annotation.age < 32",
        "annotation.ratio = 0.5",
        "annotation.admin = true",
        "annotation.admin != false",
        "!annotation.missing",
        "annotation[aws.local.service] = \"x\"",
        "annotation[\"handle\"] = \"andrewbrown\"",
        "service(\"backend-flask\")",
        "service(\"backend-flask\") { fault }",
        "service(\"backend-flask\") {fault AND responsetime < 3}",
        "service(\"SQS\") { throttle AND inferred }",
        "service(\"frontend\") { ok AND root AND http.status = 200 }",
        "service() { fault }",
        "service(\"backend-flask\") { !root }",
        "service(id(name: \"SQS\", type: \"AWS::SQS\", account.id: \"1\"))",
        "service(\"backend-flask\") { name = \"TypeError\" }",
        "edge(\"frontend\", \"backend-flask\")",
        // As the caller saw it: an error, and four seconds.
        "edge(\"frontend\", \"backend-flask\") { error AND responsetime = 4 }",
        "edge(id(name: \"frontend\", type: \"client\"), \"frontend\")",
        "edge() { throttle }",
        "group.name = \"Slow\"",
        "group.name != \"Unknown\"",
        "group.arn = \"arn:aws:xray:us-east-1:123456789012:group/All\"",
        "fault OR ok AND throttle",
        "(fault OR ok) AND (!error)",
        "!(fault AND ok)",
        "!!ok",
    ] {
        assert!(holds(&trace, text), "should hold: {text}");
    }
    for text in [
        "fault",
        "error",
        "!ok",
        "ok = false",
        "partial",
        "responsetime < 5",
        "http.status >= 400",
        "http.url CONTAINS \"/API/\"",
        "user = \"bayko\"",
        "annotation.handle = \"bayko\"",
        "annotation.age = \"31\"",
        "annotation.handle = 31",
        "annotation.missing = 1",
        "annotation.admin = false",
        "service(\"nobody\")",
        "service(\"frontend\") { fault }",
        "service(\"backend.local\")",
        "service(id(name: \"SQS\", type: \"AWS::S3\"))",
        "edge(\"backend-flask\", \"frontend\")",
        "edge(\"frontend\", \"backend-flask\") { fault }",
        "group.name = \"Nested\"",
        "(ok OR fault) AND error",
        "ok AND fault OR error",
    ] {
        assert!(!holds(&trace, text), "should not hold: {text}");
    }
}

#[test]
fn otlp_attributes_are_annotations_and_an_open_root_has_no_response_time() {
    let mut server = span(1, 0, SpanKind::Server, "backend-flask", (0.0, 1.0));
    server.attributes = vec![
        Attribute::new("app.hubs", 3i64),
        Attribute { key: "list".into(), value: Value::List(vec![]) },
        Attribute::new("http.scheme", "http"),
        Attribute::new("http.host", "127.0.0.1:4567"),
        Attribute::new("http.target", "/api/x?y=1"),
        Attribute::new("http.status_code", 404i64),
    ];
    server.end = None;
    let trace = of(vec![server]);
    for text in [
        "annotation[app.hubs] = 3",
        "annotation.list",
        "error",
        "partial",
        "http.url = \"http://127.0.0.1:4567/api/x?y=1\"",
    ] {
        assert!(holds(&trace, text), "{text}");
    }
    assert!(!holds(&trace, "responsetime >= 0"));
    assert!(holds(&trace, "!(responsetime >= 0)"));
}

#[test]
fn invalid_expressions_name_the_position() {
    for (text, at, word) in [
        ("fault AND", 10, "ends"),
        ("fault fault", 7, "AND, OR"),
        ("AND", 1, "keyword"),
        ("(fault", 7, "\")\""),
        ("fault)", 6, "AND, OR"),
        ("faultt", 1, "not a keyword"),
        ("http.status = \"200\"", 15, "a number"),
        ("http.status", 12, "one of"),
        ("http.url = home", 12, "quoted"),
        ("http.url CONTAINS \"home", 19, "not closed"),
        ("service(backend-flask)", 9, "quotes"),
        ("service(\"a\") { fault", 21, "\"}\""),
        ("service(\"a\") { service(\"b\") }", 16, "within the braces"),
        ("edge(\"a\")", 9, "\",\""),
        ("annotation. = 1", 1, "key"),
        ("annotation[x = 1", 11, "]"),
        ("annotation.x = maybe", 16, "true, false"),
        ("ok = 1", 6, "true or false"),
        ("group.name CONTAINS \"a\"", 21, "="),
        ("fault & ok", 7, "unexpected"),
        ("id(name: \"x\")", 1, "within service"),
        ("rootcause.fault.exception { message CONTAINS \"x\" }", 1, "root causes"),
        ("index = 1", 1, "root causes"),
        ("service(\"a\") { annotation.x = 1 }", 16, "whole trace"),
        (&"(".repeat(100), 33, "deep"),
        (&"!".repeat(1000), 33, "deep"),
        (&"x".repeat(2001), 2000, "longer"),
        ("ok é", 4, "AND, OR"),
    ] {
        let problem = Expression::parse(text).expect_err(text);
        let found = match &problem {
            Problem::Wrong { at, .. } | Problem::Unsupported { at, .. } => *at,
        };
        assert_eq!(found, at, "{text}: {problem}");
        assert!(problem.to_string().contains(word), "{text}: {problem}");
    }
    assert!(matches!(Expression::parse("coverage > 1"), Err(Problem::Unsupported { .. })));
}

#[test]
fn groups_are_named_once_each() {
    let expression =
        Expression::parse("group.name = \"a\" OR !(group.name = \"b\" AND group.name != \"a\")").expect("fine");
    let mut names = expression.groups();
    names.sort_unstable();
    assert_eq!(names, ["a", "b"]);
}

proptest! {
    #[test]
    fn no_text_panics(text in any::<String>()) {
        drop(Expression::parse(&text));
    }

    #[test]
    fn random_keywords_are_parsed_and_evaluated_or_rejected(
        words in prop::collection::vec(prop::sample::select(vec![
            "ok", "fault", "!", "(", ")", "AND", "OR", "service", "edge", "\"a\"", "{", "}", ",", "=", ">", "5", "http.url",
            "annotation.k", "annotation[", "]", "CONTAINS", "group.name", "responsetime", "id", "name", ":", "true", "'", "\\",
        ]), 0..14),
    ) {
        if let Ok(expression) = Expression::parse(&words.join(" ")) {
            let trace = trace();
            let subject = Subject::new(&trace);
            let _matches = expression.matches(&subject, &Groups::new());
            if !words.is_empty() {
                let negated = Expression::parse(&format!("!({})", words.join(" "))).expect("still an expression");
                prop_assert_ne!(negated.matches(&subject, &Groups::new()), expression.matches(&subject, &Groups::new()));
            }
        }
    }
}
