//! The settings that point a service at this app.

use crate::ground::error::Error;
use crate::ground::schema::{EnvRequest, EnvText};
use crate::ports::{GRPC_PORT, HTTP_PORT, Ports, XRAY_PORT};

pub(crate) fn env(ports: &Ports, request: &EnvRequest) -> Result<EnvText, Error> {
    let address = |name: &str, port: u16| ports.address(name).unwrap_or_else(|| format!("127.0.0.1:{port}"));
    let addresses = Addresses {
        http: address("http", HTTP_PORT),
        grpc: address("grpc", GRPC_PORT),
        xray: address("xray", XRAY_PORT),
    };
    let running = ports.address("http").is_some();
    let text = match request.target.as_deref().unwrap_or("shell") {
        "shell" => shell(&addresses),
        "flask" => flask(&addresses),
        "node" => node(&addresses),
        "compose" => compose(&addresses),
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

/// The addresses of the receivers.
struct Addresses {
    http: String,
    grpc: String,
    xray: String,
}

fn shell(addresses: &Addresses) -> String {
    let Addresses { http, grpc, xray } = addresses;
    format!(
        "# OpenTelemetry, traces and logs: /v1/traces is appended by the SDK; do not write it here.
export OTEL_EXPORTER_OTLP_ENDPOINT=http://{http}
export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf
# With OTEL_EXPORTER_OTLP_PROTOCOL=grpc the endpoint is http://{grpc}
export OTEL_SERVICE_NAME=my-service
# AWS X-Ray: segments go over UDP, sampling rules over TCP, both on this port.
export AWS_XRAY_DAEMON_ADDRESS={xray}
# CloudWatch Logs (watchtower, boto3, aws logs). AWS_ENDPOINT_URL_LOGS is not read by any SDK.
export AWS_ENDPOINT_URL_CLOUDWATCH_LOGS=http://{http}
export AWS_ENDPOINT_URL_STS=http://{http}
# boto3 sends nothing without credentials and a region; any will do here, and none is stored.
# Leave these three out if you have your own.
export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local AWS_DEFAULT_REGION=us-east-1
# Rollbar reads no variable: rollbar.init('any-token', 'development', endpoint='http://{http}/api/1/')
# X-Ray groups and sampling rules: aws xray create-group --endpoint-url http://{http} …
"
    )
}

fn flask(addresses: &Addresses) -> String {
    let http = &addresses.http;
    format!(
        "{}
# pip install opentelemetry-sdk opentelemetry-exporter-otlp-proto-http opentelemetry-instrumentation-flask \\
#             aws-xray-sdk watchtower rollbar blinker
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
# CloudWatch Logs. The handler requests its log group at once: without the `try`, a service that starts before
# Tracebook fails here. send_interval: by default events are sent once a minute.
#
#   import logging, boto3, watchtower
#   from botocore.config import Config
#   from botocore.exceptions import BotoCoreError, ClientError
#
#   LOGGER = logging.getLogger('my-service')
#   LOGGER.setLevel(logging.INFO)
#   try:
#       quick = Config(connect_timeout=2, retries={{'total_max_attempts': 1}})
#       LOGGER.addHandler(watchtower.CloudWatchLogHandler(
#           log_group_name='my-service', boto3_client=boto3.client('logs', config=quick), send_interval=2))
#   except (BotoCoreError, ClientError) as error:
#       LOGGER.addHandler(logging.StreamHandler())
#       LOGGER.warning('continuing without CloudWatch Logs: %s', error)
#
# Rollbar. The endpoint must end in a slash. A person needs a request class with `rollbar_person`.
#
#   import rollbar, rollbar.contrib.flask
#   from flask import got_request_exception
#
#   rollbar.init('any-token', 'development', endpoint='http://{http}/api/1/')
#   got_request_exception.connect(rollbar.contrib.flask.report_exception, app)
#
# Restart the service after changing settings. Spans come in batches, up to 5 seconds late; X-Ray
# segments come at the end of each request. Stop it with Ctrl-C: SIGTERM loses spans that were not sent yet.
",
        shell(addresses)
    )
}

fn node(addresses: &Addresses) -> String {
    let http = &addresses.http;
    format!(
        "{}
# npm install @opentelemetry/api @opentelemetry/sdk-node @opentelemetry/auto-instrumentations-node \\
#             aws-xray-sdk-core rollbar
#
# OpenTelemetry without a change in the code:
#   node --require @opentelemetry/auto-instrumentations-node/register app.js
#
# X-Ray, in app.js:
#   const AWSXRay = require('aws-xray-sdk-core');
#   AWSXRay.setDaemonAddress(process.env.AWS_XRAY_DAEMON_ADDRESS);
#
# Rollbar, in app.js:
#   const Rollbar = require('rollbar');
#   const rollbar = new Rollbar({{ accessToken: 'any-token', environment: 'development', endpoint: 'http://{http}/api/1/item/' }});
",
        shell(addresses)
    )
}

fn compose(addresses: &Addresses) -> String {
    let port = |address: &str, default: u16| {
        address.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok()).unwrap_or(default)
    };
    let (http, xray) = (port(&addresses.http, HTTP_PORT), port(&addresses.xray, XRAY_PORT));
    format!(
        "# In docker-compose.yml, for each instrumented service. Inside a container 127.0.0.1 is the
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
      AWS_ENDPOINT_URL_CLOUDWATCH_LOGS: \"http://host.docker.internal:{http}\"
      AWS_ENDPOINT_URL_STS: \"http://host.docker.internal:{http}\"
      # boto3 needs some; any will do here, and none is stored.
      AWS_ACCESS_KEY_ID: \"local\"
      AWS_SECRET_ACCESS_KEY: \"local\"
      AWS_DEFAULT_REGION: \"us-east-1\"
# In the code, for Rollbar: endpoint='http://host.docker.internal:{http}/api/1/'
# What the containers print: tracebook serve --containers --watch \"docker compose logs -f\"
# With Podman write host.containers.internal instead; it needs no extra_hosts.
# Remove the xray-daemon service, or its port {xray}: Tracebook replaces the daemon.
# To keep the name of a collector in the settings, write extra_hosts: [\"otel-collector:host-gateway\"] and start
# tracebook serve --containers --allow-host otel-collector
"
    )
}
