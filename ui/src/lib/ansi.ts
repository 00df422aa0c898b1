import type { StyledSpan } from '../bindings'

/**
 * The class names of a styled piece of a console line. Backgrounds are tints, so that every text colour stays
 * legible on them.
 */
export function classes({ fg, bg, bold, dim, italic, underline, strike, inverse }: StyledSpan): string {
  const turned = inverse && (fg !== undefined || bg !== undefined)
  const ink = turned ? bg : fg
  const ground = turned ? (fg ?? 8) : bg
  return [
    ink !== undefined && `fg-${ink}`,
    ground !== undefined && `bg-${ground}`,
    inverse && !turned && 'inverse',
    bold && 'bold',
    dim && 'dim',
    italic && 'italic',
    underline && 'underline',
    strike && 'strike',
  ]
    .filter(Boolean)
    .join(' ')
}
