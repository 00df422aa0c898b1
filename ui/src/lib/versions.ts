import { diff, presentableDiff, type Change } from '@codemirror/merge'
import type { Text } from '@codemirror/state'

export type Choice = 'mine' | 'theirs' | 'both'

/** A place in which two versions of a text differ: whole lines, each with its line break. */
export interface Place {
  mine: string
  theirs: string
  /** Which version differs from the text that both are based on. */
  changed: Choice
  /** The number of its first line in this window's version, from 1. */
  line: number
}

/** Two versions of a text: what they share, and the places in which they differ, in their order. */
export type Versions = (string | Place)[]

/** Beyond this many differences, they are found less precisely. */
const DIFF = { scanLimit: 2000, timeout: 500 }

/** Lines, each with its line break, also the last one. */
const linesOf = (doc: Text): string[] => doc.toJSON().map((line) => `${line}\n`)

/** The first of the surrogates, which are halves of characters. */
const MOST = 0xd800

/** Texts as strings in which each character stands for a line; null if there are too many different lines. */
function encoded(texts: string[][]): string[] | null {
  const codes = new Map<string, string>()
  for (const line of texts.flat()) if (!codes.has(line)) codes.set(line, String.fromCharCode(codes.size))
  return codes.size < MOST ? texts.map((lines) => lines.map((line) => codes.get(line)).join('')) : null
}

interface Side {
  lines: string[]
  changes: readonly Change[]
  next: number
  /** What has to be added to the number of a line of the base for the same line here. */
  moved: number
}

/** Compares two versions of a text, line by line, by means of the text that both are based on. */
export function compare(base: Text, mine: Text, theirs: Text): Versions {
  const [ours, others] = [linesOf(mine), linesOf(theirs)]
  const codes = encoded([linesOf(base), ours, others])
  if (!codes) return [{ mine: ours.join(''), theirs: others.join(''), changed: 'both', line: 1 }]
  const [baseCodes = '', oursCodes = '', othersCodes = ''] = codes
  const side = (lines: string[], code: string): Side => {
    return { lines, changes: diff(baseCodes, code, DIFF), next: 0, moved: 0 }
  }
  const a = side(ours, oursCodes)
  const b = side(others, othersCodes)
  const found: Versions = []
  let common = 0
  const cut = ({ lines }: Side, from: number, to: number) => lines.slice(from, to).join('')
  /** Takes the changes of a side up to a line, and those directly below it. Returns where the last one ends. */
  const take = (one: Side, to: number): number => {
    for (let change = one.changes[one.next]; change && change.fromA <= to; change = one.changes[++one.next]) {
      to = Math.max(to, change.toA)
      one.moved = change.toB - change.toA
    }
    return to
  }
  for (;;) {
    const from = Math.min(...[a, b].map((one) => one.changes[one.next]?.fromA ?? Infinity))
    if (from === Infinity) break
    found.push(cut(a, common + a.moved, from + a.moved))
    const start = { a: from + a.moved, b: from + b.moved, aNext: a.next, bNext: b.next }
    let to = from
    for (let before = -1; before !== to;) {
      before = to
      to = take(b, take(a, to))
    }
    const place: Place = {
      mine: cut(a, start.a, to + a.moved),
      theirs: cut(b, start.b, to + b.moved),
      changed: a.next === start.aNext ? 'theirs' : b.next === start.bNext ? 'mine' : 'both',
      line: Math.min(mine.lines, start.a + 1),
    }
    found.push(place.mine === place.theirs ? place.mine : place)
    common = to
  }
  found.push(cut(a, common + a.moved, a.lines.length))
  return found
}

/** Rows: items of lists, rows of tables, lines of quotes. Those of two versions follow each other directly. */
const ROW = /^\s*(?:[-*+]\s|\d{1,9}[.)]\s|\||>)/

/** Both versions of a place, this window's first. */
export function both({ mine, theirs }: Place): string {
  if (mine.trim() === '') return theirs
  if (theirs.trim() === '') return mine
  const last = mine.trimEnd().split('\n').at(-1) ?? ''
  const rows = ROW.test(last) && ROW.test(theirs)
  const apart = rows || /(?:^|\n)\r?\n$/.test(mine) || /^\r?\n/.test(theirs)
  return apart ? mine + theirs : mine + (mine.endsWith('\r\n') ? '\r\n' : '\n') + theirs
}

/** The text that the choices make, one for each place. */
export function merged(versions: Versions, choices: readonly Choice[]): string {
  let n = 0
  const text = versions.map((part) => {
    if (typeof part === 'string') return part
    const choice = choices[n++] ?? 'both'
    return choice === 'both' ? both(part) : part[choice]
  })
  return text.join('').replace(/\n$/, '')
}

export const places = (versions: Versions): Place[] =>
  versions.filter((part): part is Place => typeof part !== 'string')

/** A piece of a text, and whether the other version has another one there. */
export interface Piece {
  text: string
  differs: boolean
}

/** Both versions of a place in pieces. */
export function pieces({ mine, theirs }: Place): { mine: Piece[]; theirs: Piece[] } {
  const changes = presentableDiff(mine, theirs, DIFF)
  const cut = (text: string, ranges: [number, number][]) => {
    const out: Piece[] = []
    let at = 0
    const add = (to: number, differs: boolean) => {
      if (to > at) out.push({ text: text.slice(at, to), differs })
      at = to
    }
    for (const [from, to] of ranges) {
      add(from, false)
      add(to, true)
    }
    add(text.length, false)
    return out
  }
  return {
    mine: cut(
      mine,
      changes.map(({ fromA, toA }) => [fromA, toA]),
    ),
    theirs: cut(
      theirs,
      changes.map(({ fromB, toB }) => [fromB, toB]),
    ),
  }
}
