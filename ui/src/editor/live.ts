import type { EditorView } from '@codemirror/view'
import { WidgetType } from '@codemirror/view'
import type { LiveLook } from '../bindings'
import { Failure } from '../host/host'
import { marks, type PlacedReference } from './markup'

/** What a live card in the text can ask of the window around the editor. */
export interface LiveCardActions {
  /** Looks at a card, which asks its source where that is due; `now` as soon as the source bears it. */
  look(id: string, now?: boolean): Promise<LiveLook>
  /** Calls back when a card was answered or changed, until the returned function is called. */
  watch(id: string, told: () => void): () => void
  /** Makes evidence of the answer that is shown, and puts it in the reference's place. */
  freeze(reference: PlacedReference, askedAt: string | null): Promise<void>
  /** Shows the card's question. */
  edit(id: string): void
}

/** Heights as they were drawn, so that a card that comes back does not move the text. */
const heights = new Map<string, number>()
/** Stops what a card's box does while it is in the page. */
const stops = new WeakMap<HTMLElement, () => void>()
/** Ages are counted in seconds. */
const TICK = 1000
/** After a look that failed, for a card whose pace is not known, or a picture that did not load. */
const AGAIN = 5000
/** For so long a card says that it was not asked. */
const SAID = 5000
/** How a title begins that was made from a question. */
const MADE =
  /^(?:newest (?:trace|error)|trace|error|log events?|console lines|service map|X-Ray (?:groups|sampling rules)|query|dossier(?: of the newest request)?) of (?:local telemetry|AWS X-Ray|AWS CloudWatch Logs|Rollbar|Honeycomb)(?:, |$)/

/** A live card in the text: asks while it is drawn and the window is seen, and says how old its answer is. */
export class LiveCard extends WidgetType {
  constructor(
    private readonly reference: PlacedReference,
    private readonly block: boolean,
    private readonly url: (path: string) => string,
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
      if (!picture.hasAttribute('src')) return
      lost = true
      // Until it is loaded, the answer in words stands in its place.
      picture.hidden = false
      measure()
      if (!looking && !gone) plan(Math.min(shown?.next_ms ?? AGAIN, AGAIN))
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
    const ask = chip('Ask now', () => askNow())
    const question = chip('Question…', () => this.actions.edit(id))
    const edit = chip('Edit text', () => this.reveal(view, box))
    tools.append(freeze, ask, question, edit)
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
    /** Told of an answer while it was looking. */
    let again = false
    /** Somebody wants it asked now, and no look has said so yet. */
    let wanted = false
    /** It was wanted, but the source had been asked too short a time before. */
    let soon = false
    let freezing = false
    /** The picture did not load. */
    let lost = false
    /** The text's words for the card are its title as it was once, not the user's own. */
    let made = MADE.test(alt)
    let gone = false

    const label = () => {
      const name = (made && shown?.title) || alt || caption || shown?.title || 'live card'
      picture.alt = shown?.answer ? `Live: ${name}. Answer: ${shown.answer}` : `Live: ${name}`
      freeze.setAttribute('aria-label', `Freeze ${name}`)
      ask.setAttribute('aria-label', `Ask now: ${name}`)
      question.setAttribute('aria-label', `The question of ${name}`)
      edit.setAttribute('aria-label', `Edit the text of ${name}`)
    }

    const say = () => {
      const passed = Date.now() - at
      state.textContent = words(shown, failure, passed, soon && passed < SAID)
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
        soon = now && !fresh && !answer.asking
        shown = answer
        failure = null
        at = Date.now()
        made ||= alt === answer.title
        label()
        if (!answer.picture) {
          // The answer to another question must not stand under this one.
          picture.removeAttribute('src')
          picture.hidden = true
          lost = false
        } else if (fresh || lost) {
          lost = false
          picture.src = this.url(answer.picture + (size ? `&size=${size}` : ''))
        }
      } catch (cause) {
        failure = Failure.from(cause)
      } finally {
        looking = false
      }
      if (gone) return
      say()
      // Nobody sees it: it looks again when the window is back.
      if (document.hidden) return
      const wait = failure ? AGAIN : shown?.next_ms
      if (again) void look()
      // What is being asked is told of by an event; a lost one must not stop the card for ever.
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
      say()
      await this.actions.freeze(clicked, shown?.asked_at ?? null).finally(() => (freezing = false))
      say()
    }

    const ticking = setInterval(say, TICK)
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
    say()
    seen()
    return box
  }

  override destroy(box: HTMLElement) {
    stops.get(box)?.()
  }

  /** A click on the card is the card's; the cursor stays where it is. */
  override ignoreEvent() {
    return true
  }
}

function chip(text: string, run: () => void) {
  const made = document.createElement('button')
  made.type = 'button'
  made.className = 'chip'
  made.textContent = text
  made.addEventListener('click', (event) => {
    event.preventDefault()
    run()
  })
  return made
}

/** The reference of a drawn card, which may have moved since it was drawn. */
function here(view: EditorView, box: HTMLElement, id: string): PlacedReference | undefined {
  const pos = view.posAtDOM(box)
  return view.state.field(marks).live.find((other) => other.id === id && other.from >= pos)
}

/** `Live · 3 s old · asks every 2 s`. */
export function words(
  shown: LiveLook | null,
  failure: Failure | null,
  passed: number,
  /** It was wanted now, and the source does not bear it yet. */
  soon = false,
): string {
  if (!shown) return failure ? 'Live · no answer' : 'Live · asking…'
  const parts = ['Live']
  if (shown.age_ms === null) parts.push(shown.asking ? 'asking…' : 'no answer yet')
  else parts.push(age(shown.age_ms + passed))
  const asking = shown.asking && shown.age_ms !== null
  if (asking) parts.push('asking…')
  else if (shown.paused) parts.push('paused')
  // With a problem it may be this very asking that failed.
  if (soon) parts.push(shown.problem ? 'asked just now' : 'too soon to ask again')
  else if (!asking && !shown.paused) parts.push(`asks every ${length(shown.pace_seconds)}`)
  return parts.join(' · ')
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
