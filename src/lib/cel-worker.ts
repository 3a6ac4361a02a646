// The thread that evaluates CEL. It is ended from outside when an evaluation takes too long: nothing in here can be trusted to stop by itself.
import { parentPort } from 'node:worker_threads'
import type { ParseResult } from '@marcbachmann/cel-js'
import { readCel, summaryOf } from './cel-environment.ts'
import { fromCel, toCel } from './cel-values.ts'
import { Failure } from './failure.ts'
import type { FailureJson } from './failure.ts'
import type { Json } from './json.ts'

export type CelQuestion = { readonly expression: string; /** JSON text of an object. */ readonly variables: string }
export type CelAnswer = { readonly ready: true } | { readonly value: Json } | { readonly failure: FailureJson }

const read = new Map<string, ParseResult>()

function answer({ expression, variables }: CelQuestion): CelAnswer {
  try {
    const program = read.get(expression) ?? readCel(expression)
    if (read.size >= 500) read.clear()
    read.set(expression, program)
    const values = toCel(JSON.parse(variables) as Json) as Record<string, unknown>
    return { value: fromCel(program(values)) }
  } catch (error) {
    if (error instanceof Failure) return { failure: error.toJSON() }
    const why = summaryOf(error)
    const hint = hintOf(expression, why)
    return { failure: { code: 'cel-failed', subject: expression.slice(0, 80), message: `the CEL expression cannot be evaluated: ${why}`, retry: 'never', ...(hint === undefined ? {} : { hint }) } }
  }
}

/** What is missing may rightly be missing: a status that is not there yet, a list that is empty. */
function hintOf(expression: string, why: string): string | undefined {
  const key = /^No such key: (\w+)$/.exec(why)?.[1]
  if (key === undefined) return undefined
  const [whole = `object.${key}`, before = 'object'] = new RegExp(`([A-Za-z_][\\w.]*)\\.${key}\\b`).exec(expression) ?? []
  return `Where it may be missing, ask first: has(${whole}) && …, or say what it is then: ${before}.?${key}.orValue(…).`
}

const send = (message: CelAnswer): void => parentPort?.postMessage(message) // oxlint-disable-line unicorn/require-post-message-target-origin -- a thread, not a window

parentPort?.on('message', (question: CelQuestion) => send(answer(question)))
send({ ready: true })
