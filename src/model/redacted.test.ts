import { expect, test } from 'vitest'
import { Failure } from '#lib/failure.ts'
import { redactedDocument, redactedFailure, redactedTrouble } from './redacted.ts'

const redact = (text: string): string => text.replaceAll(/canary|production/g, '*')
const failure = { code: 'probe-failed', subject: 'a canary', message: 'it said canary', hint: 'not canary', retry: 'later', fields: { causes: [{ name: 'canary' }] } }
const hidden = { code: 'probe-failed', subject: 'a *', message: 'it said *', hint: 'not *', retry: 'later', fields: { causes: [{ name: '*' }] } }

test('a document leaves without secrets, and with its names, times and sealed parts', () => {
  const change = { path: 'data.canary', state: 'changed', from: { name: 'canary', list: ['canary', 1, null] }, to: 'canary' }
  const document = { environment: 'production', environments: ['production'], at: '2026-01-01T00:00:00.000Z', note: 'production canary', steps: [{ failure, changes: [change] }], records: ['canary'], checkpoints: [{ payload: 'canary' }], waiting: null }
  expect(redactedDocument(document, redact)).toEqual({
    environment: 'production', environments: ['production'], at: '2026-01-01T00:00:00.000Z', note: '* *', records: ['canary'], checkpoints: [{ payload: 'canary' }], waiting: null,
    steps: [{ failure: hidden, changes: [{ path: 'data.*', state: 'changed', from: { name: '*', list: ['*', 1, null] }, to: '*' }] }],
  })
})

test('what goes to the store is redacted in what systems said, and comes back as it was in all that a plan stands on', () => {
  const effect = { key: 'core/Secret/x/canary', sealed: { uid: 'u', paths: [{ live: { message: 'canary', code: '1' } }] }, changes: [{ to: 'canary' }], refused: failure }
  const sample = { verdict: 'failed', message: 'answered canary', threshold: '= canary', value: 'canary', target: 'GET canary' }
  expect(redactedTrouble({ effect, probes: [{ probe: 'canary', verdict: 'failed', samples: [sample] }], warnings: ['canary'], desired: 'canary' }, redact)).toEqual({
    effect: { ...effect, refused: hidden },
    probes: [{ probe: 'canary', verdict: 'failed', samples: [{ verdict: 'failed', message: 'answered *', threshold: '= *', value: '*', target: 'GET *' }] }],
    warnings: ['*'],
    desired: 'canary',
  })
  expect(redactedTrouble([failure, null, 1, 'canary'], redact)).toEqual([hidden, null, 1, 'canary'])
})

test('a failure leaves without secrets and without its cause', () => {
  const told = redactedFailure(new Failure({ code: 'probe-failed', subject: 'a canary', message: 'it said canary', cause: new Error('canary') }), redact)
  expect(told).toMatchObject({ code: 'probe-failed', subject: 'a *', message: 'it said *' })
  expect(told.cause).toBeUndefined()
})
