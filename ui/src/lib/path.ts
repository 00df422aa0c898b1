/**
 * A path as it is typed into the window, for the machine that Tracebook runs on: relative ones start at the home
 * directory, since a window has no current directory that its user knows.
 */
export function typedPath(text: string): string {
  const path = text.trim()
  const isAbsolute = /^(?:[/\\~]|[A-Za-z]:[/\\])/.test(path)
  return path === '' || isAbsolute ? path : `~/${path.replace(/^(?:\.\/)+/, '')}`
}
