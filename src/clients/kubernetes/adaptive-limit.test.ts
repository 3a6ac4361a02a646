import { expect, test } from 'vitest'
import { AdaptiveLimit } from './adaptive-limit.ts'

const never = new AbortController().signal

test('no more requests go out than the limit, and who waits comes in order', async () => {
  const limit = new AdaptiveLimit(2, 16)
  const [first, second] = await Promise.all([limit.enter(never), limit.enter(never)])
  const order: string[] = []
  const third = limit.enter(never).then((leave) => (order.push('third'), leave))
  const fourth = limit.enter(never).then((leave) => (order.push('fourth'), leave))
  await Promise.resolve()
  expect(order).toEqual([])
  first('fine')
  first('fine')
  await third
  expect(limit.inFlight).toBe(2)
  second('fine')
  await fourth
  expect(order).toEqual(['third', 'fourth'])
})

test('rounds that go well raise it, to the most and no further', async () => {
  const limit = new AdaptiveLimit(8, 16)
  for (let request = 0; request < 500; request += 1) (await limit.enter(never))('fine')
  expect(limit.limit).toBe(16)
})

test('one burst of 429s halves it once, the next burst again, and it never reaches nothing', async () => {
  const limit = new AdaptiveLimit(8, 16)
  const burst = async (size: number) => {
    const leaves = await Promise.all(Array.from({ length: size }, () => limit.enter(never)))
    for (const leave of leaves) leave('pushed-back')
  }
  await burst(8)
  expect(limit.limit).toBe(4)
  await burst(4)
  expect(limit.limit).toBe(2)
  for (let again = 0; again < 5; again += 1) await burst(1)
  expect(limit.limit).toBe(1)
})

test('a slow answer takes a quarter', async () => {
  const limit = new AdaptiveLimit(8, 16)
  const leave = await limit.enter(never)
  leave('slow')
  expect(limit.limit).toBe(6)
})

test('who gives up while waiting leaves the queue, and takes no place', async () => {
  const limit = new AdaptiveLimit(1, 16)
  const leave = await limit.enter(never)
  const gone = new AbortController()
  const waiting = limit.enter(gone.signal)
  gone.abort(new Error('enough'))
  await expect(waiting).rejects.toThrow('enough')
  leave('fine')
  expect(limit.inFlight).toBe(0)
  await limit.enter(never)
  expect(limit.inFlight).toBe(1)
})
