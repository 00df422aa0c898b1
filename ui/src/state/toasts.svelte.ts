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

  show(text: string, more: Partial<Omit<Toast, 'id' | 'text'>> = {}): number {
    const toast: Toast = { id: this.#next++, tone: 'note', hint: '', ...more, text }
    // A failure repeated by retries is shown once, and news replaces older news: it must not pile up over the text.
    const stays = (old: Toast) =>
      (old.text !== text || old.hint !== toast.hint) && (old.tone === 'bad' || toast.tone === 'bad')
    this.list = [...this.list.filter(stays), toast].slice(-4)
    if (toast.tone !== 'bad') setTimeout(() => this.dismiss(toast.id), toast.action ? 9000 : 5000)
    return toast.id
  }

  fail(cause: unknown, what = '') {
    const failure = Failure.from(cause)
    if (failure.code === 'cancelled') return
    this.show(what ? `${what}: ${failure.message}` : failure.message, { tone: 'bad', hint: failure.hint })
  }

  /** Reports how something ended whose panel was closed. */
  ended(cause: unknown, what: string) {
    const { code, hint } = Failure.from(cause)
    if (code === 'cancelled') this.show(`${what} was cancelled`, { hint })
    else this.fail(cause, what)
  }

  dismiss(id: number) {
    this.list = this.list.filter((toast) => toast.id !== id)
  }
}
