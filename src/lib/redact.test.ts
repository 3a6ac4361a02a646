import { expect, test } from 'vitest'
import { Redactor } from './redact.ts'

const redactor = (...values: string[]): Redactor => {
  const made = new Redactor()
  for (const value of values) made.add(value)
  return made
}

test('a value is taken out in every form that sinks write it', () => {
  const value = 'p@ss "word"/+\u00fc'
  const text = [value, encodeURIComponent(value), Buffer.from(value).toString('base64'), Buffer.from(value).toString('base64url'), JSON.stringify({ value })].join('\n')
  expect(redactor(value).redact(text)).toBe('[redacted]\n[redacted]\n[redacted]\n[redacted]\n{"value":"[redacted]"}')
})

test('a value that is a part of another leaves nothing of the other behind', () => {
  expect(redactor('token', 'token-and-more').redact('a token-and-more, a token')).toBe('a [redacted], a [redacted]')
  expect(redactor('redacted', 'secret').redact('secret redacted')).toBe('[redacted] [redacted]')
})

test('every line of a key is taken out, also alone', () => {
  const key = '-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0\nAAAAB3NzaC1yc2EAAAADAQAB\n-----END KEY-----\n'
  expect(redactor(key).redact('ssh said: MIIEvQIBADANBgkqhkiG9w0!')).toBe('ssh said: [redacted]!')
  expect(redactor(key).redact(`all: ${key}`)).not.toContain('MII')
})

test('characters that mean something in a pattern mean themselves', () => {
  expect(redactor('a.*b$(c)[d]|{e}\\').redact('axxb a.*b$(c)[d]|{e}\\')).toBe('axxb [redacted]')
})

test('text without values is as it was, and a value that is too short to be one does not shred it', () => {
  expect(redactor().redact('as it was')).toBe('as it was')
  expect(redactor('', 'a', 'as').redact('as it was')).toBe('as it was')
  expect(redactor('\ud800 lone surrogate').redact('x \ud800 lone surrogate')).toBe('x [redacted]')
})
