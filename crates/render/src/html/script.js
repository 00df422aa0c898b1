'use strict'
const tools = document.getElementById('tools')
const find = document.getElementById('find')
const count = document.getElementById('count')
const lists = [...document.querySelectorAll('figure details')]
const rows = [...document.querySelectorAll('.rows tbody tr')]
const words = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]))

function search() {
  const wanted = find.value.toLowerCase().split(/\s+/).filter(Boolean)
  let found = 0
  for (const row of rows) {
    const hit = wanted.every((word) => words.get(row).includes(word))
    row.hidden = !hit
    if (hit) found += 1
  }
  if (wanted.length > 0) {
    for (const list of lists) list.open = [...list.querySelectorAll('tbody tr')].some((row) => !row.hidden)
  }
  count.textContent = wanted.length > 0 ? `${found} of ${rows.length} rows` : ''
}

function toggle(event) {
  const row = event.target.closest('.rows tbody tr')
  if (row && (event.type === 'click' || event.key === 'Enter')) row.classList.toggle('open')
}

if (rows.length > 0) {
  tools.hidden = false
  for (const table of document.querySelectorAll('.rows')) table.classList.add('cut')
  for (const row of rows) row.tabIndex = 0
  find.addEventListener('input', search)
  document.addEventListener('click', toggle)
  document.addEventListener('keydown', toggle)
  document.getElementById('all').addEventListener('click', () => {
    const open = lists.some((list) => !list.open)
    for (const list of lists) list.open = open
  })
  addEventListener('beforeprint', () => {
    for (const list of lists) list.open = true
  })
}
