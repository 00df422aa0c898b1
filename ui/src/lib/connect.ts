/** The addresses of the receivers, as `HOST:PORT`. */
export interface Addresses {
  http: string
  grpc: string
  xray: string
}

/** A piece of settings or code to paste. */
export interface Block {
  /** Where it goes: a shell, or a file and the place in it. */
  where: string
  code: string
}

/** What makes one SDK send to this app. */
export interface Sdk {
  title: string
  blocks: Block[]
  /** What has to be known about it; empty if nothing. */
  note: string
}

export interface Framework {
  title: string
  sdks: (to: Addresses) => Sdk[]
  /** What to restart, and how. */
  restart: string
}

const SHELL = 'In the shell that starts the service'
const BATCHES = 'Spans come in batches, up to 5 seconds late.'
const ANY = 'Any token will do.'

const variables = (...lines: string[]): Block => ({
  where: SHELL,
  code: lines.map((line) => `export ${line}`).join('\n'),
})
const shell = (code: string): Block => ({ where: 'In a shell, once', code })
const file = (where: string, code: string): Block => ({ where, code })

function otel({ http }: Addresses, blocks: Block[], note = BATCHES, more: string[] = []): Sdk {
  const settings = [
    `OTEL_EXPORTER_OTLP_ENDPOINT=http://${http}`,
    'OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf',
    'OTEL_SERVICE_NAME=my-service',
    ...more,
  ]
  return { title: 'OpenTelemetry', blocks: [variables(...settings), ...blocks], note }
}

function xray({ xray }: Addresses, blocks: Block[], note = ''): Sdk {
  return { title: 'AWS X-Ray', blocks: [variables(`AWS_XRAY_DAEMON_ADDRESS=${xray}`), ...blocks], note }
}

function cloudwatch({ http }: Addresses, blocks: Block[], note = ''): Sdk {
  const settings = variables(
    `AWS_ENDPOINT_URL_CLOUDWATCH_LOGS=http://${http} AWS_ENDPOINT_URL_STS=http://${http}`,
    'AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local',
    'AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1',
  )
  const keys =
    'The SDK sends nothing without credentials and a region. Any will do, and none is stored: leave those out if you have your own.'
  return { title: 'CloudWatch Logs', blocks: [settings, ...blocks], note: `${keys} ${note}`.trim() }
}

const rollbar = (blocks: Block[], note = ANY): Sdk => ({ title: 'Rollbar', blocks, note })

/** Without the `try`, a service that starts before this app fails: the handler requests its log group at once. */
const watchtower = `import logging, boto3, watchtower
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

LOGGER = logging.getLogger('my-service')
LOGGER.setLevel(logging.INFO)
try:
    quick = Config(connect_timeout=2, retries={'total_max_attempts': 1})
    LOGGER.addHandler(watchtower.CloudWatchLogHandler(
        log_group_name='my-service', boto3_client=boto3.client('logs', config=quick), send_interval=2))
except (BotoCoreError, ClientError) as error:
    LOGGER.addHandler(logging.StreamHandler())
    LOGGER.warning('continuing without CloudWatch Logs: %s', error)`

const python = (instrument: string) => `from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)

${instrument}`

const pip = (name: string) =>
  shell(`pip install opentelemetry-sdk opentelemetry-exporter-otlp-proto-http ${name}`)

const flask: Framework = {
  title: 'Flask',
  restart:
    'Restart Flask in the shell with the settings. Stop it with Ctrl-C: SIGTERM loses spans that were not sent yet.',
  sdks: (to) => [
    otel(to, [
      pip('opentelemetry-instrumentation-flask'),
      file(
        'In app.py, after app = Flask(__name__)',
        python(
          'from opentelemetry.instrumentation.flask import FlaskInstrumentor\n\nFlaskInstrumentor().instrument_app(app)',
        ),
      ),
    ]),
    xray(to, [
      shell('pip install aws-xray-sdk'),
      file(
        'In app.py, after app = Flask(__name__)',
        `from aws_xray_sdk.core import xray_recorder
from aws_xray_sdk.ext.flask.middleware import XRayMiddleware

xray_recorder.configure(service='my-service')
XRayMiddleware(app, xray_recorder)`,
      ),
    ]),
    cloudwatch(to, [shell('pip install watchtower'), file('In app.py', watchtower)]),
    rollbar([
      shell('pip install rollbar blinker'),
      file(
        'In app.py, after app = Flask(__name__)',
        `import rollbar, rollbar.contrib.flask
from flask import got_request_exception

rollbar.init('any-token', 'development', endpoint='http://${to.http}/api/1/')
got_request_exception.connect(rollbar.contrib.flask.report_exception, app)`,
      ),
    ]),
  ],
}

const django: Framework = {
  title: 'Django',
  restart: 'Restart manage.py runserver in the shell with the settings, with --noreload for OpenTelemetry.',
  sdks: (to) => [
    otel(to, [
      pip('opentelemetry-instrumentation-django'),
      file(
        'In manage.py and wsgi.py, after DJANGO_SETTINGS_MODULE is set',
        python(
          'from opentelemetry.instrumentation.django import DjangoInstrumentor\n\nDjangoInstrumentor().instrument()',
        ),
      ),
    ]),
    xray(to, [
      shell('pip install aws-xray-sdk'),
      file(
        'At the end of settings.py',
        `INSTALLED_APPS += ['aws_xray_sdk.ext.django']
MIDDLEWARE.insert(0, 'aws_xray_sdk.ext.django.middleware.XRayMiddleware')
XRAY_RECORDER = {'AWS_XRAY_TRACING_NAME': 'my-service'}`,
      ),
    ]),
    cloudwatch(to, [shell('pip install watchtower'), file('At the end of settings.py', watchtower)]),
    rollbar([
      shell('pip install rollbar'),
      file(
        'At the end of settings.py',
        `MIDDLEWARE.append('rollbar.contrib.django.middleware.RollbarNotifierMiddleware')
ROLLBAR = {
    'access_token': 'any-token',
    'environment': 'development',
    'endpoint': 'http://${to.http}/api/1/',
    'root': BASE_DIR,
}`,
      ),
    ]),
  ],
}

const fastapi: Framework = {
  title: 'FastAPI',
  restart: 'Restart uvicorn in the shell with the settings.',
  sdks: (to) => [
    otel(to, [
      pip('opentelemetry-instrumentation-fastapi'),
      file(
        'In main.py, after app = FastAPI()',
        python(
          'from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor\n\nFastAPIInstrumentor.instrument_app(app)',
        ),
      ),
    ]),
    xray(
      to,
      [
        shell('pip install aws-xray-sdk'),
        file(
          'In main.py, after app = FastAPI()',
          `from aws_xray_sdk.core import xray_recorder
from aws_xray_sdk.core.async_context import AsyncContext

xray_recorder.configure(service='my-service', context=AsyncContext())

@app.middleware('http')
async def trace_request(request, call_next):
    async with xray_recorder.in_segment_async('my-service') as segment:
        segment.put_http_meta('method', request.method)
        segment.put_http_meta('url', str(request.url))
        response = await call_next(request)
        segment.put_http_meta('status', response.status_code)
        return response`,
        ),
      ],
      'The SDK has no middleware for FastAPI of its own.',
    ),
    cloudwatch(to, [shell('pip install watchtower'), file('In main.py', watchtower)]),
    rollbar([
      shell('pip install rollbar'),
      file(
        'In main.py, after app = FastAPI()',
        `import rollbar
from rollbar.contrib.fastapi import add_to

rollbar.init('any-token', 'development', endpoint='http://${to.http}/api/1/')
add_to(app)`,
      ),
    ]),
  ],
}

const express: Framework = {
  title: 'Express',
  restart: 'Restart node in the shell with the settings.',
  sdks: (to) => [
    otel(
      to,
      [
        shell('npm install @opentelemetry/api @opentelemetry/auto-instrumentations-node'),
        file(
          'Start the service with',
          'node --require @opentelemetry/auto-instrumentations-node/register app.js',
        ),
      ],
      `No change in the code. ${BATCHES}`,
    ),
    xray(to, [
      shell('npm install aws-xray-sdk'),
      file(
        'In app.js: the first before the routes, the last after them',
        `const xray = require('aws-xray-sdk')
app.use(xray.express.openSegment('my-service'))

app.use(xray.express.closeSegment())`,
      ),
    ]),
    cloudwatch(to, [
      shell('npm install winston winston-cloudwatch @aws-sdk/client-cloudwatch-logs'),
      file(
        'In app.js',
        `const winston = require('winston')
const CloudWatch = require('winston-cloudwatch')

const logger = winston.createLogger({
  transports: [
    new CloudWatch({ logGroupName: 'my-service', logStreamName: 'web', awsRegion: 'us-east-1', jsonMessage: true }),
  ],
})`,
      ),
    ]),
    rollbar([
      shell('npm install rollbar'),
      file(
        'In app.js: the last line after the routes',
        `const Rollbar = require('rollbar')
const rollbar = new Rollbar({
  accessToken: 'any-token',
  environment: 'development',
  endpoint: 'http://${to.http}/api/1/item/',
})

app.use(rollbar.errorHandler())`,
      ),
    ]),
  ],
}

const spring: Framework = {
  title: 'Spring Boot',
  restart: 'Restart the application in the shell with the settings.',
  sdks: (to) => [
    otel(
      to,
      [
        shell(
          'curl -LO https://github.com/open-telemetry/opentelemetry-java-instrumentation/releases/latest/download/opentelemetry-javaagent.jar',
        ),
        file('Start the service with', 'java -javaagent:opentelemetry-javaagent.jar -jar app.jar'),
      ],
      `No change in the code. ${BATCHES}`,
      ['OTEL_METRICS_EXPORTER=none OTEL_LOGS_EXPORTER=otlp'],
    ),
    xray(
      to,
      [
        file(
          'In a configuration class; in the build, com.amazonaws:aws-xray-recorder-sdk-core',
          `@Bean
public jakarta.servlet.Filter tracing() {
  return new com.amazonaws.xray.jakarta.servlet.AWSXRayServletFilter("my-service");
}`,
        ),
      ],
      'For Spring Boot 3. For 2, javax in place of jakarta.',
    ),
    rollbar([
      file(
        'A class of its own; in the build, com.rollbar:rollbar-spring-boot3-webmvc',
        `import com.rollbar.notifier.Rollbar;
import com.rollbar.spring.webmvc.RollbarSpringConfigBuilder;
import org.springframework.context.annotation.*;

@Configuration
@ComponentScan({"com.rollbar.spring"})
public class RollbarConfig {
  @Bean
  public Rollbar rollbar() {
    return new Rollbar(RollbarSpringConfigBuilder.withAccessToken("any-token")
        .environment("development")
        .endpoint("http://${to.http}/api/1/item/")
        .build());
  }
}`,
      ),
    ]),
  ],
}

const dotnet: Framework = {
  title: '.NET',
  restart: 'Restart dotnet run in the shell with the settings.',
  sdks: (to) => [
    otel(to, [
      shell(`dotnet add package OpenTelemetry.Extensions.Hosting
dotnet add package OpenTelemetry.Exporter.OpenTelemetryProtocol
dotnet add package OpenTelemetry.Instrumentation.AspNetCore`),
      file(
        'In Program.cs, before builder.Build()',
        `builder.Services.AddOpenTelemetry().WithTracing(tracing => tracing
    .AddAspNetCoreInstrumentation()
    .AddOtlpExporter());`,
      ),
      file('At the top of Program.cs', 'using OpenTelemetry.Trace;'),
    ]),
    xray(to, [
      shell('dotnet add package AWSXRayRecorder.Handlers.AspNetCore'),
      file('In Program.cs, directly after builder.Build()', 'app.UseXRay("my-service");'),
    ]),
    cloudwatch(to, [
      shell('dotnet add package AWS.Logger.AspNetCore'),
      file(
        'In Program.cs, before builder.Build()',
        `builder.Logging.AddAWSProvider(new AWS.Logger.AWSLoggerConfig("my-service")
{
    Region = "us-east-1",
    ServiceUrl = "http://${to.http}",
});`,
      ),
    ]),
    rollbar([
      shell('dotnet add package Rollbar'),
      file(
        'In Program.cs',
        `var rollbar = new Rollbar.RollbarInfrastructureConfig("any-token", "development");
rollbar.RollbarLoggerConfig.RollbarDestinationOptions.EndPoint = "http://${to.http}/api/1/";
Rollbar.RollbarInfrastructure.Instance.Init(rollbar);`,
      ),
    ]),
  ],
}

const go: Framework = {
  title: 'Go',
  restart: 'Build and start the service again in the shell with the settings.',
  sdks: (to) => [
    otel(to, [
      shell(`go get go.opentelemetry.io/otel/sdk go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp
go get go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp`),
      file(
        'In main, with otlptracehttp, otel, sdktrace (…/otel/sdk/trace) and otelhttp imported',
        `exporter, err := otlptracehttp.New(ctx)
if err != nil {
	log.Fatal(err)
}
provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter))
defer provider.Shutdown(ctx)
otel.SetTracerProvider(provider)

handler := otelhttp.NewHandler(mux, "my-service")`,
      ),
    ]),
    xray(to, [
      shell('go get github.com/aws/aws-xray-sdk-go/v2'),
      file(
        'In main, with github.com/aws/aws-xray-sdk-go/v2/xray imported',
        'handler := xray.Handler(xray.NewFixedSegmentNamer("my-service"), mux)',
      ),
    ]),
    rollbar([
      shell('go get github.com/rollbar/rollbar-go'),
      file(
        'In main, with github.com/rollbar/rollbar-go imported',
        `rollbar.SetToken("any-token")
rollbar.SetEnvironment("development")
rollbar.SetEndpoint("http://${to.http}/api/1/item/")
defer rollbar.Close()`,
      ),
    ]),
  ],
}

const rails: Framework = {
  title: 'Rails',
  restart: 'Restart bin/rails server in the shell with the settings.',
  sdks: (to) => [
    otel(to, [
      shell('bundle add opentelemetry-sdk opentelemetry-exporter-otlp opentelemetry-instrumentation-all'),
      file(
        'In config/initializers/opentelemetry.rb',
        `require 'opentelemetry/sdk'
require 'opentelemetry/instrumentation/all'

OpenTelemetry::SDK.configure(&:use_all)`,
      ),
    ]),
    xray(to, [
      file(
        'In the Gemfile, then bundle install',
        "gem 'aws-xray-sdk', require: ['aws-xray-sdk/facets/rails/railtie']",
      ),
      file('In config/initializers/aws_xray.rb', "Rails.application.config.xray = { name: 'my-service' }"),
    ]),
    rollbar([
      shell('bundle add rollbar'),
      file(
        'In config/initializers/rollbar.rb',
        `Rollbar.configure do |config|
  config.access_token = 'any-token'
  config.environment = 'development'
  config.endpoint = 'http://${to.http}/api/1/item/'
end`,
      ),
    ]),
  ],
}

export const FRAMEWORKS: Record<string, Framework> = {
  flask,
  django,
  fastapi,
  express,
  spring,
  dotnet,
  go,
  rails,
}

/** The addresses of the receivers; the usual ones for those that do not listen. */
export function addressesOf(receivers: readonly { name: string; address: string | null }[]): Addresses {
  const of = (name: string, port: number) =>
    receivers.find((receiver) => receiver.name === name)?.address ?? `127.0.0.1:${port}`
  return { http: of('http', 4318), grpc: of('grpc', 4317), xray: of('xray', 2000) }
}
