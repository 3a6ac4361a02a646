import { expect, test } from 'vitest'
import { Turns } from './turns.ts'

test('at most one at a time for each name, also where work needs several', async () => {
  const turns = new Turns()
  const busy = new Map<string, number>()
  let most = 0
  let done = 0
  const work = async (names: readonly string[]): Promise<void> =>
    turns.take(names, async () => {
      for (const name of names) busy.set(name, (busy.get(name) ?? 0) + 1)
      most = Math.max(most, ...busy.values())
      await new Promise((resolve) => setImmediate(resolve))
      for (const name of names) busy.set(name, (busy.get(name) ?? 0) - 1)
      done += 1
    })
  await Promise.all([work(['a', 'b']), work(['b', 'a']), work(['a']), work(['b', 'c']), work(['c', 'a']), work([])])
  expect([most, done]).toEqual([1, 6])
  expect(turns.isCrowded(['a', 'b', 'c'])).toBe(false)
})

test('who fails holds up nobody', async () => {
  const turns = new Turns()
  await expect(turns.take(['a'], () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(await turns.take(['a'], async () => 'next')).toBe('next')
})

test('a target for which many wait is crowded', async () => {
  const turns = new Turns()
  const gate = Promise.withResolvers<void>()
  const waiting = Array.from({ length: 4 }, () => turns.take(['a'], () => gate.promise))
  expect([turns.isCrowded(['b']), turns.isCrowded(['b', 'a'])]).toEqual([false, true])
  gate.resolve()
  await Promise.all(waiting)
})
