import { Worker } from 'node:worker_threads'
import { readCel } from './cel-environment.ts'
import type { CelAnswer, CelQuestion } from './cel-worker.ts'
import { Failure, asFailure } from './failure.ts'
import type { Json } from './json.ts'

/** How many bytes of variables, as JSON, one evaluation may take. */
const largestVariables = 4 * 1024 * 1024

/** How long the thread may take to start; that does not count as evaluating. */
const startMs = 20_000

/**
 * CEL (https://github.com/google/cel-spec), evaluated in a thread of its own. The time limit is the guarantee that no expression hangs: a regular
 * expression of `matches` (JavaScript's, not RE2), or a comprehension over comprehensions, that takes longer ends with its thread, and the
 * next evaluation has a new one. Evaluations follow one another. The thread starts with the first one and keeps no process alive.
 * Which functions there are beyond the standard, `cel-extensions.ts` tells.
 */
export type Cel = {
  /** Variables are JSON; so is what comes back. Failures `cel-invalid` (with line and column), `cel-failed`, `cel-timeout`. */
  evaluate(expression: string, variables: Readonly<Record<string, unknown>>): Promise<Json>
  /** What is wrong with an expression, without evaluating it. */
  check(expression: string): Failure | undefined
  close(): Promise<void>
}

export function openCel({ timeoutMs }: { readonly timeoutMs: number }): Cel {
  // What took too long once has a thread apart from then on, so that it makes nobody wait but its like.
  const [quick, slow] = [openLane(timeoutMs), openLane(timeoutMs)]
  const tooLong = new Set<string>()
  return {
    evaluate: async (expression, variables) => {
      const question = { expression, variables: asText(expression, variables) }
      try {
        return await (tooLong.has(expression) ? slow : quick).evaluate(question)
      } catch (error) {
        if (error instanceof Failure && error.code === 'cel-timeout') {
          if (tooLong.size >= mostTooLong) tooLong.clear()
          tooLong.add(expression)
        }
        throw error
      }
    },
    check: checkCel,
    close: async () => {
      await Promise.all([quick.close(), slow.close()])
    },
  }
}

/** How many expressions are remembered that took too long. */
const mostTooLong = 1_000

type Lane = { evaluate(question: CelQuestion): Promise<Json>; close(): Promise<void> }

/** A thread, started when it is needed and replaced when it was ended, and who waits for it, one after another. */
function openLane(timeoutMs: number): Lane {
  let thread: Promise<Worker> | undefined
  let last: Promise<unknown> = Promise.resolve()
  let closed = false
  const evaluateNow = async (question: CelQuestion): Promise<Json> => {
    if (closed) throw failed(question, 'the evaluator is closed')
    thread ??= startThread(() => (thread = undefined))
    const worker = await thread.catch((error: unknown) => {
      thread = undefined
      throw error
    })
    try {
      return await ask(worker, question, timeoutMs)
    } catch (error) {
      if (!(error instanceof ThreadGone)) throw error
      await worker.terminate()
      throw error.failure
    }
  }
  return {
    evaluate: (question) => {
      const turn = last.then(() => evaluateNow(question))
      last = turn.catch(() => {})
      return turn
    },
    close: async () => {
      closed = true
      await (await thread?.catch(() => undefined))?.terminate()
    },
  }
}

/** What is wrong with an expression: its syntax, unknown functions, and types as far as they can be told. */
export function checkCel(expression: string): Failure | undefined {
  try {
    readCel(expression)
    return undefined
  } catch (error) {
    return asFailure(error, expression)
  }
}

/** The thread is lost, and has to be replaced. */
class ThreadGone extends Error {
  readonly failure: Failure
  constructor(failure: Failure) {
    super(failure.message)
    this.failure = failure
  }
}

async function startThread(ended: () => void): Promise<Worker> {
  const compiled = import.meta.url.endsWith('.js')
  const worker = new Worker(new URL(compiled ? './cel-worker.js' : './cel-worker.ts', import.meta.url), {
    name: 'cel',
    execArgv: [],
    env: {},
    // What an expression builds up may fill this thread, not the process.
    resourceLimits: { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 32 },
  })
  const started = await answerOf(worker, startMs, (why) => new Failure({ code: 'cel-failed', subject: 'CEL', message: `its thread does not start: ${why}`, retry: 'later' })).catch(
    async (error: unknown) => {
      await worker.terminate()
      throw error instanceof ThreadGone ? error.failure : error
    },
  )
  if (!('ready' in started)) throw new Error('the CEL thread spoke out of turn')
  worker.on('error', () => {}) // a thread that fails while nobody waits, or while it is ended, is no error of the process
  worker.once('exit', ended)
  worker.unref()
  return worker
}

async function ask(worker: Worker, question: CelQuestion, timeoutMs: number): Promise<Json> {
  const waiting = answerOf(worker, timeoutMs, (why) =>
    why === 'time'
      ? new Failure({
          code: 'cel-timeout',
          subject: question.expression.slice(0, 80),
          message: `the CEL expression took longer than ${timeoutMs} ms`,
          hint: 'Look for regular expressions that backtrack, and for `all` or `map` inside each other.',
        })
      : failed(question, why),
  )
  worker.postMessage(question) // oxlint-disable-line unicorn/require-post-message-target-origin -- a thread, not a window
  const answer = await waiting
  if ('failure' in answer) throw new Failure(answer.failure)
  return 'value' in answer ? answer.value : null
}

/** The thread's next message; `ThreadGone` when its time is over or it ends. The timer, unlike the thread, keeps the process alive. */
function answerOf(worker: Worker, ms: number, gone: (why: string) => Failure): Promise<CelAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<CelAnswer>()
  const failedWith = (error: Error & { code?: string }): void =>
    reject(new ThreadGone(gone(error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'it needs more memory than it may have' : error.message)))
  const exited = (): void => reject(new ThreadGone(gone('its thread ended')))
  const timer = setTimeout(() => reject(new ThreadGone(gone('time'))), ms)
  worker.once('message', resolve).once('error', failedWith).once('exit', exited)
  return promise.finally(() => {
    clearTimeout(timer)
    worker.off('message', resolve).off('error', failedWith).off('exit', exited)
  })
}

function asText(expression: string, variables: Readonly<Record<string, unknown>>): string {
  let text: string
  try {
    text = JSON.stringify(variables)
  } catch (error) {
    throw failed({ expression }, error instanceof RangeError ? 'its variables are nested too deeply' : 'its variables are no JSON')
  }
  if (text.length > largestVariables) throw failed({ expression }, `its variables have ${text.length} characters as JSON, and at most ${largestVariables} are taken`)
  return text
}

function failed({ expression }: { readonly expression: string }, why: string): Failure {
  return new Failure({ code: 'cel-failed', subject: expression.slice(0, 80), message: `the CEL expression cannot be evaluated: ${why}` })
}
