import { describe, expect, test } from 'vitest'
import { Redactor } from './redact.ts'

const redactor = (...values: string[]): Redactor => {
  const made = new Redactor()
  for (const value of values) made.add(value)
  return made
}

test('a value is taken out in every form that sinks write it', () => {
  const value = 'p@ss "word"/+<\u00fc'
  const base64 = Buffer.from(value).toString('base64')
  const forms = [
    value, encodeURIComponent(value), encodeURIComponent(value).toLowerCase(), new URLSearchParams({ v: value }).toString().slice(2), base64, Buffer.from(value).toString('base64url'),
    JSON.stringify(value).slice(1, -1), JSON.stringify(JSON.stringify(value)).slice(3, -3), 'p@ss \\"word\\"/+\\u003c\\u00fc', 'p@ss &#34;word&#34;/+&lt;\u00fc', 'p@ss &quot;word&quot;/+&lt;\u00fc',
  ]
  expect(redactor(value).redact(forms.join('\n')).split('\n').map((line) => line.replace(/=*$/, ''))).toEqual(forms.map(() => '[redacted]'))
})

test('a value is shown by its name, where it has one', () => {
  const made = new Redactor()
  made.add('canary-77aa', 'env:TOKEN')
  made.add('canary-77aa', 'env:OTHER')
  expect(made.redact('it was canary-77aa!')).toBe('it was [secret env:TOKEN]!')
})

test.each(['', 'u:', 'us:', 'user:', 'Bearer '])('Base64 of a text that the value is in tells nothing of it: %j before it', (before) => {
  const value = 'canary-token-93'
  for (const after of ['', '.', '..', ' and more']) {
    const said = redactor(value).redact(`Basic ${Buffer.from(before + value + after).toString('base64')} was sent`)
    expect(said).toContain('[redacted]')
    const left = said.replace('Basic ', '').replace(' was sent', '').split('[redacted]').map((one) => Buffer.from(one, 'base64').toString())
    expect(left.join(' ')).not.toMatch(/can|ary|tok|ken|-93/)
  }
})

test('a value that is a part of another leaves nothing of the other behind', () => {
  expect(redactor('a-token', 'a-token-and-more').redact('a a-token-and-more, a a-token')).toBe('a [redacted], a [redacted]')
  expect(redactor('redacted', 'secrets!').redact('secrets! redacted')).toBe('[redacted] [redacted]')
})

test('what a value is made of is taken out too: lines of a key, the password of a URL, texts of a document, what a variable is set to', () => {
  const key = '-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0\nAAAAB3NzaC1yc2EAAAADAQAB\n-----END KEY-----\n'
  expect(redactor(key).redact('ssh said: MIIEvQIBADANBgkqhkiG9w0!')).toBe('ssh said: [redacted]!')
  expect(redactor(key).redact(`all: ${key}`)).not.toContain('MII')
  const url = redactor('postgres://shop:p%40ss-w0rd!x@db.example/orders')
  expect(url.redact('postgres://shop:p%40ss-w0rd!x@db.example/orders')).toBe('[redacted]')
  expect(url.redact('no entry for p%40ss-w0rd!x, p@ss-w0rd!x')).toBe('no entry for [redacted], [redacted]')
  expect(redactor('postgres://shop:w@rd/4711?#@db/orders').redact('w@rd/4711?#')).toBe('[redacted]')
  expect(redactor('{ "user": "u", "key": "canary-in-json" }').redact('got canary-in-json')).toBe('got [redacted]')
  expect(redactor('USER=u\nPASSWORD="canary-in-file"\n').redact('got canary-in-file')).toBe('got [redacted]')
})

test('a long value that was cut is taken out as far as it goes', () => {
  const token = Array.from({ length: 40 }, (_, index) => (index * 7919).toString(36)).join('-')
  for (const length of [32, 50, 64, 79, 100, token.length]) expect(redactor(token).redact(`header x is \u201c${token.slice(0, length)}\u2026, expected`)).toBe('header x is \u201c[redacted]\u2026, expected')
})

describe('short values', () => {
  test('of less than eight characters count where they stand alone, and of less than four nowhere', () => {
    expect(redactor('4711').redact('pin 4711, order 14711, 4711a')).toBe('pin [redacted], order 14711, 4711a')
    expect(redactor('', 'a', 'as').redact('as it was')).toBe('as it was')
  })

  test('text without values is as it was', () => {
    expect(redactor().redact('as it was')).toBe('as it was')
    expect(redactor('\ud800 lone surrogate').redact('x \ud800 lone surrogate')).toBe('x [redacted]')
    expect(redactor('abcdefgh').redact('abc')).toBe('abc')
  })
})

test('characters that mean something in a pattern mean themselves', () => {
  expect(redactor('a.*b$(c)[d]|{e}\\').redact('axxb a.*b$(c)[d]|{e}\\')).toBe('axxb [redacted]')
})

test('of very many values the newest are known, and text is still read in one pass', () => {
  const made = new Redactor(200)
  for (let index = 0; index < 300; index += 1) made.add(`canary-number-${index}-of-many`)
  expect(made.redact('canary-number-0-of-many')).toBe('canary-number-0-of-many')
  expect(made.redact(`${'some text '.repeat(10_000)}canary-number-299-of-many`)).toMatch(/text \[redacted\]$/)
})
