import { describe, expect, it } from 'vitest'
import { Toasts } from './toasts.svelte'

const texts = (toasts: Toasts) => toasts.list.map((toast) => toast.text)

describe('toasts', () => {
  it('replace each other, so that they do not cover the text', () => {
    const toasts = new Toasts()
    toasts.show('one', { tone: 'good' })
    toasts.show('two')
    toasts.show('three', { tone: 'good' })
    expect(texts(toasts)).toEqual(['three'])
  })

  it('keep failures until they are dismissed, each once', () => {
    const toasts = new Toasts()
    toasts.fail(new Error('no disk'))
    toasts.show('captured', { tone: 'good' })
    toasts.fail(new Error('no network'))
    toasts.fail(new Error('no disk'))
    toasts.show('captured again', { tone: 'good' })
    expect(toasts.list.filter((toast) => toast.tone === 'bad')).toHaveLength(2)
    expect(texts(toasts).filter((text) => text.startsWith('captured'))).toEqual(['captured again'])
  })
})
