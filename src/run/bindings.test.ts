import { describe, expect, test } from 'vitest'
import { Failure } from '#lib/failure.ts'
import type { Held } from '#model/plan.ts'
import { refuseMovedTarget } from './bindings.ts'
import { driverOf } from './work.ts'
import type { Bound } from './work.ts'

const boundTo = (target: string, place: string | Failure): Bound => ({ target, place: () => (typeof place === 'string' ? Promise.resolve(place) : Promise.reject(place)) }) as unknown as Bound
const heldAt = (place: string): Held => ({ place, key: 'core/ConfigMap/shop/a', uid: 'u', environment: 'dev', module: 'shop', desired: {}, fields: [], run: 'run' }) as unknown as Held
const now = boundTo('cluster', 'new')

describe('a module whose target is another place now', () => {
  const refusal = (bindings: readonly Bound[], own: readonly Held[]): Promise<void> => refuseMovedTarget(now, new Map(bindings.map((one) => [one.target, one])), 'shop', own)

  test('is refused while it holds something at its former one: it would be left behind there', async () => {
    await expect(refusal([now, boundTo('old', 'old')], [heldAt('old'), heldAt('new')])).rejects.toMatchObject({
      code: 'target-moved', subject: 'module shop', message: expect.stringContaining('still holds 1 objects'), hint: expect.stringContaining('leave this one out'),
    })
  })

  test('is let be when it holds nothing elsewhere, or only where no target leads any more', async () => {
    await expect(refusal([now, boundTo('old', 'old')], [heldAt('new')])).resolves.toBe(undefined)
    await expect(refusal([now], [heldAt('gone')])).resolves.toBe(undefined)
  })

  test('waits for a target that does not answer: the former place may be behind it', async () => {
    const away = new Failure({ code: 'kubernetes-unreachable', subject: 'cluster', message: 'no answer', retry: 'later' })
    await expect(refusal([now, boundTo('old', away)], [heldAt('old')])).rejects.toBe(away)
  })
})

test('a driver that there is not is named, with those that there are', () => {
  const drivers = [{ id: 'kubernetes' }] as unknown as Parameters<typeof driverOf>[0]['drivers']
  expect(() => driverOf({ drivers }, 'shop', 'kubernets')).toThrow(expect.objectContaining({ code: 'driver-unknown', subject: 'module shop', hint: 'Known drivers: kubernetes.' }))
})
