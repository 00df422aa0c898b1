//! A small web service with two instrumented endpoints.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use tokio_util::sync::CancellationToken;
use tracebook_core::clock::Clock;

use crate::demo::{aws, otlp, rollbar, xray};
use crate::ground::error::{Code, Error};

/// The running service.
pub(super) struct Service {
    address: String,
    client: reqwest::Client,
    telemetry: Arc<Telemetry>,
    token: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

struct Telemetry {
    otlp: otlp::Exporter,
    xray: xray::Emitter,
    aws: aws::Aws,
    rollbar: rollbar::Rollbar,
    clock: Arc<dyn Clock>,
    printed: Mutex<String>,
}

impl Service {
    pub(super) async fn start(http: &str, xray_address: &str, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        // Ignores proxies in the environment for loopback.
        let client = reqwest::Client::builder().no_proxy().build().map_err(Error::internal)?;
        let telemetry = Arc::new(Telemetry {
            otlp: otlp::Exporter::new(http, client.clone(), Arc::clone(&clock)),
            xray: xray::Emitter::new(xray_address, Arc::clone(&clock)).map_err(|e| unreachable(&e))?,
            aws: aws::Aws::new(http, client.clone(), Arc::clone(&clock)),
            rollbar: rollbar::Rollbar::new(http, client.clone(), Arc::clone(&clock)),
            clock,
            printed: Mutex::new(" * Serving demo app 'demo'\n".to_owned()),
        });
        telemetry.aws.prepare().await.map_err(|e| unreachable(&e))?;
        telemetry.aws.xray_settings().await.map_err(|e| unreachable(&e))?;
        let router = Router::new().route("/api/activities/{name}", get(activity)).with_state(Arc::clone(&telemetry));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.map_err(|e| unreachable(&e))?;
        let address = listener.local_addr().map_err(|e| unreachable(&e))?.to_string();
        let token = CancellationToken::new();
        let stopped = token.clone().cancelled_owned();
        let task = tokio::spawn(async move {
            // Stopped by the token; a failed accept results in a failed request of the demo.
            drop(axum::serve(listener, router).with_graceful_shutdown(stopped).await);
        });
        Ok(Self { address, client, telemetry, token, task })
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Requests an endpoint and returns the status.
    pub(super) async fn request(&self, path: &str) -> Result<u16, Error> {
        let url = format!("http://{}{path}", self.address);
        let answer = self.client.get(url).send().await.map_err(|e| unreachable(&e))?;
        Ok(answer.status().as_u16())
    }

    /// The output of the service so far.
    pub(super) fn printed(&self) -> String {
        self.telemetry.printed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) async fn stop(self) {
        drop(self.client);
        self.token.cancel();
        // A panic in it already resulted in a failed request.
        drop(self.task.await);
    }
}

fn unreachable(error: &dyn std::fmt::Display) -> Error {
    Error::new(Code::Unreachable, error.to_string(), "The demo needs free loopback ports")
}

/// `home` succeeds and is traced with OpenTelemetry; `notifications` fails, with X-Ray, CloudWatch Logs and Rollbar.
async fn activity(State(telemetry): State<Arc<Telemetry>>, Path(name): Path<String>) -> (StatusCode, String) {
    let path = format!("/api/activities/{name}");
    let (sent, status) = match name.as_str() {
        "home" => (telemetry.otlp.home(&path).await, StatusCode::OK),
        "notifications" => (telemetry.notifications(&path).await, StatusCode::INTERNAL_SERVER_ERROR),
        _ => return (StatusCode::NOT_FOUND, String::new()),
    };
    let at = telemetry.clock.now().human();
    let code = status.as_u16();
    // Colours as in werkzeug.
    let line = match status.is_success() {
        true => format!("127.0.0.1 - - [{at}] \"GET {path} HTTP/1.1\" {code} -\n"),
        false => format!("127.0.0.1 - - [{at}] \"\x1b[35m\x1b[1mGET {path} HTTP/1.1\x1b[0m\" {code} -\n"),
    };
    telemetry.printed.lock().unwrap_or_else(PoisonError::into_inner).push_str(&line);
    match sent {
        Ok(()) => (status, "[]".to_owned()),
        // Reports a failed exporter at once, so that the demo does not wait for its data.
        Err(why) => (StatusCode::BAD_GATEWAY, why),
    }
}

impl Telemetry {
    async fn notifications(&self, path: &str) -> Result<(), String> {
        let trace_id = xray::new_trace_id(&*self.clock)?;
        self.aws.log(format!("INFO notifications asked for, trace_id={trace_id}")).await?;
        self.xray.notifications(path, &trace_id).await?;
        self.aws.log(format!("ERROR notifications gave nothing back, trace_id={trace_id}")).await?;
        self.rollbar.report(path, &trace_id).await
    }
}
