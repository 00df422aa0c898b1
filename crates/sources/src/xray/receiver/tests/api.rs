use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;
use proptest::prelude::*;
use tracebook_core::ids::TraceId;
use tracebook_core::telemetry::SpanRecord;
use tracebook_core::xray::{Group, SamplingRule};

use super::*;
use crate::receive::Commit as _;
use crate::testing::Answer;
use crate::xray::reading::XrayStore;
use tracebook_core::trace::TracePosition;

/// A store over what was committed.
pub(super) struct Memory {
    kept: Arc<Kept>,
    groups: Mutex<BTreeMap<String, Group>>,
    rules: Mutex<BTreeMap<String, SamplingRule>>,
}

impl Memory {
    pub(super) fn of(kept: Arc<Kept>) -> Arc<Self> {
        Arc::new(Self { kept, groups: Mutex::default(), rules: Mutex::default() })
    }
}

#[async_trait]
impl XrayStore for Memory {
    async fn groups(&self) -> Result<Vec<Group>, CommitError> {
        Ok(self.groups.lock().expect("no panic").values().cloned().collect())
    }
    async fn put_group(&self, group: Group) -> Result<(), CommitError> {
        self.groups.lock().expect("no panic").insert(group.name.clone(), group);
        Ok(())
    }
    async fn delete_group(&self, name: &str) -> Result<bool, CommitError> {
        Ok(self.groups.lock().expect("no panic").remove(name).is_some())
    }
    async fn rules(&self) -> Result<Vec<SamplingRule>, CommitError> {
        let mut rules: Vec<SamplingRule> = self.rules.lock().expect("no panic").values().cloned().collect();
        rules.sort_by_key(|rule| (rule.priority, rule.name.clone()));
        Ok(rules)
    }
    async fn put_rule(&self, rule: SamplingRule) -> Result<(), CommitError> {
        self.rules.lock().expect("no panic").insert(rule.name.clone(), rule);
        Ok(())
    }
    async fn delete_rule(&self, name: &str) -> Result<bool, CommitError> {
        Ok(self.rules.lock().expect("no panic").remove(name).is_some())
    }
    async fn traces(
        &self,
        from: Nanos,
        before: Nanos,
        after: Option<TracePosition>,
        limit: u32,
    ) -> Result<Vec<TracePosition>, CommitError> {
        let mut starts: BTreeMap<TraceId, Nanos> = BTreeMap::new();
        for span in self.kept.spans() {
            starts.entry(span.trace_id).and_modify(|s| *s = span.start.min(*s)).or_insert(span.start);
        }
        let mut all: Vec<TracePosition> = starts.into_iter().map(|(id, start)| (start, id)).collect();
        let order = |(start, id): &TracePosition| (std::cmp::Reverse(*start), *id);
        all.sort_by_key(order);
        let behind = |place: &TracePosition| after.is_none_or(|after| order(place) > order(&after));
        all.retain(|place| place.0 >= from && place.0 < before && behind(place));
        all.truncate(limit as usize);
        Ok(all)
    }
    async fn sizes(&self, traces: &[TraceId]) -> Result<Vec<u64>, CommitError> {
        let all = self.kept.spans();
        let of = |id: &TraceId| all.iter().filter(|span| span.trace_id == *id).map(|span| span.raw.len() as u64).sum();
        Ok(traces.iter().map(of).collect())
    }
    async fn spans(&self, traces: &[TraceId], most: u64) -> Result<Vec<Vec<SpanRecord>>, CommitError> {
        let all = self.kept.spans();
        let of = |id: &TraceId| {
            let mut bytes = 0;
            let fits = |span: &&SpanRecord| {
                bytes += span.raw.len() as u64;
                bytes <= most
            };
            all.iter().filter(|span| span.trace_id == *id).take_while(fits).cloned().collect()
        };
        Ok(traces.iter().map(of).collect())
    }
}

struct Api {
    server: Server,
    kept: Arc<Kept>,
}

impl Api {
    /// As on port 4318, beside OTLP.
    async fn start() -> Self {
        let kept = Kept::new();
        let counters = Arc::new(Counters::default());
        let clock = Arc::new(FixedClock(Nanos(1_795_447_213_900_000_000)));
        let store = Memory::of(kept.clone());
        let router = crate::otlp::receiver::router(kept.clone(), counters.clone(), clock.clone()).merge(api_router(
            kept.clone(),
            store,
            counters,
            clock,
            crate::normalise,
        ));
        Self { server: Server::start(router).await, kept }
    }

    async fn ask(&self, path: &str, body: Value) -> Answer {
        // As a client signs it; only the region is used.
        let headers = "Content-Type: application/json\r\nAuthorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261123/\
                       ca-central-1/xray/aws4_request, SignedHeaders=host, Signature=0\r\n";
        post(self.server.addr, path, headers, body.to_string().as_bytes()).await
    }

    async fn fine(&self, path: &str, body: Value) -> Value {
        let answer = self.ask(path, body.clone()).await;
        assert_eq!(answer.status, 200, "{path} {body}: {}", answer.text());
        answer.json()
    }

    async fn refused(&self, path: &str, body: Value) -> String {
        let answer = self.ask(path, body.clone()).await;
        assert_eq!(answer.status, 400, "{path} {body}: {}", answer.text());
        assert_eq!(answer.header("x-amzn-errortype"), Some("InvalidRequestException"), "{path} {body}");
        answer.json()["message"].as_str().expect("words").to_owned()
    }

    /// Recorded datagrams of the SDK.
    async fn recorded(&self, names: &[&str]) {
        let documents: Vec<String> = names
            .iter()
            .map(|name| {
                let datagram = String::from_utf8(fixture(&format!("{name}.bin"))).expect("text");
                datagram.split_once('\n').expect("a header line").1.to_owned()
            })
            .collect();
        self.put(documents).await;
    }

    async fn put(&self, documents: Vec<String>) {
        // Not over HTTP, where the times of some tests are refused.
        let read = |document: &String| crate::xray::wire::parse_document(document.as_bytes()).expect("a document");
        self.kept.commit(Arc::new(documents.iter().flat_map(read).collect())).await.expect("keeps");
    }

    async fn otlp(&self, name: &str) {
        let body = fixture(&format!("{name}.bin"));
        let answer = post(self.server.addr, "/v1/traces", "Content-Type: application/x-protobuf\r\n", &body).await;
        assert_eq!(answer.status, 200);
    }

    async fn summaries(&self, expression: &str) -> Vec<Value> {
        let body = json!({"StartTime": 0, "EndTime": 4_000_000_000u32, "FilterExpression": expression});
        self.fine("/TraceSummaries", body).await["TraceSummaries"].as_array().expect("a list").clone()
    }
}

#[tokio::test]
async fn the_group_of_the_course_is_created_listed_changed_and_deleted() {
    let api = Api::start().await;
    // aws xray create-group --group-name "Cruddur" --filter-expression "service(\"backend-flask\")"
    let course = json!({"GroupName": "Cruddur", "FilterExpression": "service(\"backend-flask\")"});
    let made = api.fine("/CreateGroup", course.clone()).await["Group"].clone();
    assert_eq!(
        made,
        json!({
            "GroupName": "Cruddur",
            "GroupARN": "arn:aws:xray:ca-central-1:123456789012:group/Cruddur",
            "FilterExpression": "service(\"backend-flask\")",
            "InsightsConfiguration": {"InsightsEnabled": false, "NotificationsEnabled": false},
        })
    );
    assert!(api.refused("/CreateGroup", course).await.contains("Group already exists"));
    let listed = api.fine("/Groups", json!({})).await["Groups"].clone();
    assert_eq!((&listed[0]["GroupName"], &listed[1]), (&json!("Default"), &made));
    assert_eq!(api.fine("/GetGroup", json!({"GroupARN": made["GroupARN"]})).await["Group"], made);

    let insights = json!({"InsightsEnabled": true, "NotificationsEnabled": true});
    let changed = api.fine("/UpdateGroup", json!({"GroupName": "Cruddur", "InsightsConfiguration": insights})).await;
    assert_eq!(changed["Group"]["InsightsConfiguration"], insights);
    assert_eq!(changed["Group"]["FilterExpression"], "service(\"backend-flask\")", "what is not said stays");
    assert_eq!(api.fine("/DeleteGroup", json!({"GroupName": "Cruddur"})).await, json!({}));
    assert!(api.refused("/GetGroup", json!({"GroupName": "Cruddur"})).await.contains("Group not found"));
}

#[tokio::test]
async fn invalid_groups_are_rejected_with_a_reason() {
    let api = Api::start().await;
    for (path, body, word) in [
        ("/CreateGroup", json!({}), "GroupName"),
        ("/CreateGroup", json!({"GroupName": "x".repeat(33)}), "32"),
        ("/CreateGroup", json!({"GroupName": 7}), "not a string"),
        ("/CreateGroup", json!({"GroupName": "Default"}), "already exists"),
        ("/CreateGroup", json!({"GroupName": "a", "FilterExpression": "service(backend)"}), "character 9"),
        (
            "/CreateGroup",
            json!({"GroupName": "a", "InsightsConfiguration": {"NotificationsEnabled": true}}),
            "InsightsEnabled",
        ),
        ("/UpdateGroup", json!({"GroupName": "Default", "FilterExpression": "fault"}), "Default"),
        ("/DeleteGroup", json!({"GroupName": "Default"}), "Default"),
        ("/DeleteGroup", json!({"GroupARN": "nonsense"}), "ARN"),
        ("/GetGroup", json!({}), "GroupName or GroupARN"),
    ] {
        let said = api.refused(path, body.clone()).await;
        assert!(said.contains(word), "{path} {body}: {said}");
    }
    // Expressions that only X-Ray can evaluate are stored, and reported when they are used.
    api.fine("/CreateGroup", json!({"GroupName": "causes", "FilterExpression": "rootcause.fault.service = \"a\""}))
        .await;
    let body = json!({"StartTime": 0, "EndTime": 1, "FilterExpression": "group.name = \"causes\""});
    assert!(api.refused("/TraceSummaries", body).await.contains("rootcause.fault.service"));
}

/// The file from the course, including its "ServiceType" and "Version".
fn course_rule() -> Value {
    json!({
        "RuleName": "Cruddur", "ResourceARN": "*", "Priority": 9000, "FixedRate": 0.1, "ReservoirSize": 5,
        "ServiceName": "Cruddur", "ServiceType": "*", "Host": "*", "HTTPMethod": "*", "URLPath": "*", "Version": 1,
    })
}

#[tokio::test]
async fn the_rule_of_the_course_decides_what_the_sdk_samples() {
    let api = Api::start().await;
    let made =
        api.fine("/CreateSamplingRule", json!({ "SamplingRule": course_rule() })).await["SamplingRuleRecord"].clone();
    assert_eq!(made["SamplingRule"]["RuleARN"], "arn:aws:xray:ca-central-1:123456789012:sampling-rule/Cruddur");
    assert_eq!((&made["CreatedAt"], &made["ModifiedAt"]), (&json!(1_795_447_213.9), &json!(1_795_447_213.9)));
    assert!(
        api.refused("/CreateSamplingRule", json!({ "SamplingRule": course_rule() })).await.contains("already exists")
    );

    let listed = api.fine("/GetSamplingRules", json!({})).await["SamplingRuleRecords"].clone();
    assert_eq!((&listed[0], &listed[1]["SamplingRule"]["RuleName"]), (&made, &json!("Default")));
    assert_eq!(
        (&listed[1]["SamplingRule"]["Priority"], &listed[1]["SamplingRule"]["FixedRate"]),
        (&json!(10000), &json!(1.0))
    );

    let statistics = json!({"SamplingStatisticsDocuments": [
        {"RuleName": "Cruddur", "ClientID": "173056af804067744f93e64c", "RequestCount": 39, "BorrowCount": 2, "SampledCount": 37, "Timestamp": 1_795_447_700},
    ]});
    let answer = api.fine("/SamplingTargets", statistics.clone()).await;
    let target = &answer["SamplingTargetDocuments"][0];
    assert_eq!((&target["FixedRate"], &target["ReservoirQuota"]), (&json!(0.1), &json!(5)));
    assert_eq!(
        answer["LastRuleModification"], 1_795_447_213,
        "the SDK reads the rules when this is later than its last reading"
    );

    let update = json!({"SamplingRuleUpdate": {"RuleName": "Cruddur", "FixedRate": 1, "ReservoirSize": 0}});
    let changed = api.fine("/UpdateSamplingRule", update).await["SamplingRuleRecord"]["SamplingRule"].clone();
    assert_eq!((&changed["FixedRate"], &changed["Priority"]), (&json!(1.0), &json!(9000)));
    let target = api.fine("/SamplingTargets", statistics).await["SamplingTargetDocuments"][0].clone();
    assert_eq!((&target["FixedRate"], &target["ReservoirQuota"]), (&json!(1.0), &json!(0)));

    let arn = made["SamplingRule"]["RuleARN"].clone();
    let deleted = api.fine("/DeleteSamplingRule", json!({ "RuleARN": arn })).await;
    assert_eq!(deleted["SamplingRuleRecord"]["SamplingRule"], changed);
    assert!(api.refused("/DeleteSamplingRule", json!({"RuleName": "Cruddur"})).await.contains("does not exist"));
}

#[tokio::test]
async fn rules_outside_the_limits_of_the_api_are_refused() {
    let api = Api::start().await;
    for (key, value) in [
        ("RuleName", json!("x".repeat(33))),
        ("RuleName", json!("Default")),
        ("RuleName", Value::Null),
        ("Priority", json!(0)),
        ("Priority", json!(10_000)),
        ("Priority", json!("first")),
        ("FixedRate", json!(1.1)),
        ("FixedRate", json!(-0.1)),
        ("ReservoirSize", json!(-1)),
        ("ServiceName", json!("x".repeat(65))),
        ("HTTPMethod", json!("x".repeat(11))),
        ("URLPath", Value::Null),
        ("Version", json!(2)),
        ("Attributes", json!({"a": 1})),
    ] {
        let mut rule = course_rule();
        rule[key] = value;
        let said = api.refused("/CreateSamplingRule", json!({ "SamplingRule": rule })).await;
        assert!(said.contains(key) || said.contains("already exists"), "{key}: {said}");
    }
    api.refused("/UpdateSamplingRule", json!({"SamplingRuleUpdate": {"RuleName": "Default", "FixedRate": 0.5}})).await;
    for n in 0..25 {
        let mut rule = course_rule();
        rule["RuleName"] = json!(format!("rule{n}"));
        api.fine("/CreateSamplingRule", json!({ "SamplingRule": rule })).await;
    }
    let answer = api.ask("/CreateSamplingRule", json!({ "SamplingRule": course_rule() })).await;
    assert_eq!((answer.status, answer.header("x-amzn-errortype")), (400, Some("RuleLimitExceededException")));
}

#[tokio::test]
async fn recorded_traces_are_summarised() {
    let api = Api::start().await;
    api.recorded(&["xray-01-home", "xray-01-boom", "xray-01-abort404", "xray-01-users", "xray-01-slow"]).await;
    let all = api.summaries("").await;
    assert_eq!(all.len(), 5);
    let times: Vec<f64> = all.iter().map(|s| s["StartTime"].as_f64().expect("a number")).collect();
    assert!(times.is_sorted_by(|a, b| a >= b), "newest first: {times:?}");
    let by_path = |path: &str| {
        all.iter()
            .find(|s| s["Http"]["HttpURL"].as_str().is_some_and(|url| url.ends_with(path)))
            .expect("there")
            .clone()
    };

    let home = by_path("/api/activities/home");
    assert_eq!(home["Id"], "1-6b04d28c-b42d3d7a711c3748a412c2b5");
    assert_eq!((&home["Http"]["HttpStatus"], &home["Http"]["HttpMethod"]), (&json!(200), &json!("GET")));
    assert_eq!((&home["Http"]["UserAgent"], &home["Http"]["ClientIp"]), (&json!("drive.py"), &json!("127.0.0.1")));
    assert!((home["Duration"].as_f64().expect("a number") - 0.001_120_6).abs() < 1e-6, "{}", home["Duration"]);
    assert_eq!(home["ResponseTime"], home["Duration"]);
    assert_eq!(
        (&home["EntryPoint"]["Name"], &home["ServiceIds"][0]["Name"]),
        (&json!("backend-flask"), &json!("backend-flask"))
    );
    assert_eq!(home["Annotations"]["result_length"][0]["AnnotationValue"], json!({"NumberValue": 3}));
    let flags = |s: &Value| ["HasFault", "HasError", "HasThrottle", "IsPartial"].map(|key| s[key] == json!(true));
    assert_eq!(flags(&home), [false; 4]);
    assert_eq!(flags(&by_path("/api/boom")), [true, false, false, false]);
    assert_eq!(flags(&by_path("/api/slow")), [false, false, false, true]);
    let missing: Vec<&Value> = all.iter().filter(|s| s["Http"]["HttpStatus"] == json!(404)).collect();
    assert_eq!(flags(missing[0]), [false, true, false, false]);

    // The unfinished segment completes.
    api.recorded(&["xray-02-slow"]).await;
    assert!(api.summaries("partial").await.is_empty());
    // Expressions on the same traces.
    assert_eq!(api.summaries("fault").await.len(), 1);
    assert_eq!(api.summaries("service(\"backend-flask\") { !ok }").await.len(), 2);
    assert_eq!(api.summaries("annotation.result_length >= 3 AND http.url CONTAINS \"home\"").await.len(), 1);
    api.fine("/CreateGroup", json!({"GroupName": "Broken", "FilterExpression": "fault OR error"})).await;
    assert_eq!(api.summaries("group.name = \"Broken\" AND http.status = 404").await.len(), 1);
    assert_eq!(api.summaries("group.name = \"Default\"").await.len(), 5);
    let body = json!({"StartTime": 0, "EndTime": 1, "FilterExpression": "fault AND"});
    assert!(api.refused("/TraceSummaries", body).await.contains("character 10"));
    let body = json!({"StartTime": 0, "EndTime": 1, "FilterExpression": "group.name = \"None\""});
    assert!(api.refused("/TraceSummaries", body).await.contains("Group not found"));
}

#[tokio::test]
async fn the_api_includes_otlp_traces() {
    let api = Api::start().await;
    api.otlp("otlp-boom").await;
    // The service creates the other trace at its start.
    assert_eq!(api.summaries("").await.len(), 2);
    let all = api.summaries("fault").await;
    assert_eq!((all.len(), &all[0]["HasFault"]), (1, &json!(true)));
    assert!(all[0]["Http"]["HttpURL"].as_str().expect("a url").ends_with("/api/boom"), "{}", all[0]["Http"]);
    let id = all[0]["Id"].as_str().expect("an id");
    assert!(id.len() == 35 && id.starts_with("1-"), "{id}");
    let traces = api.fine("/Traces", json!({"TraceIds": [id]})).await["Traces"].clone();
    let documents: Vec<Value> = traces[0]["Segments"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|s| serde_json::from_str(s["Document"].as_str().expect("text")).expect("JSON"))
        .collect();
    let root = &documents[0];
    assert_eq!(
        (&root["trace_id"], &root["fault"], &root["http"]["response"]["status"]),
        (&json!(id), &json!(true), &json!(500))
    );
    assert_eq!(root["aws"]["xray"]["sdk"], "opentelemetry");
    // The documents can be sent and read again.
    let again = Api::start().await;
    again.put(documents.iter().map(Value::to_string).collect()).await;
    let of_it: usize = api.kept.spans().iter().filter(|span| span.trace_id.xray() == id).count();
    assert_eq!((again.kept.spans().len(), of_it > 1), (of_it, true));
    assert_eq!(again.summaries("fault").await.len(), 1);
}

#[tokio::test]
async fn documents_contain_their_subsegments() {
    let api = Api::start().await;
    api.recorded(&["xray-01-slow", "xray-01-users", "xray-02-slow"]).await;
    let all = api.summaries("").await;
    let ids: Vec<&str> = all.iter().map(|s| s["Id"].as_str().expect("an id")).collect();
    let unknown = "1-581cf772-b006649127e371903a2de979";
    let body = json!({"TraceIds": [ids[0], ids[1], unknown, ids[0]]});
    let answer = api.fine("/Traces", body).await;
    assert_eq!(answer["UnprocessedTraceIds"], json!([unknown]));
    assert_eq!(answer["Traces"].as_array().map(Vec::len), Some(2), "each once");
    for (name, trace) in [("xray-02-slow", ids[0]), ("xray-01-users", ids[1])] {
        let datagram = String::from_utf8(fixture(&format!("{name}.bin"))).expect("text");
        let sent: Value = serde_json::from_str(datagram.split_once('\n').expect("a line").1).expect("JSON");
        let found = answer["Traces"].as_array().expect("a list").iter().find(|t| t["Id"] == trace).expect("there");
        assert_eq!(found["Segments"].as_array().map(Vec::len), Some(1), "{name}");
        let document = found["Segments"][0]["Document"].as_str().expect("text");
        assert_eq!(serde_json::from_str::<Value>(document).expect("JSON"), sent, "{name}: as it was sent");
        assert_eq!(found["Segments"][0]["Id"], sent["id"]);
    }
    let six: Vec<String> = (1..=6).map(|n| format!("1-581cf772-{n:024x}")).collect();
    assert!(api.refused("/Traces", json!({ "TraceIds": six })).await.contains("Exceeding maximum query size: 5"));
    assert!(api.refused("/Traces", json!({"TraceIds": ["x"]})).await.contains("Invalid trace id"));
    let paged = json!({"TraceIds": [], "NextToken": "x"});
    assert!(api.refused("/Traces", paged).await.contains("NextToken is currently not supported"));
}

#[tokio::test]
async fn streamed_subsegments_are_nested_in_their_segment() {
    let api = Api::start().await;
    let names: Vec<String> = (1..=31).map(|n| format!("xray-{n:02}-rows40")).collect();
    api.recorded(&names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let id = api.summaries("").await[0]["Id"].clone();
    let before = api.fine("/Traces", json!({"TraceIds": [id]})).await["Traces"][0]["Segments"].clone();
    api.recorded(&["xray-32-rows40"]).await;
    let after = api.fine("/Traces", json!({"TraceIds": [id]})).await["Traces"][0]["Segments"].clone();
    assert_eq!(
        (before.as_array().map(Vec::len), after.as_array().map(Vec::len)),
        (Some(31), Some(1)),
        "orphans stand alone"
    );
    let segment: Value = serde_json::from_str(after[0]["Document"].as_str().expect("text")).expect("JSON");
    fn count(document: &Value) -> usize {
        1 + document["subsegments"].as_array().into_iter().flatten().map(count).sum::<usize>()
    }
    assert_eq!(count(&segment), api.kept.spans().len());
}

fn segment_at(n: u64, second: u64) -> String {
    json!({
        "id": format!("{:016x}", n + 1), "trace_id": format!("1-00000000-{:024x}", n + 1), "name": "s",
        "start_time": second, "end_time": second as f64 + 0.5,
    })
    .to_string()
}

#[tokio::test]
async fn a_graph_includes_each_trace_of_the_range_once() {
    let api = Api::start().await;
    // A hundred traces start in one second, so that a page ends among them.
    api.put((0..1_250).map(|n| segment_at(n, 1_000 + n / 100)).collect()).await;
    let graph = api.fine("/ServiceGraph", json!({"StartTime": 1_000, "EndTime": 1_011.9})).await;
    let services = graph["Services"].as_array().expect("a list");
    let service = services.iter().find(|s| s["Name"] == "s").expect("the service");
    assert_eq!(service["SummaryStatistics"]["TotalCount"], 1_200);
}

#[tokio::test]
async fn summaries_are_paged_and_bounded_by_time() {
    let api = Api::start().await;
    api.put((0..250).map(|n| segment_at(n, 1000 + n)).collect()).await;
    let mut found = Vec::new();
    let mut body =
        json!({"StartTime": "1970-01-01T00:00:00Z", "EndTime": 1_219.0, "TimeRangeType": "Event", "Sampling": false});
    let mut pages = 0;
    loop {
        let answer = api.fine("/TraceSummaries", body.clone()).await;
        found.extend(answer["TraceSummaries"].as_array().expect("a list").iter().map(|s| s["StartTime"].as_f64()));
        pages += 1;
        if answer["NextToken"].is_null() {
            assert_eq!(answer["TracesProcessedCount"], 20);
            break;
        }
        body["NextToken"] = answer["NextToken"].clone();
    }
    let expected: Vec<Option<f64>> = (1000..=1219).rev().map(|n| Some(f64::from(n))).collect();
    assert_eq!((pages, found), (3, expected));

    let empty = api.fine("/TraceSummaries", json!({"StartTime": 5, "EndTime": 6})).await;
    assert_eq!((&empty["TraceSummaries"], &empty["TracesProcessedCount"]), (&json!([]), &json!(0)));
    for (body, word) in [
        (json!({"EndTime": 1}), "StartTime is missing"),
        (json!({"StartTime": 2, "EndTime": 1}), "before"),
        (json!({"StartTime": "yesterday", "EndTime": 1}), "StartTime"),
        (json!({"StartTime": 1, "EndTime": 2, "NextToken": "bm9uc2Vuc2U"}), "NextToken"),
    ] {
        let said = api.refused("/TraceSummaries", body).await;
        assert!(said.contains(word), "{said}");
    }
}

#[tokio::test]
async fn graphs_have_the_format_of_the_api() {
    let api = Api::start().await;
    let range = json!({"StartTime": 0, "EndTime": 4_000_000_000u32});
    let empty = api.fine("/ServiceGraph", range.clone()).await;
    assert_eq!((&empty["Services"], &empty["ContainsOldGroupVersions"]), (&json!([]), &json!(false)));
    let trace = "1-581cf771-a006649127e371903a2de979";
    let front = json!({
        "id": "70de5b6f19ff9a0a", "trace_id": trace, "name": "frontend", "start_time": 10.0, "end_time": 11.0,
        "subsegments": [
            {"id": "70de5b6f19ff9a0b", "name": "backend.local", "namespace": "remote", "start_time": 10.1, "end_time": 10.9, "fault": true},
            {"id": "70de5b6f19ff9a0c", "name": "dynamodb", "namespace": "aws", "start_time": 10.9, "end_time": 10.95, "throttle": true, "error": true},
        ],
    });
    let back = json!({
        "id": "70de5b6f19ff9a0d", "parent_id": "70de5b6f19ff9a0b", "trace_id": trace, "name": "backend", "start_time": 10.2,
        "end_time": 10.8, "fault": true,
    });
    api.put(vec![front.to_string(), back.to_string(), segment_at(1, 20)]).await;
    let graph = api.fine("/TraceGraph", json!({"TraceIds": [trace]})).await["Services"].clone();
    let names: Vec<&str> = graph.as_array().expect("a list").iter().filter_map(|s| s["Name"].as_str()).collect();
    assert_eq!(names, ["client", "frontend", "backend", "dynamodb"]);
    assert_eq!(
        (&graph[0]["Type"], &graph[3]["Type"], &graph[1]["Root"]),
        (&json!("client"), &json!("AWS::dynamodb"), &json!(true))
    );
    assert_eq!(graph[0]["Edges"][0]["ReferenceId"], graph[1]["ReferenceId"]);
    let edges = graph[1]["Edges"].as_array().expect("a list");
    let to = |id: &Value| edges.iter().find(|e| e["ReferenceId"] == *id).expect("an edge")["SummaryStatistics"].clone();
    assert_eq!(
        to(&graph[2]["ReferenceId"]),
        json!({
            "OkCount": 0, "ErrorStatistics": {"ThrottleCount": 0, "OtherCount": 0, "TotalCount": 0},
            "FaultStatistics": {"OtherCount": 1, "TotalCount": 1}, "TotalCount": 1, "TotalResponseTime": 0.8,
        })
    );
    assert_eq!(
        to(&graph[3]["ReferenceId"])["ErrorStatistics"],
        json!({"ThrottleCount": 1, "OtherCount": 0, "TotalCount": 1})
    );

    let all = api.fine("/ServiceGraph", range).await["Services"].clone();
    assert_eq!(all.as_array().map(Vec::len), Some(5));
    api.fine("/CreateGroup", json!({"GroupName": "front", "FilterExpression": "service(\"frontend\")"})).await;
    let grouped = json!({"StartTime": 0, "EndTime": 4_000_000_000u32, "GroupName": "front"});
    assert_eq!(api.fine("/ServiceGraph", grouped).await["Services"].as_array().map(Vec::len), Some(4));
    let nowhere = json!({"StartTime": 0, "EndTime": 1, "GroupName": "none"});
    assert!(api.refused("/ServiceGraph", nowhere).await.contains("Group not found"));
}

#[tokio::test]
async fn unsupported_operations_are_named() {
    let api = Api::start().await;
    for path in ["/InsightSummaries", "/EncryptionConfig", "/TimeSeriesServiceStatistics", "/TagResource"] {
        let said = api.refused(path, json!({})).await;
        assert!(said.contains("GetTraceSummaries") && said.contains(path), "{said}");
    }
    let unsigned =
        post(api.server.addr, "/Groups", "Authorization: AWS4-HMAC-SHA256 Credential=a/b/<script>/xray\r\n", b"").await;
    assert_eq!(unsigned.json()["Groups"][0]["GroupARN"], "arn:aws:xray:us-east-1:123456789012:group/Default");
}

const PATHS: [&str; 14] = [
    "/TraceSegments",
    "/TraceSummaries",
    "/Traces",
    "/ServiceGraph",
    "/TraceGraph",
    "/SamplingTargets",
    "/CreateSamplingRule",
    "/UpdateSamplingRule",
    "/DeleteSamplingRule",
    "/GetGroup",
    "/CreateGroup",
    "/UpdateGroup",
    "/DeleteGroup",
    "/TelemetryRecords",
];

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-z*\"(){}.= ]{0,12}".prop_map(Value::from),
        Just(json!("Cruddur")),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key(), inner), 0..5).prop_map(|pairs| pairs.into_iter().collect::<Value>()),
        ]
    })
}

fn key() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "GroupName",
        "GroupARN",
        "FilterExpression",
        "InsightsConfiguration",
        "SamplingRule",
        "SamplingRuleUpdate",
        "RuleName",
        "Priority",
        "FixedRate",
        "Version",
        "Attributes",
        "TraceIds",
        "StartTime",
        "EndTime",
        "NextToken",
        "SamplingStatisticsDocuments",
        "TraceSegmentDocuments",
    ])
    .prop_map(str::to_owned)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn no_body_is_a_server_error(bodies in prop::collection::vec((prop::sample::select(PATHS.to_vec()), any_json()), 1..12)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let statuses: Vec<u16> = runtime.block_on(async {
            let api = Api::start().await;
            let mut statuses = Vec::new();
            for (path, body) in bodies {
                statuses.push(api.ask(path, body).await.status);
            }
            statuses
        });
        prop_assert!(statuses.iter().all(|status| matches!(status, 200 | 400)), "{statuses:?}");
    }
}
