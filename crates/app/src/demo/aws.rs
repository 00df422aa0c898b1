//! The demo service's CloudWatch Logs, and the X-Ray settings that the course creates.

use std::sync::Arc;

use serde_json::{Value as Json, json};
use tracebook_core::clock::Clock;

/// The log group and stream.
const GROUP: &str = "demo-flask";
const STREAM: &str = "demo/1";

pub(super) struct Aws {
    endpoint: String,
    client: reqwest::Client,
    clock: Arc<dyn Clock>,
}

impl Aws {
    pub(super) fn new(http: &str, client: reqwest::Client, clock: Arc<dyn Clock>) -> Self {
        Self { endpoint: format!("http://{http}"), client, clock }
    }

    /// Creates the log group and stream, unless they exist.
    pub(super) async fn prepare(&self) -> Result<(), String> {
        self.logs("CreateLogGroup", json!({ "logGroupName": GROUP })).await?;
        self.logs("CreateLogStream", json!({ "logGroupName": GROUP, "logStreamName": STREAM })).await?;
        Ok(())
    }

    /// Logs one line.
    pub(super) async fn log(&self, message: String) -> Result<(), String> {
        let event = json!({ "timestamp": self.clock.now().millis(), "message": message });
        let body = json!({ "logGroupName": GROUP, "logStreamName": STREAM, "logEvents": [event] });
        match self.logs("PutLogEvents", body).await? {
            200 => Ok(()),
            status => Err(format!("PutLogEvents was answered {status}")),
        }
    }

    async fn logs(&self, operation: &str, body: Json) -> Result<u16, String> {
        let answer = self
            .client
            .post(format!("{}/", self.endpoint))
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", format!("Logs_20140328.{operation}"))
            .body(body.to_string())
            .send()
            .await
            .map_err(|e| e.to_string())?;
        Ok(answer.status().as_u16())
    }

    /// Creates the group and the sampling rule, as the course's commands do.
    pub(super) async fn xray_settings(&self) -> Result<(), String> {
        let group = json!({ "GroupName": "Demo", "FilterExpression": "service(\"demo-xray\")" });
        let rule = json!({ "SamplingRule": {
            "RuleName": "Demo", "ResourceARN": "*", "Priority": 9000, "FixedRate": 0.1, "ReservoirSize": 5,
            "ServiceName": "demo-xray", "ServiceType": "*", "Host": "*", "HTTPMethod": "*", "URLPath": "*", "Version": 1,
        }});
        for (path, body) in [("CreateGroup", group), ("CreateSamplingRule", rule)] {
            let answer = self.client.post(format!("{}/{path}", self.endpoint)).json(&body).send().await;
            let status = answer.map_err(|e| e.to_string())?.status();
            // Both exist already if the journal was used for the demo before.
            if !status.is_success() && status.as_u16() != 400 {
                return Err(format!("{path} was answered {status}"));
            }
        }
        Ok(())
    }
}
