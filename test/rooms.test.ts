import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { breach, climbs, importsOf, root, rules, sourceFiles } from './rooms.ts'

const files = [...sourceFiles('src'), ...sourceFiles('playground')].filter((file) => !/\.test\.ts$|\/conformance\.ts$/.test(file))

describe('the rooms', () => {
  test('are read: an empty reading would prove nothing', () => {
    expect(files.length).toBeGreaterThan(20)
    expect(files.flatMap(importsOf).length).toBeGreaterThan(50)
  })

  test('are all ruled', () => {
    const rooms = readdirSync(join(root, 'src'), { withFileTypes: true }).filter((entry) => entry.isDirectory()).map((entry) => entry.name)
    expect(rooms.filter((room) => rules[room] === undefined)).toEqual([])
  })

  test('import only what the rule lets them', () => {
    expect(files.flatMap(importsOf).map(breach).filter((reason) => reason !== undefined)).toEqual([])
  })

  test('are held: what would break the rule is seen', () => {
    const broken = [
      { from: 'src/lib/failure.ts', to: 'src/model/plan.ts', typeOnly: true },
      { from: 'src/plan/propose.ts', to: 'src/store/sql.ts', typeOnly: false },
      { from: 'src/run/run.ts', to: 'src/drivers/registry.ts', typeOnly: false },
      { from: 'src/run/run.ts', to: 'src/clients/kubernetes/open.ts', typeOnly: false },
      { from: 'src/drivers/kubernetes/apply.ts', to: 'src/drivers/sql/apply.ts', typeOnly: false },
      { from: 'playground/api/router.ts', to: 'src/model/plan.ts', typeOnly: false },
    ]
    expect(broken.map(breach).filter((reason) => reason === undefined)).toEqual([])
  })

  test('do not read the environment: main.ts alone does, and hands it on', () => {
    const reading = (text: string): boolean => /\bprocess(\.env|\['env'\])|\benv\b[^}\n]*\} = process\b|from 'node:process'/.test(text)
    const sources = files.filter((file) => file.startsWith('src/') && !/fixture|testing/.test(file))
    expect(sources.filter((file) => reading(readFileSync(join(root, file), 'utf8')))).toEqual(['src/main.ts'])
  })

  test('load what is large when it is needed: most control planes never ask MySQL, a forge or a server without HTTP/2', () => {
    const atOnce = (what: RegExp): string[] => files.filter((file) => file.startsWith('src/') && [...readFileSync(join(root, file), 'utf8').matchAll(/^import (?!type ).* from '(.+)'$/gm)].some(([, from = '']) => what.test(from)))
    expect(atOnce(/^(mysql2|undici|@kubernetes\/client-node)$/)).toEqual(['src/clients/kubernetes/http1-connection.ts'])
    expect(atOnce(/\/http1-connection\.ts$/)).toEqual([])
    expect(atOnce(/^pg$/)).not.toEqual([])
  })

  test('import across walls by #room/, never by ../..', () => {
    expect(files.flatMap(importsOf).filter(climbs)).toEqual([])
    const seen = [
      { from: 'src/probes/sql/lag/measure.ts', written: '../../sample.ts', to: 'src/probes/sample.ts' },
      { from: 'src/run/run.ts', written: '../store/runs.ts', to: 'src/store/runs.ts' },
      { from: 'playground/api/admission/testing/x.ts', written: '../../../clock.ts', to: 'playground/clock.ts' },
    ]
    expect(seen.filter((one) => !climbs(one))).toEqual([])
    expect(climbs({ from: 'src/run/drift/tell.ts', written: '../parts.ts', to: 'src/run/parts.ts' })).toBe(false)
  })
})
