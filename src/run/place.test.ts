import { expect, test } from 'vitest'
import type { Driver, DriverCall, Identity } from '#drivers/driver.ts'
import { Failure } from '#lib/failure.ts'
import { describeStores } from '../../test/stores.ts'
import { placeOf } from './place.ts'

/** A driver that tells what it is told to tell. */
function fakeDriver(answer: Identity | Failure): Driver {
  return { id: 'fake', identify: () => (answer instanceof Failure ? Promise.reject(answer) : Promise.resolve(answer)) } as unknown as Driver
}

describeStores('The place behind a target', ({ store }) => {
  const asked = async (answer: Identity | Failure): Promise<string> => placeOf({ sql: await store() }, fakeDriver(answer), {} as DriverCall, 'cluster')

  test('is remembered: it is the same when it may not be read any more, and by whatever way it is reached', async () => {
    expect(await asked({ address: 'a', place: 'p-1' })).toBe('p-1')
    expect(await asked({ address: 'a' })).toBe('p-1')
    expect(await asked({ address: 'b', place: 'p-1' })).toBe('p-1')
    expect(await asked({ address: 'b' })).toBe('p-1')
  })

  test('is another one when another one is there', async () => {
    expect(await asked({ address: 'c', place: 'p-2' })).toBe('p-2')
    expect(await asked({ address: 'c', place: 'p-3' })).toBe('p-3')
    expect(await asked({ address: 'c' })).toBe('p-3')
  })

  test('that was never told has no name, and one that does not answer has none just now', async () => {
    await expect(asked({ address: 'nobody knows' })).rejects.toMatchObject({ code: 'place-unknown', subject: 'target cluster', retry: 'later' })
    const away = new Failure({ code: 'kubernetes-unreachable', subject: 'cluster', message: 'no answer', retry: 'later' })
    expect(await asked({ address: 'd', place: 'p-4' })).toBe('p-4')
    await expect(asked(away)).rejects.toBe(away)
  })
})
