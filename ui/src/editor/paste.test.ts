import { expect, it } from 'vitest'
import { markdownOf } from './html-markdown'

const cases: [string, string][] = [
  ['<h2>T</h2><p>a <strong>b</strong> <em>c</em> <del>d</del></p>', '## T\n\na **b** *c* ~~d~~'],
  ['<ul><li>a</li><li>b<ul><li>c</li></ul></li></ul>', '- a\n- b\n  - c'],
  ['<ol start="3"><li>a</li><li>b</li></ol>', '3. a\n4. b'],
  [
    '<ul><li><input type="checkbox" checked> a</li><li><input type="checkbox"> b</li></ul>',
    '- [x] a\n- [ ] b',
  ],
  [
    '<table><tr><th>a</th><th>b|c</th></tr><tr><td>1</td></tr></table>',
    '| a | b\\|c |\n| --- | --- |\n| 1 |  |',
  ],
  ['<div class="highlight-source-python"><pre>a = 1\n</pre></div>', '```python\na = 1\n```'],
  ['<pre><code class="language-sh">```</code></pre>', '````sh\n```\n````'],
  ['<a href="https://e.com/x">y</a><script>alert(1)</script>', '[y](https://e.com/x)'],
  ['<a href="javascript:alert(1)">y</a>', 'y'],
  ['<p>1 * 2 [x]</p>', '1 \\* 2 \\[x\\]'],
]
it.each(cases)('%s', (html, wanted) => {
  expect(markdownOf(html)).toBe(wanted)
})
