import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { blob, counter, list, set, text, xml } from './fields.js'
import { checkRegister, checkValues } from './stored-values.js'

const fields = {
  title: z.string().min(2),
  done: z.boolean().default(false),
  due: z.number().optional(),
  tags: set(z.enum(['red', 'blue'])),
  steps: list(z.object({ name: z.string() })),
  votes: counter(),
  notes: text(),
  body: xml(),
  cover: blob().optional(),
}

const fits = {
  title: 'Hi',
  done: true,
  due: 5,
  tags: ['blue', 'red'],
  steps: [{ name: 'one' }],
  votes: 3,
  notes: 'text',
  body: '<p></p>',
  cover: { hash: 'a'.repeat(64), size: 5, type: 'image/png', name: 'a.png' },
}

const error = (...path: readonly (string | number)[]) =>
  expect.objectContaining({ code: 'value-invalid', path })

describe('values that are stored', () => {
  it.each([
    ['all of them', fits],
    ['those that must be there', { title: 'Hi' }],
    ['those of other versions', { title: 'Hi', colour: 5, __proto__: null }],
  ])('fit: %s', (_name, values) => {
    checkValues(fields, undefined, values)
  })

  it.each([
    [['title'], { title: undefined }],
    [['title'], { title: 'x' }],
    [['title'], { title: null }],
    [['done'], { done: 'yes' }],
    [['tags', 1], { tags: ['red', 'green'] }],
    [['tags'], { tags: 'red' }],
    [['steps', 0, 'name'], { steps: [{ name: 5 }] }],
    [['steps'], { steps: 'text' }],
    [['votes'], { votes: 0.5 }],
    [['notes'], { notes: ['a'] }],
    [['body'], { body: ['a'] }],
    [['cover', 'hash'], { cover: { hash: 'x' } }],
  ])('do not fit in %s: %o', (path, values) => {
    expect(() => checkValues(fields, undefined, { ...fits, ...values })).toThrow(error(...path))
    expect(() => checkValues(fields, fits, { ...fits, ...values })).toThrow(error(...path))
  })

  it('are left alone where they are what they were', () => {
    const before = { title: 'x', done: false }
    checkValues(fields, before, { ...before, done: true })
    expect(() => checkValues(fields, before, { ...before, title: 'y' })).toThrow(error('title'))
  })
})

describe('a register that is written', () => {
  it.each([
    ['title', 'Hi'],
    ['tags:red', true],
    ['votes:1', 5],
    ['colour', 5],
    ['$deleted', 5],
    // As another version has the field.
    ['tags', 'red'],
    ['title:1', true],
  ])('fits: %s', (key, value) => {
    checkRegister(fields, key, value)
  })

  it.each([
    ['title', 5, 'title'],
    ['cover', 5, 'cover'],
    ['tags:green', true, 'tags'],
  ])('does not fit: %s', (key, value, name) => {
    expect(() => checkRegister(fields, key, value)).toThrow(error(name))
  })
})
