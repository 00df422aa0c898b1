//! Rollbar in the demo service: one item, as sent by pyrollbar.

use std::sync::Arc;

use serde_json::json;
use tracebook_core::clock::Clock;

use crate::demo::otlp::random_hex;

pub(super) struct Rollbar {
    endpoint: String,
    client: reqwest::Client,
    clock: Arc<dyn Clock>,
}

impl Rollbar {
    pub(super) fn new(http: &str, client: reqwest::Client, clock: Arc<dyn Clock>) -> Self {
        Self { endpoint: format!("http://{http}/api/1/item/"), client, clock }
    }

    /// Reports the missing return value of the notifications page. `trace_id` has X-Ray's form.
    pub(super) async fn report(&self, path: &str, trace_id: &str) -> Result<(), String> {
        let body = json!({ "access_token": "demo", "data": {
            "uuid": random_hex::<16>()?,
            "timestamp": self.clock.now().0 / 1_000_000_000,
            "environment": "development",
            "level": "error",
            "language": "python 3.11.7",
            "framework": "flask",
            "context": "/api/activities/notifications",
            "body": { "trace": {
                "exception": {
                    "class": "TypeError",
                    "message": "The view function for 'data_notifications' did not return a valid response.",
                },
                "frames": [
                    { "filename": "/usr/lib/python3.11/site-packages/flask/app.py", "lineno": 1478, "method": "wsgi_app" },
                    { "filename": "/backend-flask/app.py", "lineno": 61, "method": "data_notifications",
                      "code": "NotificationsActivities.run()" },
                    { "filename": "/usr/lib/python3.11/site-packages/flask/app.py", "lineno": 1210, "method": "make_response" },
                ],
            }},
            "request": {
                "method": "GET",
                "url": format!("http://127.0.0.1{path}"),
                "headers": { "User-Agent": "demo/1", "X-Amzn-Trace-Id": format!("Root={trace_id};Sampled=1") },
            },
            "person": { "id": "1815", "username": "ada", "email": null },
            "server": { "host": "demo", "root": "/backend-flask" },
            "custom": { "cart": 3 },
            "notifier": { "name": "tracebook-demo", "version": env!("CARGO_PKG_VERSION") },
        }});
        let answer = self.client.post(&self.endpoint).json(&body).send().await.map_err(|e| e.to_string())?;
        match answer.status().is_success() {
            true => Ok(()),
            false => Err(format!("the receiver answered {}", answer.status())),
        }
    }
}
