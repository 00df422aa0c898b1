/** Runs a job once, some time after the last request. A request while one is waiting costs no timer. */
export class Later {
  #timer: ReturnType<typeof setTimeout> | undefined
  /** When the timer ends, and when the job is due: not before the former. */
  #ends = 0
  #due = 0

  constructor(private readonly job: () => void) {}

  /** Runs the job in `ms` milliseconds instead of when it was requested for before. */
  in(ms: number) {
    this.#due = performance.now() + ms
    if (this.#timer !== undefined && this.#ends <= this.#due) return
    clearTimeout(this.#timer)
    this.#start(ms)
  }

  stop() {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #start(ms: number) {
    this.#ends = performance.now() + ms
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      const rest = this.#due - performance.now()
      // Timers may end a fraction of a millisecond early.
      if (rest > 1) this.#start(rest)
      else this.job()
    }, ms)
  }
}
