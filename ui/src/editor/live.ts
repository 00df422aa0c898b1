import type { EditorView } from '@codemirror/view'
import { WidgetType } from '@codemirror/view'
import type { LiveLook } from '../bindings'
import { Failure } from '../host/host'
import { marks, type PlacedReference } from './markup'

/** What a live card can do outside the editor. */
export interface LiveCardActions {
  /** Reads a card's result, which is refreshed first if that is due, or with `now` if the rate limit allows it. */
  look(id: string, now?: boolean): Promise<LiveLook>
  /** Calls `callback` when a card has a new result or was changed, until the returned function is called. */
  watch(id: string, callback: () => void): () => void
  /** Makes evidence of the result that is shown, and replaces the reference. */
  freeze(reference: PlacedReference, askedAt: string | null): Promise<void>
  /** Opens the card's settings. */
  edit(id: string): void
}

/** Heights as drawn, so that a card that is drawn again does not move the text. */
const heights = new Map<string, number>()
/** Stops the timers and listeners of a drawn card. */
const stops = new WeakMap<HTMLElement, () => void>()
/** Milliseconds between two updates of the age. */
const TICK = 1000
/** Milliseconds before a failed read or picture is tried again. */
const RETRY = 5000
/** Milliseconds for which a card shows that it is rate limited. */
const NOTICE = 5000

/**
 * A live card in the text. It refreshes while it is drawn and the window is visible, and shows the age of its
 * result.
 */
export class LiveCard extends WidgetType {
  constructor(
    private readonly reference: PlacedReference,
    private readonly block: boolean,
    private readonly show: (image: HTMLImageElement, path: string | null) => void,
    private readonly actions: LiveCardActions,
    private readonly reveal: (view: EditorView, box: HTMLElement) => void,
  ) {
    super()
  }

  private get key() {
    return `${this.reference.id} ${this.reference.size} ${this.block}`
  }

  override eq(other: LiveCard) {
    const a = this.reference
    const b = other.reference
    return this.key === other.key && a.alt === b.alt && a.caption === b.caption
  }

  override get estimatedHeight() {
    return this.block ? (heights.get(this.key) ?? 180) : -1
  }

  toDOM(view: EditorView) {
    const { id, alt, caption, size } = this.reference
    const box = document.createElement(this.block ? 'figure' : 'span')
    box.className = `card live-card ${this.block ? 'card-block' : 'card-inline'}`
    box.dataset.live = id
    box.setAttribute('contenteditable', 'false')

    const measure = () => {
      view.requestMeasure()
      if (this.block) heights.set(this.key, box.offsetHeight)
    }
    const picture = document.createElement('img')
    picture.className = 'evidence-card'
    picture.draggable = false
    picture.hidden = true
    picture.addEventListener('load', () => {
      picture.hidden = false
      measure()
    })
    picture.addEventListener('error', () => {
      if (!drawing) return
      lost = true
      // Its alternative text contains the result.
      picture.hidden = false
      measure()
      if (!looking && !gone) plan(Math.min(shown?.next_ms ?? RETRY, RETRY))
    })

    const state = document.createElement('span')
    state.className = 'live-state'
    const note = document.createElement('span')
    note.className = 'card-note live-problem'
    note.hidden = true
    const tools = document.createElement('span')
    tools.className = 'live-tools'
    const freeze = chip('Freeze', () => void freezeNow())
    freeze.classList.add('live-freeze')
    const ask = chip('Refresh', () => askNow())
    const settings = chip('Settings…', () => this.actions.edit(id))
    const edit = chip('Edit text', () => this.reveal(view, box))
    tools.append(freeze, ask, settings, edit)
    const bar = document.createElement('span')
    bar.className = 'live-bar'
    bar.append(state, tools)
    box.append(bar, picture, note)
    if (this.block && caption) {
      const line = document.createElement('figcaption')
      line.textContent = caption
      box.append(line)
    }
    box.addEventListener('dblclick', (event) => {
      if (!(event.target instanceof HTMLButtonElement)) this.reveal(view, box)
    })

    let shown: LiveLook | null = null
    let failure: Failure | null = null
    let at = Date.now()
    let next: ReturnType<typeof setTimeout> | undefined
    let looking = false
    /** Notified of a new result during a read. */
    let again = false
    /** The next read is to refresh the card. */
    let wanted = false
    /** A refresh was requested, but the rate limit did not allow it. */
    let limited = false
    let freezing = false
    /** There is a picture to show. */
    let drawing = false
    /** The picture did not load. */
    let lost = false
    /** The text's words for the card are its title as it was once, not the user's own. */
    let made = this.reference.generated
    let gone = false

    const label = () => {
      const name = (made && shown?.title) || alt || caption || shown?.title || 'live card'
      picture.alt = shown?.answer ? `Live: ${name}. Result: ${shown.answer}` : `Live: ${name}`
      freeze.setAttribute('aria-label', `Freeze ${name}`)
      ask.setAttribute('aria-label', `Refresh ${name}`)
      settings.setAttribute('aria-label', `Settings of ${name}`)
      edit.setAttribute('aria-label', `Edit the text of ${name}`)
    }

    const update = () => {
      const passed = Date.now() - at
      state.textContent = statusText(shown, failure, passed, limited && passed < NOTICE)
      box.classList.toggle('live-stale', !!failure || !!shown?.problem || !!shown?.paused)
      const problem = failure ?? shown?.problem ?? null
      const text = problem ? [problem.message, problem.hint].filter(Boolean).join('. ') : ''
      if (note.textContent !== text) {
        note.textContent = text
        note.hidden = text === ''
        measure()
      }
      freeze.disabled = freezing || !shown?.asked_at
    }

    const plan = (wait: number) => {
      clearTimeout(next)
      next = setTimeout(seen, Math.max(wait, 200))
    }

    const look = async () => {
      if (looking) again = true
      if (looking || gone) return
      looking = true
      again = false
      const now = wanted
      wanted = false
      clearTimeout(next)
      try {
        const answer = await this.actions.look(id, now)
        if (gone) return
        const fresh = answer.asked_at !== shown?.asked_at
        limited = now && !fresh && !answer.asking
        shown = answer
        failure = null
        at = Date.now()
        made ||= alt === answer.title
        label()
        if (!answer.picture) {
          // The picture belongs to an earlier question.
          drawing = false
          this.show(picture, null)
          picture.hidden = true
          lost = false
        } else if (fresh || lost) {
          lost = false
          drawing = true
          this.show(picture, answer.picture + (size ? `&size=${size}` : ''))
        }
      } catch (cause) {
        failure = Failure.from(cause)
      } finally {
        looking = false
      }
      if (gone) return
      update()
      // It is read again when the window is visible.
      if (document.hidden) return
      const wait = failure ? RETRY : shown?.next_ms
      if (again) void look()
      // An event announces the result; the timer covers a lost event.
      else if (wait !== null && wait !== undefined) plan(wait)
    }

    const seen = () => {
      if (!document.hidden) void look()
    }
    const askNow = () => {
      wanted = true
      void look()
    }
    const freezeNow = async () => {
      const clicked = here(view, box, id)
      if (freezing || !clicked) return
      freezing = true
      update()
      await this.actions.freeze(clicked, shown?.asked_at ?? null).finally(() => (freezing = false))
      update()
    }

    const ticking = setInterval(update, TICK)
    const unwatch = this.actions.watch(id, seen)
    document.addEventListener('visibilitychange', seen)
    stops.set(box, () => {
      gone = true
      clearTimeout(next)
      clearInterval(ticking)
      unwatch()
      document.removeEventListener('visibilitychange', seen)
    })
    label()
    update()
    seen()
    return box
  }

  override destroy(box: HTMLElement) {
    stops.get(box)?.()
  }

  /** A click on the card does not move the cursor. */
  override ignoreEvent() {
    return true
  }
}

function chip(text: string, run: () => void) {
  const button = document.createElement('button')
  button.type = 'button'
  button.className = 'chip'
  button.textContent = text
  button.addEventListener('click', (event) => {
    event.preventDefault()
    run()
  })
  return button
}

/** The reference of a drawn card, which may have moved since it was drawn. */
function here(view: EditorView, box: HTMLElement, id: string): PlacedReference | undefined {
  const pos = view.posAtDOM(box)
  return view.state.field(marks).live.find((other) => other.id === id && other.from >= pos)
}

/** `Live · 3 s old · refreshes every 2 s`. */
export function statusText(
  shown: LiveLook | null,
  failure: Failure | null,
  passed: number,
  /** A refresh was requested, but the rate limit did not allow it. */
  limited = false,
): string {
  if (!shown) return failure ? 'Live · no result' : 'Live · loading…'
  const parts = ['Live']
  if (shown.age_ms === null) parts.push(shown.asking ? 'loading…' : 'no result yet')
  else parts.push(age(shown.age_ms + passed))
  const asking = shown.asking && shown.age_ms !== null
  if (asking) parts.push('refreshing…')
  else if (shown.paused) parts.push('paused')
  // With a problem, the failed refresh may be the one that was requested.
  if (limited) parts.push(shown.problem ? 'refreshed just now' : limit(shown.next_ms, passed))
  else if (!asking && !shown.paused) parts.push(`refreshes every ${length(shown.pace_seconds)}`)
  return parts.join(' · ')
}

function limit(next: number | null, passed: number): string {
  return next === null
    ? 'rate limited; try again shortly'
    : `rate limited; refreshes in ${length(Math.max(1, Math.ceil((next - passed) / 1000)))}`
}

function age(ms: number): string {
  const seconds = Math.floor(ms / 1000)
  return seconds < 1 ? 'just now' : `${length(seconds)} old`
}

function length(seconds: number): string {
  if (seconds < 120) return `${seconds} s`
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`
  return `${Math.floor(seconds / 3600)} h`
}
