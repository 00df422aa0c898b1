/** A colour of the terminal's sixteen: 0–7, and 8–15 for the bright ones. */
export type Colour = number

/** How a piece of a line looks. */
export interface Look {
  fg: Colour | null
  bg: Colour | null
  bold: boolean
  dim: boolean
  italic: boolean
  underline: boolean
  strike: boolean
  inverse: boolean
}

/** A piece of a line that looks the same throughout. */
export interface Part {
  text: string
  look: Look
}

const PLAIN: Look = {
  fg: null,
  bg: null,
  bold: false,
  dim: false,
  italic: false,
  underline: false,
  strike: false,
  inverse: false,
}

// A control sequence, a string sequence (title, link) to its end, any other escape, or a lone control character.
const CONTROL =
  // eslint-disable-next-line no-control-regex
  /\x1b\[([0-9:;<=>?]*)[ -/]*([@-~])|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]?|[\x00-\x08\x0b-\x1f\x7f-\x9f]/g

/** A line with ANSI colour sequences as pieces of plain text. Every other control sequence is left out. */
export function ansi(line: string): Part[] {
  const parts: Part[] = []
  let look = PLAIN
  let at = 0
  const push = (to: number) => {
    if (to === at) return
    const text = line.slice(at, to)
    const last = parts.at(-1)
    if (last && last.look === look) last.text += text
    else parts.push({ text, look })
  }
  for (const match of line.matchAll(CONTROL)) {
    push(match.index)
    at = match.index + match[0].length
    if (match[2] === 'm' && !/[<=>?]/.test(match[1] ?? '')) look = turn(look, match[1] ?? '')
  }
  push(line.length)
  return parts
}

/** The class names of a look. Backgrounds are tints, so that every text colour stays legible on them. */
export function classes(look: Look): string {
  const turned = look.inverse && (look.fg !== null || look.bg !== null)
  const fg = turned ? look.bg : look.fg
  const bg = turned ? (look.fg ?? 8) : look.bg
  return [
    fg !== null && `fg-${fg}`,
    bg !== null && `bg-${bg}`,
    look.inverse && !turned && 'inverse',
    look.bold && 'bold',
    look.dim && 'dim',
    look.italic && 'italic',
    look.underline && 'underline',
    look.strike && 'strike',
  ]
    .filter(Boolean)
    .join(' ')
}

/** What a sequence of SGR codes makes of a look. Unknown codes change nothing. */
function turn(from: Look, codes: string): Look {
  const look = { ...from }
  // `38:2::255:0:0` is the form with subparameters, `38;2;255;0;0` the common one; an empty code is 0.
  const groups = codes.split(';').map((group) => group.split(':').map((code) => Number(code || 0)))
  for (let i = 0; i < groups.length; i++) {
    const group = groups[i] ?? [0]
    const code = group[0] ?? 0
    if (code === 0) Object.assign(look, PLAIN)
    else if (code === 1) look.bold = true
    else if (code === 2) look.dim = true
    else if (code === 3) look.italic = true
    else if (code === 4) look.underline = group[1] !== 0 || group.length === 1
    else if (code === 7) look.inverse = true
    else if (code === 9) look.strike = true
    else if (code === 21 || code === 22) look.bold = look.dim = false
    else if (code === 23) look.italic = false
    else if (code === 24) look.underline = false
    else if (code === 27) look.inverse = false
    else if (code === 29) look.strike = false
    else if (code >= 30 && code <= 37) look.fg = code - 30
    else if (code === 39) look.fg = null
    else if (code >= 40 && code <= 47) look.bg = code - 40
    else if (code === 49) look.bg = null
    else if (code >= 90 && code <= 97) look.fg = code - 90 + 8
    else if (code >= 100 && code <= 107) look.bg = code - 100 + 8
    else if (code === 38 || code === 48) {
      let colour: Colour | null
      if (group.length > 1) colour = extended(group.slice(1))
      else {
        const rest = groups.slice(i + 1, i + 5).map((next) => next[0] ?? 0)
        colour = extended(rest)
        i += rest[0] === 5 ? 2 : rest[0] === 2 ? 4 : 0
      }
      if (colour !== null) look[code === 38 ? 'fg' : 'bg'] = colour
    }
  }
  return look
}

/** `5;n` or `2;r;g;b` as the nearest of the sixteen, which light and dark windows each have a legible shade of. */
function extended(codes: number[]): Colour | null {
  if (codes[0] === 2) {
    // With subparameters a colour space may stand before the three.
    const [r = 0, g = 0, b = 0] = codes.slice(codes.length > 4 ? 2 : 1)
    return nearest(r, g, b)
  }
  const n = codes[1] ?? 0
  if (codes[0] !== 5 || n < 0 || n > 255) return null
  if (n < 16) return n
  if (n >= 232) {
    const grey = 8 + (n - 232) * 10
    return nearest(grey, grey, grey)
  }
  const level = (step: number) => (step === 0 ? 0 : 55 + step * 40)
  return nearest(level(Math.floor((n - 16) / 36)), level(Math.floor((n - 16) / 6) % 6), level((n - 16) % 6))
}

function nearest(r: number, g: number, b: number): Colour {
  const most = Math.max(r, g, b)
  const least = Math.min(r, g, b)
  if (most - least < 40) return most < 64 ? 0 : most < 160 ? 8 : most < 224 ? 7 : 15
  const half = (most + least) / 2
  const hue = (r > half ? 1 : 0) + (g > half ? 2 : 0) + (b > half ? 4 : 0)
  return most > 200 && least > 60 ? hue + 8 : hue
}
