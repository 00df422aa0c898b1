use proptest::prelude::*;

use super::*;
use crate::assemble::assemble;
use crate::ids::{SpanId, TraceId};
use crate::time::Nanos;
use crate::trace::{Protocol, SpanKind};

fn request(method: &str, path: &str, query: Option<&str>, status: Option<u16>) -> Request {
    Request {
        method: (!method.is_empty()).then(|| method.to_owned()),
        path: (!path.is_empty()).then(|| path.to_owned()),
        query: query.map(str::to_owned),
        status,
    }
}

fn trace(spans: &[&[(&str, &str)]]) -> Trace {
    let spans = spans.iter().map(|attributes| {
        let mut span = Span::new(SpanId([1; 8]), "request", Protocol::Otlp, Nanos(1));
        span.kind = SpanKind::Server;
        span.attributes = attributes
            .iter()
            .map(|(key, value)| match value.parse::<i64>() {
                Ok(number) => Attribute::new(*key, number),
                Err(_) => Attribute::new(*key, *value),
            })
            .collect();
        span
    });
    Trace { spans: spans.collect(), ..assemble(TraceId([1; 16]), Vec::new()) }
}

#[test]
fn common_forms_are_read() {
    let home = |status| Some(request("GET", "/api/home", Some(""), status));
    let paged = Some(request("POST", "/api/home", Some("page=2"), Some(500)));
    for (line, expected) in [
        // Werkzeug, with and without colours
        (r#"172.18.0.1 - - [23/Nov/2026 15:20:42] "GET /api/home HTTP/1.1" 200 -"#, home(Some(200))),
        (
            "127.0.0.1 - - [23/Nov/2026 15:20:42] \"\u{1b}[35m\u{1b}[1mPOST /api/home?page=2 HTTP/1.1\u{1b}[0m\" 500 -",
            paged.clone(),
        ),
        // gunicorn, nginx, Apache
        (
            r#"10.0.0.2 - - [23/Nov/2026:15:20:42 +0000] "POST /api/home?page=2 HTTP/1.1" 500 12 "-" "curl/8""#,
            paged.clone(),
        ),
        (r#"10.0.0.2 - frank [23/Nov/2026:15:20:42 +0000] "GET /api/home HTTP/2.0" 200 2326"#, home(Some(200))),
        // uvicorn, Django, uWSGI
        (r#"INFO:     127.0.0.1:52354 - "GET /api/home HTTP/1.1" 200 OK"#, home(Some(200))),
        (r#"[23/Nov/2026 15:20:42] "POST /api/home?page=2 HTTP/1.1" 500 145"#, paged.clone()),
        (
            "[pid: 9|app: 0|req: 1/1] 10.0.0.2 () {28 vars in 305 bytes} [Mon Nov 23 15:20:42 2026] GET /api/home => generated 13 bytes in 2 msecs (HTTP/1.1 200) 2 headers in 79 bytes",
            home(Some(200)),
        ),
        // morgan: dev, tiny, short
        ("\u{1b}[0mGET /api/home \u{1b}[32m200\u{1b}[0m 4.201 ms - 12\u{1b}[0m", home(Some(200))),
        ("GET /api/home 200 12 - 4.201 ms", home(Some(200))),
        ("::1 - GET /api/home HTTP/1.1 200 12 - 4.201 ms", home(Some(200))),
        // gin, chi, Rails
        ("[GIN] 2026/11/23 - 15:20:42 | 200 |     1.2ms |  127.0.0.1 | GET      \"/api/home\"", home(Some(200))),
        (
            r#"2026/11/23 15:20:42 "GET http://localhost:3000/api/home HTTP/1.1" from 127.0.0.1:5 - 200 12B in 1ms"#,
            home(Some(200)),
        ),
        (r#"Started GET "/api/home" for 127.0.0.1 at 2026-11-23 15:20:42"#, home(None)),
        // what tutorials log by hand
        ("[2026-Nov-23 15:20] 172.18.0.1 GET http /api/home? 200 OK", home(Some(200))),
        ("GET /api/home -> 200", home(Some(200))),
        ("GET /api/home status=200", home(Some(200))),
        ("GET /api/home took 250 ms", home(None)),
        ("GET /api/home 250 ms", home(None)),
        // reports of a failure
        ("Internal Server Error: /api/home", Some(request("", "/api/home", None, Some(500)))),
        (
            "[2026-11-23 15:20:42,000] ERROR in app: Exception on /api/home [GET]",
            Some(request("GET", "/api/home", None, None)),
        ),
        // logfmt
        (
            r#"at=info method=GET path="/api/home" host=x.herokuapp.com status=200 bytes=12"#,
            Some(request("GET", "/api/home", None, Some(200))),
        ),
        ("level=info msg=done method=POST path=/api/home?page=2 status=500 duration=4.2", paged.clone()),
        // JSON
        (r#"{"method":"POST","path":"/api/home?page=2","status":500}"#, paged.clone()),
        (
            r#"{"req":{"method":"POST","url":"/api/home?page=2"},"res":{"statusCode":500},"msg":"request completed"}"#,
            paged.clone(),
        ),
        (
            r#"{"http":{"request":{"method":"POST"},"response":{"status_code":"500"}},"url":{"path":"/api/home","query":"page=2"}}"#,
            paged.clone(),
        ),
        (
            r#"{"http.request.method":"POST","url.full":"http://x:80/api/home?page=2","http.response.status_code":500}"#,
            paged.clone(),
        ),
        (r#"{"remote_addr":"10.0.0.2","request":"POST /api/home?page=2 HTTP/1.1","status":"500"}"#, paged.clone()),
        (
            r#"{"log":"127.0.0.1 - - [23/Nov/2026 15:20:42] \"POST /api/home?page=2 HTTP/1.1\" 500 -\n","stream":"stderr"}"#,
            paged.clone(),
        ),
        (
            r#"2026-11-23T15:20:42Z {"requestMethod":"POST","requestUrl":"/api/home?page=2","status":500}"#,
            paged.clone(),
        ),
        (r#"{"level":"info","context":{"method":"POST","path":"/api/home?page=2","status_code":500}}"#, paged.clone()),
        (r#"GET /api/home 200 {"user":"andrew"}"#, home(Some(200))),
        // not about a request
        ("TypeError: 'NoneType' object is not iterable", None),
        ("", None),
        (r#"{"level":"info","status":500}"#, None),
        (r#"{"level":"info","path":"/var/log/app.log"}"#, None),
        ("GET ready", None),
        ("status=200", None),
    ] {
        assert_eq!(request_of_line(line), expected, "{line}");
    }
}

#[test]
fn attributes_name_a_request_too() {
    let event = LogEvent {
        message: "done".to_owned(),
        attributes: vec![
            Attribute::new("http.method", "get"),
            Attribute::new("http.target", "/api/home?page=2"),
            Attribute::new("http.status_code", 404),
        ],
        ..LogEvent::default()
    };
    assert_eq!(request_of_event(&event), Some(request("GET", "/api/home", Some("page=2"), Some(404))));
}

#[test]
fn only_what_nothing_contradicts_may_be_of_the_trace() {
    let failing: &[(&str, &str)] = &[
        ("http.request.method", "GET"),
        ("url.path", "/api/home"),
        ("url.query", "page=2&sort=asc"),
        ("http.response.status_code", "500"),
    ];
    let ours = trace(&[failing]);
    for (line, expected) in [
        (r#""GET /api/home?page=2&sort=asc HTTP/1.1" 500 -"#, None),
        (r#""GET /api/home?sort=asc&page=2 HTTP/1.1" 500 -"#, None),
        (r#""GET /api/home?page=2&sort=asc HTTP/1.1" 200 OK"#, Some(Difference::Status)),
        (r#""GET /api/home?page=3&sort=asc HTTP/1.1" 500 -"#, Some(Difference::Query)),
        (r#""GET /api/home HTTP/1.1" 500 -"#, Some(Difference::Query)),
        (r#""POST /api/home?page=2&sort=asc HTTP/1.1" 500 -"#, Some(Difference::Method)),
        (r#""GET /api/other?page=2&sort=asc HTTP/1.1" 500 -"#, Some(Difference::Path)),
        (r#""GET /api/home/ HTTP/1.1" 308 -"#, Some(Difference::Path)),
        (r#"{"method":"GET","path":"/api/home","status":200}"#, Some(Difference::Status)),
        (r#"{"method":"GET","path":"/api/home"}"#, None),
        ("TypeError: 'NoneType' object is not iterable", None),
    ] {
        let found = request_of_line(line).and_then(|request| difference(&ours, &request));
        assert_eq!(found, expected, "{line}");
    }
    // Every request of the trace is compared: this one calls another service.
    let called: &[(&str, &str)] =
        &[("http.method", "GET"), ("http.url", "http://users:80/users/7"), ("http.status_code", "200")];
    let both = trace(&[failing, called]);
    let line = request_of_line(r#""GET /users/7 HTTP/1.1" 200 -"#).expect("a request");
    assert_eq!(difference(&both, &line), None);
    assert_eq!(difference(&ours, &line), Some(Difference::Path));
    // Without a request in the trace nothing is known.
    assert_eq!(difference(&trace(&[&[("db.system", "postgresql")]]), &line), None);
    // A middleware's span has the route only, and must not excuse another status.
    let middleware: &[(&str, &str)] = &[("http.route", "/api/home"), ("express.type", "middleware")];
    let other = request_of_line(r#""GET /api/home?page=2&sort=asc HTTP/1.1" 200 -"#).expect("a request");
    assert_eq!(difference(&trace(&[failing, middleware]), &other), Some(Difference::Status));
}

#[test]
fn routes_old_conventions_and_xray_are_compared_too() {
    for (attributes, line, same) in [
        (&[("http.method", "GET"), ("http.target", "/a?x=1")][..], "GET /a?x=1 200", true),
        (&[("http.method", "GET"), ("http.target", "/a")], "GET /a?x=1 200", false),
        (&[("http.method", "GET"), ("http.target", "/a%20b")], "GET /a%20b 200", true),
        (&[("http.request.method", "GET"), ("http.request.url", "http://h/a")], "GET /a?x=1 200", true),
        (&[("http.request.method", "GET"), ("url.path", "/a")], "GET /a?x=1 200", true),
        (&[("http.request.method", "GET"), ("http.route", "/users/<int:id>")], "GET /users/7 200", true),
        (&[("http.request.method", "GET"), ("http.route", "/users/:id")], "GET /users/7/posts 200", false),
        (&[("http.request.method", "GET"), ("http.route", "/files/<path:name>")], "GET /files/a/b 200", true),
        (&[("http.request.method", "GET"), ("http.route", "/users/{id}")], "GET /groups/7 200", false),
        (&[("http.method", "GET"), ("http.url", "http://h:80/a?token=REDACTED")], "GET /a?token=abc 200", true),
        (&[("http.request.method", "_OTHER"), ("url.path", "/a")], "GET /a 200", true),
    ] {
        let request = request_of_line(line).expect("a request");
        let found = difference(&trace(&[attributes]), &request);
        assert_eq!(found.is_none(), same, "{attributes:?} {line}: {found:?}");
    }
    let mut named = trace(&[&[]]);
    named.spans[0].name = "GET /users/{id}".to_owned();
    let request = request_of_line("GET /users/7 200").expect("a request");
    assert_eq!(difference(&named, &request), None);
    let request = request_of_line("GET /groups/7 200").expect("a request");
    assert_eq!(difference(&named, &request), Some(Difference::Path));
}

#[test]
fn errors_name_their_request() {
    let error = Occurrence {
        request: vec![Attribute::new("url", "http://localhost:5000/boom?x=1"), Attribute::new("method", "GET")],
        ..Occurrence::default()
    };
    assert_eq!(request_of_error(&error), request("GET", "/boom", Some("x=1"), None));
    assert_eq!(request_of_error(&Occurrence::default()), Request::default());
}

proptest! {
    #[test]
    fn what_a_server_logs_of_its_own_request_is_never_left_out(
        method in "(GET|POST|PUT|DELETE|PATCH)",
        path in "(/[a-zA-Z0-9_.~-]{1,8}){1,4}",
        query in "([a-z]{1,4}=[a-z0-9]{0,4}(&[a-z]{1,4}=[a-z0-9]{1,4}){0,2})?",
        code in 200u16..600,
    ) {
        let target = if query.is_empty() { path.clone() } else { format!("{path}?{query}") };
        let code_text = code.to_string();
        let trace = trace(&[&[
            ("http.method", method.as_str()), ("http.target", target.as_str()), ("http.status_code", code_text.as_str()),
        ]]);
        for line in [
            format!("127.0.0.1 - - [23/Nov/2026 15:20:42] \"{method} {target} HTTP/1.1\" {code} -"),
            format!("{method} {target} {code} 4.2 ms - 12"),
            format!("127.0.0.1:1 - \"{method} {target} HTTP/1.1\" {code} OK"),
            format!("{{\"method\":\"{method}\",\"url\":\"{target}\",\"statusCode\":{code}}}"),
            format!("method={method} path={path} status={code}"),
        ] {
            let found = request_of_line(&line).expect("a request");
            prop_assert_eq!(difference(&trace, &found), None, "{}", line);
            prop_assert_eq!(found.status, Some(code), "{}", line);
        }
        let other = format!("\"{method} {path}x HTTP/1.1\" {code} -");
        let found = request_of_line(&other).expect("a request");
        prop_assert_eq!(difference(&trace, &found), Some(Difference::Path));
    }

    #[test]
    fn any_line_can_be_read(line in ".{0,200}", json in "[{}\\[\\]\":,a-z0-9 ]{0,80}") {
        request_of_line(&line);
        request_of_line(&format!("{{{json}}}"));
        request_of_line(&format!("GET {line} HTTP/1.1 {json}"));
    }
}
