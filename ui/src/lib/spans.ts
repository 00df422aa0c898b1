import type { Attribute, Resource, Scope, Span, SpanStatus, Trace } from '../bindings'
import { nanosBetween, valueText } from './format'

const handlers = new Set(['server', 'consumer', 'segment'])

export interface SpanLine {
  span: Span
  status: SpanStatus
  depth: number
  /** Milliseconds, null while in progress. */
  ms: number | null
  /** Start and length of its bar, as fractions of the trace. */
  left: number
  width: number
  resource: Resource | undefined
  scope: Scope | undefined
  /** All its text in lower case, for the search. */
  words: string
}

/**
 * A trace's spans as lines of a tree. Parents come first; a span without a known parent is a root. The handling of a
 * call that shares the call's id is below it.
 */
export function spanLines(trace: Trace): SpanLine[] {
  const depths = new Map<string, number>()
  const first = trace.spans.reduce(
    (least, span) => (BigInt(span.start) < least ? BigInt(span.start) : least),
    big(trace),
  )
  const last = trace.spans.reduce((most, span) => {
    const end = BigInt(span.end ?? span.start)
    return end > most ? end : most
  }, first)
  const whole = Math.max(Number(last - first), 1)
  return trace.spans.map((span) => {
    const call = handlers.has(span.kind) ? depths.get(span.id) : undefined
    const above = call ?? (span.parent === undefined ? undefined : depths.get(span.parent))
    const depth = above === undefined ? 0 : above + 1
    depths.set(span.id, depth)
    const ms = span.end === undefined ? null : nanosBetween(span.start, span.end)
    const left = Number(BigInt(span.start) - first) / whole
    const resource = trace.resources[span.resource]
    const scope = trace.scopes[span.scope]
    return {
      span,
      status: span.status,
      depth,
      ms,
      left,
      width: ms === null ? 1 - left : Math.max((ms * 1e6) / whole, 0.004),
      resource,
      scope,
      words: words(span, resource, scope),
    }
  })
}

function big(trace: Trace): bigint {
  return BigInt(trace.spans[0]?.start ?? 0)
}

function words(span: Span, resource?: Resource, scope?: Scope): string {
  const pairs = (attributes: Attribute[] | undefined) =>
    (attributes ?? []).map((a) => `${a.key} ${valueText(a.value)}`).join('\n')
  return [
    span.name,
    span.id,
    span.service,
    span.kind,
    span.status.code,
    span.status.message,
    pairs(span.attributes),
    pairs(span.annotations),
    pairs(span.metadata),
    pairs(resource?.attributes),
    scope?.name,
    scope?.version,
    pairs(scope?.attributes),
    span.trace_state,
    ...(span.events ?? []).map((event) => `${event.name} ${pairs(event.attributes)}`),
    ...(span.links ?? []).map((link) => `${link.trace_id} ${link.span_id} ${pairs(link.attributes)}`),
    ...(span.exceptions ?? []).map((e) => `${e.type ?? ''} ${e.message ?? ''} ${e.stacktrace ?? ''}`),
  ]
    .join('\n')
    .toLowerCase()
}
