import { describe, expect, test } from 'vitest'
import { FakeClock, systemClock } from './clock.ts'
import { digestOf, digestOfBytes } from './digest.ts'
import { Failure, asFailure } from './failure.ts'
import { newId } from './ids.ts'
import { canonicalJson, equalJson } from './json.ts'

describe('canonical JSON', () => {
  test('is one text for one value, whatever the order of its keys', () => {
    expect(canonicalJson({ b: [1, { d: null, c: 'é' }], a: true, gone: undefined })).toBe('{"a":true,"b":[1,{"c":"é","d":null}]}')
    expect(digestOf({ a: 1, b: 2 })).toBe(digestOf({ b: 2, a: 1 }))
    expect(digestOf({ a: 1 })).not.toBe(digestOf({ a: '1' }))
    expect(digestOfBytes('')).toBe('sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
  })

  test('refuses what is not JSON', () => {
    for (const value of [NaN, Infinity, 1n, () => 1]) expect(() => canonicalJson({ value })).toThrow(TypeError)
  })

  test('compares by value', () => {
    expect(equalJson({ a: [1], b: 2 }, { b: 2, a: [1] })).toBe(true)
    expect([equalJson([], {}), equalJson(null, {}), equalJson(1, '1'), equalJson([1, 2], [2, 1])]).toEqual([false, false, false, false])
  })
})

describe('a failure', () => {
  test('is stored without its cause, which may hold anything', () => {
    const failure = new Failure({ code: 'internal', subject: 'x', message: 'm', cause: new Error('secret') })
    expect(JSON.stringify(failure)).toBe('{"code":"internal","subject":"x","message":"m","retry":"never"}')
  })

  test('is what it was, and anything else is a defect of ours', () => {
    const failure = new Failure({ code: 'store-locked', subject: 'x', message: 'm' })
    expect(asFailure(failure, 'y')).toBe(failure)
    expect(asFailure(new TypeError('oops'), 'y')).toMatchObject({ code: 'internal', subject: 'y', message: 'oops' })
    expect(asFailure('text', 'y')).toMatchObject({ code: 'internal', message: 'text' })
  })
})

test('ids sort by the time of their birth, and do not repeat', () => {
  const ids = Array.from({ length: 2000 }, (_, index) => newId('run', 1_790_000_000_000 + index))
  expect([...ids].sort()).toEqual(ids)
  expect(new Set(Array.from({ length: 2000 }, () => newId('run', 1_790_000_000_000))).size).toBeGreaterThan(1990)
  expect(newId('run', 0)).toMatch(/^run-[0-9a-z]{14}$/)
})

describe('a clock', () => {
  test('that is fake wakes sleepers in the order of their time, and no other', async () => {
    const clock = new FakeClock(0)
    const woken: number[] = []
    for (const ms of [30, 10, 20, 99]) void clock.sleep(ms).then(() => woken.push(ms))
    clock.advance(30)
    await new Promise(setImmediate)
    expect(woken).toEqual([10, 20, 30])
    expect(clock.now()).toBe(30)
  })

  test('stops sleeping when its signal ends, with the signal’s reason', async () => {
    for (const clock of [new FakeClock(), systemClock]) {
      const controller = new AbortController()
      const sleeping = clock.sleep(60_000, controller.signal)
      controller.abort(new Error('enough'))
      await expect(sleeping).rejects.toThrow('enough')
      await expect(clock.sleep(1, AbortSignal.abort(new Error('before')))).rejects.toThrow('before')
    }
  })
})
