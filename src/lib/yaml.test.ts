import { describe, expect, test } from 'vitest'
import { Failure } from './failure.ts'
import { locateYaml } from './yaml-locate.ts'
import type { YamlRules } from './yaml-scalars.ts'
import { readYaml, yamlLimits } from './yaml.ts'

const read = (text: string | Uint8Array, rules: YamlRules = '1.1') => readYaml(typeof text === 'string' ? Buffer.from(text) : text, { file: 'f.yaml', rules })
const one = (text: string, rules: YamlRules = '1.1') => read(text, rules).map((document) => document.value)[0]

function failure(text: string | Uint8Array): Failure {
  try {
    read(text)
  } catch (error) {
    if (error instanceof Failure) return error
    throw error
  }
  throw new Error('it was read')
}

describe('scalars by the rules of Kubernetes', () => {
  // What sigs.k8s.io/yaml 1.6.0 answered for the same text.
  const answers: Record<string, unknown> = {
    yes: true, y: true, N: false, on: true, Off: false, YES: true, yEs: 'yEs', True: true, tRUE: 'tRUE',
    '~': null, Null: null, '': null, nULL: 'nULL',
    '0b11': 3, '-0b11': -3, '0o17': 15, '0644': 420, '0_7': 7, '-_1': -1, '1_000.5': 1000.5, '1:30': '1:30', '08': 8, '0x1F': 31, '+1': 1,
    '1e3': 1000, '1e999': '1e999', '.5': 0.5, '5.': 5, '._5': '._5', '+.5': 0.5, '0x': '0x', '0b2': '0b2', '0B11': 3, '0O17': 15, '0X1f': 31, '-0o17': -15,
    '1e': '1e', '.': '.', '-0': 0, '2001-01-01': '2001-01-01', '18446744073709551616': 18446744073709552000, '0xffffffffffffffffff': '0xffffffffffffffffff',
    '!foo bar': 'bar', '!foo {b: 1}': { b: 1 }, '!!str 12': '12', '!!int "12"': 12, '!!bool "yes"': true, '!!null ""': null, '!!timestamp 2001-01-01': '2001-01-01',
    '! 12': '12', '!<tag:yaml.org,2002:int> 12': 12, '!!float 1': 1, '!!set {b: null}': { b: null },
  }

  test.each(Object.entries(answers))('%s', (text, value) => {
    expect(one(`a: ${text}`)).toEqual({ a: value })
  })

  test('keys become text as there', () => {
    expect(one('1.5: a\n1000000.5: b\n1e3: c\n0x10: d\nno: e\n08: f\n2001-01-01: g\n1e-7: h\n1e6: i\n1234567.0: k\n.00001: l')).toEqual({
      '1.5': 'a', '1.0000005e+06': 'b', '1000': 'c', '16': 'd', false: 'e', '8': 'f', '2001-01-01': 'g', '1e-07': 'h', '1e+06': 'i', '1.234567e+06': 'k', '1e-05': 'l',
    })
  })

  test('merge keys bring what is not written out', () => {
    expect(one('base: &x {a: 1, b: 2}\nz: {<<: *x, a: 9}')).toEqual({ base: { a: 1, b: 2 }, z: { a: 9, b: 2 } })
    expect(one('p: &p {a: 1}\nq: &q {a: 2, c: 3}\nz: {<<: [*p, *q]}')).toMatchObject({ z: { a: 1, c: 3 } })
    expect(one('"<<": {a: 1}')).toEqual({ '<<': { a: 1 } })
  })

  test('what an alias copies is a value of its own', () => {
    const value = one('a: &a {b: [1]}\nc: *a') as { a: { b: number[] }; c: { b: number[] } }
    value.a.b.push(2)
    expect(value.c.b).toEqual([1])
  })
})

test('the rules of 1.2 leave yes, on and 0644 as configuration means them', () => {
  expect(one('a: yes\nb: on\nc: 0644\nd: true\ne: 0x1F\nf: 1e3\ng: 0o17\nh: 1_000\ni: n', '1.2')).toEqual({
    a: 'yes', b: 'on', c: 644, d: true, e: 31, f: 1000, g: 15, h: '1_000', i: 'n',
  })
})

describe('documents', () => {
  test('each has the line of its content; empty ones are left out', () => {
    expect(read('# first\n\na: 1\n---\n---\n# nothing\n---\n\nb: 2\n...\n---\n- c\n')).toEqual([
      { value: { a: 1 }, line: 3, index: 0 },
      { value: { b: 2 }, line: 9, index: 3 },
      { value: ['c'], line: 12, index: 4 },
    ])
  })

  test.each([['nothing', ''], ['separators only', '---\n---\n'], ['comments', '# a\n'], ['null', 'null\n']])('%s is no document', (_, text) => {
    expect(read(text)).toEqual([])
  })

  test('a byte order mark, CR LF and JSON are read', () => {
    expect(read(Buffer.from('\u{feff}a: 1\r\nb: x\r\n---\r\nc: 3\r\n'))).toEqual([
      { value: { a: 1, b: 'x' }, line: 1, index: 0 },
      { value: { c: 3 }, line: 4, index: 1 },
    ])
    expect(one('{"a":\t["b", 1.5, null, true], "c": "\\u00e9"}')).toEqual({ a: ['b', 1.5, null, true], c: 'é' })
  })
})

describe('what is refused, with its place', () => {
  test.each([
    ['a key twice', 'a: 1\nb: 2\na: 3', 'yaml-invalid', 'f.yaml:3:1', 'there twice'],
    ['a key twice after it became text', 'true: 1\n"true": 2', 'yaml-invalid', 'f.yaml:2:1', 'there twice'],
    ['a tab as indentation', 'a:\n\tb: 1', 'yaml-invalid', 'f.yaml:2:1', 'tab'],
    ['an unfinished quote', 'a: "x', 'yaml-invalid', 'f.yaml:1:', 'quoted'],
    ['NaN', 'a:\n  - .nan', 'yaml-invalid', 'f.yaml:2:5', 'not a JSON number'],
    ['an integer that would be rounded', 'a: 9007199254740993', 'yaml-invalid', 'f.yaml:1:4', 'exactly'],
    ['binary', 'a: !!binary aGk=', 'yaml-invalid', 'f.yaml:1:4', 'base64'],
    ['a null key', '~: 1', 'yaml-invalid', 'f.yaml:1:1', 'null'],
    ['a list as a key', '[1]: 2', 'yaml-invalid', 'f.yaml:1:1', 'scalar'],
    ['a prototype', 'a:\n  __proto__: {b: 1}', 'yaml-invalid', 'f.yaml:2:3', '__proto__'],
    ['an unknown anchor', 'a: *b', 'yaml-invalid', 'f.yaml:1:4', 'anchor'],
    ['an anchor of another document', 'a: &b 1\n---\nc: *b', 'yaml-invalid', 'f.yaml:3:4', 'anchor'],
    ['a circle', 'a: &b [*b]', 'yaml-invalid', 'f.yaml:1:8', 'itself'],
    ['a merge below a key that it brings', 'b: &b {a: 1}\nc:\n  a: 2\n  <<: *b', 'yaml-invalid', 'f.yaml:4:7', 'first'],
    ['a merge of a scalar', 'a:\n  <<: 1', 'yaml-invalid', 'f.yaml:2:7', 'mapping'],
    ['a word that is no number', 'a: !!int x', 'yaml-invalid', 'f.yaml:1:4', '!!int'],
    ['a NUL', 'a: 1\n\0', 'yaml-invalid', 'f.yaml:2:1', 'null byte'],
    ['deep flow collections', '['.repeat(5000), 'yaml-too-deep', 'f.yaml:1:100', '100'],
    ['deep block collections', '- '.repeat(5000), 'yaml-too-deep', 'f.yaml:1:', '100'],
    ['too many documents', '---\na\n'.repeat(10_001), 'yaml-too-large', 'f.yaml:', 'documents'],
  ])('%s', (_, text, code, subject, message) => {
    const found = failure(text)
    expect(found.code).toBe(code)
    expect(found.subject).toContain(subject)
    expect(found.message).toContain(message)
  })

  test('bytes that are not UTF-8', () => {
    expect(failure(Uint8Array.from([0x61, 0x3a, 0x20, 0xff])).code).toBe('yaml-invalid')
    expect(failure(Buffer.from('a: 1', 'utf16le')).code).toBe('yaml-invalid')
  })

  test('a file of 50 MB, without reading it', () => {
    const found = failure(new Uint8Array(50 * 1024 * 1024))
    expect(found.code).toBe('yaml-too-large')
    expect(found.fields).toEqual({ bytes: 50 * 1024 * 1024, limit: yamlLimits.bytes })
  })

  test('an alias bomb: nine levels of nine', () => {
    const levels = Array.from({ length: 9 }, (_, level) => `l${level}: &l${level} [${Array(9).fill(level === 0 ? 'lol' : `*l${level - 1}`).join(', ')}]`)
    expect(failure(levels.join('\n')).code).toBe('yaml-aliases')
  })

  test('one long text, aliased often', () => {
    expect(failure(`a: &a ${'x'.repeat(100_000)}\nb: [${Array(500).fill('*a').join(',')}]`).code).toBe('yaml-aliases')
  })

  test('more aliases than allowed, however small', () => {
    expect(failure(`a: &a 1\nb: [${Array(10_001).fill('*a').join(',')}]`).code).toBe('yaml-aliases')
  })
})

describe('locating a path', () => {
  const text = '# head\na: 1\n---\nspec:\n  probes:\n    - name: x\n      http: { path: /healthz }\n    - "y"\n  empty:\n'

  test.each([
    [['spec', 'probes', 0, 'http', 'path'], 'value', 7, 21],
    [['spec', 'probes', 0, 'http', 'path'], 'key', 7, 15],
    [['spec', 'probes', 1], 'value', 8, 7],
    [['spec', 'probes', 0, 'missing'], 'value', 6, 7],
    [['spec', 'missing', 'deeper'], 'value', 4, 1],
    [['spec', 'empty'], 'value', 9, 3],
    [[], 'value', 4, 1],
  ] as const)('%j %s', (path, at, line, column) => {
    expect(locateYaml(text, 1, path, at)).toEqual({ line, column })
  })
})
