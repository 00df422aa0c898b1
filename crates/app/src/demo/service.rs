//! A small web service with two instrumented endpoints.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use tokio_util::sync::CancellationToken;

use crate::demo::{otlp, xray};
use crate::error::{Code, Error};

/// The running service.
pub(super) struct Service {
    address: String,
    client: reqwest::Client,
    token: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

struct Telemetry {
    otlp: otlp::Exporter,
    xray: xray::Emitter,
}

impl Service {
    pub(super) async fn start(http: &str, xray_address: &str) -> Result<Self, Error> {
        // A proxy of the environment must not come between us and our own loopback.
        let client = reqwest::Client::builder().no_proxy().build().map_err(Error::internal)?;
        let telemetry = Arc::new(Telemetry {
            otlp: otlp::Exporter::new(http, client.clone()),
            xray: xray::Emitter::new(xray_address).map_err(|e| unreachable(&e))?,
        });
        let router = Router::new().route("/api/activities/{name}", get(activity)).with_state(telemetry);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.map_err(|e| unreachable(&e))?;
        let address = listener.local_addr().map_err(|e| unreachable(&e))?.to_string();
        let token = CancellationToken::new();
        let stopped = token.clone().cancelled_owned();
        let task = tokio::spawn(async move {
            // Ends by the token; a failed accept shows as a failed request of the demo.
            let _ = axum::serve(listener, router).with_graceful_shutdown(stopped).await;
        });
        Ok(Self { address, client, token, task })
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Calls one endpoint as a browser would, and returns the status.
    pub(super) async fn request(&self, path: &str) -> Result<u16, Error> {
        let url = format!("http://{}{path}", self.address);
        let answer = self.client.get(url).send().await.map_err(|e| unreachable(&e))?;
        Ok(answer.status().as_u16())
    }

    pub(super) async fn stop(self) {
        drop(self.client);
        self.token.cancel();
        // A panic in it has shown as a failed request already.
        let _ = self.task.await;
    }
}

fn unreachable(error: &dyn std::fmt::Display) -> Error {
    Error::new(Code::Unreachable, error.to_string(), "The demo needs free loopback ports")
}

/// `home` works and is traced with OpenTelemetry; `notifications` fails and is traced with X-Ray.
async fn activity(State(telemetry): State<Arc<Telemetry>>, Path(name): Path<String>) -> (StatusCode, String) {
    let path = format!("/api/activities/{name}");
    let sent = match name.as_str() {
        "home" => telemetry.otlp.home(&path).await.map(|()| (StatusCode::OK, "[]".to_owned())),
        "notifications" => {
            telemetry.xray.notifications(&path).await.map(|()| (StatusCode::INTERNAL_SERVER_ERROR, String::new()))
        }
        _ => return (StatusCode::NOT_FOUND, String::new()),
    };
    // The service says when its exporter fails, instead of the demo waiting in vain.
    sent.unwrap_or_else(|e| (StatusCode::BAD_GATEWAY, e))
}
