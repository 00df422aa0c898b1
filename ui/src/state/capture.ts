import type { Capture, Captured } from '../bindings'
import { insertion } from '../editor/insert'
import { Failure, type Host } from '../host/host'
import type { Session } from './session.svelte'
import type { Toasts } from './toasts.svelte'

/** Captures evidence and inserts its reference into the open entry. Reports success once the text is stored. */
export async function freeze(
  host: Host,
  toasts: Toasts,
  session: Session | null,
  request: Capture,
): Promise<Captured> {
  if (session) {
    await session.autosave.flush()
    // The capture does not depend on the revision before it.
    await session.cut('capture').catch((cause: unknown) => toasts.fail(cause, 'Could not save a revision'))
  }
  const captured = await host.rpc('capture', request)
  const hint = captured.warnings.join('. ')
  if (!session) {
    toasts.show(`Captured: ${captured.title}`, {
      hint: `It is not in any entry yet: insert it from the Evidence tab. ${hint}`,
    })
    return captured
  }
  await place(host, toasts, session, captured.reference, hint)
  return captured
}

/** Inserts a reference into an entry as one undo step and waits until it is stored. */
export async function place(host: Host, toasts: Toasts, session: Session, reference: string, hint = '') {
  let undo: () => void
  try {
    undo = await insertReference(host, session, reference)
  } catch (cause) {
    toasts.show(`Could not insert the evidence: ${Failure.from(cause).message}`, {
      tone: 'bad',
      hint: 'The evidence itself is safe: insert it from the Evidence tab.',
    })
    return
  }
  await confirmStored(host, toasts, session, reference, { done: 'Added to', hint, undo })
}

/** Waits until a text with a new reference is stored, and shows a toast: `done` and the entry's title. */
export async function confirmStored(
  host: Host,
  toasts: Toasts,
  session: Session,
  reference: string,
  { done, hint, undo }: { done: string; hint: string; undo: () => void },
) {
  const next = session.marks.target
  const saved = await session.autosave.flush()
  const stored = saved && (await host.rpc('entry_get', { entry: session.id })).body.includes(reference)
  if (stored) {
    const action = { label: 'Undo', run: undo }
    const then = next ? `The next capture goes into “${next.text}”. ` : ''
    toasts.show(`${done} ${shortTitle(session.row.title)}`, {
      tone: 'good',
      hint: (then + hint).trim(),
      action,
    })
    return
  }
  toasts.show('Inserted, but the entry is not saved yet', {
    tone: 'bad',
    hint: session.autosave.failure?.hint || 'The evidence itself is safe: find it in the Evidence tab.',
  })
}

/**
 * Inserts a reference into the target slot or at the cursor, and returns its undo. After a slot is filled, the next
 * open slot below it becomes the target; after the last, captures go to the cursor.
 */
export async function insertReference(host: Host, session: Session, reference: string): Promise<() => void> {
  const { before, slot, placing } = await placed(host, session, reference)
  const replaced = slot ? before.sliceDoc(slot.from, slot.to) : ''
  session.dispatch(insertion(placing))
  const after = session.text
  if (slot) session.aimBelow(slot.from)
  return () => {
    const now = session.text
    const at = now === after ? (slot?.from ?? 0) : now.indexOf(reference)
    if (now === after) session.replace(before.sliceDoc())
    else if (at >= 0) session.dispatch({ changes: { from: at, to: at + reference.length, insert: replaced } })
    // After undo, the slot is the target again.
    if (slot && at >= 0) session.aim({ ...slot, from: at, to: at + replaced.length })
  }
}

/** Asks where a reference goes, again if the text was changed during the request. */
async function placed(host: Host, session: Session, reference: string) {
  for (;;) {
    const slot = session.marks.target
    if (!slot) session.readyCursor()
    const before = session.state
    const placing = await host.rpc('reference_place', {
      body: session.text,
      reference,
      ...(slot && { slot: { start: slot.from, end: slot.to } }),
      cursor: before.selection.main.head,
    })
    if (session.state.doc.eq(before.doc)) return { before, slot, placing }
  }
}

/** `Week 2 — Distributed Tracing` is `Week 2` in a toast. */
function shortTitle(title: string): string {
  return title.split(' — ')[0] ?? title
}
