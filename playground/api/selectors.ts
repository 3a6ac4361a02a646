import type { KubernetesObject } from '#playground/contract.ts'
import type { Kind } from './kinds.ts'
import { valueAt } from './paths.ts'
import { badRequest } from './status.ts'

export type Matches = (object: KubernetesObject) => boolean

const everything: Matches = () => true

/** A label selector: `a=b, c!=d, e in (f,g), h notin (i), j, !k`. Errors in Kubernetes' words. */
export function labelSelector(text: string | null | undefined): Matches {
  if (text === null || text === undefined || text.trim() === '') return everything
  const tokens = tokenize(text)
  const requirements: ((labels: Record<string, unknown>) => boolean)[] = []
  const peek = (): string => tokens[0] ?? ''
  const take = (): string => tokens.shift() ?? ''
  for (;;) {
    if (peek() === '') break
    if (peek() !== '!' && !isIdentifier(peek())) throw badRequest(`found '${peek()}', expected: !, identifier, or 'end of string'`)
    requirements.push(requirement(take, peek))
    if (peek() === '') break
    if (peek() !== ',') throw badRequest(`found '${peek()}', expected: ',' or 'end of string'`)
    take()
    if (peek() !== '!' && !isIdentifier(peek())) throw badRequest(`found '${peek()}', expected: identifier after ','`)
  }
  return (object) => {
    const labels = (object.metadata.labels ?? {}) as Record<string, unknown>
    return requirements.every((holds) => holds(labels))
  }
}

function tokenize(text: string): string[] {
  return text.match(/!=|==|[=!(),<>]|[^\s=!(),<>]+/g) ?? []
}

function isIdentifier(token: string): boolean {
  return token !== '' && !/^[=!(),<>]/.test(token)
}

function requirement(take: () => string, peek: () => string): (labels: Record<string, unknown>) => boolean {
  const expect = (wanted: string, good: boolean): void => {
    if (!good) throw badRequest(`unable to parse requirement: found '${peek()}', expected: ${wanted}`)
  }
  if (peek() === '!') {
    take()
    expect('identifier', isIdentifier(peek()))
    const key = take()
    return (labels) => labels[key] === undefined
  }
  const key = take()
  const operator = peek()
  if (operator === '' || operator === ',') return (labels) => labels[key] !== undefined
  if (operator === 'in' || operator === 'notin') {
    take()
    expect("'('", peek() === '(')
    take()
    const values: string[] = []
    for (;;) {
      if (isIdentifier(peek())) values.push(take())
      else if (peek() === ',' || peek() === ')') values.push('')
      if (peek() === ')') break
      expect("',', or ')'", peek() === ',')
      take()
    }
    take()
    return operator === 'in'
      ? (labels) => labels[key] !== undefined && values.includes(labels[key] as string)
      : (labels) => labels[key] === undefined || !values.includes(labels[key] as string)
  }
  expect('in, notin, =, ==, !=, gt, lt', ['=', '==', '!=', '<', '>'].includes(operator))
  take()
  let value = ''
  if (peek() !== '' && peek() !== ',') {
    expect('identifier', isIdentifier(peek()))
    value = take()
  }
  if (operator === '!=') return (labels) => labels[key] !== value
  if (operator === '<') return (labels) => Number(labels[key]) < Number(value)
  if (operator === '>') return (labels) => Number(labels[key]) > Number(value)
  return (labels) => labels[key] === value
}

/** A field selector on `metadata.name`, `metadata.namespace` and the kind's selectable fields. */
export function fieldSelector(text: string | null | undefined, kind: Kind): Matches {
  if (text === null || text === undefined || text === '') return everything
  const terms = text.split(',').filter((term) => term !== '').map((term) => {
    const match = /^(.*?)(!=|==|=)(.*)$/s.exec(term)
    if (match === null) throw badRequest(`invalid selector: '${text}'; can't understand '${term}'`)
    const [, path = '', operator, value = ''] = match
    if (path !== 'metadata.name' && path !== 'metadata.namespace' && !kind.selectable.includes(path)) {
      // What a kind without fields of its own is asked by.
      const known = kind.selectable.length === 0 && !kind.custom ? ['metadata.name', 'metadata.namespace'].map((each) => JSON.stringify(each)).join(', ') : undefined
      throw badRequest(known === undefined ? `field label not supported: ${path}` : `${JSON.stringify(path)} is not a known field selector: only ${known}`)
    }
    return { path, equal: operator !== '!=', value: value.replace(/\\([,=\\])/g, '$1') }
  })
  return (stored) => {
    const object = kind.conversion?.fromStorage(stored) ?? stored
    return terms.every((term) => (String(valueAt(object, term.path) ?? '') === term.value) === term.equal)
  }
}
