import { describe, expect, test } from 'vitest'
import type { Json } from '#lib/json.ts'
import type { KubernetesObject, Schema } from '#playground/contract.ts'
import { brokenRules } from './rule-definitions.ts'
import { validateCustomResource } from './validation.ts'

const withSpec = (spec: Schema): Schema => ({ type: 'object', properties: { spec } })
const object = (spec: Json): KubernetesObject => ({ apiVersion: 'example.dev/v1', kind: 'K', metadata: { name: 'k' }, spec })

function said(schema: Schema, spec: Json, old?: Json): string[] {
  return validateCustomResource(object(spec), old === undefined ? undefined : object(old), { schema: withSpec(schema) }).map(({ field, message }) => `${field}: ${message}`)
}

describe('structure', () => {
  test.each([
    [{ type: 'array', minItems: 1, items: { type: 'string' } }, [], 'spec: Invalid value: 0: spec in body should have at least 1 items'],
    [{ type: 'array', maxItems: 1, items: { type: 'string' } }, ['a', 'b'], 'spec: Too many: 2: must have at most 1 items'],
    [{ type: 'integer', exclusiveMinimum: true, minimum: 1 }, 1, 'spec: Invalid value: 1: spec in body should be greater than 1'],
    [{ type: 'integer', multipleOf: 5 }, 7, 'spec: Invalid value: 7: spec in body should be a multiple of 5'],
    [{ type: 'string', format: 'date-time' }, 'soon', 'spec: Invalid value: "soon": spec in body must be of type date-time: "soon"'],
    [{ type: 'integer' }, 1.5, 'spec: Invalid value: "number": spec in body must be of type integer: "number"'],
    [{ type: 'integer', format: 'int32' }, true, 'spec: Invalid value: "": spec in body must be of type int32: ""'],
    [{ type: 'object', oneOf: [{ required: ['a'] }, { required: ['b'] }], 'x-kubernetes-preserve-unknown-fields': true }, {}, '<nil>: Invalid value: "": "spec" must validate one and only one schema (oneOf). Found none valid'],
  ] as [Schema, Json, string][])('%j refuses %j', (schema, spec, message) => {
    expect(said(schema, spec)).toEqual([message])
  })

  test('a pattern that backtracks for ever ends, and the object is refused', () => {
    const begun = Date.now()
    expect(said({ type: 'string', pattern: '^(a+)+$' }, `${'a'.repeat(50)}b`)).toEqual(['<nil>: Invalid value: null: a pattern of the schema took too long'])
    expect(Date.now() - begun).toBeLessThan(5000)
  })
})

describe('an update lets be what did not change', () => {
  const items: Schema = {
    type: 'array',
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['name'],
    items: { type: 'object', properties: { name: { type: 'string' }, level: { type: 'integer', maximum: 10 } } },
  }

  test('in items of keyed lists, wherever they moved', () => {
    const before = [{ name: 'a', level: 50 }, { name: 'b', level: 1 }]
    expect(said(items, [{ name: 'b', level: 2 }, { name: 'a', level: 50 }], before)).toEqual([])
    expect(said(items, [{ name: 'a', level: 51 }], before)).toEqual(['spec[0].level: Invalid value: 51: spec[0].level in body should be less than or equal to 10'])
  })

  test('but items of other lists cannot be told apart', () => {
    const list: Schema = { type: 'array', items: { type: 'integer', maximum: 10 } }
    expect(said(list, [50, 1], [50])).toEqual(['spec[0]: Invalid value: 50: spec[0] in body should be less than or equal to 10'])
    expect(said(list, [50], [50])).toEqual([])
  })
})

describe('rules', () => {
  const ruled = (rule: string, more: object = {}): Schema => ({
    type: 'object',
    properties: { count: { type: 'integer' }, share: { type: 'number' }, at: { type: 'string', format: 'date-time' }, 'my-key': { type: 'string' }, list: { type: 'array', items: { type: 'integer' } } },
    'x-kubernetes-validations': [{ rule, ...more }],
  })

  test.each([
    ['self.count + 1 == 3', { count: 2 }],
    ['self.share > 1', { share: 1.5 }],
    ['self.list.all(x, x > 0) && self.list.exists(x, x == 2) && self.list.filter(x, x > 1).map(x, x * 2) == [4]', { list: [1, 2] }],
    ['!has(self.count)', {}],
    ['self.__dash__ == 1 || self.my__dash__key == "v"', { 'my-key': 'v', __dash__: 0 }],
    ['self.at < timestamp("2030-01-01T00:00:00Z")', { at: '2026-01-01T00:00:00Z' }],
    ['self.list.size() <= 2', { list: [1] }],
  ])('%s holds', (rule, spec) => {
    const schema = ruled(rule)
    expect(said({ ...schema, properties: { ...schema.properties, __dash__: { type: 'integer' } } }, spec).filter((text) => !text.includes('__dash__'))).toEqual([])
  })

  test('without a message the rule is told, and an error in it too', () => {
    expect(said(ruled('self.count > 3'), { count: 1 })).toEqual(['spec: Invalid value: failed rule: self.count > 3'])
    expect(said(ruled('self.count > 3'), {})[0]).toMatch(/^spec: Invalid value: "object": no such key: count evaluating rule: self.count > 3$/)
  })

  test('a messageExpression that fails gives way to the message', () => {
    expect(said(ruled('false', { message: 'no', messageExpression: '"is " + string(self.count)' }), { count: 4 })).toEqual(['spec: Invalid value: is 4'])
    expect(said(ruled('false', { message: 'no', messageExpression: 'self.missing' }), { count: 4 })).toEqual(['spec: Invalid value: no'])
  })

  test('oldSelf is compared only where there is an old value', () => {
    const schema = ruled('self.count >= oldSelf.count', { message: 'never less' })
    expect(said(schema, { count: 1 })).toEqual([])
    expect(said(schema, { count: 1 }, { count: 2 })).toEqual(['spec: Invalid value: never less'])
  })

  // The smallest numbers of items that a real API server (apiextensions-apiserver 0.36.4) refused, each found by halving.
  test.each([
    ['self.list.all(a, self.list.all(b, a != b || a == b))', 408],
    ['!self.list.exists(a, self.list.exists(b, a + b < 0))', 354],
    ['self.list.all(a, self.list.map(b, b + a).size() > 0)', 258],
    ['self.list.all(a, self.list.filter(b, b > 3).size() >= 0)', 260],
  ])('%s costs too much from %i items on, as on a real server', (rule, items) => {
    const list = Array.from({ length: items }, (_, i) => i)
    expect(said(ruled(rule), { list: list.slice(0, -1) })).toEqual([])
    expect(said(ruled(rule, { message: 'm' }), { list })).toEqual(['spec: Invalid value: "object": \'operation cancelled: actual cost limit exceeded\': no further validation rules will be run due to call cost exceeds limit for rule: m'])
  })

  test('many rules that are each cheap enough cost too much together', () => {
    // A match costs by the lengths of text and expression: 301 times 250, thirteen times.
    const rule = { rule: `self.list.all(a, !"${'x'.repeat(3000)}".matches("${'y'.repeat(1000)}"))` }
    const many = { ...ruled('true'), 'x-kubernetes-validations': Array.from({ length: 12 }, () => rule) }
    const list = Array.from({ length: 13 }, (_, i) => i)
    expect(said(many, { list })).toEqual(['spec: Invalid value: "object": validation failed due to running out of cost budget, no further validation rules will be run'])
  })

  test.each([
    ['cidr("10.0.0.0/8").containsIP(self.text)', '10.1.2.3', '11.1.2.3'],
    ['isURL(self.text) && url(self.text).getScheme() == "https"', 'https://a.example/', 'http://a.example/'],
    ['semver(self.text, true).isLessThan(semver("2.0.0"))', 'v1.9', '2.0.0'],
    ['!format.dns1123Label().validate(self.text).hasValue()', 'my-name', 'My name'],
    ['quantity(self.text) == quantity("1Gi")', '1024Mi', '1G'],
    ['self.text.split(",").all(i, item, item.find("[0-9]+") == string(i))', 'a0,b1', 'a0,b2'],
    ['sets.contains(["a", "b"], self.text.split(""))', 'ba', 'bc'],
  ])('rules have Kubernetes’ libraries: %s', (rule, right, wrong) => {
    const schema: Schema = { ...ruled(rule), properties: { text: { type: 'string' } } }
    expect(said(schema, { text: right })).toEqual([])
    expect(said(schema, { text: wrong })).toEqual([expect.stringContaining('failed rule: ')])
  })

  test('a cost that an expression would swallow counts all the same', () => {
    const list = Array.from({ length: 500 }, (_, i) => i)
    expect(said(ruled('self.list.all(a, self.list.all(b, a + b >= 0)) || true'), { list })[0]).toContain('actual cost limit exceeded')
  })

  test('a rule that takes too long ends, whatever it costs', () => {
    const [message] = said(ruled('"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!".matches("^(a+)+$")'), {})
    expect(message).toContain('no further validation rules will be run')
  })

  test('broken ones are found when they are defined, and refuse objects where they slipped in', () => {
    const schema = ruled('self.count >')
    expect(brokenRules(schema, 'schema').map(({ field, message }) => `${field}: ${message}`)[0]).toMatch(/^schema\.x-kubernetes-validations\[0\]\.rule: Invalid value: \{"Rule":"self\.count \\u003e",.*\}: compilation failed: /)
    expect(said(schema, {})[0]).toContain('rule compile error')
    expect(brokenRules(ruled(`"${'a'.repeat(6000)}" == ""`), 's')).toHaveLength(1)
  })
})
