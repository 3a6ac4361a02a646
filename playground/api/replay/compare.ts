import { isObject, type Json } from '#lib/json.ts'

/** What the placeholders of one file stand for. Learned from the first answer that shows them. */
export class Placeholders {
  readonly #values = new Map<string, string>()

  /** A text with every known placeholder filled in. */
  fill(text: string): string {
    return text.replace(/<(?:uid|rv|time|suffix|continue)(?:-\d+)?>/g, (name) => this.#values.get(name) ?? name)
  }

  fillAll(value: Json): Json {
    if (typeof value === 'string') return this.fill(value)
    if (Array.isArray(value)) return value.map((item) => this.fillAll(item))
    if (!isObject(value)) return value
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, this.fillAll(member)]))
  }

  set(name: string, value: string): void {
    this.#values.set(name, value)
  }

  /** Whether `actual` is what `expected` describes; learns what is new. */
  matches(expected: string, actual: string): boolean {
    const names: string[] = []
    const pattern = expected
      .split(/(<(?:uid|rv|time|age|suffix|continue|hash|path|port)(?:-\d+)?>)/)
      .map((part) => {
        const kind = /^<([a-z]+)(?:-\d+)?>$/.exec(part)?.[1]
        if (kind === undefined) return part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
        names.push(part)
        return `(${forms[kind] ?? '.*?'})`
      })
      .join('')
    const match = new RegExp(`^${pattern}$`, 's').exec(actual)
    if (match === null) return false
    return names.every((name, index) => this.#learn(name, match[index + 1] ?? ''))
  }

  #learn(name: string, value: string): boolean {
    if (/^<(?:time|age|hash|path|port)/.test(name)) return true
    const known = this.#values.get(name)
    if (known !== undefined) return known === value
    // Two identities are never one; versions may be, where the recorded server counted writes that nobody sees here.
    if (name.startsWith('<uid') && [...this.#values.values()].includes(value)) return false
    this.#values.set(name, value)
    return true
  }
}

const forms: Readonly<Record<string, string>> = {
  uid: '[0-9a-f-]{36}',
  rv: '\\d+',
  time: '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ',
  suffix: '[a-z0-9]{5}',
  continue: '[A-Za-z0-9_-]+',
  age: '[0-9dhms]+|<unknown>',
}

/** The first difference, as a path and what stands on either side; `undefined` where there is none. */
export function difference(expected: Json | undefined, actual: Json | undefined, placeholders: Placeholders, path = ''): string | undefined {
  const differs = (): string => `${path || '.'}: expected ${show(expected)}, got ${show(actual)}`
  if (typeof expected === 'string') return typeof actual === 'string' && placeholders.matches(expected, actual) ? undefined : differs()
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual)) return differs()
    for (let index = 0; index < Math.max(expected.length, actual.length); index += 1) {
      const found = index < expected.length && index < actual.length ? difference(expected[index], actual[index], placeholders, `${path}[${index}]`) : `${path}: expected ${show(expected)}, got ${show(actual)}`
      if (found !== undefined) return found
    }
    return undefined
  }
  if (isObject(expected)) {
    if (!isObject(actual)) return differs()
    for (const name of new Set([...Object.keys(expected), ...Object.keys(actual)])) {
      const found = difference(expected[name], actual[name], placeholders, `${path}.${name}`)
      if (found !== undefined) return found
    }
    return undefined
  }
  return expected === actual ? undefined : differs()
}

function show(value: Json | undefined): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value)
  return text.length > 1500 ? `${text.slice(0, 1500)}…` : text
}

/**
 * A Status without what may vary from run to run: the order of several causes (in the message too), and which of several undeclared fields it names.
 */
export function settled(body: Json | undefined): Json | undefined {
  if (!isObject(body) || body.kind !== 'Status') return body
  const result = { ...body }
  if (typeof result.message === 'string' && result.message.includes('field not declared in schema')) result.message = result.message.replace(/Kind=(\w+)\): .*$/s, 'Kind=$1): …')
  const causes = isObject(result.details) && Array.isArray(result.details.causes) ? result.details.causes.filter(isObject) : []
  if (causes.length < 2 || !isObject(result.details)) return result
  const texts = causes.map((cause) => `${String(cause.field)}: ${String(cause.message)}`)
  if (typeof result.message === 'string') {
    for (const text of texts.toSorted((a, b) => b.length - a.length)) result.message = result.message.replace(text, '')
    result.message = result.message.replace(/(?:, )+/g, ', ').replace(/[[\], ]+$/, '')
  }
  result.details = { ...result.details, causes: causes.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) }
  return result
}
