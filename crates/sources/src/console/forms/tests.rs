//! Output in the form of each exporter, alone and behind what tools write before a line.

use tracebook_core::assemble::LooseSpan;
use tracebook_core::console::{LineKind, classify, lines};
use tracebook_core::telemetry::{Encoding, SpanRecord};
use tracebook_core::time::Nanos;
use tracebook_core::trace::{SpanKind, StatusCode};
use tracebook_core::value::{Value, get};

use crate::console::spans;

const DOTNET: &str = include_str!("../testdata/dotnet.txt");
const JAVA: &str = include_str!("../testdata/java.txt");
const GO: &str = include_str!("../testdata/go.txt");
const RUBY: &str = include_str!("../testdata/ruby.txt");
const COLLECTOR: &str = include_str!("../testdata/collector.txt");
const PYTHON: &str = include_str!("../testdata/spans.txt");
const NODE: &str = include_str!("../testdata/node.txt");

fn records(text: &str) -> Vec<SpanRecord> {
    spans(&lines(text), None)
}

fn read(record: &SpanRecord) -> (LooseSpan, Vec<String>) {
    crate::normalise(record)
}

fn at(text: &str) -> Nanos {
    Nanos::parse_rfc3339(text).expect("a time")
}

fn titles(records: &[SpanRecord]) -> Vec<&str> {
    records.iter().map(|record| record.title.as_str()).collect()
}

fn value(span: &LooseSpan, key: &str) -> Option<Value> {
    get(&span.span.attributes, key).cloned()
}

#[test]
fn activities_of_dotnet() {
    let found = records(DOTNET);
    assert_eq!(titles(&found), ["SELECT shop", "GET /products 500"]);
    let (loose, warnings) = read(&found[0]);
    let span = &loose.span;
    assert_eq!(warnings, Vec::<String>::new());
    assert_eq!(found[0].trace_id.to_string(), "7f3e1c0a9b8d4e5f60718293a4b5c6d7");
    assert_eq!((span.id.to_string().as_str(), span.parent), ("1a2b3c4d5e6f7081", Some(found[1].span_id)));
    assert_eq!(
        (span.kind, span.status.code, span.status.message.as_str()),
        (SpanKind::Client, StatusCode::Error, "connection reset")
    );
    assert_eq!((span.start, span.end), (at("2026-11-23T15:20:42.1234567Z"), Some(at("2026-11-23T15:20:42.1638625Z"))));
    assert_eq!(value(&loose, "db.statement"), Some("SELECT t.\"Id\", t.\"Name\"\nFROM \"Tags\" AS t\nLIMIT 1".into()));
    assert_eq!(
        (value(&loose, "server.port"), value(&loose, "retried")),
        (Some(Value::Int(5432)), Some(Value::Bool(false)))
    );
    assert_eq!(
        (span.events[0].time, span.exceptions[0].kind.as_str()),
        (at("2026-11-23T15:20:42Z"), "Npgsql.NpgsqlException")
    );
    assert_eq!(
        (span.links[0].span_id.to_string().as_str(), span.links[0].attributes[0].value.clone()),
        ("b7ad6b7169203331", "retry".into())
    );
    assert_eq!(
        (span.service.as_str(), loose.scope.name.as_str(), loose.scope.version.as_str()),
        ("shop-api", "Npgsql", "8.0.1")
    );
    let (root, _) = read(&found[1]);
    assert_eq!((root.span.parent, root.span.kind), (None, SpanKind::Server));
    assert_eq!(root.scope.name, "OpenTelemetry.Instrumentation.AspNetCore");
    assert_eq!(root.span.end, Some(at("2026-11-23T15:20:43.62Z")));
}

#[test]
fn spans_of_javas_logging_exporters() {
    let found = records(JAVA);
    assert_eq!(titles(&found), ["GET /orders/1 200", "SELECT orders", "render", "checkout"]);
    let (loose, warnings) = read(&found[0]);
    assert!(warnings[0].starts_with("LoggingSpanExporter prints neither times nor parent"), "{warnings:?}");
    assert_eq!((loose.span.kind, loose.span.id.to_string().as_str()), (SpanKind::Server, "00f067aa0ba902b7"));
    assert_eq!((loose.span.start, loose.span.end), (at("2026-11-23T15:20:42Z"), Some(at("2026-11-23T15:20:42Z"))));
    assert_eq!(value(&loose, "user.name"), Some("Ada, Countess".into()));
    assert_eq!(value(&loose, "http.response.status_code"), Some(Value::Int(200)));
    assert_eq!(
        (loose.scope.name.as_str(), loose.scope.version.as_str()),
        ("io.opentelemetry.tomcat-10.0", "2.9.0-alpha")
    );
    let (agent, _) = read(&found[1]);
    assert_eq!((agent.span.start, value(&agent, "db.system")), (at("2026-11-23T15:20:43.25Z"), Some("h2".into())));
    assert_eq!(read(&found[2]).0.span.start, at("2026-11-23T15:20:44.5Z"));
    assert_eq!((found[3].encoding, found[3].service.as_str()), (Encoding::OtlpJson, "orders"));
}

#[test]
fn spans_of_go() {
    let found = records(GO);
    assert_eq!(titles(&found), ["Fibonacci", "Run"]);
    let (loose, warnings) = read(&found[0]);
    let span = &loose.span;
    assert_eq!(warnings, Vec::<String>::new());
    assert_eq!((span.kind, span.parent), (SpanKind::Server, Some(found[1].span_id)));
    assert_eq!(
        (span.start, span.end),
        (at("2026-11-23T14:20:42.123456789Z"), Some(at("2026-11-23T14:20:42.623456789Z")))
    );
    assert_eq!((value(&loose, "request.n"), value(&loose, "retries")), (Some("100".into()), Some(Value::Int(2))));
    assert_eq!((span.status.code, span.status.message.as_str()), (StatusCode::Error, "too large"));
    assert_eq!(
        (span.exceptions[0].kind.as_str(), span.events[0].time),
        ("*errors.errorString", at("2026-11-23T14:20:42.5Z"))
    );
    assert_eq!(
        (span.links[0].trace_state.as_str(), span.links[0].trace_id.to_string().as_str()),
        ("a=b", "0af7651916cd43dd8448eb211c80319c")
    );
    assert_eq!(
        (span.service.as_str(), loose.scope.name.as_str(), loose.scope.version.as_str()),
        ("fib", "fib", "v0.1.0")
    );
    let (root, _) = read(&found[1]);
    assert_eq!(
        (root.span.parent, root.span.kind, root.span.status.code),
        (None, SpanKind::Internal, StatusCode::Unset)
    );
}

#[test]
fn spans_of_ruby() {
    let found = records(RUBY);
    assert_eq!(titles(&found), ["GET /rolldice 500", "short"]);
    let (loose, warnings) = read(&found[0]);
    let span = &loose.span;
    assert_eq!(warnings, Vec::<String>::new());
    assert_eq!(found[0].trace_id.to_string(), "5df32f4db6510584766970a3f093de1b");
    assert_eq!(
        (span.id.to_string().as_str(), span.parent.map(|id| id.to_string()).as_deref()),
        ("e99c8eba27765671", Some("1112131415161718"))
    );
    assert_eq!(
        (span.kind, span.status.code, span.status.message.as_str()),
        (SpanKind::Server, StatusCode::Error, "it > broke")
    );
    assert_eq!((span.start, span.end), (Nanos(1_795_447_242_407_294_000), Some(Nanos(1_795_447_242_464_308_000))));
    assert_eq!(value(&loose, "http.target"), Some("/rolldice?a=\"b\"".into()));
    assert_eq!(value(&loose, "list"), Some(Value::List(vec!["a".into(), "b".into()])));
    assert_eq!(span.exceptions[0].stacktrace, "it > broke\n\tfrom app.rb:3");
    let link = &span.links[0];
    assert_eq!(
        (link.trace_id.to_string().as_str(), link.span_id.to_string().as_str()),
        ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331")
    );
    assert_eq!(link.trace_state, "a=b");
    assert_eq!((span.service.as_str(), loose.scope.version.as_str()), ("dice", "0.23.0"));
    let (short, _) = read(&found[1]);
    assert_eq!((short.span.parent, short.span.id.to_string().as_str()), (None, "4142434445464748"));
}

#[test]
fn spans_of_the_collectors_debug_exporter() {
    let found = records(COLLECTOR);
    assert_eq!(titles(&found), ["okey-dokey: 1 500", "lets-go", "GET /cart 200", "lets-go"]);
    let (loose, warnings) = read(&found[0]);
    let span = &loose.span;
    assert_eq!(warnings, Vec::<String>::new());
    assert_eq!((span.kind, span.parent, span.trace_state.as_str()), (SpanKind::Server, Some(found[1].span_id), "a=b"));
    assert_eq!(
        (span.start, span.end),
        (at("2026-11-23T15:20:42.509369393Z"), Some(at("2026-11-23T15:20:42.50949377Z")))
    );
    assert_eq!((span.status.code, span.status.message.as_str()), (StatusCode::Error, "it broke"));
    assert_eq!((value(&loose, "ratio"), value(&loose, "flag")), (Some(Value::Double(0.5)), Some(Value::Bool(true))));
    assert_eq!(value(&loose, "list"), Some(Value::List(vec!["a".into(), "b".into()])));
    assert_eq!(value(&loose, "text"), Some("two\nlines".into()));
    assert_eq!((span.events[0].name.as_str(), span.exceptions[0].message.as_str()), ("exception", "it broke"));
    assert_eq!(span.links[0].attributes[0].value, "batch".into());
    assert_eq!(
        (span.service.as_str(), loose.scope.name.as_str(), loose.scope.version.as_str()),
        ("telemetrygen", "gen", "1.2.3")
    );
    let (second, _) = read(&found[1]);
    assert_eq!(
        (second.span.service.as_str(), second.span.parent, second.span.kind),
        ("telemetrygen", None, SpanKind::Client)
    );
    let (line, warnings) = read(&found[2]);
    assert!(warnings[0].contains("verbosity normal"), "{warnings:?}");
    assert_eq!((line.span.service.as_str(), line.span.start), ("shop", at("2026-11-23T15:20:43Z")));
    assert_eq!(value(&line, "note"), Some("two words".into()));
    assert_eq!(line.scope.version, "1.0");
}

#[test]
fn what_tools_write_before_a_line_does_not_matter() {
    for (name, text) in
        [("dotnet", DOTNET), ("go", GO), ("ruby", RUBY), ("collector", COLLECTOR), ("python", PYTHON), ("node", NODE)]
    {
        let bare: Vec<(String, String)> =
            records(text).iter().map(|r| (r.title.clone(), r.span_id.to_string())).collect();
        assert!(!bare.is_empty());
        for before in [
            "backend-1  | ",
            "\u{1b}[36mbackend-1  | \u{1b}[0m",
            "backend-1  | 2026-11-23T15:20:42.123456789Z ",
            "[pod/backend-5d4f8/app] ",
            "[pod/backend-5d4f8/app] 2026-11-23T15:20:42.1234Z ",
            "Nov 23 15:20:42 ip-10-0-0-1 backend[12]: ",
            "2026-11-23T15:20:42.123456Z stdout F ",
            "2026-11-23T15:20:42.1234567Z ",
            "15:20:42 web.1  | ",
            "  ",
            "\t",
        ] {
            let other = "[pod/other-1/x] hello\n";
            let prefixed: String = text.lines().map(|line| format!("{before}{line}\r\n{other}")).collect();
            let found: Vec<(String, String)> =
                records(&prefixed).iter().map(|r| (r.title.clone(), r.span_id.to_string())).collect();
            // The debug exporter's own lines begin at the start of a line.
            if name == "collector" && before.trim().is_empty() {
                continue;
            }
            assert_eq!(found, bare, "{name} behind {before:?}");
        }
    }
}

#[test]
fn any_indentation_of_json_is_read() {
    for unit in ["  ", "\t", "   ", "        "] {
        let text: String = PYTHON
            .lines()
            .map(|line| {
                let depth = (line.len() - line.trim_start().len()) / 4;
                format!("{}{}\n", unit.repeat(depth), line.trim_start())
            })
            .collect();
        assert_eq!(titles(&records(&text)), titles(&records(PYTHON)), "{unit:?}");
        let nested: String =
            format!("[\n{}]\n", text.lines().map(|line| format!("{unit}{line}\n")).collect::<String>());
        assert_eq!(titles(&records(&nested)), titles(&records(PYTHON)), "in a list by {unit:?}");
    }
}

#[test]
fn lines_of_spans_are_classified() {
    for (text, spans) in [(DOTNET, 47), (GO, 86), (RUBY, 58)] {
        let lines = lines(text);
        let kinds = classify(&lines);
        let found = kinds.iter().filter(|kind| **kind == LineKind::Span).count();
        assert!(found + 6 >= spans && found <= lines.len(), "{found} of {}", lines.len());
        assert_ne!(kinds[0], LineKind::Span);
    }
}

#[test]
fn near_misses_are_no_spans() {
    let cut = |text: &str, n: usize| text.lines().take(n).collect::<Vec<_>>().join("\n");
    for text in [
        "Activity.TraceId: none\nActivity.SpanId: none\n\n".to_owned(),
        DOTNET.replace("Activity.StartTime:", "Activity.Start:"),
        DOTNET.replace("Activity.SpanId:             ", "Activity.SpanId:             x"),
        cut(GO, 60),
        GO.replace("TraceID", "TraceId"),
        cut(RUBY, 40),
        RUBY.replace("trace_id=\"", "trace_id=\"x").replace("ABCDEFGHIJKLMNOP", "ABC"),
        RUBY.replace("SpanData", "SpanDate"),
        "2026-11-23T15:20:42.510Z INFO 'a' : 4bf92f3577b34da6a3ce929d0e0e473 00f067aa0ba902b7 SERVER [tracer: x:] {}"
            .to_owned(),
        "INFO: 'a' : 4bf92f3577b34da6a3ce929d0e0e4736 00f067aa0ba902b7 SERVER [tracer: x:] {}".to_owned(),
        "deploy 4bdc558f0f0650e3ccaac8f3ae133954 8b69459f015c164b done=1".to_owned(),
        cut(COLLECTOR, 9),
        "Span #0\n    Trace ID       : \n    ID             : \n    Name           : x\n".to_owned(),
        "ResourceLog #0\nLogRecord #0\nTrace ID: 53f15c1d0c8f63bd3ecb93e7caec8be5\nSpan ID: b3ad3b3d8362a35a\n"
            .to_owned(),
        "{\n  \"name\": \"package\",\n  \"version\": \"1\"\n}".to_owned(),
        "{\n\t\"Name\": \"x\",\n\t\"TraceID\": \"y\",\n\t\"SpanID\": \"z\"\n}".to_owned(),
    ] {
        assert_eq!(titles(&records(&text)), Vec::<&str>::new(), "{text}");
    }
}
