import { isolateHistory } from '@codemirror/commands'
import type { EditorState } from '@codemirror/state'
import { EditorView } from '@codemirror/view'
import type { AttachmentAdded } from '../bindings'
import { altRange, blockPosition } from '../editor/paste-pictures'
import { Failure, type Host } from '../host/host'
import type { Pictures } from './pictures.svelte'
import type { Mark, Session } from './session.svelte'
import type { Toasts } from './toasts.svelte'

/** As `MAX_BYTES` in crates/app/src/attachments: what is larger is not sent at all. */
const MAX_BYTES = 32 * 1024 * 1024

/** A picture that is being added. */
export interface Adding {
  id: number
  name: string
  bytes: number
  /** From 0 to 1; null while that is not known. */
  part: number | null
}

/** Adds pictures to entries: stores them as attachments and inserts their references. */
export class PictureAdder {
  /** In the order in which they are added. */
  list = $state.raw<readonly Adding[]>([])
  #next = 1

  constructor(
    private readonly host: Host,
    private readonly toasts: Toasts,
    private readonly pictures: Pictures,
  ) {}

  /** Adds files below a position of the text, or below the cursor. Failures are shown as toasts, one for each file. */
  async add(session: Session, files: File[], at: number | null) {
    if (files.length === 0) return
    if (at === null) session.readyCursor()
    const begun = session.state
    const mark = session.mark(at ?? begun.selection.main.to)
    const waiting = files.map((file) => this.#begin(file))
    try {
      for (const [i, file] of files.entries()) {
        const adding = waiting[i]
        if (!adding) continue
        try {
          await this.#addOne(session, file, adding, mark, begun)
        } catch (cause) {
          this.toasts.fail(cause, `Could not add ${adding.name}`)
        } finally {
          this.list = this.list.filter((other) => other.id !== adding.id)
        }
      }
    } finally {
      mark.release()
    }
  }

  #begin(file: File): Adding {
    const adding = { id: this.#next++, name: file.name || 'the picture', bytes: file.size, part: null }
    this.list = [...this.list, adding]
    return adding
  }

  async #addOne(session: Session, file: File, adding: Adding, mark: Mark, begun: EditorState) {
    if (file.size > MAX_BYTES) {
      throw new Failure(
        'usage',
        `it has ${Math.ceil(file.size / 1024 / 1024)} MiB, and a picture can have up to 32 MiB`,
        'Save it with fewer pixels or as JPEG.',
      )
    }
    const data = await base64(file)
    const args = { entry: session.id, name: file.name, data }
    const added = await this.host.send('attachment_add', args, (part) => {
      this.list = this.list.map((other) => (other.id === adding.id ? { ...other, part } : other))
    })
    this.pictures.know(added)
    await this.#insert(session, added, mark, begun)
    if (added.warnings.length > 0)
      this.toasts.show(`Added ${added.name}`, { hint: added.warnings.join('. ') })
  }

  /**
   * Inserts the reference as a block, as one undo step. Its alternative text is selected for typing, unless the user
   * did something else since the state `begun`: another picture came first, or writing goes on.
   */
  async #insert(session: Session, { reference }: AttachmentAdded, mark: Mark, begun: EditorState) {
    for (;;) {
      const before = session.state
      const body = session.text
      const cursor = blockPosition(body, mark.at)
      const placing = await this.host.rpc('reference_place', { body, reference, cursor })
      // Typed meanwhile: asked again.
      if (!session.state.doc.eq(before.doc)) continue
      const { start, end, insert } = placing
      const text = body.slice(0, start) + insert + body.slice(end)
      const alt = altRange(text, reference, start)
      const select = before.doc.eq(begun.doc) && session.state.selection.eq(begun.selection) ? alt : null
      session.dispatch({
        changes: { from: start, to: end, insert },
        ...(select && { selection: { anchor: select.from, head: select.to } }),
        annotations: isolateHistory.of('full'),
        userEvent: 'picture',
        effects: EditorView.scrollIntoView(alt?.from ?? start, { y: 'nearest', yMargin: 60 }),
      })
      // The next one goes below this one.
      if (alt) mark.at = alt.from
      if (select) session.focus()
      return
    }
  }
}

/** Bytes in base64, without a string of all of them in between. */
async function base64(file: File): Promise<string> {
  const url = await new Promise<string>((resolve, reject) => {
    const reader = new FileReader()
    reader.onload = () => resolve(reader.result as string)
    reader.onerror = () => reject(new Failure('usage', `${file.name || 'the picture'} cannot be read`, ''))
    reader.readAsDataURL(file)
  })
  return url.slice(url.indexOf(',') + 1)
}
