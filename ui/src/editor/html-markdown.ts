import TurndownService from 'turndown'

const service = new TurndownService({
  headingStyle: 'atx',
  hr: '---',
  bulletListMarker: '-',
  codeBlockStyle: 'fenced',
  emDelimiter: '*',
})

service.remove(['script', 'style', 'title', 'noscript', 'template', 'button'])

service.addRule('strikethrough', {
  filter: (node) => ['DEL', 'S', 'STRIKE'].includes(node.nodeName),
  replacement: (content) => (content.trim() ? `~~${content}~~` : ''),
})

service.addRule('task', {
  filter: (node) => node.nodeName === 'INPUT' && node.getAttribute('type') === 'checkbox',
  replacement: (_content, node) => {
    const box = (node as HTMLElement).hasAttribute('checked') ? '[x]' : '[ ]'
    return /^\s/.test(node.nextSibling?.textContent ?? '') ? box : `${box} `
  },
})

service.addRule('item', {
  filter: 'li',
  replacement(content, node) {
    const list = node.parentNode as HTMLElement | null
    const siblings = [...(list?.children ?? [])].filter((one) => one.nodeName === 'LI')
    const ordered = list?.nodeName === 'OL'
    const first = Number(list?.getAttribute('start') ?? '1') || 1
    const mark = ordered ? `${first + siblings.indexOf(node as Element)}. ` : '- '
    const text = content.trim().replace(/\n(?=.)/g, `\n${' '.repeat(mark.length)}`)
    return `${mark}${text}${node.nextSibling ? '\n' : ''}`
  },
})

/** A highlighted block's language: `<div class="highlight-source-python"><pre>`, `<pre lang="python">`. */
service.addRule('code', {
  filter: (node) => node.nodeName === 'PRE',
  replacement(_content, node) {
    const element = node as HTMLElement
    const classes = `${element.className} ${element.parentElement?.className ?? ''} ${element.querySelector('code')?.className ?? ''}`
    const language =
      element.getAttribute('lang') ??
      /\b(?:language|lang|highlight-source)-([\w+#-]+)/.exec(classes)?.[1] ??
      ''
    const code = (element.textContent ?? '').replace(/\n$/, '')
    let fence = '```'
    while (code.includes(fence)) fence += '`'
    return `\n\n${fence}${language}\n${code}\n${fence}\n\n`
  },
})

const cellText = (cell: Element) =>
  service
    .turndown(cell.innerHTML)
    .replace(/\s*\n\s*/g, ' ')
    .replace(/\\?\|/g, '\\|')
    .trim()

service.addRule('table', {
  filter: 'table',
  replacement(_content, node) {
    const rows = [...(node as HTMLTableElement).rows].map((row) => [...row.cells].map(cellText))
    const width = Math.max(0, ...rows.map((row) => row.length))
    const [head, ...body] = rows
    if (!head || width === 0) return ''
    const line = (cells: readonly string[]) =>
      `| ${Array.from({ length: width }, (_, i) => cells[i] ?? '').join(' | ')} |`
    const rule = line(Array.from({ length: width }, () => '---'))
    return `\n\n${[line(head), rule, ...body.map(line)].join('\n')}\n\n`
  },
})

/** HTML as Markdown with GFM's tables, tasks and strikethrough. */
export function markdownOf(html: string): string {
  // Parsed apart from the page: nothing in it is loaded or run.
  const parsed = new DOMParser().parseFromString(html, 'text/html')
  for (const link of parsed.querySelectorAll('a[href]'))
    if (/^\s*(javascript|data|vbscript):/i.test(link.getAttribute('href') ?? '')) link.removeAttribute('href')
  return service.turndown(parsed.body).trim()
}
