import type { Attribute, Span, Trace, TraceSummary, WeekRow } from '../bindings'

const TITLES = [
  'Billing and Architecture',
  'App Containerization',
  'Distributed Tracing',
  'Decentralized Authentication',
  'Postgres and RDS',
  'DynamoDB and Serverless Caching',
  'Deploying Containers',
  'Load Balancing and a Custom Domain',
  'Serverless Image Processing',
  'CI/CD',
  'CloudFormation, Part 1',
  'CloudFormation, Part 2',
]

export const WEEKS: WeekRow[] = [
  ...TITLES.map((title, n) => ({ week: String(n), title: `Week ${n} — ${title}` })),
  { week: 'X', title: 'Week X — Clean-up' },
]

export function sampleEntries(): { week: string | null; body: string }[] {
  return [
    {
      week: '1',
      body: '# Week 1 — App Containerization\n\nThe backend and the frontend run in containers now.\n',
    },
    {
      week: '2',
      body: `# Week 2 — Distributed Tracing

## Required Homework

This week was another exciting week with the bootcamp; I learned a lot about working with integrations using SDKs. Understanding how to research and troubleshoot various aspects of not only the *flask framework*, but using steps to verify connectivity is already yielding fruit in my current role.

### Instrument Honeycomb with OTEL

I followed along and successfully set up the **console logging** and see the spans in the \`backend-flask\` container logs.

### Instrument AWS X-Ray

- Update our code to incorporate the X-Ray configurations
- Create a group to categorize traces along with a sampling rule

Insert image of Traces

### Configure Custom Logger to send to CloudWatch Logs

Inser Image of LogEvents

Referenced this site for additional guidance: <https://kislyuk.github.io/watchtower/>

\`\`\`python
log = logging.getLogger()
log.warning('this is a warning')
\`\`\`
`,
    },
    { week: 'X', body: '# Week X — Clean-up\n' },
  ]
}

export function sampleTraces(): TraceSummary[] {
  const rows: [string, string[], number, number, string, number][] = [
    ['GET /api/activities/home', ['backend-flask'], 2, 12.4, 'ok', 4],
    ['GET /api/activities/notifications', ['backend-flask', 'postgres'], 5, 48.2, 'fault', 31],
    ['POST /api/messages', ['frontend-react-js', 'backend-flask', 'dynamodb'], 9, 1830, 'ok', 95],
    ['GET /api/activities/@andrewbrown', ['backend-flask'], 3, 220.5, 'error', 260],
    ['GET /rollbar/test', ['backend-flask'], 1, 0.8, 'in_progress', 800],
    ['GET /api/message_groups', ['backend-flask'], 4, 66.12, 'throttle', 4000],
  ]
  return rows.map(([name, services, spans, duration_ms, status, age], n) => ({
    trace_id: `4bf92f3577b34da6a3ce929d0e0e47${String(30 + n)}`,
    name,
    services,
    spans,
    duration_ms,
    status,
    start: new Date(Date.now() - age * 1000).toISOString(),
    has_error: status === 'error' || status === 'fault',
    protocols: ['otlp'],
  }))
}

export function sampleTrace(trace_id: string): Trace {
  const at = (ms: number) => String(1_764_028_800_000_000_000n + BigInt(Math.round(ms * 1e6)))
  const attributes: Attribute[] = [
    { key: 'http.request.method', value: 'GET' },
    { key: 'url.path', value: '/api/activities/home' },
    { key: 'http.response.status_code', value: { int: '200' } },
  ]
  // A span's status has another shape than the app's, which has taken the name in the generated types.
  const status = (code: string, message?: string) => ({ code, message }) as unknown as Span['status']
  const base = { service: 'backend-flask', protocol: 'otlp' as const, resource: 0, scope: 0 }
  return {
    trace_id,
    resources: [{ attributes: [{ key: 'service.name', value: 'backend-flask' }] }],
    scopes: [{ name: 'opentelemetry.instrumentation.flask', version: '0.50b0' }],
    notes: [],
    spans: [
      {
        ...base,
        id: 'a1',
        name: 'GET /api/activities/home',
        kind: 'server',
        start: at(0),
        end: at(12.4),
        status: status('ok'),
        attributes,
      },
      {
        ...base,
        id: 'a2',
        parent: 'a1',
        name: 'home-activities-mock-data',
        kind: 'internal',
        start: at(2.1),
        end: at(9.8),
        status: status('error', 'no rows'),
        attributes: [{ key: 'app.result_length', value: { int: '3' } }],
        events: [{ time: at(4), name: 'cache miss', attributes: [{ key: 'key', value: 'home' }] }],
        exceptions: [
          {
            type: 'TypeError',
            message: 'view did not return',
            stacktrace: 'Traceback…\n  File "app.py", line 7',
          },
        ],
        dropped: { attributes: 2 },
      },
    ],
  }
}

export function picture(title: string, compact: boolean): string {
  const height = compact ? 64 : 168
  const bars = compact
    ? ''
    : '<rect x="180" y="74" width="520" height="16" rx="3" fill="#3f7fb5"/><rect x="266" y="104" width="330" height="16" rx="3" fill="#b5533f"/><text x="20" y="87" font-size="13">backend-flask</text><text x="34" y="117" font-size="13">mock-data</text><text x="20" y="150" font-size="11" opacity=".7">local, OTLP/HTTP</text>'
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="760" height="${height}" viewBox="0 0 760 ${height}" font-family="sans-serif"><style>.b{fill:#fff}.t{fill:#222}@media(prefers-color-scheme:dark){.b{fill:#22262b}.t{fill:#eee}}</style><rect class="b" width="760" height="${height}" rx="8" stroke="#9993"/><g class="t"><text x="20" y="34" font-size="16" font-weight="600">${title.replace(/[<&]/g, '')} 200</text><text x="20" y="54" font-size="12" opacity=".7">2 spans, 12.4 ms</text>${bars}</g></svg>`
  return `data:image/svg+xml,${encodeURIComponent(svg)}`
}
