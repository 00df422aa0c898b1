//! OpenTelemetry in the demo service: measures real work and sends it as OTLP over HTTP.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value as Json, json};
use tracebook_core::clock::Clock;
use tracebook_core::time::Nanos;

pub(super) struct Exporter {
    endpoint: String,
    client: reqwest::Client,
    clock: Arc<dyn Clock>,
}

/// An open span.
struct Active {
    id: String,
    parent: Option<String>,
    name: &'static str,
    kind: u8,
    start: Nanos,
    attributes: Vec<(&'static str, Json)>,
}

impl Exporter {
    pub(super) fn new(http: &str, client: reqwest::Client, clock: Arc<dyn Clock>) -> Self {
        Self { endpoint: format!("http://{http}"), client, clock }
    }

    /// Handles the home page and exports its spans.
    pub(super) async fn home(&self, path: &str) -> Result<(), String> {
        let trace_id = random_hex::<16>()?;
        let mut server = self.begin("GET /api/activities/{name}", 2, None)?;
        server.attributes = vec![
            ("http.request.method", json!({"stringValue": "GET"})),
            ("url.path", json!({"stringValue": path})),
            ("http.response.status_code", json!({"intValue": "200"})),
        ];
        let mut home = self.begin("home-activities", 1, Some(&server.id))?;
        home.attributes =
            vec![("app.user.handle", json!({"stringValue": "ada"})), ("app.result_length", json!({"intValue": "3"}))];
        let mut query = self.begin("SELECT activities", 3, Some(&home.id))?;
        query.attributes = vec![
            ("db.system", json!({"stringValue": "postgresql"})),
            ("db.statement", json!({"stringValue": "SELECT * FROM activities ORDER BY created_at DESC"})),
        ];
        tokio::time::sleep(Duration::from_millis(7)).await;
        let query = self.end(query, &trace_id, json!([]));
        let render = self.begin("render", 1, Some(&home.id))?;
        tokio::time::sleep(Duration::from_millis(3)).await;
        let at = self.clock.now();
        let cached = json!([{ "timeUnixNano": at.0.to_string(), "name": "cache miss", "attributes": [] }]);
        let render = self.end(render, &trace_id, cached);
        let home = self.end(home, &trace_id, json!([]));
        let server_id = server.id.clone();
        let server = self.end(server, &trace_id, json!([]));
        let body = json!({ "resourceSpans": [{
            "resource": { "attributes": [
                { "key": "service.name", "value": { "stringValue": "demo-flask" } },
                { "key": "telemetry.sdk.language", "value": { "stringValue": "rust" } },
            ]},
            "scopeSpans": [{ "scope": { "name": "tracebook.demo", "version": env!("CARGO_PKG_VERSION") },
                             "spans": [query, render, home, server] }],
        }]});
        self.post("traces", body).await?;
        let record = json!({
            "timeUnixNano": self.clock.now().0.to_string(),
            "severityNumber": 9,
            "severityText": "INFO",
            "body": { "stringValue": format!("{path} answered with 3 activities") },
            "attributes": [{ "key": "app.user.handle", "value": { "stringValue": "ada" } }],
            "traceId": trace_id,
            "spanId": server_id,
        });
        let body = json!({ "resourceLogs": [{
            "resource": { "attributes": [{ "key": "service.name", "value": { "stringValue": "demo-flask" } }] },
            "scopeLogs": [{ "scope": { "name": "tracebook.demo" }, "logRecords": [record] }],
        }]});
        self.post("logs", body).await
    }

    async fn post(&self, signal: &str, body: Json) -> Result<(), String> {
        let url = format!("{}/v1/{signal}", self.endpoint);
        let answer = self.client.post(url).json(&body).send().await.map_err(|e| e.to_string())?;
        match answer.status().is_success() {
            true => Ok(()),
            false => Err(format!("the receiver answered {}", answer.status())),
        }
    }

    fn begin(&self, name: &'static str, kind: u8, parent: Option<&str>) -> Result<Active, String> {
        Ok(Active {
            id: random_hex::<8>()?,
            parent: parent.map(str::to_owned),
            name,
            kind,
            start: self.clock.now(),
            attributes: Vec::new(),
        })
    }

    fn end(&self, span: Active, trace_id: &str, events: Json) -> Json {
        let attributes: Vec<Json> =
            span.attributes.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect();
        json!({
            "traceId": trace_id,
            "spanId": span.id,
            "parentSpanId": span.parent.unwrap_or_default(),
            "name": span.name,
            "kind": span.kind,
            "startTimeUnixNano": span.start.0.to_string(),
            "endTimeUnixNano": self.clock.now().0.to_string(),
            "attributes": attributes,
            "events": events,
            "status": {},
        })
    }
}

pub(super) fn random_hex<const N: usize>() -> Result<String, String> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|e| e.to_string())?;
    Ok(hex::encode(bytes))
}
