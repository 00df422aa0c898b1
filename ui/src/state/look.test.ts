import { beforeEach, expect, test } from 'vitest'
import { Look } from './look.svelte'

beforeEach(() => localStorage.clear())

const page = () => document.documentElement

test('face, width and size of the text are kept', () => {
  const look = new Look(undefined)
  expect([look.face, look.width, look.size]).toEqual(['text', 'usual', 16])
  look.choose({ face: 'mono', width: 'full', size: 20 })
  expect(page().dataset).toMatchObject({ textFace: 'mono', textWidth: 'full' })
  expect(page().style.getPropertyValue('--editor-size')).toBe('20px')
  const again = new Look(undefined)
  expect([again.face, again.width, again.size]).toEqual(['mono', 'full', 20])
  again.choose({ size: 400 })
  expect(again.size).toBe(28)
  again.choose({ size: 1 })
  expect(again.size).toBe(12)
  again.reset()
  expect(page().dataset).toMatchObject({ textFace: 'text', textWidth: 'usual' })
  expect(new Look(undefined).size).toBe(16)
})

test('the zoom moves by steps, stops at its ends, and is kept', () => {
  const factors: number[] = []
  const look = new Look((factor) => factors.push(factor))
  expect(factors).toEqual([])
  expect(look.zoomBy(1)).toBe(true)
  look.zoomBy(1)
  look.zoomBy(-1)
  expect(factors).toEqual([1.1, 1.25, 1.1])
  new Look((factor) => factors.push(factor))
  expect(factors.at(-1)).toBe(1.1)
  look.zoomBy(0)
  expect(look.zoom).toBe(100)
  for (let n = 0; n < 30; n++) look.zoomBy(1)
  expect(look.zoom).toBe(300)
  for (let n = 0; n < 30; n++) look.zoomBy(-1)
  expect(look.zoom).toBe(50)
})

test('a browser zooms by itself', () => {
  const look = new Look(undefined)
  expect(look.zooms).toBe(false)
  expect(look.zoomBy(1)).toBe(false)
  expect(look.zoom).toBe(100)
})

test('what is kept wrongly is the usual', () => {
  localStorage.setItem('tracebook.text.face', '17')
  localStorage.setItem('tracebook.text.width', 'x')
  localStorage.setItem('tracebook.zoom', '113')
  const look = new Look(() => undefined)
  expect([look.face, look.width, look.zoom]).toEqual(['text', 'usual', 100])
})
