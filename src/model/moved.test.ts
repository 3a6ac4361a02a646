import { expect, test } from 'vitest'
import type { JsonObject } from '#lib/json.ts'
import { moved, seal } from './moved.ts'
import type { Observation, Owner } from './plan.ts'

const key = 'core/Secret/shop/db'
const own: Owner = { manager: 'plumbline', operation: 'Apply', subresource: '', paths: ['data.url', 'spec.replicas'] }
function present(body: JsonObject, owners: Owner[] = [own], uid = 'u1', version = '1'): Observation {
  return { key, state: 'present', uid, version, body, owners, delegated: [], terminating: false }
}
const paths = ['spec.replicas', 'data.url', 'spec.gone']
const body = { data: { url: 'hmac:aaaa' }, spec: { replicas: 2 } }

test('what is as it was has not moved; the version and undeclared fields do not count', () => {
  const sealed = seal(present(body), paths)
  expect(sealed).toEqual({
    uid: 'u1',
    paths: [
      { path: 'data.url', live: 'hmac:aaaa', owners: ['plumbline'] },
      { path: 'spec.gone', owners: [] },
      { path: 'spec.replicas', live: 2, owners: ['plumbline'] },
    ],
  })
  expect(moved(sealed!, present({ ...body, status: { ready: 1 } }, [own], 'u1', '7'))).toBeUndefined()
})

test.each<[string, Observation, RegExp]>([
  ['a value', present({ ...body, spec: { replicas: 5 } }), /live value of spec\.replicas changed/],
  ['a value that appeared', present({ ...body, spec: { replicas: 2, gone: 1 } }), /live value of spec\.gone/],
  ['an owner that came', present(body, [own, { ...own, manager: 'kubectl', paths: ['spec.replicas'] }]), /owners of spec\.replicas changed.*plumbline before, kubectl, plumbline now/],
  ['an owner that went', present(body, [{ ...own, paths: ['data.url'] }]), /owners of spec\.replicas.*nobody now/],
  ['the same manager by another operation', present(body, [{ ...own, operation: 'Update' }]), /plumbline\/Update/],
  ['another object of that name', present(body, [own], 'u2'), /UID differs/],
  ['an object that is gone', { key, state: 'absent' }, /is gone/],
  ['what could not be read', { key, state: 'unknown', failure: { code: 'x', subject: 'y', message: 'z', retry: 'later' } }, /could not be read/],
  ['what is not served', { key, state: 'deferred', reason: 'no kind' }, /not served/],
])('%s has moved', (_name, now, sentence) => {
  expect(moved(seal(present(body), paths)!, now)).toMatch(sentence)
})

test('an object that was to be created', () => {
  const sealed = seal({ key, state: 'absent' }, paths)!
  expect(sealed).toEqual({ uid: null, paths: [] })
  expect(moved(sealed, { key, state: 'absent' })).toBeUndefined()
  expect(moved(sealed, present(body))).toMatch(/exists by now/)
})

test('of what is not known nothing is sealed', () => {
  expect(seal({ key, state: 'deferred', reason: 'no kind' }, paths)).toBeUndefined()
})

test('no value is told, not even as a digest', () => {
  expect(moved(seal(present(body), paths)!, present({ ...body, data: { url: 'hmac:bbbb' } }))).not.toMatch(/hmac/)
})
