'use strict';
// A small Node service with the real SDKs, for tests. It sends what a student's Node service sends.
//
//   npm ci --prefix tests/node-service --ignore-scripts
//   node tests/node-service/service.cjs [--otlp] [--xray] [--rollbar] [--port N] [--stdin]
//
// --otlp     OpenTelemetry SDK: traces and logs to OTEL_EXPORTER_OTLP_ENDPOINT (http://127.0.0.1:4318) as
//            OTEL_EXPORTER_OTLP_PROTOCOL says: http/protobuf (default), http/json, or grpc (then http://127.0.0.1:4317)
// --xray     AWS X-Ray SDK, to the daemon at AWS_XRAY_DAEMON_ADDRESS. A request with the header
//            `X-Amzn-Trace-Id: Root=1-…;Sampled=1` is always sampled
// --rollbar  rollbar.js, to ROLLBAR_ENDPOINT (required): the full item URL, http://127.0.0.1:4318/api/1/item/,
//            unlike pyrollbar, whose address ends before `item/`; token ROLLBAR_ACCESS_TOKEN
//
// Routes: /ok returns 200 and writes one log record; /boom throws: 500, and an exception on the span, in the segment
// and in Rollbar, with a person. The first line on stdout is {"ready":true,"port":N,"pid":N,"modes":[…]}.
// SIGTERM, Ctrl-C, or with --stdin the end of stdin: everything is flushed, then it exits 0. Without
// a receiver it still serves, and exits within ten seconds.

const { parseArgs } = require('node:util');

const { values: given } = parseArgs({
  options: {
    otlp: { type: 'boolean', default: false },
    xray: { type: 'boolean', default: false },
    rollbar: { type: 'boolean', default: false },
    stdin: { type: 'boolean', default: false },
    port: { type: 'string', default: '0' },
  },
});
const NAME = (process.env.OTEL_SERVICE_NAME ||= 'backend-node');
if (given.rollbar && !process.env.ROLLBAR_ENDPOINT) {
  console.error('--rollbar needs ROLLBAR_ENDPOINT: without it the SDK would call its cloud');
  process.exit(2);
}

// The SDK patches `http`, so it must start before anything else loads it.
let sdk;
if (given.otlp) {
  const { NodeSDK } = require('@opentelemetry/sdk-node');
  const { HttpInstrumentation } = require('@opentelemetry/instrumentation-http');
  sdk = new NodeSDK({
    // Excludes the requests of the other SDKs.
    instrumentations: [new HttpInstrumentation({ disableOutgoingRequestInstrumentation: true })],
  });
  sdk.start();
}
const http = require('node:http');
const { SpanStatusCode, trace } = require('@opentelemetry/api');
const { SeverityNumber, logs } = require('@opentelemetry/api-logs');

const tracer = trace.getTracer('cruddur', '1.0');
const log = logs.getLogger('cruddur');

let AWSXRay;
if (given.xray) {
  AWSXRay = require('aws-xray-sdk-core');
  AWSXRay.middleware.setDefaultName(NAME);
  AWSXRay.enableManualMode();
}

let rollbar;
if (given.rollbar) {
  const Rollbar = require('rollbar');
  rollbar = new Rollbar({
    accessToken: process.env.ROLLBAR_ACCESS_TOKEN || '0'.repeat(32),
    endpoint: process.env.ROLLBAR_ENDPOINT,
    environment: process.env.NODE_ENV || 'development',
    codeVersion: '1.4.0',
    captureEmail: true,
    captureUsername: true,
    captureUncaught: false,
    logLevel: 'warn',
  });
}

function loadProfile(handle) {
  throw new RangeError(`no profile row for ${handle}`);
}

const routes = {
  '/ok': () => {
    log.emit({ severityNumber: SeverityNumber.INFO, severityText: 'INFO', body: 'home feed read: 3 activities' });
    return [{ handle: 'andrewbrown', message: 'Cloud is very fun!' }];
  },
  '/boom': () => {
    try {
      return loadProfile('nobody');
    } catch (cause) {
      log.emit({ severityNumber: SeverityNumber.ERROR, severityText: 'ERROR', body: 'profile of nobody is missing' });
      throw new Error('the feed cannot be built', { cause });
    }
  },
};

/** Runs a route in a span and a subsegment; an exception marks both and goes on. */
function traced(name, segment, route) {
  const subsegment = segment?.addNewSubsegment(name);
  return tracer.startActiveSpan(name, (span) => {
    try {
      span.setAttribute('app.user.signed_in', true);
      subsegment?.addAnnotation('signed_in', true);
      return route();
    } catch (error) {
      span.recordException(error);
      span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
      subsegment?.addError(error);
      throw error;
    } finally {
      subsegment?.close();
      span.end();
    }
  });
}

const server = http.createServer((request, response) => {
  const path = new URL(request.url, 'http://localhost').pathname;
  const segment = AWSXRay?.middleware.traceRequestResponseCycle(request, response);
  const answer = (status, value) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(value));
  };
  if (!Object.hasOwn(routes, path)) {
    answer(404, { error: 'not found' });
    return;
  }
  request.route = { path }; // as in Express; becomes Rollbar's `context`
  request.rollbar_person = { id: 'andrewbrown', username: 'andrewbrown', email: 'andrew@example.org' };
  try {
    answer(200, traced(path.slice(1), segment, routes[path]));
  } catch (error) {
    rollbar?.error(error, request);
    answer(500, { error: 'internal' });
  }
});

let stopping = false;
async function stop() {
  if (stopping) return;
  stopping = true;
  setTimeout(() => process.exit(0), 10_000).unref(); // no receiver: stop waiting
  server.closeAllConnections();
  await new Promise((closed) => server.close(closed));
  if (rollbar) await new Promise((sent) => rollbar.wait(sent));
  await sdk?.shutdown().catch((error) => console.error(`not flushed: ${error.message}`));
  setTimeout(() => process.exit(0), 100); // datagrams are sent in the next tick; sampling calls may still be open
}

process.on('SIGTERM', stop);
process.on('SIGINT', stop);
if (given.stdin) process.stdin.on('end', stop).resume();
server.listen(Number(given.port), '127.0.0.1', () => {
  const modes = ['otlp', 'rollbar', 'xray'].filter((mode) => given[mode]);
  console.log(JSON.stringify({ ready: true, port: server.address().port, pid: process.pid, modes }));
});
