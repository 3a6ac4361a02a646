import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { observed } from './observed.ts'
import { withDigests, withoutStringData } from './secret-values.ts'

const digest = (value: string) => `hmac:${createHash('sha256').update(value).digest('hex')}`
const base64 = (text: string) => Buffer.from(text).toString('base64')
const secret = (more: object) => ({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'x', namespace: 'n' }, type: 'Opaque', ...more })

test('what is written as text, as Base64, or as Base64 with line breaks, has one digest', () => {
  const once = withDigests(secret({ data: { url: base64('canary-canary') } }), digest)
  expect(withDigests(secret({ stringData: { url: 'canary-canary' } }), digest)).toEqual(once)
  expect(withDigests(secret({ data: { url: `${base64('canary-canary').slice(0, 8)}\n${base64('canary-canary').slice(8)}` } }), digest)).toEqual(once)
  expect(once).toMatchObject({ data: { url: { digest: expect.stringMatching(/^hmac:/) } }, type: 'Opaque' })
  expect(once).not.toHaveProperty('stringData')
})

test('bytes that are no text are told apart', () => {
  const bytes = (...values: number[]) => withDigests(secret({ data: { key: Buffer.from(values).toString('base64') } }), digest)
  expect(bytes(0xff, 0x01)).not.toEqual(bytes(0xfe, 0x01))
  expect(bytes(0xff, 0x01)).toEqual(bytes(0xff, 0x01))
})

test('texts are sent over data, as the server would have it', () => {
  expect(withoutStringData(secret({ data: { a: 'x', b: 'y' }, stringData: { a: 'z' } }))['data']).toEqual({ a: base64('z'), b: 'y' })
  const map = { apiVersion: 'v1', kind: 'ConfigMap', data: { a: 'x' } }
  expect(withoutStringData(map)).toBe(map)
  expect(withDigests(map, digest)).toBe(map)
})

test('no value of a Secret is in what is observed, also not where kubectl wrote it down once more', () => {
  const canary = base64('correct-horse')
  const live = secret({ data: { url: canary } })
  const annotated = { ...live, metadata: { ...live.metadata, uid: 'u', resourceVersion: '1', annotations: { other: 'kept', 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify(live) } } }
  const seen = observed('core/Secret/n/x', annotated, () => 'hmac:0')
  expect(JSON.stringify(seen)).not.toContain(canary)
  expect(seen).toMatchObject({ state: 'present', body: { metadata: { annotations: { other: 'kept', 'kubectl.kubernetes.io/last-applied-configuration': 'hmac:0' } }, data: { url: { digest: 'hmac:0' } } } })
})

test('ownership that cannot be read makes an object unknown', () => {
  const live = { metadata: { uid: 'u', managedFields: [{ manager: 'm', operation: 'Apply', fieldsV1: { 'x:y': {} } }] } }
  expect(observed('core/ConfigMap/n/x', live, digest)).toMatchObject({ state: 'unknown', failure: { code: 'managed-fields-invalid' } })
})
