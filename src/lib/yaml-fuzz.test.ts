import { expect, test } from 'vitest'
import { Failure } from './failure.ts'
import { canonicalJson } from './json.ts'
import { readYaml } from './yaml.ts'

/** A small generator (mulberry32), so that a failing round can be run again. */
function random(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

const pieces = [
  'a', ': ', ':', '\n', '\n  ', '\n    ', '- ', '? ', '[', ']', '{', '}', ', ', '&a ', '*a', '<<: ', '!!int ', '!b ', '!!binary ', '"', "'", '|\n', '>-\n', '#', ' ', '\t', '---\n', '...\n',
  '%TAG ! x\n', '0x1', '.inf', 'yes', '~', '\r\n', '\u{feff}', '\0', '\\u12', 'é', '\u{1f600}', '1e9', '__proto__: 1', 'constructor: 1',
]

test('bytes of every sort end in documents of plain JSON or in a Failure, soon', { timeout: 60_000 }, () => {
  const outcomes = { read: 0, refused: 0 }
  let slowest = 0
  for (let seed = 1; seed <= 6_000; seed += 1) {
    const next = random(seed)
    const text = Array.from({ length: 1 + next(60) }, () => pieces[next(pieces.length)]).join('')
    const bytes = Buffer.from(text)
    for (let flip = next(3); flip > 0; flip -= 1) bytes[next(bytes.length)] = next(256)
    const started = performance.now()
    try {
      const documents = readYaml(bytes, { file: 'f', rules: seed % 2 === 0 ? '1.1' : '1.2' })
      for (const document of documents) expect(JSON.parse(canonicalJson(document.value))).toEqual(document.value)
      outcomes.read += 1
    } catch (error) {
      if (!(error instanceof Failure)) throw new Error(`seed ${seed}: ${String(error)}\n${JSON.stringify(text)}`, { cause: error })
      outcomes.refused += 1
    }
    slowest = Math.max(slowest, performance.now() - started)
  }
  expect(outcomes.read).toBeGreaterThan(100)
  expect(outcomes.refused).toBeGreaterThan(100)
  expect(slowest).toBeLessThan(2_000)
})
