import type { Body, Commands, Listed, QueryResult, SavedQuery, Sources } from '../bindings'

/** What the cloud sources' commands answer in memory. */
type Cloud = Pick<
  { [K in keyof Commands]: (args: Commands[K][0]) => Commands[K][1] },
  | 'sources'
  | 'source_set'
  | 'secret_set'
  | 'who_am_i'
  | 'log_groups'
  | 'log_streams'
  | 'tail_start'
  | 'tail_read'
  | 'tail_stop'
  | 'filter_check'
  | 'queries'
  | 'query_save'
  | 'query_forget'
  | 'query_run'
  | 'console_link'
>

export function listed<R>(rows: R[]): Listed<R> {
  return { rows, notes: [], next: null, asked_at: null }
}

export function sampleQuery(): QueryResult {
  return {
    language: 'insights',
    query: 'fields @timestamp, @message\n| sort @timestamp desc\n| limit 2',
    groups: ['cruddur'],
    start: '1795446000000000000',
    end: '1795449600000000000',
    columns: ['@timestamp', '@message'],
    rows: [
      ['2026-11-23 15:20:13.087', 'HomeActivities'],
      ['2026-11-23 15:20:12.231', 'GET /api/activities/home 200 OK'],
    ],
    statistics: [{ key: 'recordsMatched', value: { int: '2' } }],
  }
}

export function sampleSources(): Sources {
  const reach = { unreachable_since: null, problem: null }
  const token = {
    token: 'none',
    keychain: false,
    keychain_problem: 'this system has no keychain',
    web: '',
    reach,
  }
  return {
    aws: {
      profile: null,
      region: null,
      effective_region: 'us-east-1',
      endpoint: null,
      profiles: [
        { name: 'default', region: 'us-east-1', kind: 'static keys' },
        { name: 'bootcamp', region: 'ca-central-1', kind: 'SSO' },
      ],
      regions: ['ca-central-1', 'eu-west-1', 'us-east-1'],
      reach,
    },
    rollbar: { ...token, variable: 'ROLLBAR_READ_TOKEN', endpoint: 'https://api.rollbar.com/api/1' },
    honeycomb: { ...token, variable: 'HONEYCOMB_API_KEY', endpoint: 'https://api.honeycomb.io' },
    usage: { month: '2026-11', rows: [], dollars: 0, summary: 'this month: nothing', prices: '' },
  }
}

/** Answers that are good enough to look at. */
export function cloud(): Cloud {
  const saved: SavedQuery[] = []
  const sources = sampleSources()
  return {
    sources: () => sources,
    source_set: ({ aws_profile, aws_region }) => {
      if (aws_profile !== undefined) sources.aws.profile = aws_profile || null
      if (aws_region !== undefined) sources.aws.region = aws_region || null
      return sources
    },
    secret_set: ({ vendor, token }) => {
      if (vendor !== 'aws') sources[vendor].token = token ? 'memory' : 'none'
      return sources
    },
    who_am_i: () => ({ account: '••••••••9012', name: 'user/andrew', region: 'us-east-1', notes: [] }),
    log_groups: ({ search = '' }) =>
      listed(
        [{ name: 'cruddur', retention_days: 1, stored_bytes: 20_117 }].filter((g) => g.name.includes(search)),
      ),
    log_streams: () => listed([{ name: '2026-11-23', last_event: '2026-11-23T15:20:13.087Z' }]),
    tail_start: () => ({ id: 'tail-1' }),
    tail_read: () => ({ rows: [], by: 'polling', sampled: false, seen: 0, ended: null }),
    tail_stop: () => true,
    filter_check: () => ({ ok: true, message: '', forms: [] }),
    queries: ({ source }) => listed(saved.filter((query) => query.source === source)),
    query_save: (query) => {
      const stored = { ...query, id: query.id || `q${saved.length + 1}`, from: query.from || 'saved here' }
      saved.push(stored)
      return stored
    },
    query_forget: () => true,
    query_run: () => ({ id: 'answer-1', result: sampleQuery(), link: null }),
    console_link: () => ({ url: null, expires: null, note: '' }),
  }
}

export function sampleQueryBody(): Body {
  return { kind: 'query', body: sampleQuery() }
}
