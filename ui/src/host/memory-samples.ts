import type {
  Check,
  ConsoleLine,
  ConsoleRow,
  Dossier,
  ErrorItem,
  ErrorRow,
  Listed,
  LogEvent,
  LogRow,
  Occurrence,
  OccurrencePick,
  SamplingRules,
  ServiceMap,
  XrayGroups,
} from '../bindings'
import { sampleTrace } from './memory-data'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4730'
const before = (seconds: number) => new Date(Date.now() - seconds * 1000).toISOString()
const nanos = (time: string) => String(BigInt(Date.parse(time)) * 1_000_000n)

export function sampleLogs(): LogRow[] {
  const rows: [string, string, string, string, number, boolean][] = [
    ['INFO', 'backend-flask', 'app.home', 'HomeActivities', 4, true],
    [
      'ERROR',
      'cruddur',
      'backend-flask',
      '2023-02-28 09:14:02,113 ERROR 127.0.0.1 GET http /api/activities/notifications? 500 INTERNAL SERVER ERROR: the view function did not return a valid response',
      31,
      false,
    ],
    [
      'WARN',
      'backend-flask',
      'urllib3.connectionpool',
      'Retrying (Retry(total=2)) after connection broken',
      62,
      true,
    ],
    [
      '',
      '/aws/lambda/thumbs',
      '2023/02/28/[$LATEST]1f',
      '{"level":"info","status":200,"path":"/api/health"}',
      95,
      false,
    ],
    ['DEBUG', 'backend-flask', 'app', 'rendering 3 activities', 260, true],
  ]
  return rows.map(([severity, group, stream, message, age, traced], n) => ({
    id: `log-${n}`,
    timestamp: before(age),
    group,
    stream,
    message,
    trace_id: traced ? TRACE : null,
    severity,
  }))
}

export function logEvent(row: LogRow): LogEvent {
  return {
    timestamp: nanos(row.timestamp),
    group: row.group,
    stream: row.stream,
    message: row.message,
    ...(row.trace_id && { trace_id: row.trace_id, span_id: '00f067aa0ba902b7' }),
    severity: row.severity,
    attributes: [
      { key: 'code.function', value: 'run' },
      { key: 'code.lineno', value: { int: '17' } },
      { key: 'resource.service.name', value: 'backend-flask' },
    ],
    origin: row.trace_id ? 'otlp' : 'cloudwatch',
  }
}

export function sampleErrors(): ErrorRow[] {
  const rows: [string, string, number, number, string | null][] = [
    [
      'TypeError: The view function for ‘data_notifications’ did not return a valid response',
      'error',
      12,
      31,
      'andrewbrown',
    ],
    ['Hello World!', 'warning', 1, 260, null],
    ['KeyError: AWS_XRAY_URL', 'critical', 3, 4000, null],
  ]
  return rows.map(([title, level, occurrences, age, person], n) => ({
    id: `item-${n}`,
    title,
    level,
    occurrences,
    last: before(age),
    environment: 'development',
    person,
  }))
}

function occurrence(row: ErrorRow, uuid: string): Occurrence {
  const [kind, text] = row.title.split(': ')
  const base = {
    uuid,
    item: row.id,
    title: row.title,
    level: row.level as Occurrence['level'],
    timestamp: nanos(row.last),
    environment: row.environment,
    context: '/api/activities/notifications',
    custom: [{ key: 'week', value: { int: '2' } }],
    other: [
      { key: 'notifier.name', value: 'pyrollbar' },
      { key: 'notifier.version', value: '1.5.0' },
    ],
  }
  if (text === undefined) return { ...base, message: row.title }
  const frame = (filename: string, lineno: number, method: string, code: string) => ({
    filename,
    lineno,
    method,
    code,
  })
  return {
    ...base,
    traces: [
      {
        class: kind ?? '',
        message: text,
        frames: [
          frame('flask/app.py', 2525, 'wsgi_app', 'response = self.full_dispatch_request()'),
          frame('flask/app.py', 1822, 'full_dispatch_request', 'rv = self.dispatch_request()'),
          {
            ...frame(
              '/backend-flask/app.py',
              141,
              'data_notifications',
              'data = NotificationsActivities.run()',
            ),
            locals: [{ key: 'user_handle', value: 'andrewbrown' }],
          },
        ],
      },
      {
        class: 'ValueError',
        message: 'no activities',
        frames: [
          {
            ...frame(
              '/backend-flask/services/notifications.py',
              12,
              'run',
              "raise ValueError('no activities')",
            ),
            colno: 5,
            pre: ['def run(user_handle):', '  if not user_handle:'],
            post: ['  return []'],
            args: [{ key: 'user_handle', value: null }],
          },
        ],
      },
    ],
    ...(row.person && { person: { id: '7', username: row.person, email: `${row.person}@example.com` } }),
    request: [
      { key: 'method', value: 'GET' },
      { key: 'url', value: 'http://127.0.0.1:4567/api/activities/notifications' },
      { key: 'headers.User-Agent', value: 'curl/8.5.0' },
    ],
  }
}

const idsOf = (row: ErrorRow) => Array.from({ length: row.occurrences }, (_, n) => `${row.id}-${n}`)

/** Five a page, the newest first; behind the last page comes an empty one, as Rollbar does it. */
export function sampleOccurrences(row: ErrorRow, page: number): Listed<OccurrencePick> {
  const rows = idsOf(row)
    .map((id, n) => ({
      id,
      timestamp: before(60 * n + 30),
      person: n % 2 ? '' : (row.person ?? ''),
      title: row.title,
    }))
    .slice((page - 1) * 5, page * 5)
  return { rows, notes: [], next: rows.length ? String(page + 1) : null, asked_at: null }
}

export function sampleError(row: ErrorRow, id: string): ErrorItem {
  const uuids = idsOf(row)
  const shown = uuids.includes(id) ? id : `${row.id}-0`
  return {
    item: row.id,
    title: row.title,
    level: row.level as ErrorItem['level'],
    occurrences: row.occurrences,
    first: nanos(before(9000)),
    last: nanos(row.last),
    environment: row.environment,
    people: row.person ? 1 : 0,
    occurrence: occurrence(row, shown),
    others: uuids
      .filter((uuid) => uuid !== shown)
      .slice(0, 3)
      .map((uuid, n) => ({ uuid, timestamp: nanos(before(60 * (n + 1))), person: row.person ?? '' })),
  }
}

export function sampleConsole(): ConsoleRow[] {
  const flask = 'docker compose up'
  const rows: [string, string, boolean][] = [
    [flask, '\x1b[33mbackend-flask-1  |\x1b[0m  * Running on http://127.0.0.1:4567', false],
    [flask, '\x1b[33mbackend-flask-1  |\x1b[0m \x1b[31m\x1b[1mPress CTRL+C to quit\x1b[0m', true],
    [
      flask,
      '\x1b[36mxray-daemon-1    |\x1b[0m 2023-02-28T09:13:58Z [Info] Initializing AWS X-Ray daemon 3.3.6',
      false,
    ],
    [
      flask,
      '\x1b[33mbackend-flask-1  |\x1b[0m 172.18.0.1 - - "\x1b[35m\x1b[1mGET /api/activities/notifications HTTP/1.1\x1b[0m" 500 -',
      true,
    ],
    [
      flask,
      '\x1b[36mxray-daemon-1    |\x1b[0m 2023-02-28T09:14:03Z [Info] Successfully sent batch of 1 segments (0.058 seconds)',
      false,
    ],
    ['npm start', '\x1b[32mCompiled successfully!\x1b[39m', false],
    ['npm start', '\x1b[7m DONE \x1b[0m webpack 5.75.0 compiled in \x1b[1m1204\x1b[22m ms', false],
    [
      flask,
      '\x1b[33mbackend-flask-1  |\x1b[0m {"name": "HelloWorld", "context": {"trace_id": "0x4bf92f35"}}',
      false,
    ],
  ]
  return rows
    .map(([stream, text, stderr], n) => ({
      id: `line-${n}`,
      timestamp: before((rows.length - n) * 3),
      stream,
      text,
      stderr,
    }))
    .reverse()
}

export function consoleLine(row: ConsoleRow): ConsoleLine {
  return { text: row.text, stderr: row.stderr, time: nanos(row.timestamp) }
}

export function sampleMap(): ServiceMap {
  const traffic = (requests: number, faults: number, p50: number) => ({
    requests,
    errors: 0,
    faults,
    throttles: 0,
    p50: String(p50 * 1e6),
    p95: String(p50 * 3e6),
    max: String(p50 * 5e6),
    total: String(p50 * requests * 1e6),
  })
  return {
    nodes: [
      { id: 0, name: 'Clients', kind: 'client', traffic: traffic(42, 2, 14) },
      { id: 1, name: 'backend-flask', kind: 'service', traffic: traffic(42, 2, 12) },
      { id: 2, name: 'postgres', kind: 'database', traffic: traffic(18, 0, 3) },
    ],
    edges: [
      { from: 0, to: 1, traffic: traffic(42, 2, 14) },
      { from: 1, to: 2, traffic: traffic(18, 0, 3) },
    ],
    traces: 42,
    start: nanos(before(900)),
    end: nanos(before(4)),
    notes: ['1 trace is still in progress.'],
  }
}

const ARN = 'arn:aws:xray:us-east-1:000000000000'

export function sampleGroups(): XrayGroups {
  const group = (name: string, filter_expression: string, insights_enabled: boolean) => ({
    name,
    arn: `${ARN}:group/${name}`,
    filter_expression,
    insights_enabled,
    notifications_enabled: false,
  })
  return { groups: [group('Default', '', false), group('Cruddur', 'service("backend-flask")', true)] }
}

export function sampleRules(): SamplingRules {
  const rule = (name: string, priority: number, fixed_rate: number, service_name: string) => ({
    name,
    arn: `${ARN}:sampling-rule/${name}`,
    priority,
    fixed_rate,
    reservoir_size: 5,
    service_name,
    service_type: '*',
    host: '*',
    http_method: '*',
    url_path: '*',
    resource_arn: '*',
    created: nanos(before(9000)),
    modified: nanos(before(9000)),
  })
  return {
    rules: [rule('Cruddur', 9000, 0.1, 'backend-flask'), rule('Default', 10_000, 0.05, '*')],
    notes: ['Cruddur samples 10 % of requests: not every request becomes a trace.'],
  }
}

export function sampleDossier(
  trace_id: string,
  logs: LogRow[],
  errors: ErrorRow[],
  lines: ConsoleRow[],
): Dossier {
  return {
    trace_id,
    trace: sampleTrace(trace_id),
    logs: logs.slice(0, 2).map((row) => ({ by: row.trace_id ? 'trace-id' : 'time', event: logEvent(row) })),
    errors: errors.slice(0, 1).map((row) => ({ by: 'header', occurrence: occurrence(row, `${row.id}-0`) })),
    console: lines.slice(0, 2).map((row) => ({ by: 'time', stream: row.stream, line: consoleLine(row) })),
    notes: ['2 console lines belong to it by time alone.'],
  }
}

export function sampleChecks(): Check[] {
  return [
    { source: 'otlp', check: 'HTTP receiver', ok: true, detail: 'listens on 127.0.0.1:4318', fix: '' },
    { source: 'otlp', check: 'Spans arrive', ok: true, detail: '128 spans, the last one 4 s ago', fix: '' },
    {
      source: 'xray',
      check: 'Daemon port',
      ok: false,
      detail: 'UDP port 2000 is taken by another process.',
      fix: 'docker compose stop xray-daemon',
    },
    {
      source: 'cloudwatch',
      check: 'Log events arrive',
      ok: false,
      detail: 'Nothing came to CloudWatch’s address yet.',
      fix: 'AWS_ENDPOINT_URL_CLOUDWATCH_LOGS=http://127.0.0.1:4318',
    },
    { source: 'rollbar', check: 'Items arrive', ok: true, detail: '3 items', fix: '' },
    { source: 'journal', check: 'Room on the disk', ok: true, detail: '112 MB of 512 MB', fix: '' },
  ]
}
