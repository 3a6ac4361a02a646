import { dump, load, Schema, YAML11_SCHEMA, YAMLException } from 'js-yaml'
import type { Json } from '#lib/json.ts'

/** YAML 1.1 as Kubernetes reads it: `yes` is a boolean, 0644 octal, and a date stays the text that it is. */
const schema = new Schema(YAML11_SCHEMA.tags.filter((tag) => tag.tagName !== 'tag:yaml.org,2002:timestamp' && tag.tagName !== 'tag:yaml.org,2002:binary'))
const limits = { schema, maxDepth: 200, maxAliases: 1000 }

export type ReadYaml = { readonly value: Json; readonly duplicates: readonly string[] }

/** The first document of a text. A repeated key is told in `duplicates`, and the last one wins. Throws a `SyntaxError` in the parser's words. */
export function readYaml(text: string): ReadYaml {
  const first = firstDocument(text)
  try {
    return { value: plain(load(first, limits)), duplicates: [] }
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error
    if (!error.reason.startsWith('duplicated mapping key')) throw new SyntaxError(`yaml: line ${line(error)}: ${libyamlWords[error.reason] ?? error.reason}`)
    const at = line(error)
    const key = /^\s*(?:- )?["']?([^"':]+)/.exec(first.split('\n')[at - 1] ?? '')?.[1] ?? ''
    const named = first.trimStart().startsWith('{') ? (repeatedJsonKeys(first)[0]?.split('.').at(-1) ?? key) : key.trim()
    return { value: plain(load(first, { ...limits, json: true })), duplicates: [`line ${at}: key "${named}" already set in map`] }
  }
}

export function writeYaml(value: Json): string {
  return dump(value, { sortKeys: true, noRefs: true, lineWidth: -1, quoteStyle: 'double' })
}

/** What the parser of Kubernetes says of the same faults. */
const libyamlWords: Readonly<Record<string, string>> = {
  'unexpected end of the stream within a flow collection': 'did not find expected node content',
}

function line(error: YAMLException): number {
  return (error.mark?.line ?? 0) + 1
}

function firstDocument(text: string): string {
  if (text.trim() === '') return 'null'
  const end = /^---\s*$/m.exec(text.replace(/^(?:\s*#.*\n|\s*\n)*---[^\n]*\n/, (head) => ' '.repeat(head.length - 1) + '\n'))
  return end === null ? text : text.slice(0, end.index)
}

const mostNodes = 1_000_000
const deepest = 1000

/** A tree of its own, without shared parts. Aliases can make a small text a tree without end: what grows too large is refused. */
function plain(value: unknown): Json {
  let nodes = 0
  const copy = (part: unknown, depth: number): Json => {
    nodes += 1
    if (nodes > mostNodes || depth > deepest) throw new SyntaxError('yaml: document contains excessive aliasing')
    if (Array.isArray(part)) return part.map((item) => copy(item, depth + 1))
    if (typeof part !== 'object' || part === null) return (part ?? null) as Json
    return Object.fromEntries(Object.entries(part).map(([name, member]) => [name, copy(member, depth + 1)]))
  }
  return copy(value, 0)
}

/** The dotted paths of object keys that a JSON text repeats. The text is known to parse. */
export function repeatedJsonKeys(text: string): string[] {
  const found: string[] = []
  const stack: { keys: Set<string> | undefined; path: string; index: number }[] = []
  let key = ''
  const place = (): string => {
    const top = stack.at(-1)
    if (top === undefined) return ''
    if (top.keys === undefined) return `${top.path}[${top.index}]`
    return top.path === '' ? key : `${top.path}.${key}`
  }
  const token = /"(?:[^"\\]|\\.)*"|[{}[\],:]/g
  let expectKey = false
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    const found1 = match[0]
    if (found1 === '{') {
      stack.push({ keys: new Set(), path: place(), index: 0 })
      expectKey = true
    } else if (found1 === '[') {
      stack.push({ keys: undefined, path: place(), index: 0 })
      expectKey = false
    } else if (found1 === '}' || found1 === ']') {
      stack.pop()
      expectKey = false
    } else if (found1 === ',') {
      const top = stack.at(-1)
      if (top !== undefined) top.index += 1
      expectKey = top?.keys !== undefined
    } else if (found1 === ':') expectKey = false
    else if (expectKey) {
      key = JSON.parse(found1) as string
      const keys = stack.at(-1)?.keys
      if (keys?.has(key) === true) found.push(place())
      keys?.add(key)
    }
  }
  return found
}
