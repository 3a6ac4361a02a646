import { afterAll, describe, expect, test } from 'vitest'
import { openCel } from './cel.ts'
import { Quantity } from './cel-library/quantity.ts'

const cel = openCel({ timeoutMs: 400 })
afterAll(() => cel.close())

const object = { spec: { memory: '512Mi', cpu: '500m', replicas: [1, 2, 3], shares: [0.5, 1], names: ['b', 'a'], image: 'registry/orders:1.2.3', ports: [{ port: 80, name: 'web' }, { port: 81 }] } }

describe('CEL beyond the standard', () => {
  test.each([
    ['quantity(object.spec.memory).isLessThan(quantity("1Gi"))', true],
    ['quantity(object.spec.cpu).add(quantity("0.5")).compareTo(quantity("1")) == 0', true],
    ['quantity("1Ki").sub(24).asInteger()', 1000],
    ['quantity("1.5").asApproximateFloat()', 1.5],
    ['quantity("-1").sign()', -1],
    ['quantity("1").isInteger() && !quantity("1m").isInteger()', true],
    ['isQuantity("1Gi") && !isQuantity("1 Gi") && !isQuantity("1GI")', true],
    ['quantity("2k")', '2000'],
    ['object.spec.replicas.sum()', 6],
    ['object.spec.shares.sum()', 1.5],
    ['object.spec.replicas.map(r, r * 2).max()', 6],
    ['object.spec.names.min()', 'a'],
    ['object.spec.replicas.isSorted() && !object.spec.names.isSorted() && [].isSorted()', true],
    ['[].sum()', 0],
    ['object.spec.image.find("[0-9.]+$")', '1.2.3'],
    ['object.spec.image.find("z")', ''],
    ['object.spec.image.findAll("[0-9]")', ['1', '2', '3']],
    ['has(object.spec.ports[0].name) && !has(object.spec.ports[1].name)', true],
    ['object.spec.ports.all(p, has([p][0].port))', true],
    ['has({"a": 1}.a) && !has([{"a": 1}][0].b)', true],
    ['object.spec.image.findAll("[0-9]", 2)', ['1', '2']],
  ])('%s', async (expression, value) => {
    expect(await cel.evaluate(expression, { object })).toEqual(value)
  })

  test.each([['quantity("x")'], ['quantity("0.5").asInteger()'], ['[].max()'], ['[1, "a"].max()'], ['[{}].min()'], ['["a"].sum()'], ['"a".find("(")'], ['has([{"a": 1}][0].b.c)'], ['has([{"a": 1}][1].a)']])('%s fails', async (expression) => {
    await expect(cel.evaluate(expression, {})).rejects.toMatchObject({ code: 'cel-failed' })
  })

  test('finding ends at the time limit, too', async () => {
    await expect(cel.evaluate(`"${'a'.repeat(60)}!".find("^(a+)+$")`, {})).rejects.toMatchObject({ code: 'cel-timeout' })
  })
})

describe('quantities', () => {
  test.each([['1', 1], ['+1', 1], ['-1.5', -1.5], ['.5', 0.5], ['1.', 1], ['100m', 0.1], ['1u', 0.000001], ['1n', 1e-9], ['0.1n', 1e-9], ['1e3', 1000], ['1E3', 1000], ['12e-3', 0.012], ['1E', 1e18], ['1Ei', 2 ** 60], ['1.5Mi', 1.5 * 2 ** 20]])('%s is %d', (text, value) => {
    expect(Quantity.read(text)?.asFloat()).toBeCloseTo(value, 12)
  })

  test('what is none is not read', () => {
    expect(['', '.', '-', 'k', '1K', '1ki', '1 k', '1e', '0x1', '1.2.3', '١', '1'.repeat(200)].filter((text) => Quantity.read(text) !== undefined)).toEqual([])
  })
})
