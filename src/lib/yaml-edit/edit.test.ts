import { describe, expect, test } from 'vitest'
import { Document, visit } from 'yaml'
import type { Json } from '../json.ts'
import type { YamlPath } from '../yaml-locate.ts'
import { readYaml } from '../yaml.ts'
import { bytesOf, openYaml, spliced } from './open.ts'
import { removeYaml } from './remove.ts'
import { changeYaml, setYaml } from './set.ts'

function set(text: string, path: YamlPath, value: Json, document = 0): string | undefined {
  const yaml = openYaml(Buffer.from(text), 'f.yaml')
  const splices = setYaml(yaml, yaml.documents[document]!, path, value)
  return splices === undefined ? undefined : bytesOf(yaml, spliced(yaml.text, splices)).toString('utf8')
}
function remove(text: string, path: YamlPath, document = 0): string | undefined {
  const yaml = openYaml(Buffer.from(text), 'f.yaml')
  const splices = removeYaml(yaml, yaml.documents[document]!, path)
  return splices === undefined ? undefined : bytesOf(yaml, spliced(yaml.text, splices)).toString('utf8')
}
const one = (text: string): Json | undefined => readYaml(Buffer.from(text), { file: 'f.yaml', rules: '1.1' })[0]?.value

describe('a scalar changes where it stands', () => {
  test.each<[string, string, Json, string]>([
    ['a number, its comment stays', 'a: 1   # one\nb: 2\n', 3, 'a: 3   # one\nb: 2\n'],
    ['single quotes stay', "a: 'x'\n", "it's", "a: 'it''s'\n"],
    ['double quotes stay', 'a: "x" # c', 'y', 'a: "y" # c'],
    ['plain stays plain', 'a: nginx:1.25.1\n', 'nginx:1.25.3', 'a: nginx:1.25.3\n'],
    ['a text that looks like a number', 'a: v1\n', '1.25', 'a: "1.25"\n'],
    ['a text that YAML 1.1 takes for a boolean', 'a: maybe\n', 'yes', 'a: "yes"\n'],
    ['octal', 'a: x\n', '0644', 'a: "0644"\n'],
    ['an exponent', 'a: x\n', '1e3', 'a: "1e3"\n'],
    ['base 60', 'a: x\n', '1:30', 'a: "1:30"\n'],
    ['a date', 'a: x\n', '2026-01-01', 'a: "2026-01-01"\n'],
    ['null as text', 'a: x\n', '~', 'a: "~"\n'],
    ['an address', 'a: x\n', '10.0.0.10', 'a: 10.0.0.10\n'],
    ['nothing as text', 'a: x\n', '', 'a: ""\n'],
    ['a colon', 'a: x\n', 'b: c', 'a: "b: c"\n'],
    ['a hash', 'a: x\n', 'b #c', 'a: "b #c"\n'],
    ['a comma in a flow collection', 'b\n', 'c', 'b\n'],
    ['true as text beside true', 'a: true\n', 'true', 'a: "true"\n'],
    ['a quoted number becomes one', 'a: "3"\n', 3, 'a: 3\n'],
    ['an empty value', 'a:\nb: 1\n', 'x', 'a: x\nb: 1\n'],
    ['a literal block', 'a: |\n  one\n  two\nb: 1\n', 'one\nthree\n', 'a: |\n  one\n  three\nb: 1\n'],
    ['a literal block without a line end', 'a: |-\n    one\nb: 1\n', 'two\nx', 'a: |-\n    two\n    x\nb: 1\n'],
    ['a literal block with a comment', 'a: | # c\n  one\nb: 1\n', 'two\n', 'a: | # c\n  two\nb: 1\n'],
    ['a literal block that it cannot be', 'a: |\n  one\nb: 1\n', ' one', 'a: " one"\nb: 1\n'],
    ['a folded block', 'a: >-\n  one\n  two\nb: 1\n', 'x', 'a: x\nb: 1\n'],
    ['JSON', '{\n\t"a": "x",\n\t"b": 1\n}\n', 'yes', '{\n\t"a": "yes",\n\t"b": 1\n}\n'],
    ['CR LF', 'a: x\r\nb: 1\r\n', 'w', 'a: w\r\nb: 1\r\n'],
    ['a byte order mark', '\u{feff}a: x\n', 'w', '\u{feff}a: w\n'],
    ['an alias', 'b: &b 1\na: *b # c\n', 2, 'b: &b 1\na: 2 # c\n'],
    ['a scalar becomes a map', 'a: x # c\nb: 1\n', { c: 'd', e: [1] }, 'a:\n  c: d\n  e:\n    - 1 # c\nb: 1\n'],
    ['a map becomes a scalar', 'a:\n  b: 1\n\n# next\nc: 2\n', 5, 'a: 5\n\n# next\nc: 2\n'],
    ['only what differs in a map', 'a:\n  b: 1 # one\n  c: "2" # two\n', { b: 1, c: '3' }, 'a:\n  b: 1 # one\n  c: "3" # two\n'],
    ['only what differs in a list', 'a: [x, "y", z]\n', ['x', 'w', 'z'], 'a: [x, "w", z]\n'],
    ['more at the end of a list', 'a:\n- "x" # c\n# after\nb: 1\n', ['x', 'y'], 'a:\n- "x" # c\n- "y"\n# after\nb: 1\n'],
    ['less at the end of a list', 'a:\n  - x\n  - y\nb: 1\n', ['x'], 'a:\n  - x\nb: 1\n'],
    ['less in a list', 'a: [x, y, z]\n', ['x', 'z'], 'a: [x, z]\n'],
    ['a list without its first', 'a:\n  - x\n  # of w\n  - w\n', ['w'], 'a:\n  # of w\n  - w\n'],
  ])('%s', (_, text, value, expected) => {
    if (text === 'b\n') return expect(set('x: {a: b}\n', ['x', 'a'], 'c, d')).toBe('x: {a: "c, d"}\n')
    expect(set(text, ['a'], value)).toBe(expected)
  })
})

describe('what is not there yet joins its neighbours', () => {
  test.each<[string, string, YamlPath, Json, string]>([
    ['behind the last pair and its comment', 'a:\n  b: 1 # one\n\nc: 2\n', ['a', 'd'], 'x', 'a:\n  b: 1 # one\n  d: x\n\nc: 2\n'],
    ['with its neighbours’ quotes', 'a:\n  b: "1"\n', ['a', 'd'], 'x', 'a:\n  b: "1"\n  d: "x"\n'],
    ['with all that is missing on the way', 'a:\n  b: 1\n', ['a', 'c', 'd'], 2, 'a:\n  b: 1\n  c:\n    d: 2\n'],
    ['in a flow map', 'a: { b: 1 } # c\n', ['a', 'd'], { e: [1, 2] }, 'a: { b: 1, d: { e: [1, 2] } } # c\n'],
    ['in an empty flow map', 'a: {}\n', ['a', 'd'], 1, 'a: { d: 1 }\n'],
    ['in JSON', '{"a": {"b": "1"}}', ['a', 'd'], { e: 'x' }, '{"a": {"b": "1", "d": {"e": "x"}}}'],
    ['in a value that is empty', 'a:\nb: 1\n', ['a', 'd'], 1, 'a:\n  d: 1\nb: 1\n'],
    ['at the end of a file without a line end', 'a: 1', ['b'], 2, 'a: 1\nb: 2'],
    ['behind a block of text', 'a:\n  b: |\n    x\nc: 1\n', ['a', 'd'], 2, 'a:\n  b: |\n    x\n  d: 2\nc: 1\n'],
    ['in a list’s item', '- n: x\n  v: 1\n- n: y\n', [0, 'w'], 2, '- n: x\n  v: 1\n  w: 2\n- n: y\n'],
    ['as a list’s item', 'l:\n  - name: x\n', ['l', 1], { name: 'z', v: [1] }, 'l:\n  - name: x\n  - name: z\n    v:\n      - 1\n'],
    ['as a list’s item in JSON', '{"l":[{"n":"x"}]}', ['l', 1], { n: 'y' }, '{"l":[{"n":"x"}, {"n": "y"}]}'],
    ['with CR LF', 'a:\r\n  b: 1\r\n', ['a', 'c'], { d: 1 }, 'a:\r\n  b: 1\r\n  c:\r\n    d: 1\r\n'],
    ['beside a merged key', 'x: &x {b: 1}\na:\n  <<: *x\n', ['a', 'b'], 2, 'x: &x {b: 1}\na:\n  <<: *x\n  b: 2\n'],
    ['in what an alias names', 'x: &x\n  b: 1\na: *x\n', ['a', 'c'], 2, 'x: &x\n  b: 1\n  c: 2\na: *x\n'],
  ])('%s', (_, text, path, value, expected) => {
    expect(set(text, path, value)).toBe(expected)
  })

  test('where something else stands in the way it is not written', () => {
    expect(set('a: x\n', ['a', 'b'], 1)).toBeUndefined()
    expect(set('a: [1]\n', ['a', 3], 1)).toBeUndefined()
    expect(set('a: [1]\n', ['a', 'b'], 1)).toBeUndefined()
  })
})

describe('what goes takes its lines along, and no others', () => {
  test.each<[string, string, YamlPath, string | undefined]>([
    ['a pair', 'a: 1 # one\n# two\nb: 2 # too\nc: 3\n', ['b'], 'a: 1 # one\n# two\nc: 3\n'],
    ['a pair with all below it', 'a:\n  b:\n    c: 1\n    d: 2\n\n  # e\n  e: 3\n', ['a', 'b'], 'a:\n\n  # e\n  e: 3\n'],
    ['the last pair', 'a: 1\nb: 2', ['b'], 'a: 1\n'],
    ['an item', 'l:\n  - n: x\n    v: 1\n  - n: y\nz: 1\n', ['l', 0], 'l:\n  - n: y\nz: 1\n'],
    ['the first pair of an item', 'l:\n  - name: x\n    v: 1\n', ['l', 0, 'name'], 'l:\n  - v: 1\n'],
    ['a map that would be empty', 'a:\n  b:\n    c: 1\nd: 1\n', ['a', 'b', 'c'], 'd: 1\n'],
    ['a list that would be empty', 'a: 1\nl:\n- x\nd: 1\n', ['l', 0], 'a: 1\nd: 1\n'],
    ['from a flow map', 'a: { b: 1, c: 2 }\n', ['a', 'b'], 'a: { c: 2 }\n'],
    ['from the end of a flow map', 'a: { b: 1, c: 2 }\n', ['a', 'c'], 'a: { b: 1 }\n'],
    ['a block of text', 'a: |\n  x\n\nb: 1\n', ['a'], '\nb: 1\n'],
    ['with CR LF', 'a: 1\r\nb: 2\r\nc: 3\r\n', ['b'], 'a: 1\r\nc: 3\r\n'],
    ['all there is', 'a:\n  b: 1\n', ['a', 'b'], undefined],
    ['nothing', 'a: 1\nb: 1\n', ['c'], undefined],
  ])('%s', (_, text, path, expected) => {
    expect(remove(text, path)).toBe(expected)
  })
})

test('in a stream of documents only the one that is meant changes', () => {
  expect(set('a: 1\n---\n# two\na: 1\n---\na: 1\n', ['a'], 2, 1)).toBe('a: 1\n---\n# two\na: 2\n---\na: 1\n')
})

/** Numbers from 0 to 1, the same for a seed. */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

test('whatever is written into whatever text is read back from it, and every comment is still there', () => {
  let written = 0
  for (let seed = 1; seed <= 400; seed += 1) {
    const next = random(seed)
    const pick = <T>(items: readonly T[]): T => items[Math.floor(next() * items.length)]!
    const scalars: Json[] = ['x', 'yes', '1', '0644', 'a: b', '- c', ' pad', 'two\nlines\n', "it's", '"q"', '', 1, 2.5, true, null, '#', 'a\tb', '1e3', 'ü', '{', '@', 'nginx:1.25']
    const make = (depth: number): Json => {
      const kind = depth > 3 ? 0 : Math.floor(next() * 3)
      if (kind === 0) return pick(scalars)
      const count = Math.floor(next() * 4)
      if (kind === 1) return Array.from({ length: count }, () => make(depth + 1))
      return Object.fromEntries(Array.from({ length: count }, (_, index) => [pick(['a', 'b', 'c.d/e', 'yes', 'x y', 'k']) + index, make(depth + 1)]))
    }
    const value = { first: make(1), spec: make(0), last: 'z' } as Record<string, Json>
    const document = new Document(value)
    let comments = 0
    visit(document, {
      Collection: (key, node) => void (key !== null && next() < 0.2 && (node.flow = true)),
      Pair: (_, pair) => void (next() < 0.3 && ((pair.key as { commentBefore?: string }).commentBefore = ` comment ${(comments += 1)}.`)),
      Scalar: (key, node) => void (key === 'value' && typeof node.value === 'string' && next() < 0.4 && (node.type = pick(['QUOTE_SINGLE', 'QUOTE_DOUBLE', 'BLOCK_LITERAL'] as const))),
    })
    const text = document.toString({ indent: pick([2, 4]), indentSeq: next() < 0.5, lineWidth: 0 })
    if (JSON.stringify(one(text)) !== JSON.stringify(value)) continue // keys and quotes that mean something else by the rules of 1.1
    const paths: YamlPath[] = []
    const walk = (at: Json, path: YamlPath): void => {
      if (path.length > 0) paths.push(path)
      if (Array.isArray(at)) at.forEach((item, index) => walk(item, [...path, index]))
      else if (typeof at === 'object' && at !== null) for (const [key, member] of Object.entries(at)) walk(member, [...path, key])
    }
    walk(value, [])
    const path = pick(paths)
    const wanted = next() < 0.5 ? make(2) : pick(scalars)
    const expected = structuredClone(value)
    let place: Json = expected
    for (const segment of path.slice(0, -1)) place = (place as Record<string | number, Json>)[segment]!
    ;(place as Record<string | number, Json>)[path.at(-1)!] = wanted
    const after = set(text, path, wanted)
    if (after === undefined) continue
    written += 1
    expect({ seed, read: one(after) }, `seed ${seed}: ${JSON.stringify(path)} = ${JSON.stringify(wanted)} in\n${text}\ngave\n${after}`).toEqual({ seed, read: expected })
    // A comment inside of a collection that was replaced goes with it.
    if (typeof readAt(value, path) !== 'object') for (let index = 1; index <= comments; index += 1) if (text.includes(`comment ${index}.`)) expect(after, `seed ${seed}`).toContain(`comment ${index}.`)
    const without = remove(text, path)
    if (without === undefined) continue
    const left = structuredClone(value)
    takeOut(left, path)
    expect(one(without), `seed ${seed}: without ${JSON.stringify(path)}\n${text}\ngave\n${without}`).toEqual(left)
  }
  expect(written).toBeGreaterThan(200)
})

/** Takes out what stands at a path, with the collections that this empties. */
function takeOut(value: Json, path: YamlPath): void {
  const parent = readAt(value, path.slice(0, -1)) as Record<string | number, Json>
  const last = path.at(-1)!
  if (Array.isArray(parent)) parent.splice(last as number, 1)
  else delete parent[last]
  if (path.length > 1 && Object.keys(parent).length === 0) takeOut(value, path.slice(0, -1))
}

function readAt(value: Json, path: YamlPath): Json | undefined {
  let at: Json | undefined = value
  for (const segment of path) at = (at as Record<string | number, Json> | undefined)?.[segment]
  return at
}

test('a whole document is led to another value with as few changes', () => {
  const text = 'x: &x { a: 1, b: 2 } # x\nm:\n  <<: *x\n  c: 3\nl:\n  - n1 # one\n  - n2\n'
  const yaml = openYaml(Buffer.from(text), 'f.yaml')
  const change = (value: Json): string | undefined => {
    const splices = changeYaml(yaml, yaml.documents[0]!, value)
    return splices === undefined ? undefined : spliced(yaml.text, splices)
  }
  const x = { a: 1, b: 2 }
  expect(change({ x, m: { ...x, c: 3 }, l: ['n1', 'n2'] })).toBe(text)
  expect(change({ x, m: { a: 9, b: 2, c: 3 }, l: ['n2'] })).toBe('x: &x { a: 1, b: 2 } # x\nm:\n  <<: *x\n  c: 3\n  a: 9\nl:\n  - n2\n')
  expect(change({ x, m: { ...x, c: 4 }, l: ['n1', 'n2', 'n3'], z: 'new' })).toBe('x: &x { a: 1, b: 2 } # x\nm:\n  <<: *x\n  c: 4\nl:\n  - n1 # one\n  - n2\n  - n3\nz: new\n')
})
