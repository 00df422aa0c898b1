import { afterAll, afterEach } from 'vitest'
import { closeHosts, saveExchanges } from './host'

// jsdom lays nothing out; the editor only needs to be told that everything is nowhere.
const nowhere = () => new DOMRect()
Range.prototype.getBoundingClientRect = nowhere
Range.prototype.getClientRects = () => [] as unknown as DOMRectList

// jsdom has no modal dialogs; nothing here tests what the browser does with them.
HTMLDialogElement.prototype.showModal = function () {
  this.open = true
}
HTMLDialogElement.prototype.close = function () {
  if (!this.open) return
  this.open = false
  this.dispatchEvent(new Event('close'))
}

afterEach(closeHosts)
afterAll(saveExchanges)
