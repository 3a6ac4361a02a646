import { describe, expect, test } from 'vitest'
import type { Action, Effect } from '#model/plan.ts'
import { duplicates, type Declared } from './duplicates.ts'
import { affected, needed, orderModules, waves, type Dependent } from './order.ts'

const modules = (text: string): Dependent[] => text.split(' ').map((one) => {
  const [name = '', on = ''] = one.split(':')
  return { name, dependsOn: on === '' ? [] : on.split(',') }
})
const order = (text: string, elsewhere: string[] = []): string => orderModules(modules(text), new Set(elsewhere)).map(({ name }) => name).join(' ')

describe('the order of modules', () => {
  test.each([
    ['web:api api:db db', 'db api web'],
    ['c b a', 'a b c'],
    ['a:z z b', 'b z a'],
    ['d:b,c c:a b:a a', 'a b c d'],
    ['web:orders', 'web'],
  ])('%s', (text, expected) => {
    expect(order(text, ['orders'])).toBe(expected)
    expect(order(text.split(' ').reverse().join(' '), ['orders'])).toBe(expected)
  })
  test('a circle is named, from its least name on, and only the circle', () => {
    for (const text of ['d:c c:b b:a a:c x', 'x a:c b:a c:b d:c']) expect(() => order(text)).toThrow(/in a circle: a -> c -> b -> a$/)
    expect(() => order('a:a')).toThrow(/circle: a -> a$/)
  })
  test('an unknown module is named with the nearest one', () => {
    expect(() => order('web:ordres orders')).toThrow(expect.objectContaining({ code: 'dependency-unknown', hint: 'Did you mean “orders”?' }))
  })
  test('what a change affects: itself and all that depend on it, however far', () => {
    const all = modules('db api:db web:api docs other:docs')
    expect(affected(['db'], all)).toEqual(['api', 'db', 'web'])
    expect(affected(['web', 'docs'], all)).toEqual(['docs', 'other', 'web'])
    expect(affected(['gone'], all)).toEqual([])
    expect(affected(['a'], modules('a:b b:a'))).toEqual(['a', 'b'])
  })
})

const effect = (key: string, action: Action = 'created'): Effect => ({ key, module: 'm', action, changes: [], omit: [], force: false, holdsState: false })

test('waves: namespaces and definitions, then kind by kind, then deletions the other way round', () => {
  const keys = ['example.dev/Widget/a/w', 'apps/Deployment/a/d', 'core/Namespace//a', 'core/Service/a/s', 'core/Secret/a/s', 'core/ConfigMap/a/c', 'apiextensions.k8s.io/CustomResourceDefinition//x', 'admissionregistration.k8s.io/ValidatingWebhookConfiguration//v', 'core/ServiceAccount/a/s']
  const deleted = ['core/Namespace//old', 'apps/Deployment/a/old', 'example.dev/Widget/a/old']
  const effects = [...deleted.map((key) => effect(key, 'deleted')), ...keys.map((key) => effect(key))]
  const expected = [
    ['apiextensions.k8s.io/CustomResourceDefinition//x', 'core/Namespace//a'],
    ['core/ServiceAccount/a/s'],
    ['core/ConfigMap/a/c', 'core/Secret/a/s'],
    ['core/Service/a/s'],
    ['apps/Deployment/a/d'],
    ['example.dev/Widget/a/w'],
    ['admissionregistration.k8s.io/ValidatingWebhookConfiguration//v'],
    ['example.dev/Widget/a/old'],
    ['apps/Deployment/a/old'],
    ['core/Namespace//old'],
  ]
  expect(waves(effects).map((wave) => wave.map(({ key }) => key))).toEqual(expected)
  expect(waves(effects.toReversed()).map((wave) => wave.map(({ key }) => key))).toEqual(expected)
  expect(waves([])).toEqual([])
})

test('an object that is declared twice is refused with both names, files and lines; at two places it is two objects', () => {
  const declare = (module: string, file: string, place = 'c', key = 'core/ConfigMap/a/b'): Declared => ({ place, module, desired: { key, origin: { repository: 'shop', file, line: 3 } } })
  expect(duplicates([declare('a', 'a.yaml'), declare('b', 'b.yaml', 'd'), declare('b', 'c.yaml', 'c', 'core/ConfigMap/a/c')])).toEqual([])
  const [failure, ...more] = duplicates([declare('b', 'b.yaml'), declare('a', 'a.yaml')])
  expect(more).toEqual([])
  expect(failure).toMatchObject({ code: 'object-declared-twice', subject: 'ConfigMap a/b', message: 'ConfigMap a/b is declared twice: by a (shop: a.yaml:3) and by b (shop: b.yaml:3)' })
  expect(duplicates([declare('a', 'a.yaml'), declare('a', 'b.yaml')])[0]?.hint).toMatch(/all but one of them from a/)
})

test('what modules need is all that they depend on, and not they themselves', () => {
  const all = modules('base web:base shop:web,pay pay:base lonely')
  expect(needed(['shop'], all)).toEqual(['base', 'pay', 'web'])
  expect(needed(['web', 'base'], all)).toEqual([])
  expect(needed(['lonely', 'gone'], all)).toEqual([])
})
