import { expect, test } from 'vitest'
import { z } from 'zod'
import { configurationSchemas, parseConfiguration } from './parse.ts'

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

const documents = [
  'apiVersion: plumbline.dev/v1alpha1\nkind: Workspace\nmetadata: { name: shop }\nspec:\n  repositories:\n    platform: { url: ., branch: main, allow: everything }\n    orders: { url: ../o.git, allow: { environments: ["*"], kinds: namespaced }, credentials: { token: { secretRef: "env:T" } } }\n  modules: ["**/module.yaml"]\n',
  'apiVersion: plumbline.dev/v1alpha1\nkind: Environment\nmetadata: { name: production }\nspec:\n  tier: production\n  addresses: { ingress: "http://x" }\n  targets:\n    cluster: { kubernetes: { context: prod } }\n    db: { postgres: { url: { secretRef: "vault:kv/x#url" } } }\n  deliver: { automatic: true, after: { environment: staging, verifiedFor: 10m } }\n  drift: { hotfix: hold }\n',
  'apiVersion: plumbline.dev/v1alpha1\nkind: Module\nmetadata: { name: api, labels: { team: orders } }\nspec:\n  target: cluster\n  source: { path: "overlays/${environment}" }\n  probes:\n    - { name: up, http: { address: ingress }, within: 60s }\n  secrets:\n    - { name: s, keys: { url: { secretRef: "env:X#y" } } }\n',
]
const swaps = ['null', '5', '-1', '[]', '{}', '"x"', 'true', '~', '1e400', '*a', '&a x', '{ a: { b: [1, { c: 2 }] } }', '"${', '!!binary aGk=', '"\\0"', '__proto__', 'constructor', 'toString', '[[[[1]]]]', 'x'.repeat(300)]

test('every document, however bent, is read or refused with placed problems, soon', { timeout: 60_000 }, () => {
  const schemas = configurationSchemas({ http: z.strictObject({ address: z.string() }), tcp: z.strictObject({ address: z.string() }) })
  const codes = new Set<string>()
  let whole = 0
  let slowest = 0
  for (let seed = 1; seed <= 3_000; seed += 1) {
    const next = random(seed)
    const parts = (documents[next(documents.length)] ?? '').split(/(\s+|[{}[\],:])/)
    for (let change = next(4); change > 0; change -= 1) {
      const at = next(parts.length)
      if (next(4) === 0) parts.splice(at, 1)
      else parts[at] = next(3) === 0 ? (parts[next(parts.length)] ?? '') : (swaps[next(swaps.length)] ?? '')
    }
    const text = parts.join('')
    const started = performance.now()
    const parsed = parseConfiguration(Buffer.from(text), { repository: 'r', file: 'f.yaml' }, schemas)
    slowest = Math.max(slowest, performance.now() - started)
    if (parsed.problems.length === 0) whole += 1
    expect(parsed.broken.length > 0, `seed ${seed}: ${text}`).toBe(parsed.problems.length > 0)
    for (const problem of parsed.problems) {
      codes.add(problem.code)
      expect(problem.subject, `seed ${seed}: ${text}`).toMatch(/^r\/f\.yaml(:\d+:\d+)?$/)
      expect(problem.message, `seed ${seed}: ${text}`).not.toMatch(/undefined|Invalid input|\[object/)
    }
  }
  expect(whole).toBeGreaterThan(100)
  expect([...codes].sort()).toEqual(['configuration-invalid', 'yaml-invalid'])
  expect(slowest).toBeLessThan(2_000)
})
