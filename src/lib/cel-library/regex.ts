import type { Environment } from '@marcbachmann/cel-js'
import { wrong } from './wrong.ts'

/** Kubernetes' regex library. The expressions are JavaScript's, not RE2's: whoever evaluates them sets a time limit. */
export function addRegex(environment: Environment): Environment {
  return environment
    .registerFunction('string.find(string): string', (text: string, pattern: string) => findAll(text, pattern, 1)[0] ?? '')
    .registerFunction('string.findAll(string): list<string>', (text: string, pattern: string) => findAll(text, pattern, Infinity))
    .registerFunction('string.findAll(string, int): list<string>', (text: string, pattern: string, limit: bigint) => findAll(text, pattern, limit < 0n ? Infinity : Number(limit)))
}

/** An empty match right behind another is none, as in Go. */
function findAll(text: string, pattern: string, limit: number): string[] {
  const found: string[] = []
  let end = -1
  for (const { 0: match, index } of text.matchAll(readPattern(pattern))) {
    if (found.length >= limit) break
    if (match !== '' || index !== end) found.push(match)
    end = index + match.length
  }
  return found
}

function readPattern(pattern: string): RegExp {
  try {
    return new RegExp(pattern, 'gu')
  } catch {
    return wrong('the regular expression is none')
  }
}
