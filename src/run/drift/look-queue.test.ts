import { expect, test } from 'vitest'
import { FakeClock } from '#lib/clock.ts'
import { LookQueue } from './look-queue.ts'

const map = (name: number | string): string => `core/ConfigMap/shop/${name}`
const never = new AbortController().signal
const many = Array.from({ length: 1_000 }, (_, i) => map(i))

test('what was just heard of is taken before all that can wait, and what can wait comes in small lots', async () => {
  const queue = new LookQueue(new FakeClock())
  queue.behind(many)
  const lot = await queue.take(100, never)
  expect(lot.length).toBeLessThanOrEqual(20)
  queue.add([map('edited'), many[999] ?? ''])
  expect(await queue.take(100, never)).toEqual([map('edited'), many[999]])
  queue.add(many.slice(0, 150))
  expect(await queue.take(100, never)).toHaveLength(100)
})

test('what can wait has its turn also where more and more is heard of', async () => {
  const queue = new LookQueue(new FakeClock())
  queue.behind([map('waits')])
  const taken: string[] = []
  for (let i = 0; i < 20 && !taken.includes(map('waits')); i += 1) {
    queue.add([map(i)])
    taken.push(...(await queue.take(1, never)))
  }
  expect(taken).toContain(map('waits'))
})

test('what could not be told is tried later and later, and at once when something is heard of it', async () => {
  const clock = new FakeClock()
  const queue = new LookQueue(clock)
  queue.later(map('a'))
  queue.later(map('a'))
  const taken = queue.take(100, never)
  clock.advance(249)
  queue.add([map('b')])
  expect(await taken).toEqual([map('b')])
  queue.add([map('a')])
  queue.later(map('a'))
  expect(await queue.take(100, never)).toEqual([map('a')])
  clock.advance(999)
  queue.later(map('a'))
  const third = queue.take(100, never)
  clock.advance(1_999)
  queue.add([map('c')])
  expect(await third).toEqual([map('c')])
})
