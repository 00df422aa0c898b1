import type { Captured, CardQuestion, Commands, LiveCardView, Topic } from '../bindings'
import { Failure } from './host'

/** What the commands of live cards answer in memory. */
type Live = Pick<
  { [K in keyof Commands]: (args: Commands[K][0]) => Commands[K][1] },
  'live_card_new' | 'live_card_get' | 'live_card_set' | 'live_card_look' | 'live_card_freeze'
>

/** A card as it is stored. */
type LiveCard = Omit<LiveCardView, 'reference' | 'fastest_seconds' | 'frozen' | 'warnings'>

/** What they need of the journal in memory. */
interface Home {
  tell(topic: Topic, id: string): void
  /** Freezes what the question finds. */
  capture(question: CardQuestion): Captured
}

/** Cards by their id, and what was frozen from each. */
export class MemoryCards {
  readonly cards = new Map<string, LiveCard>()
  readonly frozen = new Map<string, Captured>()
  /** How often each was asked. */
  readonly asked = new Map<string, number>()
  /** What is to be known of every card that is made or changed. */
  warnings: string[] = []

  handlers(home: Home): Live {
    return {
      live_card_new: ({ question, pace_seconds, title }) => {
        const id = `01JLIVE${String(this.cards.size + 1).padStart(4, '0')}`
        this.cards.set(id, {
          id,
          title: title ?? `newest ${question.kind}`,
          question,
          pace_seconds: pace_seconds ?? 2,
        })
        return this.#view(id, this.warnings)
      },
      live_card_get: ({ id }) => this.#view(id),
      live_card_set: ({ id, question, pace_seconds, title, paused }) => {
        const card = this.#card(id)
        if (question) card.question = question
        if (pace_seconds) card.pace_seconds = pace_seconds
        if (title) card.title = title
        if (paused !== undefined) card.paused = paused
        home.tell('live-card', id)
        return this.#view(id, this.warnings)
      },
      live_card_look: ({ id, now }) => {
        const card = this.#card(id)
        if (!card.paused || now) this.asked.set(id, (this.asked.get(id) ?? 0) + 1)
        const asked_at = new Date().toISOString()
        return {
          title: card.title,
          question: `newest ${card.question.kind}`,
          answer: 'GET /api/activities/home 200',
          asked_at,
          age_ms: 0,
          problem: null,
          asking: false,
          paused: card.paused ?? false,
          pace_seconds: card.pace_seconds,
          next_ms: card.paused ? null : card.pace_seconds * 1000,
          picture: `livecard/${id}.svg?at=${asked_at}`,
          warnings: [],
        }
      },
      live_card_freeze: ({ id, alt, caption }) => {
        const card = this.#card(id)
        const captured = home.capture(card.question)
        this.frozen.set(id, captured)
        const words = alt && alt !== card.title ? alt : captured.title.replace(/[[\]]/g, '')
        const reference = `![${words}](evidence:${captured.id} "${caption ?? 'Local, OTLP/HTTP'}")`
        return { ...captured, reference }
      },
    }
  }

  #card(id: string): LiveCard {
    const card = this.cards.get(id)
    if (!card) throw new Failure('not_found', `There is no live card ${id}`, 'Import the entry it came from.')
    return card
  }

  #view(id: string, warnings: string[] = []): LiveCardView {
    const card = this.#card(id)
    const frozen = this.frozen.get(id)
    return {
      ...card,
      reference: `![${card.title}](live:${id})`,
      fastest_seconds: 1,
      frozen: frozen ? { id: frozen.id, title: frozen.title, captured_at: frozen.captured_at } : null,
      warnings,
    }
  }
}
