import type { Commands, RelayRow } from '../bindings'
import { Failure } from './host'

/** What the relay's commands answer in memory. */
type Relay = Pick<
  { [K in keyof Commands]: (args: Commands[K][0]) => Commands[K][1] },
  'relay_status' | 'relay_set'
>

function row(name: string, title: string, unit: string, what: string): RelayRow {
  return {
    name,
    title,
    on: false,
    what,
    endpoint: '',
    credential: 'profile',
    variable: '',
    unit,
    waiting: 0,
    oldest: null,
    sent: 0,
    last_sent: null,
    refused: 0,
    refusal: '',
    dropped: 0,
    problem: '',
    hint: '',
    since: null,
  }
}

/** Answers that are good enough to look at: Rollbar waits for a token, X-Ray has sent. */
export function relay(): Relay {
  const rows = [
    {
      ...row(
        'otlp',
        'OpenTelemetry',
        'spans and log records',
        "Traces and logs that arrive over OTLP also go to https://api.honeycomb.io, with Honeycomb's key. Metrics do not",
      ),
      endpoint: '',
      credential: 'keychain',
      variable: 'HONEYCOMB_API_KEY',
    },
    {
      ...row(
        'xray',
        'X-Ray',
        'segments',
        'Segments that arrive here also go to X-Ray in us-east-1, signed with the profile bootcamp. AWS bills what it records',
      ),
      on: true,
      sent: 1207,
    },
    row(
      'logs',
      'CloudWatch Logs',
      'log events',
      'Log events that arrive by PutLogEvents also go to CloudWatch Logs in us-east-1, signed with the profile bootcamp; groups and streams that are not there are made. AWS bills what it takes in',
    ),
    {
      ...row(
        'rollbar',
        'Rollbar',
        'items',
        'Items that arrive here also go to https://api.rollbar.com/api/1, with a token of yours that has the scope post_server_item',
      ),
      on: true,
      credential: 'none',
      variable: 'ROLLBAR_ACCESS_TOKEN',
      waiting: 3,
      oldest: '2026-11-25T22:31:00Z',
      problem: 'there is no Rollbar token to send with',
      hint: 'Give one with the scope post_server_item, or set ROLLBAR_ACCESS_TOKEN before starting Tracebook',
      since: '2026-11-25T22:31:00Z',
    },
  ]
  const state = () => ({ rows, bytes: 8_000, limit_bytes: 64 * 2 ** 20, limit_hours: 24, problem: '' })
  return {
    relay_status: state,
    relay_set: ({ name, on, endpoint, token, forget }) => {
      const known = rows.find((one) => one.name === name)
      if (!known) throw new Failure('usage', `${name} is nothing that is sent on`, 'Name one of the four.')
      if (endpoint !== undefined) {
        if (!endpoint.startsWith('http'))
          throw new Failure(
            'unsupported',
            `"${endpoint}" is no address`,
            'Write it as https://api.honeycomb.io',
          )
        known.endpoint = endpoint
      }
      if (on !== undefined) known.on = on
      if (on && name === 'otlp') known.endpoint ||= 'https://api.honeycomb.io'
      if (token) Object.assign(known, { credential: 'memory', problem: '', hint: '', since: null })
      if (forget) {
        known.dropped += known.waiting
        known.waiting = 0
      }
      return state()
    },
  }
}
