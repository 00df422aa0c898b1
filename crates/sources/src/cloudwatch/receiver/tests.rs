mod memory;
mod store;

use std::sync::atomic::Ordering;

use proptest::prelude::*;
use tracebook_core::clock::FixedClock;
use tracebook_core::ids::TraceId;
use tracebook_core::time::Nanos;

use self::store::Memory;
use super::*;
use crate::receive::CommitError;
use crate::testing::{Answer, Server, http, post as send};

const NOW: i64 = 1_795_447_213_087;
const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

const SIGNED: &str = "Content-Type: application/x-amz-json-1.1\r\nX-Amz-Date: 20261123T152013Z\r\n\
    Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261123/ca-central-1/logs/aws4_request, \
    SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature=00\r\n\
    amz-sdk-request: attempt=1; max=3\r\n";

struct Local {
    store: Arc<Memory>,
    counters: Arc<Counters>,
    server: Server,
}

impl Local {
    async fn start() -> Self {
        let (store, counters) = (Arc::new(Memory::default()), Arc::new(Counters::default()));
        let clock = Arc::new(FixedClock(Nanos::from_millis(NOW)));
        let server = Server::start(router(store.clone(), counters.clone(), clock)).await;
        Self { store, counters, server }
    }

    async fn within(bounds: Bounds) -> Self {
        let (store, counters) = (Arc::new(Memory::default()), Arc::new(Counters::default()));
        let clock = Arc::new(FixedClock(Nanos::from_millis(NOW)));
        let server = Server::start(router_with(store.clone(), counters.clone(), clock, bounds)).await;
        Self { store, counters, server }
    }

    async fn with_stream() -> Self {
        let local = Self::start().await;
        local.ok("CreateLogGroup", json!({"logGroupName": "cruddur"})).await;
        local.ok("CreateLogStream", json!({"logGroupName": "cruddur", "logStreamName": "s"})).await;
        local
    }

    async fn raw(&self, operation: &str, body: &[u8]) -> Answer {
        let headers = format!("X-Amz-Target: Logs_20140328.{operation}\r\n{SIGNED}");
        send(self.server.addr, "/", &headers, body).await
    }

    async fn ok(&self, operation: &str, input: Value) -> Value {
        let answer = self.raw(operation, input.to_string().as_bytes()).await;
        assert_eq!(answer.status, 200, "{operation}: {}", answer.text());
        assert_eq!(answer.header("content-type"), Some("application/x-amz-json-1.1"));
        if answer.body.is_empty() { Value::Null } else { answer.json() }
    }

    /// The error's type and message.
    async fn refused(&self, operation: &str, input: Value) -> (String, String) {
        let answer = self.raw(operation, input.to_string().as_bytes()).await;
        assert_eq!(answer.status, 400, "{operation}: {}", answer.text());
        let error = answer.json();
        let text = |member: &str| error[member].as_str().expect("a text").to_owned();
        (text("__type"), text("message"))
    }

    async fn invalid(&self, operation: &str, input: Value) -> String {
        let (kind, message) = self.refused(operation, input).await;
        assert_eq!(kind, "InvalidParameterException", "{message}");
        message
    }

    async fn put(&self, events: &[(i64, &str)]) -> Value {
        self.ok("PutLogEvents", batch(events)).await
    }
}

fn batch(events: &[(i64, &str)]) -> Value {
    let events: Vec<Value> =
        events.iter().map(|(timestamp, message)| json!({"timestamp": timestamp, "message": message})).collect();
    json!({"logGroupName": "cruddur", "logStreamName": "s", "logEvents": events})
}

fn messages(answer: &Value) -> Vec<&str> {
    answer["events"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|event| event["message"].as_str().expect("a text"))
        .collect()
}

fn names<'a>(answer: &'a Value, list: &str, member: &str) -> Vec<&'a str> {
    answer[list].as_array().expect("a list").iter().map(|row| row[member].as_str().expect("a text")).collect()
}

const NO_GROUP: (&str, &str) = ("ResourceNotFoundException", "The specified log group does not exist.");
const NO_STREAM: (&str, &str) = ("ResourceNotFoundException", "The specified log stream does not exist.");

fn is(refusal: &(String, String), expected: (&str, &str)) {
    assert_eq!((refusal.0.as_str(), refusal.1.as_str()), expected);
}

#[tokio::test]
async fn watchtower_creates_what_is_missing_and_then_logs() {
    let local = Local::start().await;
    let stream = "host//app/venv/lib/flask/__main__.py/cruddur/4587";
    let found = local.ok("DescribeLogGroups", json!({"logGroupNamePrefix": "cruddur"})).await;
    assert_eq!(found, json!({"logGroups": []}));
    let created = local.raw("CreateLogGroup", br#"{"logGroupName": "cruddur"}"#).await;
    assert_eq!((created.status, created.body.len()), (200, 0));

    let who = "Action=GetCallerIdentity&Version=2011-06-15";
    let form = "Content-Type: application/x-www-form-urlencoded; charset=utf-8\r\n";
    let identity = send(local.server.addr, "/", form, who.as_bytes()).await;
    assert_eq!((identity.status, identity.header("content-type")), (200, Some("text/xml")));
    assert!(identity.text().contains("<Account>123456789012</Account>"), "{}", identity.text());
    let arn = "arn:aws:logs:ca-central-1:123456789012:log-group:cruddur";
    local.ok("TagResource", json!({"resourceArn": arn, "tags": {"week": "2"}})).await;
    local.ok("PutRetentionPolicy", json!({"logGroupName": "cruddur", "retentionInDays": 7})).await;

    let events = json!([
        {"timestamp": NOW - 900, "message": "HomeActivities trace_id=6b0459acd2fb2577c226bb0ed076fe79"},
        {"timestamp": NOW - 800, "message": "ERROR in app: no such user"},
        {"timestamp": NOW - 800, "message": "{\"level\": \"warn\", \"msg\": \"x\"}"},
    ]);
    let put = json!({"logGroupName": "cruddur", "logStreamName": stream, "logEvents": events});
    is(&local.refused("PutLogEvents", put.clone()).await, NO_STREAM);
    local.ok("CreateLogStream", json!({"logGroupName": "cruddur", "logStreamName": stream})).await;
    let answer = local.ok("PutLogEvents", put.clone()).await;
    assert_eq!(
        answer.as_object().expect("an object").len(),
        1,
        "the mere key of rejected events is a failure: {answer}"
    );
    assert_eq!(answer["nextSequenceToken"].as_str().map(str::len), Some(56));
    let mut again = put;
    again["sequenceToken"] = "49599396607703531511419593985621160512859251095480828066".into();
    local.ok("PutLogEvents", again).await;

    assert_eq!((local.counters.logs(), local.counters.refusals()), (6, 0));
    let records = local.store.records.lock().expect("no panic");
    let trace: TraceId = "6b0459acd2fb2577c226bb0ed076fe79".parse().expect("an id");
    assert_eq!(records[0].trace_id, Some(trace));
    assert_eq!((records[0].group.as_str(), records[0].stream.as_str()), ("cruddur", stream));
    assert_eq!(records[0].timestamp, Nanos::from_millis(NOW - 900));
    let severities: Vec<&str> = records.iter().take(3).map(|record| record.severity.as_str()).collect();
    assert_eq!(severities, ["", "ERROR", "warn"]);
}

#[tokio::test]
async fn groups_are_created_once_listed_in_pages_and_deleted() {
    let local = Local::start().await;
    for name in ["/aws/b", "/aws/a", "svc-2", "svc-1", "x#1"] {
        local.ok("CreateLogGroup", json!({"logGroupName": name, "tags": null, "logGroupClass": "STANDARD"})).await;
    }
    let exists = ("ResourceAlreadyExistsException", "The specified log group already exists");
    is(&local.refused("CreateLogGroup", json!({"logGroupName": "svc-1"})).await, exists);
    let all = local.ok("DescribeLogGroups", json!({})).await;
    assert_eq!(names(&all, "logGroups", "logGroupName"), ["/aws/a", "/aws/b", "svc-1", "svc-2", "x#1"]);
    assert_eq!(all.get("nextToken"), None);
    assert_eq!(
        all["logGroups"][2],
        json!({
            "logGroupName": "svc-1",
            "creationTime": NOW,
            "arn": "arn:aws:logs:ca-central-1:123456789012:log-group:svc-1:*",
            "metricFilterCount": 0,
            "storedBytes": 0,
            "logGroupClass": "STANDARD",
            "logGroupArn": "arn:aws:logs:ca-central-1:123456789012:log-group:svc-1",
        })
    );

    let mut seen = Vec::new();
    let mut input = json!({"limit": 2});
    loop {
        let page = local.ok("DescribeLogGroups", input.clone()).await;
        seen.extend(names(&page, "logGroups", "logGroupName").into_iter().map(str::to_owned));
        match page.get("nextToken") {
            Some(token) => input["nextToken"] = token.clone(),
            None => break,
        }
    }
    assert_eq!(seen, ["/aws/a", "/aws/b", "svc-1", "svc-2", "x#1"]);

    let listed = |input: Value| local.ok("DescribeLogGroups", input);
    let by_prefix = listed(json!({"logGroupNamePrefix": "svc"})).await;
    assert_eq!(names(&by_prefix, "logGroups", "logGroupName"), ["svc-1", "svc-2"]);
    let by_pattern = listed(json!({"logGroupNamePattern": "vc-1"})).await;
    let brief = json!([{
        "logGroupName": "svc-1", "creationTime": NOW, "arn": "arn:aws:logs:ca-central-1:123456789012:log-group:svc-1:*",
    }]);
    assert_eq!(by_pattern["logGroups"], brief);
    let by_class = listed(json!({"logGroupClass": "DELIVERY"})).await;
    assert_eq!(by_class["logGroups"], json!([]));
    let arn = "arn:aws:logs:ca-central-1:123456789012:log-group:svc-2";
    let by_name = listed(json!({"logGroupIdentifiers": ["svc-1", arn]})).await;
    assert_eq!(names(&by_name, "logGroups", "logGroupName"), ["svc-1", "svc-2"]);

    local.ok("PutRetentionPolicy", json!({"logGroupName": "svc-1", "retentionInDays": 14})).await;
    assert_eq!(listed(json!({})).await["logGroups"][2]["retentionInDays"], 14);
    local.ok("DeleteRetentionPolicy", json!({"logGroupName": "svc-1"})).await;
    assert_eq!(listed(json!({})).await["logGroups"][2].get("retentionInDays"), None);
    local.ok("DeleteLogGroup", json!({"logGroupName": "svc-1"})).await;
    for (operation, extra) in [
        ("DeleteLogGroup", json!({})),
        ("PutRetentionPolicy", json!({"retentionInDays": 1})),
        ("DeleteRetentionPolicy", json!({})),
        ("CreateLogStream", json!({"logStreamName": "s"})),
        ("DeleteLogStream", json!({"logStreamName": "s"})),
        ("DescribeLogStreams", json!({})),
        ("GetLogEvents", json!({"logStreamName": "s"})),
        ("FilterLogEvents", json!({})),
        ("ListTagsLogGroup", json!({})),
        ("TagLogGroup", json!({"tags": {"a": "b"}})),
        ("UntagLogGroup", json!({"tags": ["a"]})),
        ("PutLogEvents", json!({"logStreamName": "s", "logEvents": [{"timestamp": 0, "message": "old"}]})),
    ] {
        let mut input = json!({"logGroupName": "svc-1"});
        input.as_object_mut().expect("an object").extend(extra.as_object().expect("an object").clone());
        is(&local.refused(operation, input).await, NO_GROUP);
    }
    assert_eq!(local.counters.refusals(), 0, "log handlers cause these as a matter of course");
}

#[tokio::test]
async fn groups_streams_and_tags_beyond_the_limit_are_refused() {
    let local = Local::with_stream().await;
    local.store.full.store(true, std::sync::atomic::Ordering::Relaxed);
    let limit = ("LimitExceededException", "Resource limit exceeded.");
    is(&local.refused("CreateLogGroup", json!({"logGroupName": "more"})).await, limit);
    is(&local.refused("CreateLogStream", json!({"logGroupName": "cruddur", "logStreamName": "more"})).await, limit);
    is(&local.refused("TagLogGroup", json!({"logGroupName": "cruddur", "tags": {"a": "b"}})).await, limit);
    let (exists, _) = local.refused("CreateLogGroup", json!({"logGroupName": "cruddur"})).await;
    assert_eq!(exists, "ResourceAlreadyExistsException");
    local.put(&[(NOW, "events are still accepted")]).await;
}

#[tokio::test]
async fn violations_of_the_model_are_refused_in_awss_words() {
    let local = Local::with_stream().await;
    let long = "a".repeat(513);
    let detected = "1 validation error detected: Value";
    let failed = "failed to satisfy constraint: Member must";
    for (operation, input, words) in [
        (
            "DescribeLogGroups",
            json!({"limit": 51}),
            format!("{detected} '51' at 'limit' {failed} have value less than or equal to 50"),
        ),
        (
            "DescribeLogStreams",
            json!({"logGroupName": "cruddur", "limit": 51}),
            format!("{detected} '51' at 'limit' {failed} have value less than or equal to 50"),
        ),
        (
            "GetLogEvents",
            json!({"logGroupName": "cruddur", "logStreamName": "s", "limit": 10_001}),
            format!("{detected} '10001' at 'limit' {failed} have value less than or equal to 10000"),
        ),
        (
            "FilterLogEvents",
            json!({"logGroupName": "cruddur", "limit": 0}),
            format!("{detected} '0' at 'limit' {failed} have value greater than or equal to 1"),
        ),
        (
            "FilterLogEvents",
            json!({"logGroupName": "cruddur", "startTime": -5}),
            format!("{detected} '-5' at 'startTime' {failed} have value greater than or equal to 0"),
        ),
        (
            "FilterLogEvents",
            json!({"logGroupName": "cruddur", "filterPattern": "x".repeat(1025)}),
            format!("at 'filterPattern' {failed} have length less than or equal to 1024"),
        ),
        (
            "FilterLogEvents",
            json!({"logGroupName": "cruddur", "filterPattern": "{ $.a"}),
            "Invalid filter pattern: at character".to_owned(),
        ),
        (
            "FilterLogEvents",
            json!({"logGroupName": "cruddur", "logStreamNames": ["s"], "logStreamNamePrefix": "s"}),
            "but not both".to_owned(),
        ),
        (
            "FilterLogEvents",
            json!({"logGroupName": "cruddur", "logStreamNames": []}),
            format!("at 'logStreamNames' {failed} have length greater than or equal to 1"),
        ),
        (
            "FilterLogEvents",
            json!({"logGroupName": "cruddur", "logStreamNames": vec!["s"; 101]}),
            format!("at 'logStreamNames' {failed} have length less than or equal to 100"),
        ),
        (
            "FilterLogEvents",
            json!({"logGroupName": "cruddur", "startFromHead": false, "startTime": 1_704_067_199_999i64}),
            "on or after Jan 1, 2024".to_owned(),
        ),
        (
            "FilterLogEvents",
            json!({"logGroupName": "cruddur", "logGroupIdentifier": "cruddur"}),
            "but not both".to_owned(),
        ),
        (
            "CreateLogGroup",
            json!({"logGroupName": long}),
            format!("{detected} '{long}' at 'logGroupName' {failed} have length less than or equal to 512"),
        ),
        (
            "CreateLogGroup",
            json!({"logGroupName": "a group"}),
            format!(
                "{detected} 'a group' at 'logGroupName' {failed} satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+"
            ),
        ),
        ("CreateLogGroup", json!({}), format!("{detected} null at 'logGroupName' {failed} not be null")),
        ("CreateLogGroup", json!({"logGroupName": "aws/spans"}), "reserved for AWS".to_owned()),
        ("CreateLogGroup", json!({"logGroupName": "k", "kmsKeyId": "arn:aws:kms:x"}), "omit kmsKeyId".to_owned()),
        (
            "CreateLogGroup",
            json!({"logGroupName": "k", "logGroupClass": "GOLD"}),
            format!("{failed} satisfy enum value set: [STANDARD, INFREQUENT_ACCESS"),
        ),
        (
            "CreateLogGroup",
            json!({"logGroupName": "k", "tags": {"a*": "b"}}),
            format!("{detected} 'a*' at 'tags' {failed} satisfy regular expression"),
        ),
        (
            "CreateLogStream",
            json!({"logGroupName": "cruddur", "logStreamName": "a:b"}),
            format!("{detected} 'a:b' at 'logStreamName' {failed} satisfy regular expression pattern: [^:*]*"),
        ),
        (
            "PutRetentionPolicy",
            json!({"logGroupName": "cruddur", "retentionInDays": 2}),
            format!("{detected} '2' at 'retentionInDays' {failed} satisfy enum value set: [1, 3, 5, 7, 14,"),
        ),
        (
            "DescribeLogGroups",
            json!({"logGroupNamePrefix": "a", "logGroupNamePattern": "b"}),
            "mutually exclusive".to_owned(),
        ),
        (
            "DescribeLogStreams",
            json!({"logGroupName": "cruddur", "orderBy": "LogStreamname"}),
            format!(
                "{detected} 'LogStreamname' at 'orderBy' {failed} satisfy enum value set: [LogStreamName, LastEventTime]"
            ),
        ),
        (
            "DescribeLogStreams",
            json!({"logGroupName": "cruddur", "orderBy": "LastEventTime", "logStreamNamePrefix": "s"}),
            "Cannot order by LastEventTime with a logStreamNamePrefix.".to_owned(),
        ),
        (
            "DescribeLogStreams",
            json!({"logGroupIdentifier": "arn:aws:logs:us-east-1:1:log-group:cruddur:*"}),
            format!("{detected} at 'logGroupIdentifier' {failed} satisfy regular expression pattern: [\\w#+=/:,.@-]*"),
        ),
        (
            "GetLogEvents",
            json!({"logGroupName": "cruddur", "logStreamName": "s", "nextToken": "n/00000000000000000000000000000000000000000000000000000000"}),
            "The specified nextToken is invalid.".to_owned(),
        ),
        (
            "GetLogEvents",
            json!({"logGroupName": "cruddur", "logStreamName": "s", "nextToken": "not-existing-token"}),
            "The specified nextToken is invalid.".to_owned(),
        ),
        (
            "TagResource",
            json!({"resourceArn": "arn:aws:sns:us-east-1:1:x", "tags": {"a": "b"}}),
            "arn:aws:logs:REGION:ACCOUNT:log-group:NAME".to_owned(),
        ),
        (
            "TestMetricFilter",
            json!({"filterPattern": "x", "logEventMessages": vec!["m"; 51]}),
            format!("at 'logEventMessages' {failed} have length less than or equal to 50"),
        ),
    ] {
        let said = local.invalid(operation, input).await;
        assert!(said.contains(&words), "{operation}: {said:?} has no {words:?}");
    }
    assert_eq!(local.counters.refusals(), 29, "these are a service's mistakes, and counted");
    assert!(local.counters.last_reason().expect("one").starts_with("CloudWatch Logs TestMetricFilter: 1 validation"));
}

#[tokio::test]
async fn a_lone_surrogate_costs_nothing_else() {
    let local = Local::with_stream().await;
    let events = format!(
        r#"{{"timestamp":{NOW},"message":"cut \ud83d"}},{{"timestamp":"{NOW}","message":"good neighbour"}},{{"timestamp":{NOW}.0,"message":"\udc00 😀 \ud83d\ude00"}}"#
    );
    let body =
        format!(r#"{{"logGroupName":"cruddur","logStreamName":"s","logEvents":[{events}],"entity":{{"rate":NaN}}}}"#);
    let answer = local.raw("PutLogEvents", body.as_bytes()).await;
    assert_eq!((answer.status, answer.json().get("rejectedLogEventsInfo")), (200, None), "{}", answer.text());
    let kept =
        local.ok("GetLogEvents", json!({"logGroupName": "cruddur", "logStreamName": "s", "startFromHead": true})).await;
    assert_eq!(messages(&kept), ["cut \u{fffd}", "good neighbour", "\u{fffd} 😀 😀"]);
    // Also where a name or a tag has one.
    local.raw("CreateLogGroup", br#"{"logGroupName":"tagged","tags":{"k":"v \ud83d"}}"#).await;
    // AWS stores all of a batch or nothing, and says which event is wrong.
    let body = body.replace(r#""good neighbour""#, "tru");
    let answer = local.raw("PutLogEvents", body.as_bytes()).await;
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("logEvents.2.member"), "{}", answer.text());
}

#[tokio::test]
async fn fractions_of_milliseconds_are_cut_off() {
    let local = Local::with_stream().await;
    let body = format!(
        r#"{{"logGroupName":"cruddur","logStreamName":"s","logEvents":[{{"timestamp":{NOW}.75,"message":"fine"}}]}}"#
    );
    let answer = local.raw("PutLogEvents", body.as_bytes()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let kept =
        local.ok("GetLogEvents", json!({"logGroupName": "cruddur", "logStreamName": "s", "startFromHead": true})).await;
    assert_eq!(kept["events"][0]["timestamp"], NOW);
    for timestamp in ["true", "\"1.5\"", "-1.5", "1e300", "null"] {
        let body = body.replace(&format!("{NOW}.75"), timestamp);
        assert_eq!(local.raw("PutLogEvents", body.as_bytes()).await.status, 400, "{timestamp}");
    }
}

#[tokio::test]
async fn answers_have_the_headers_of_aws() {
    let local = Local::with_stream().await;
    let mut ids = std::collections::HashSet::new();
    let event = batch(&[(NOW, "hello")]).to_string();
    for (operation, body, status, error) in [
        ("PutLogEvents", event.as_str(), 200, None),
        ("CreateLogGroup", r#"{"logGroupName":"new"}"#, 200, None),
        ("CreateLogGroup", r#"{"logGroupName":"new"}"#, 400, Some("ResourceAlreadyExistsException")),
        ("PutLogEvents", "{", 400, Some("SerializationException")),
        ("Nothing", "{}", 400, Some("UnknownOperationException")),
    ] {
        let answer = local.raw(operation, body.as_bytes()).await;
        assert_eq!((answer.status, answer.header("x-amzn-errortype")), (status, error), "{operation}");
        // Some senders look for the names in exactly this spelling.
        for name in ["x-amzn-RequestId: ", "x-amz-crc32: ", "Content-Type: application/x-amz-json-1.1", "Date: "] {
            assert!(answer.head.contains(name), "{operation} {name}: {}", answer.head);
        }
        let id = answer.header("x-amzn-requestid").expect("an id").to_owned();
        assert_eq!(id.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12], "{id}");
        assert!(ids.insert(id), "each has its own");
        let mut crc = flate2::Crc::new();
        crc.update(&answer.body);
        assert_eq!(answer.header("x-amz-crc32"), Some(crc.sum().to_string().as_str()));
    }
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    for action in ["GetCallerIdentity", "AssumeRole"] {
        let answer = send(local.server.addr, "/", form, format!("Action={action}").as_bytes()).await;
        let id = answer.header("x-amzn-requestid").expect("an id");
        assert!(answer.text().contains(&format!("<RequestId>{id}</RequestId>")), "{}", answer.text());
    }
}

impl Local {
    /// Sends an operation with these headers, and gives the status and the error's type.
    async fn as_sent(&self, operation: &str, headers: &str, body: &[u8]) -> (u16, String) {
        let headers = format!("{headers}X-Amz-Target: Logs_20140328.{operation}\r\n");
        let answer = send(self.server.addr, "/", &headers, body).await;
        assert!(answer.head.contains("x-amzn-RequestId: "), "{}", answer.head);
        let error = match answer.status {
            200 => String::new(),
            _ => answer.json()["__type"].as_str().expect("a type").to_owned(),
        };
        (answer.status, error)
    }
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut packed = flate2::read::GzEncoder::new(body, flate2::Compression::default());
    let mut out = Vec::new();
    std::io::Read::read_to_end(&mut packed, &mut out).expect("packs");
    out
}

/// The first requests of senders that are not AWS's SDKs, in their order, with their headers.
#[tokio::test]
async fn log_shippers_get_what_they_expect() {
    let missing = || (400, "ResourceNotFoundException".to_owned());
    let done = || (200, String::new());

    // Fluent Bit's cloudwatch_logs creates the stream first, and the group where that is not found. It writes bodies
    // by hand, and rounds no timestamp.
    let local = Local::start().await;
    let headers = "User-Agent: aws-fluent-bit-plugin\r\nContent-Type: application/x-amz-json-1.1\r\n";
    let stream = br#"{"logGroupName":"fluent-bit","logStreamName":"from-fluent-bit-app"}"#;
    let group = br#"{"logGroupName":"fluent-bit", "logGroupClass":"STANDARD"}"#;
    assert_eq!(local.as_sent("CreateLogStream", headers, stream).await, missing());
    assert_eq!(local.as_sent("CreateLogGroup", headers, group).await, done());
    let retention = br#"{"logGroupName":"fluent-bit","retentionInDays":14}"#;
    assert_eq!(local.as_sent("PutRetentionPolicy", headers, retention).await, done());
    assert_eq!(local.as_sent("CreateLogStream", headers, stream).await, done());
    assert_eq!(local.as_sent("CreateLogStream", headers, stream).await.1, "ResourceAlreadyExistsException");
    let put = format!(
        r#"{{"logGroupName":"fluent-bit","logStreamName":"from-fluent-bit-app","entity":{{"keyAttributes":{{"Type":"Service"}},"attributes":{{}}}},"logEvents":[{{"timestamp":{NOW},"message":"{{\"log\":\"hello\"}}"}}]}}"#
    );
    let emf = format!("{headers}x-amzn-logs-format: json/emf\r\n");
    assert_eq!(local.as_sent("PutLogEvents", headers, put.as_bytes()).await, done());
    assert_eq!(local.as_sent("PutLogEvents", &emf, put.as_bytes()).await, done());

    // Docker's awslogs creates the group where the stream cannot be created, and sent sequence tokens until 2023.
    let local = Local::start().await;
    let headers = "User-Agent: Docker 24.0.7 (linux) aws-sdk-go-v2/1.17.8\r\nContent-Type: application/x-amz-json-1.1\r\n\
        Amz-Sdk-Invocation-Id: 6d2c7d6c\r\nAmz-Sdk-Request: attempt=1; max=3\r\nAccept-Encoding: gzip\r\n";
    let stream = br#"{"logGroupName":"docker","logStreamName":"4f66ad9f34c2"}"#;
    assert_eq!(local.as_sent("CreateLogStream", headers, stream).await, missing());
    assert_eq!(local.as_sent("CreateLogGroup", headers, br#"{"logGroupName":"docker"}"#).await, done());
    assert_eq!(local.as_sent("CreateLogStream", headers, stream).await, done());
    for token in ["null", "\"49640000000000000000000000000000000000000000000000000000\""] {
        let put = format!(
            r#"{{"logEvents":[{{"message":"out","timestamp":{NOW}}}],"logGroupName":"docker","logStreamName":"4f66ad9f34c2","sequenceToken":{token}}}"#
        );
        assert_eq!(local.as_sent("PutLogEvents", headers, put.as_bytes()).await, done());
    }

    // The CloudWatch agent sends at once, packed, and creates what is missing then: stream, group, stream.
    let local = Local::start().await;
    let headers = "User-Agent: CWAgent/1.300 aws-sdk-go/1.48.6\r\nContent-Type: application/x-amz-json-1.1\r\n";
    let packing = format!("{headers}Content-Encoding: gzip\r\n");
    let put = gzip(
        format!(r#"{{"entity":{{"attributes":{{}}}},"logEvents":[{{"message":"m","timestamp":{NOW}}}],"logGroupName":"messages","logStreamName":"i-0"}}"#)
            .as_bytes(),
    );
    let stream = br#"{"logGroupName":"messages","logStreamName":"i-0"}"#;
    assert_eq!(local.as_sent("PutLogEvents", &packing, &put).await, missing());
    assert_eq!(local.as_sent("CreateLogStream", headers, stream).await, missing());
    assert_eq!(local.as_sent("CreateLogGroup", headers, br#"{"logGroupName":"messages"}"#).await, done());
    assert_eq!(local.as_sent("CreateLogStream", headers, stream).await, done());
    assert_eq!(local.as_sent("PutLogEvents", &packing, &put).await, done());

    // Vector asks for the group in its health check, then for the stream, and creates both where they are missing.
    let local = Local::start().await;
    let headers = "User-Agent: aws-sdk-rust/1.3.3 os/linux lang/rust/1.85.0\r\nContent-Type: application/x-amz-json-1.1\r\n\
        X-Amz-User-Agent: aws-sdk-rust/1.3.3\r\nAmz-Sdk-Request: attempt=1; max=1\r\n";
    let packing = format!("{headers}Content-Encoding: gzip\r\n");
    let groups = br#"{"logGroupNamePrefix":"vector","limit":1}"#;
    let streams = br#"{"logGroupName":"vector","logStreamNamePrefix":"host","limit":1}"#;
    assert_eq!(local.as_sent("DescribeLogGroups", headers, groups).await, done());
    assert_eq!(local.as_sent("DescribeLogStreams", headers, streams).await, missing());
    assert_eq!(local.as_sent("CreateLogGroup", headers, br#"{"logGroupName":"vector","tags":{}}"#).await, done());
    let stream = br#"{"logGroupName":"vector","logStreamName":"host"}"#;
    assert_eq!(local.as_sent("CreateLogStream", headers, stream).await, done());
    assert_eq!(local.as_sent("DescribeLogStreams", headers, streams).await, done());
    let put = format!(
        r#"{{"logGroupName":"vector","logStreamName":"host","logEvents":[{{"timestamp":{NOW},"message":"m"}}]}}"#
    );
    assert_eq!(local.as_sent("PutLogEvents", &packing, &gzip(put.as_bytes())).await, done());
}

#[tokio::test]
async fn wrong_types_and_bodies_are_reported() {
    let local = Local::with_stream().await;
    for (operation, body) in [
        ("DescribeLogGroups", "[]"),
        ("DescribeLogGroups", "{"),
        ("DescribeLogGroups", r#"{"limit":"5"}"#),
        ("DescribeLogGroups", r#"{"limit":1.5}"#),
        ("CreateLogGroup", r#"{"logGroupName":5}"#),
        ("CreateLogGroup", r#"{"logGroupName":"a","tags":{"k":1}}"#),
        ("DescribeLogStreams", r#"{"logGroupName":"cruddur","descending":"yes"}"#),
        ("FilterLogEvents", r#"{"logGroupName":"cruddur","logStreamNames":"s"}"#),
        ("FilterLogEvents", r#"{"logGroupName":"cruddur","logStreamNames":[1]}"#),
        ("PutLogEvents", "[1]"),
        ("PutLogEvents", r#"{"logGroupName":"cruddur","logStreamName":"s","logEvents":{}}"#),
        (
            "PutLogEvents",
            r#"{"logGroupName":"cruddur","logStreamName":"s","logEvents":[{"timestamp":"soon","message":"a"}]}"#,
        ),
        (
            "PutLogEvents",
            r#"{"logGroupName":"cruddur","logStreamName":"s","logEvents":[{"timestamp":1,"message":{"not":"text"}}]}"#,
        ),
    ] {
        let answer = local.raw(operation, body.as_bytes()).await;
        assert_eq!((answer.status, answer.json()["__type"].as_str()), (400, Some("SerializationException")), "{body}");
    }
    let packed = "Content-Encoding: br\r\nX-Amz-Target: Logs_20140328.DescribeLogGroups\r\n";
    assert_eq!(send(local.server.addr, "/", packed, b"{}").await.status, 415);
    let large = local.raw("DescribeLogGroups", &vec![b' '; LIMIT + 1]).await;
    assert_eq!(large.status, 413);
}

#[tokio::test]
async fn a_gzipped_batch_is_read() {
    use std::io::Write;
    let local = Local::with_stream().await;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(batch(&[(NOW, "packed")]).to_string().as_bytes()).expect("in memory");
    let headers = format!("X-Amz-Target: Logs_20140328.PutLogEvents\r\nContent-Encoding: gzip\r\n{SIGNED}");
    let answer = send(local.server.addr, "/", &headers, &gzip.finish().expect("in memory")).await;
    assert_eq!((answer.status, local.counters.logs()), (200, 1));
}

#[tokio::test]
async fn a_batch_keeps_to_its_limits() {
    let local = Local::with_stream().await;
    let invalid = |input: Value| local.invalid("PutLogEvents", input);
    assert!(
        invalid(batch(&[])).await.contains("'logEvents' failed to satisfy constraint: Member must have length greater")
    );
    assert!(invalid(batch(&[(NOW, "")])).await.contains("'logEvents.1.member.message'"));
    assert!(invalid(batch(&[(NOW, "a"), (-1, "b")])).await.contains("'-1' at 'logEvents.2.member.timestamp'"));
    let named = |events: Value| json!({"logGroupName": "cruddur", "logStreamName": "s", "logEvents": events});
    assert!(invalid(named(json!([{"message": "a"}]))).await.contains("null at 'logEvents.1.member.timestamp'"));
    assert!(invalid(named(json!([{"timestamp": 1}]))).await.contains("null at 'logEvents.1.member.message'"));
    let order = "Log events in a single PutLogEvents request must be in chronological order.";
    assert_eq!(invalid(batch(&[(NOW, "a"), (NOW - 1, "b")])).await, order);

    let most = vec![(NOW, "x"); 10_000];
    local.put(&most).await;
    let one_more = vec![(NOW, "x"); 10_001];
    assert!(invalid(batch(&one_more)).await.ends_with("Member must have length less than or equal to 10000"));

    // 1,048,576 bytes, 26 of them for each event, counted in UTF-8.
    let fits = "é".repeat((1_048_576 - 26) / 2);
    local.put(&[(NOW, &fits)]).await;
    let too_large = format!("{fits}a");
    let said = invalid(batch(&[(NOW, &too_large)])).await;
    assert_eq!(said, "Log event too large: 1048577 bytes exceeds limit of 1048576");
    let said = invalid(batch(&[(NOW, &fits), (NOW, "a")])).await;
    assert_eq!(said, "Upload too large: 1048603 bytes exceeds limit of 1048576");

    let span = "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.";
    assert_eq!(invalid(batch(&[(NOW - DAY - 1, "a"), (NOW, "b")])).await, span);
    local.put(&[(NOW - DAY, "a"), (NOW, "b")]).await;
    assert_eq!(local.counters.logs(), 10_003);
}

#[tokio::test]
async fn events_that_are_too_old_or_new_are_rejected_individually() {
    let local = Local::with_stream().await;
    // Past and future events do not count for the span of 24 hours.
    let answer = local
        .put(&[
            (NOW - 400 * DAY, "very old"),
            (NOW - 14 * DAY - 1, "too old"),
            (NOW, "now"),
            (NOW + 2 * HOUR, "just right"),
            (NOW + 2 * HOUR + 1, "too new"),
        ])
        .await;
    let rejected = json!({"tooNewLogEventStartIndex": 4, "tooOldLogEventEndIndex": 2});
    assert_eq!(answer["rejectedLogEventsInfo"], rejected);
    assert_eq!((local.counters.logs(), local.counters.refusals()), (2, 1));
    assert!(local.counters.last_reason().expect("one").contains("3 events rejected"));
    local.put(&[(NOW - 14 * DAY, "the oldest")]).await;

    local.ok("PutRetentionPolicy", json!({"logGroupName": "cruddur", "retentionInDays": 1})).await;
    let answer = local.put(&[(NOW - 15 * DAY, "a"), (NOW - DAY - 1, "b"), (NOW - DAY, "c")]).await;
    let rejected = json!({"tooOldLogEventEndIndex": 1, "expiredLogEventEndIndex": 2});
    assert_eq!(answer["rejectedLogEventsInfo"], rejected);
    let answer = local.put(&[(NOW - 15 * DAY, "a")]).await;
    assert_eq!(answer["rejectedLogEventsInfo"], json!({"tooOldLogEventEndIndex": 1}), "nothing expired beside that");
    assert_eq!(local.counters.logs(), 4);
}

#[tokio::test]
async fn only_stored_events_are_counted() {
    let local = Local::with_stream().await;
    *local.store.errors.lock().expect("no panic") =
        vec![CommitError::permanent("the file is no database"), CommitError::retryable("the disk is full")];
    let input = batch(&[(NOW, "a")]).to_string();
    let full = local.raw("PutLogEvents", input.as_bytes()).await;
    assert_eq!((full.status, full.json()["__type"].as_str()), (503, Some("ServiceUnavailableException")));
    assert_eq!(full.json()["message"], "the disk is full");
    let broken = local.raw("PutLogEvents", input.as_bytes()).await;
    assert_eq!((broken.status, broken.json()["__type"].as_str()), (500, Some("InternalFailure")));
    assert_eq!((local.counters.logs(), local.counters.refusals()), (0, 2));
    local.put(&[(NOW, "a")]).await;
    assert_eq!(local.counters.logs(), 1);
}

#[tokio::test]
async fn streams_are_listed_by_name_and_by_time() {
    let local = Local::start().await;
    local.ok("CreateLogGroup", json!({"logGroupName": "g"})).await;
    for name in ["c", "b@1", "a", "b@0"] {
        local.ok("CreateLogStream", json!({"logGroupName": "g", "logStreamName": name})).await;
    }
    let exists = ("ResourceAlreadyExistsException", "The specified log stream already exists");
    is(&local.refused("CreateLogStream", json!({"logGroupName": "g", "logStreamName": "c"})).await, exists);
    for (name, millis) in [("a", NOW - 5), ("c", NOW - 9), ("c", NOW - 7)] {
        let events = [json!({"timestamp": millis, "message": "m"})];
        local.ok("PutLogEvents", json!({"logGroupName": "g", "logStreamName": name, "logEvents": events})).await;
    }
    let all = async |mut input: Value| {
        input["logGroupIdentifier"] = "arn:aws:logs:eu-west-1:000000000000:log-group:g".into();
        let mut seen = Vec::new();
        loop {
            let page = local.ok("DescribeLogStreams", input.clone()).await;
            seen.extend(names(&page, "logStreams", "logStreamName").into_iter().map(str::to_owned));
            match page.get("nextToken") {
                Some(token) => input["nextToken"] = token.clone(),
                None => return seen,
            }
        }
    };
    for limit in [1, 2, 3, 50] {
        assert_eq!(all(json!({"limit": limit})).await, ["a", "b@0", "b@1", "c"]);
        assert_eq!(all(json!({"limit": limit, "descending": true})).await, ["c", "b@1", "b@0", "a"]);
        assert_eq!(all(json!({"limit": limit, "logStreamNamePrefix": "b@"})).await, ["b@0", "b@1"]);
        let by_time = json!({"limit": limit, "orderBy": "LastEventTime"});
        assert_eq!(all(by_time).await, ["b@0", "b@1", "c", "a"]);
        let newest = json!({"limit": limit, "orderBy": "LastEventTime", "descending": true});
        assert_eq!(all(newest).await, ["a", "c", "b@1", "b@0"]);
    }
    let page = local.ok("DescribeLogStreams", json!({"logGroupName": "g", "limit": 1})).await;
    assert_eq!(page["nextToken"], "g@a");
    for token in ["invalid-token", "invalid@token"] {
        let page = local.ok("DescribeLogStreams", json!({"logGroupName": "g", "nextToken": token})).await;
        assert_eq!(page, json!({"logStreams": []}));
    }
    let row = &local.ok("DescribeLogStreams", json!({"logGroupName": "g", "logStreamNamePrefix": "c"})).await["logStreams"]
        [0];
    assert_eq!(row["arn"], "arn:aws:logs:ca-central-1:123456789012:log-group:g:log-stream:c");
    assert_eq!((&row["firstEventTimestamp"], &row["lastEventTimestamp"]), (&json!(NOW - 9), &json!(NOW - 7)));
    let empty = &page_of(&local, "b@0").await["logStreams"][0];
    assert_eq!(empty.get("lastEventTimestamp"), None);
    local.ok("DeleteLogStream", json!({"logGroupName": "g", "logStreamName": "c"})).await;
    is(&local.refused("DeleteLogStream", json!({"logGroupName": "g", "logStreamName": "c"})).await, NO_STREAM);
}

async fn page_of(local: &Local, prefix: &str) -> Value {
    local.ok("DescribeLogStreams", json!({"logGroupName": "g", "logStreamNamePrefix": prefix})).await
}

#[tokio::test]
async fn tags_are_added_replaced_and_removed() {
    let local = Local::start().await;
    local.ok("CreateLogGroup", json!({"logGroupName": "g", "tags": {"a": "1"}})).await;
    let arn = "arn:aws:logs:us-west-2:000000000000:log-group:g";
    local.ok("TagResource", json!({"resourceArn": arn, "tags": {"a": "2", "b": ""}})).await;
    local.ok("TagLogGroup", json!({"logGroupName": "g", "tags": {"c": "3"}})).await;
    let tags = local.ok("ListTagsForResource", json!({"resourceArn": arn})).await;
    assert_eq!(tags, json!({"tags": {"a": "2", "b": "", "c": "3"}}));
    local.ok("UntagResource", json!({"resourceArn": arn, "tagKeys": ["b", "nowhere"]})).await;
    local.ok("UntagLogGroup", json!({"logGroupName": "g", "tags": ["c"]})).await;
    assert_eq!(local.ok("ListTagsLogGroup", json!({"logGroupName": "g"})).await, json!({"tags": {"a": "2"}}));
    let many: serde_json::Map<String, Value> = (0..50).map(|n| (format!("k{n}"), "v".into())).collect();
    let (kind, _) = local.refused("TagResource", json!({"resourceArn": arn, "tags": many})).await;
    assert_eq!(kind, "TooManyTagsException", "one is there already");
    let nowhere = json!({"resourceArn": "arn:aws:logs:us-west-2:000000000000:log-group:nowhere"});
    is(&local.refused("ListTagsForResource", nowhere).await, NO_GROUP);
}

#[tokio::test]
async fn a_stream_is_read_in_both_directions() {
    let local = Local::with_stream().await;
    let texts: Vec<String> = (0..20).map(|n| n.to_string()).collect();
    // Five events share each millisecond: only their order of arrival distinguishes them.
    let events: Vec<(i64, &str)> = (0i64..).zip(&texts).map(|(n, text)| (NOW + n / 5, text.as_str())).collect();
    local.put(&events).await;
    let get = async |extra: Value| {
        let mut input = json!({"logGroupName": "cruddur", "logStreamName": "s"});
        input.as_object_mut().expect("an object").extend(extra.as_object().expect("an object").clone());
        local.ok("GetLogEvents", input).await
    };

    let page = get(json!({"limit": 7})).await;
    assert_eq!(messages(&page), texts[13..], "the newest, in order of time");
    let back = get(json!({"limit": 7, "nextToken": page["nextBackwardToken"]})).await;
    assert_eq!(messages(&back), texts[6..13]);
    let back = get(json!({"limit": 7, "nextToken": back["nextBackwardToken"]})).await;
    assert_eq!(messages(&back), texts[..6]);
    let start = get(json!({"nextToken": back["nextBackwardToken"]})).await;
    assert_eq!(messages(&start), [""; 0]);
    assert_eq!(start["nextBackwardToken"], back["nextBackwardToken"], "the same token says that it is the end");
    let turned = get(json!({"limit": 2, "nextToken": start["nextForwardToken"]})).await;
    assert_eq!(messages(&turned), ["0", "1"], "turning round skips nothing");

    let mut page = get(json!({"limit": 8, "startFromHead": true})).await;
    let mut seen: Vec<String> = Vec::new();
    loop {
        seen.extend(messages(&page).into_iter().map(str::to_owned));
        let next = get(json!({"limit": 8, "nextToken": page["nextForwardToken"], "startFromHead": true})).await;
        if next["nextForwardToken"] == page["nextForwardToken"] {
            let turned = get(json!({"limit": 1, "nextToken": next["nextBackwardToken"]})).await;
            assert_eq!(messages(&turned), ["19"]);
            break;
        }
        page = next;
    }
    assert_eq!(seen, texts);
    local.put(&[(NOW + 9, "later")]).await;
    assert_eq!(messages(&get(json!({"nextToken": page["nextForwardToken"]})).await), ["later"], "a token tails");

    let ranged = get(json!({"startTime": NOW + 1, "endTime": NOW + 3})).await;
    assert_eq!(messages(&ranged), texts[5..15], "the start is inclusive, the end is not");
    let event = &ranged["events"][0];
    assert_eq!(event, &json!({"timestamp": NOW + 1, "message": "5", "ingestionTime": NOW + 1}));
    let by_arn = json!({"logGroupIdentifier": "arn:aws:logs:x:1:log-group:cruddur", "logStreamName": "nowhere"});
    is(&local.refused("GetLogEvents", by_arn).await, NO_STREAM);

    local.ok("CreateLogStream", json!({"logGroupName": "cruddur", "logStreamName": "empty"})).await;
    let nothing = get(json!({"logStreamName": "empty"})).await;
    assert_eq!(messages(&nothing), [""; 0]);
    let token = nothing["nextForwardToken"].as_str().expect("never null");
    assert!(token.starts_with("f/") && token.len() == 58, "{token}");
    assert_eq!(get(json!({"logStreamName": "empty", "nextToken": token})).await["nextForwardToken"], token);
}

#[tokio::test]
async fn a_page_is_limited_to_a_megabyte() {
    let local = Local::with_stream().await;
    let big = "x".repeat(400_000);
    local.store.fill("cruddur", "s", (0..100).map(|n| (NOW + n, big.clone())));
    let mut input = json!({"logGroupName": "cruddur", "logStreamName": "s", "startFromHead": true});
    let page = local.ok("GetLogEvents", input.clone()).await;
    assert_eq!(messages(&page).len(), 2, "a third would go beyond 1 MiB");
    input["nextToken"] = page["nextForwardToken"].clone();
    assert_eq!(local.ok("GetLogEvents", input).await["events"][0]["timestamp"], NOW + 2);
    let mut input = json!({"logGroupName": "cruddur", "filterPattern": "%x%"});
    let mut pages = 0;
    loop {
        let page = local.ok("FilterLogEvents", input.clone()).await;
        pages += 1;
        match page.get("nextToken") {
            Some(token) => input["nextToken"] = token.clone(),
            None => break,
        }
    }
    assert_eq!(pages, 50);
    assert!(local.store.largest_read.load(Ordering::Relaxed) <= 11, "4 MiB at once");
}

#[tokio::test]
async fn a_group_is_searched_across_streams_by_time() {
    let local = Local::with_stream().await;
    for (stream, millis) in [("s", [1, 4, 5]), ("web/1", [2, 3, 9]), ("web/2", [0, 6, 7])] {
        local.store.fill("cruddur", stream, millis.map(|n| (NOW + n, format!("{n} hello {stream}"))));
    }
    let find = async |extra: Value| {
        let mut input = json!({"logGroupName": "cruddur"});
        input.as_object_mut().expect("an object").extend(extra.as_object().expect("an object").clone());
        local.ok("FilterLogEvents", input).await
    };
    let all = async |extra: Value| {
        let mut input = extra;
        let mut seen = String::new();
        loop {
            let page = find(input.clone()).await;
            assert_eq!(page["searchedLogStreams"], json!([]));
            seen.extend(messages(&page).iter().map(|message| &message[..1]));
            match page.get("nextToken") {
                Some(token) => input["nextToken"] = token.clone(),
                None => return seen,
            }
        }
    };
    for limit in [1, 2, 9, 10_000] {
        assert_eq!(all(json!({"limit": limit, "interleaved": false})).await, "012345679");
        assert_eq!(all(json!({"limit": limit, "startFromHead": false})).await, "976543210");
        assert_eq!(all(json!({"limit": limit, "logStreamNamePrefix": "web/"})).await, "023679");
        assert_eq!(all(json!({"limit": limit, "logStreamNames": ["s", "web/2"]})).await, "014567");
        assert_eq!(all(json!({"limit": limit, "filterPattern": "hello web -7"})).await, "02369");
        assert_eq!(all(json!({"limit": limit, "filterPattern": "?4 ?6"})).await, "46");
        assert_eq!(
            all(json!({"limit": limit, "startTime": NOW + 3, "endTime": NOW + 6})).await,
            "3456",
            "both inclusive"
        );
    }
    let page = find(json!({"limit": 1, "logStreamNames": ["s"]})).await;
    let event = &page["events"][0];
    let id = event["eventId"].as_str().expect("an id");
    assert_eq!(
        (event["logStreamName"].as_str(), event["timestamp"].as_i64(), id.len()),
        (Some("s"), Some(NOW + 1), 56)
    );
    assert_eq!(page["nextToken"].as_str(), Some(format!("cruddur@s@{id}").as_str()));
    for token in ["invalid-token", "wrong-group@stream@999", "cruddur@s@999"] {
        let page = find(json!({"nextToken": token})).await;
        assert_eq!(page, json!({"events": [], "searchedLogStreams": []}));
    }
    is(
        &local.refused("FilterLogEvents", json!({"logGroupName": "cruddur", "logStreamNames": ["nowhere"]})).await,
        NO_STREAM,
    );
}

#[tokio::test]
async fn a_long_search_stops_with_a_token_to_continue() {
    let local = Local::with_stream().await;
    local.store.fill("cruddur", "s", (0..60_000).map(|n| (NOW + n, format!("line {n}"))));
    let mut input = json!({"logGroupName": "cruddur", "filterPattern": "\"line 59999\""});
    let page = local.ok("FilterLogEvents", input.clone()).await;
    assert_eq!(page["events"], json!([]), "an empty page");
    assert!(local.store.reads.load(Ordering::Relaxed) < 60);
    input["nextToken"] = page["nextToken"].clone();
    let page = local.ok("FilterLogEvents", input).await;
    assert_eq!((messages(&page), page.get("nextToken")), (vec!["line 59999"], None));
}

#[tokio::test]
async fn patterns_can_be_tested() {
    let local = Local::start().await;
    let input = json!({"filterPattern": "ERROR", "logEventMessages": ["ok", "ERROR 1", "an ERROR"]});
    let matches = local.ok("TestMetricFilter", input).await;
    let expected = json!({"matches": [
        {"eventNumber": 2, "eventMessage": "ERROR 1", "extractedValues": {}},
        {"eventNumber": 3, "eventMessage": "an ERROR", "extractedValues": {}},
    ]});
    assert_eq!(matches, expected);
}

#[tokio::test]
async fn unsupported_operations_name_the_supported_ones() {
    let local = Local::start().await;
    let words = local.invalid("StartQuery", json!({"queryString": "fields @message"})).await;
    assert!(words.contains("Logs Insights is not supported locally. Use FilterLogEvents"), "{words}");
    let (kind, words) = local.refused("StartLiveTail", json!({})).await;
    assert_eq!(kind, "InvalidOperationException");
    assert!(words.contains("FilterLogEvents"), "{words}");
    let (kind, words) = local.refused("PutSubscriptionFilter", json!({})).await;
    assert_eq!(kind, "UnknownOperationException");
    assert!(words.contains("PutSubscriptionFilter is not supported here; CreateLogGroup,"), "{words}");

    let table = "X-Amz-Target: DynamoDB_20120810.GetItem\r\nContent-Type: application/x-amz-json-1.0\r\n";
    let answer = send(local.server.addr, "/", table, b"{}").await;
    assert_eq!((answer.status, answer.json()["__type"].as_str()), (400, Some("UnknownOperationException")));
    assert!(answer.text().contains("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS"), "{}", answer.text());
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    let answer = send(local.server.addr, "/", form, b"Action=AssumeRole&Version=2011-06-15").await;
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("<Code>InvalidAction</Code>"), "{}", answer.text());

    let otlp = send(local.server.addr, "/", "Content-Type: application/x-protobuf\r\n", b"\n\0").await;
    assert_eq!(otlp.status, 404);
    let words = "OTLP goes to /v1/traces: set OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1 with nothing appended";
    assert!(otlp.json()["message"].as_str().expect("a text").contains(words), "{}", otlp.text());
    let get = http(local.server.addr, "GET / HTTP/1.1\r\nHost: 127.0.0.1:4318\r\n", b"").await;
    assert_eq!((get.status, get.header("allow")), (405, Some("POST")));
    assert!(get.json()["message"].as_str().expect("a text").starts_with("Only POST is supported here. OTLP goes to"));
    assert_eq!(local.counters.refusals(), 7);
}

#[test]
fn only_the_region_of_a_signature_is_read() {
    let of = |value: &'static str| {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, header::HeaderValue::from_static(value));
        region(&headers)
    };
    assert_eq!(
        of("AWS4-HMAC-SHA256 Credential=AKID/20261123/eu-west-3/logs/aws4_request, SignedHeaders=host"),
        "eu-west-3"
    );
    assert_eq!(of("AWS4-HMAC-SHA256 Credential=AKID/20261123/eu-west-3/logs/aws4_request"), "eu-west-3");
    for other in [
        "AWS4-ECDSA-P256-SHA256 Credential=AKID/20261123/logs/aws4_request, SignedHeaders=host",
        "AWS4-HMAC-SHA256 Credential=AKID/20261123/<script>/logs/aws4_request",
        "AWS4-HMAC-SHA256 Credential=AKID",
        "Bearer eu-west-3/eu-west-3/eu-west-3/eu-west-3",
        "",
    ] {
        assert_eq!(of(other), "us-east-1", "{other}");
    }
    assert_eq!(region(&HeaderMap::new()), "us-east-1");
}

const OPERATIONS: &[&str] = &[
    "CreateLogGroup",
    "DescribeLogGroups",
    "DeleteLogGroup",
    "CreateLogStream",
    "DescribeLogStreams",
    "DeleteLogStream",
    "PutLogEvents",
    "GetLogEvents",
    "FilterLogEvents",
    "PutRetentionPolicy",
    "DeleteRetentionPolicy",
    "TagResource",
    "UntagResource",
    "ListTagsForResource",
    "TagLogGroup",
    "UntagLogGroup",
    "ListTagsLogGroup",
    "TestMetricFilter",
    "StartQuery",
];

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (NOW - 20 * DAY..NOW + DAY).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "(g|s|f/|b/|g@s@-?|arn:aws:logs:::log-group:)?[0-9]{0,57}".prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("(timestamp|message|[a-z]{1,3})", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn any_input() -> impl Strategy<Value = Value> {
    let member = prop::sample::select(vec![
        "logGroupIdentifier",
        "logStreamName",
        "logStreamNames",
        "logStreamNamePrefix",
        "logGroupNamePrefix",
        "logGroupNamePattern",
        "limit",
        "nextToken",
        "startTime",
        "endTime",
        "startFromHead",
        "filterPattern",
        "orderBy",
        "descending",
        "retentionInDays",
        "resourceArn",
        "tags",
        "tagKeys",
        "logEvents",
        "logEventMessages",
        "kmsKeyId",
    ]);
    let members = prop::collection::btree_map(member, any_value(), 0..6);
    (members, any::<bool>(), any::<bool>()).prop_map(|(members, group, stream)| {
        let mut input: serde_json::Map<String, Value> =
            members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        if group {
            input.insert("logGroupName".to_owned(), "g".into());
        }
        if stream {
            input.insert("logStreamName".to_owned(), "s".into());
        }
        input.into()
    })
}

/// Sends a request without a socket.
fn operated(operation: &str, body: Vec<u8>) -> Result<Value, Refusal> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let store = Arc::new(Memory::default());
        store.create_group("g", std::collections::BTreeMap::new(), Nanos(0)).await.expect("made");
        store.fill("g", "s", (0..3).map(|n| (NOW + n, format!("ERROR {n}"))));
        let clock = Arc::new(FixedClock(Nanos::from_millis(NOW)));
        let ends = Context { store, counters: Arc::default(), clock, bounds: Bounds::scarce(64 << 20) };
        let call = Call { ends, region: "us-east-1".to_owned() };
        let body = Body { packed: body.into(), packing: Packing::Plain, limit: LIMIT };
        let done = operate(&call, operation, body).await.map(|answer| answer.body);
        if let Err(refusal) = &done {
            assert!(refusal.status.is_client_error(), "a caller's mistake is not ours: {refusal:?}");
        }
        done
    })
}

proptest! {
    #[test]
    fn no_bytes_panic(operation in prop::sample::select(OPERATIONS), body: Vec<u8>) {
        drop(operated(operation, body));
    }

    #[test]
    fn no_input_panics(operation in prop::sample::select(OPERATIONS), input in any_input()) {
        drop(operated(operation, input.to_string().into_bytes()));
    }

    #[test]
    fn no_events_panic(events in prop::collection::vec(any_value(), 0..4)) {
        let input = json!({"logGroupName": "g", "logStreamName": "s", "logEvents": events});
        drop(operated("PutLogEvents", input.to_string().into_bytes()));
    }

    #[test]
    fn what_is_put_in_time_is_read_back(
        texts in prop::collection::vec("\\PC{1,40}", 1..20),
        offsets in prop::collection::vec(0..DAY, 20),
        limit in 1usize..8,
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let local = Local::with_stream().await;
            let mut times: Vec<i64> = offsets.iter().take(texts.len()).map(|offset| NOW - offset).collect();
            times.sort_unstable();
            let events: Vec<(i64, &str)> = times.into_iter().zip(texts.iter().map(String::as_str)).collect();
            let answer = local.put(&events).await;
            prop_assert_eq!(answer.get("rejectedLogEventsInfo"), None);
            let mut input = json!({"logGroupName": "cruddur", "limit": limit});
            let mut seen: Vec<(i64, String)> = Vec::new();
            loop {
                let page = local.ok("FilterLogEvents", input.clone()).await;
                for event in page["events"].as_array().expect("a list") {
                    let (at, text) = (event["timestamp"].as_i64(), event["message"].as_str());
                    seen.push((at.expect("a time"), text.expect("a text").to_owned()));
                }
                match page.get("nextToken") {
                    Some(token) => input["nextToken"] = token.clone(),
                    None => break,
                }
            }
            prop_assert_eq!(seen, events.into_iter().map(|(at, text)| (at, text.to_owned())).collect::<Vec<_>>());
            Ok(())
        })?;
    }
}
