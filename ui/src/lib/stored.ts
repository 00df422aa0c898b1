/** A number that the browser keeps, such as the width of a pane; `fallback` where there is none. */
export function storedNumber(key: string, fallback: number): number {
  try {
    const number = Number(localStorage.getItem(key) ?? NaN)
    return Number.isFinite(number) && number > 0 ? number : fallback
  } catch {
    return fallback
  }
}

/** Keeps a number. */
export function storeNumber(key: string, value: number) {
  try {
    localStorage.setItem(key, String(Math.round(value)))
  } catch {
    // Storage may be disabled: the number lasts as long as the page.
  }
}
