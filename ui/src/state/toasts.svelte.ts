import { Failure } from '../host/host'

export interface Toast {
  id: number
  tone: 'good' | 'bad' | 'note'
  text: string
  hint: string
  action?: { label: string; run: () => void }
}

/** Short messages at the edge of the window. Failures stay until they are dismissed. */
export class Toasts {
  list = $state<Toast[]>([])
  #next = 1

  say(text: string, more: Partial<Omit<Toast, 'id' | 'text'>> = {}): number {
    const toast: Toast = { id: this.#next++, tone: 'note', hint: '', ...more, text }
    // One failure repeated by a retry is one message.
    this.list = [...this.list.filter((t) => t.text !== text || t.hint !== toast.hint), toast].slice(-4)
    if (toast.tone !== 'bad') setTimeout(() => this.dismiss(toast.id), toast.action ? 9000 : 5000)
    return toast.id
  }

  fail(cause: unknown, what = '') {
    const failure = Failure.from(cause)
    if (failure.code === 'cancelled') return
    this.say(what ? `${what}: ${failure.message}` : failure.message, { tone: 'bad', hint: failure.hint })
  }

  /** How something ended whose own place to say so is gone. */
  ended(cause: unknown, what: string) {
    const { code, hint } = Failure.from(cause)
    if (code === 'cancelled') this.say(`${what} was cancelled`, { hint })
    else this.fail(cause, what)
  }

  dismiss(id: number) {
    this.list = this.list.filter((toast) => toast.id !== id)
  }
}
