import { expect, test } from 'vitest'
import { touchedModules } from './changes.ts'

const module = (name: string, ...paths: string[]): { name: string; repository: string; paths: string[] } => ({ name, repository: 'orders', paths })

test.each<[string, string[], string[], boolean]>([
  ['a file that was read', ['base/a.yaml'], ['base/a.yaml'], true],
  ['a file beside one that was read', ['base/a.yaml'], ['base/a.yaml.orig', 'base/b.yaml', 'base'.repeat(2)], false],
  ['a file below a folder that was read', ['base'], ['base/deep/down/b.yaml'], true],
  ['a folder whose name only begins alike', ['base'], ['base-2/a.yaml', 'bas'], false],
  ['a folder above that became a link', ['overlays/prod/base/a.yaml'], ['overlays/prod'], true],
  ['a file that was looked for and not found', ['app/kustomization.yaml'], ['app/kustomization.yaml'], true],
  ['anything, for a module that read the root', [''], ['x'], true],
  ['anything, for a module that read `.`', ['.'], ['x/y'], true],
  ['nothing at all', ['base'], [], false],
  ['paths written with a slash at the end or `./` before', ['./base/'], ['base/a'], true],
])('%s', (_, reads, changed, touched) => {
  expect(touchedModules({ orders: changed }, [module('m', ...reads)])).toEqual(touched ? ['m'] : [])
})

test('a change in another repository touches nothing, and the order is that of the modules', () => {
  const modules = [module('z', 'a'), { ...module('y', 'a'), repository: 'storefront' }, module('b', 'a')]
  expect(touchedModules({ orders: ['a'] }, modules)).toEqual(['z', 'b'])
  expect(touchedModules({ platform: ['a'] }, modules)).toEqual([])
})

test('a thousand modules and ten thousand paths take no time', () => {
  const modules = Array.from({ length: 1_000 }, (_, index) => module(`m${index}`, 'base', ...Array.from({ length: 20 }, (_, file) => `apps/a${index}/f${file}.yaml`)))
  const changed = Array.from({ length: 10_000 }, (_, index) => `docs/d${index}/deep/file.md`)
  const start = performance.now()
  expect(touchedModules({ orders: [...changed, 'apps/a7/f3.yaml'] }, modules)).toEqual(['m7'])
  expect(performance.now() - start).toBeLessThan(2_000)
})
