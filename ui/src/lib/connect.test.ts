import { expect, it } from 'vitest'
import { addressesOf, FRAMEWORKS } from './connect'

const to = addressesOf([
  { name: 'http', address: '127.0.0.1:14318' },
  { name: 'grpc', address: '127.0.0.1:14317' },
  { name: 'xray', address: null },
])

it('has the addresses of the receivers, and the usual ones for those that do not listen', () => {
  expect(to).toEqual({ http: '127.0.0.1:14318', grpc: '127.0.0.1:14317', xray: '127.0.0.1:2000' })
})

it.each(Object.entries(FRAMEWORKS))(
  '%s: every SDK is pointed here, in blocks to paste',
  (_name, framework) => {
    const sdks = framework.sdks(to)
    expect(framework.restart).toMatch(/^(?:Restart|Build and start)/)
    expect(sdks.map(({ title }) => title)).toEqual(
      expect.arrayContaining(['OpenTelemetry', 'AWS X-Ray', 'Rollbar']),
    )
    const address: Record<string, string> = { 'AWS X-Ray': `DAEMON_ADDRESS=${to.xray}` }
    for (const { title, blocks } of sdks) {
      const all = blocks.map(({ code }) => code).join('\n')
      expect(all, title).toContain(address[title] ?? `http://${to.http}`)
      for (const { where, code } of blocks) {
        expect(where).not.toBe('')
        expect(code).toBe(code.trim())
        // What goes into a shell is nothing but commands.
        if (where.includes('shell'))
          for (const line of code.split('\n'))
            expect(line).toMatch(/^(?:export (?:[A-Z_]+=\S+ ?)+|(?:pip|npm|curl|dotnet|go|bundle) .*)$/)
      }
    }
  },
)

it('Rollbar ends in what its client appends to', () => {
  const endpoint = (name: string) =>
    JSON.stringify(FRAMEWORKS[name]?.sdks(to)).match(/http:\/\/127\.0\.0\.1:14318\/api\/1\/(?:item\/)?/g)
  for (const name of ['flask', 'django', 'fastapi', 'dotnet'])
    expect(endpoint(name)).toEqual(['http://127.0.0.1:14318/api/1/'])
  for (const name of ['express', 'spring', 'go', 'rails'])
    expect(endpoint(name)).toEqual(['http://127.0.0.1:14318/api/1/item/'])
})
