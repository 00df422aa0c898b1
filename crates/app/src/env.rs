//! The settings that point a service at this app.

use crate::Tracebook;
use crate::error::Error;
use crate::receivers::{HTTP_PORT, XRAY_PORT};
use crate::rpc::{Caller, EnvRequest, EnvText};

impl Tracebook {
    pub(crate) async fn env(&self, request: EnvRequest, _caller: &Caller) -> Result<EnvText, Error> {
        let address =
            |name: &str, port: u16| self.receiver_address(name).unwrap_or_else(|| format!("127.0.0.1:{port}"));
        let http = address("http", HTTP_PORT);
        let xray = address("xray", XRAY_PORT);
        let running = self.receiver_address("http").is_some();
        let text = match request.target.as_deref().unwrap_or("shell") {
            "shell" => shell(&http, &xray),
            "flask" => flask(&http, &xray),
            "node" => node(&http, &xray),
            "compose" => compose(&http, &xray),
            other => {
                return Err(Error::usage(
                    format!("there are no settings for {other:?}"),
                    "Choose flask, node, compose or shell",
                ));
            }
        };
        let note = match running {
            true => "",
            false => "# Tracebook is not receiving now: open its window, or start `tracebook serve`.\n",
        };
        Ok(EnvText { text: format!("{note}{text}") })
    }
}

fn shell(http: &str, xray: &str) -> String {
    format!(
        "# OpenTelemetry: /v1/traces is appended by the SDK; do not write it here.
export OTEL_EXPORTER_OTLP_ENDPOINT=http://{http}
export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf
export OTEL_SERVICE_NAME=my-service
# AWS X-Ray: segments go over UDP, sampling rules over TCP, both on this port.
export AWS_XRAY_DAEMON_ADDRESS={xray}
"
    )
}

fn flask(http: &str, xray: &str) -> String {
    format!(
        "{}
# pip install opentelemetry-sdk opentelemetry-exporter-otlp-proto-http opentelemetry-instrumentation-flask aws-xray-sdk
#
# In app.py, after `app = Flask(__name__)`:
#
#   from opentelemetry import trace
#   from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
#   from opentelemetry.instrumentation.flask import FlaskInstrumentor
#   from opentelemetry.sdk.trace import TracerProvider
#   from opentelemetry.sdk.trace.export import BatchSpanProcessor
#
#   provider = TracerProvider()
#   provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))  # no endpoint here: the settings above decide
#   trace.set_tracer_provider(provider)
#   FlaskInstrumentor().instrument_app(app)
#
#   from aws_xray_sdk.core import xray_recorder
#   from aws_xray_sdk.ext.flask.middleware import XRayMiddleware
#
#   xray_recorder.configure(service='my-service')
#   XRayMiddleware(app, xray_recorder)
#
# Restart the service after changing settings. Spans come in batches, up to 5 seconds late; X-Ray
# segments come at the end of each request.
",
        shell(http, xray)
    )
}

fn node(http: &str, xray: &str) -> String {
    format!(
        "{}
# npm install @opentelemetry/api @opentelemetry/sdk-node @opentelemetry/auto-instrumentations-node aws-xray-sdk-core
#
# OpenTelemetry without a change in the code:
#   node --require @opentelemetry/auto-instrumentations-node/register app.js
#
# X-Ray, in app.js:
#   const AWSXRay = require('aws-xray-sdk-core');
#   AWSXRay.setDaemonAddress(process.env.AWS_XRAY_DAEMON_ADDRESS);
",
        shell(http, xray)
    )
}

fn compose(http: &str, xray: &str) -> String {
    let port = |address: &str, default: u16| {
        address.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok()).unwrap_or(default)
    };
    let (http, xray) = (port(http, HTTP_PORT), port(xray, XRAY_PORT));
    format!(
        "# In docker-compose.yml, for each service that is to be seen. Inside a container 127.0.0.1 is the
# container itself; `host.docker.internal` is this machine. Start Tracebook with
# `tracebook serve --containers`, so that it listens on the container bridge too.
services:
  backend-flask:
    extra_hosts:
      - \"host.docker.internal:host-gateway\"
    environment:
      OTEL_EXPORTER_OTLP_ENDPOINT: \"http://host.docker.internal:{http}\"
      OTEL_EXPORTER_OTLP_PROTOCOL: \"http/protobuf\"
      OTEL_SERVICE_NAME: \"backend-flask\"
      AWS_XRAY_DAEMON_ADDRESS: \"host.docker.internal:{xray}\"
# With Podman write host.containers.internal instead; it needs no extra_hosts.
# Remove the xray-daemon service, or its port {xray}: Tracebook stands where it stood.
"
    )
}
