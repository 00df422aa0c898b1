/** Runs a job at once, then at most every `gap` ms, and never twice at a time. A request in between runs it later. */
export class Throttle {
  #timer: ReturnType<typeof setTimeout> | undefined
  #running = false
  #again = false
  #last = -Infinity

  constructor(
    private readonly gap: number,
    private readonly job: () => Promise<void>,
  ) {}

  request() {
    if (this.#running) {
      this.#again = true
      return
    }
    if (this.#timer !== undefined) return
    const wait = Math.max(0, this.#last + this.gap - Date.now())
    if (wait === 0) void this.#run()
    else
      this.#timer = setTimeout(() => {
        this.#timer = undefined
        void this.#run()
      }, wait)
  }

  stop() {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#again = false
  }

  async #run() {
    this.#running = true
    this.#last = Date.now()
    try {
      await this.job()
    } finally {
      this.#running = false
      if (this.#again) {
        this.#again = false
        this.request()
      }
    }
  }
}
