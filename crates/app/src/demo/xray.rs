//! X-Ray in the demo service: segments over UDP to the daemon's port.

use std::net::UdpSocket;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tracebook_core::clock::Clock;

use crate::demo::otlp::random_hex;

pub(super) struct Emitter {
    socket: UdpSocket,
    clock: Arc<dyn Clock>,
}

impl Emitter {
    pub(super) fn new(daemon: &str, clock: Arc<dyn Clock>) -> std::io::Result<Self> {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        socket.connect(daemon)?;
        Ok(Self { socket, clock })
    }

    /// Handles the notifications page, which has no return value, and sends its segment.
    pub(super) async fn notifications(&self, path: &str, trace_id: &str) -> Result<(), String> {
        let (segment, subsegment, exception) = (random_hex::<8>()?, random_hex::<8>()?, random_hex::<8>()?);
        let start = seconds(&*self.clock);
        tokio::time::sleep(Duration::from_millis(2)).await;
        let inner = seconds(&*self.clock);
        tokio::time::sleep(Duration::from_millis(5)).await;
        let inner_end = seconds(&*self.clock);
        let document = json!({
            "name": "demo-xray", "id": segment, "trace_id": trace_id, "start_time": start, "end_time": seconds(&*self.clock),
            "fault": true,
            "http": {
                "request": { "method": "GET", "url": format!("http://127.0.0.1{path}"), "client_ip": "127.0.0.1" },
                "response": { "status": 500 },
            },
            "aws": { "xray": { "sdk": "Tracebook demo", "sdk_version": env!("CARGO_PKG_VERSION") } },
            "subsegments": [{
                "name": "mock-data", "id": subsegment, "start_time": inner, "end_time": inner_end, "fault": true,
                "annotations": { "handle": "ada", "results_size": 1 },
                "metadata": { "app": { "results": [{ "handle": "ada", "message": "Traces all the way down" }] } },
                "cause": { "working_directory": "/backend-flask", "exceptions": [{
                    "id": exception, "type": "TypeError",
                    "message": "The view function for 'data_notifications' did not return a valid response.",
                    "stack": [
                        { "path": "app.py", "line": 61, "label": "data_notifications" },
                        { "path": "services/notifications_activities.py", "line": 20, "label": "run" },
                    ],
                }]},
            }],
        });
        let datagram = format!("{{\"format\":\"json\",\"version\":1}}\n{document}");
        self.socket.send(datagram.as_bytes()).map(drop).map_err(|e| e.to_string())
    }
}

/// A trace id in X-Ray's form, with the current time.
pub(super) fn new_trace_id(clock: &dyn Clock) -> Result<String, String> {
    let epoch = clock.now().0 / 1_000_000_000;
    Ok(format!("1-{epoch:08x}-{}", random_hex::<12>()?))
}

/// Epoch seconds with a fraction, as segments have them.
fn seconds(clock: &dyn Clock) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "the wire format is a double")]
    let nanos = clock.now().0 as f64;
    (nanos / 1e3).round() / 1e6
}
