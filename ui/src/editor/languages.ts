import { LanguageDescription, LanguageSupport, StreamLanguage, type StreamParser } from '@codemirror/language'

const modern = (name: string, alias: string[], load: () => Promise<LanguageSupport>) =>
  LanguageDescription.of({ name, alias, load })

const stream = (name: string, alias: string[], load: () => Promise<StreamParser<unknown>>) =>
  modern(name, alias, async () => new LanguageSupport(StreamLanguage.define(await load())))

/** The languages that fenced code is highlighted in. Each one is loaded when a text first needs it. */
export const languages: readonly LanguageDescription[] = [
  modern('JavaScript', ['js', 'mjs', 'cjs', 'jsx', 'node'], async () =>
    (await import('@codemirror/lang-javascript')).javascript({ jsx: true }),
  ),
  modern('TypeScript', ['ts', 'tsx', 'mts'], async () =>
    (await import('@codemirror/lang-javascript')).javascript({ jsx: true, typescript: true }),
  ),
  modern('Python', ['py', 'python3', 'pycon'], async () =>
    (await import('@codemirror/lang-python')).python(),
  ),
  modern('JSON', ['json5', 'jsonc', 'ndjson'], async () => (await import('@codemirror/lang-json')).json()),
  modern('YAML', ['yml', 'docker-compose', 'compose'], async () =>
    (await import('@codemirror/lang-yaml')).yaml(),
  ),
  modern('SQL', ['psql', 'postgres', 'postgresql', 'mysql', 'sqlite'], async () =>
    (await import('@codemirror/lang-sql')).sql(),
  ),
  modern('HTML', ['htm', 'xhtml', 'vue', 'svelte', 'jinja'], async () =>
    (await import('@codemirror/lang-html')).html(),
  ),
  modern('CSS', ['scss', 'less'], async () => (await import('@codemirror/lang-css')).css()),
  modern('Rust', ['rs'], async () => (await import('@codemirror/lang-rust')).rust()),
  modern('Go', ['golang'], async () => (await import('@codemirror/lang-go')).go()),
  modern('Java', ['kotlin', 'kt'], async () => (await import('@codemirror/lang-java')).java()),
  stream(
    'Shell',
    ['bash', 'sh', 'zsh', 'shell-session', 'console', 'terminal', 'env', 'dotenv'],
    async () => (await import('@codemirror/legacy-modes/mode/shell')).shell,
  ),
  stream(
    'Dockerfile',
    ['docker', 'containerfile'],
    async () => (await import('@codemirror/legacy-modes/mode/dockerfile')).dockerFile,
  ),
  stream('Diff', ['patch'], async () => (await import('@codemirror/legacy-modes/mode/diff')).diff),
  stream('Ruby', ['rb', 'erb'], async () => (await import('@codemirror/legacy-modes/mode/ruby')).ruby),
  stream(
    'TOML',
    ['ini', 'cfg', 'conf'],
    async () => (await import('@codemirror/legacy-modes/mode/toml')).toml,
  ),
  stream(
    'PowerShell',
    ['ps1', 'pwsh'],
    async () => (await import('@codemirror/legacy-modes/mode/powershell')).powerShell,
  ),
  stream('XML', ['svg'], async () => (await import('@codemirror/legacy-modes/mode/xml')).xml),
  stream('HTTP', [], async () => (await import('@codemirror/legacy-modes/mode/http')).http),
  stream('nginx', [], async () => (await import('@codemirror/legacy-modes/mode/nginx')).nginx),
]

/** The first word of a fence's info string: `python` of ```` ```python title="x" ````, `js` of ```` ```{.js} ````. */
export function languageName(info: string): string {
  return /^[{\s]*\.?([^\s{},:;]*)/.exec(info)?.[1] ?? ''
}

/** The language that a fence names; null if it is unknown or names none. */
export function languageOf(info: string): LanguageDescription | null {
  const name = languageName(info)
  // Not fuzzy: "text" is no language, though the names of some occur in it.
  return name ? LanguageDescription.matchLanguageName(languages, name, false) : null
}
