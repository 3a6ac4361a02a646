import type { Readiness } from '#drivers/driver.ts'
import { Failure, asFailure } from '#lib/failure.ts'
import type { FailureJson } from '#lib/failure.ts'
import { parseKey, showKey, type ObjectKey } from '#model/resource.ts'
import { patience, tell } from './trouble.ts'
import type { Bound, Work } from './work.ts'

/** The objects that are followed; `deadline` ends it when the module's time is over, `signal` then and whenever the run is given back. */
export type Following = {
  readonly module: string
  readonly objects: Parameters<Bound['driver']['ready']>[1]
  readonly signal: AbortSignal
  readonly deadline: AbortSignal
}

/** What a system is in trouble with, while nothing else is heard of it. */
export type Trouble = { last?: FailureJson }

/** How long to wait for a custom resource's conditions before its probes have to speak for it. */
export const untoldGrace = 10_000

/** Why something is not ready; `undefined` when all is, or nothing tells of it (which `work.untold` has then). */
export async function awaitReady(work: Work, bound: Bound, following: Following): Promise<FailureJson | undefined> {
  const { module, objects, signal, deadline } = following
  if (objects.length === 0) return undefined
  const last = new Map<string, Readiness>()
  const quiet = new AbortController()
  const trouble: Trouble = {}
  const isUntoldAlone = (): boolean => [...last.values()].some(({ state }) => state === 'untold') && objects.every(({ key }) => isSettled(last.get(key)))
  let grace: AbortController | undefined
  for await (const readiness of followed(work, bound, { ...following, signal: AbortSignal.any([signal, quiet.signal]) }, trouble)) {
    last.set(readiness.key, readiness)
    // What nothing tells of gets some time to be told of; after that its probes must show that it works. Once told of, it has its module's deadline.
    if (!isUntoldAlone()) {
      grace?.abort()
      grace = undefined
    } else if (grace === undefined) {
      grace = new AbortController()
      void work.parts.clock.sleep(untoldGrace, AbortSignal.any([signal, grace.signal])).then(() => (isUntoldAlone() ? quiet.abort() : undefined), () => {})
    }
  }
  grace?.abort()
  work.claim.signal.throwIfAborted()
  for (const readiness of last.values()) if (readiness.state === 'untold') work.untold.add(`${module}\n${readiness.key}`)
  const missing = objects.map((object) => last.get(object.key) ?? ({ key: object.key, state: 'unknown', message: 'nothing was seen of it' } satisfies Readiness))
  const notReady = missing.filter((readiness) => !isSettled(readiness))
  if (notReady.length === 0) return undefined
  const failed = notReady.filter((readiness) => readiness.state === 'failed' || readiness.state === 'gone')
  if (deadline.aborted && failed.length === 0) return trouble.last ?? tooLate(module, notReady)
  const [worstOne = { key: '', message: '', state: 'unknown' }] = failed.length > 0 ? failed : notReady
  return new Failure({
    code: 'not-ready',
    subject: showKey(worstOne.key),
    message: worstOne.message,
    hint: `Look at it: ${describing(worstOne.key)}`,
    retry: 'later',
  }).toJSON()
}

function describing(key: ObjectKey): string {
  const { group, kind, namespace, name } = parseKey(key)
  return `kubectl describe ${kind.toLowerCase()}${group === '' ? '' : `.${group}`} ${name}${namespace === '' ? '' : ` -n ${namespace}`}`
}

/** What a driver tells of objects, and goes on telling when the system was in trouble for a while: until each is settled, or the signal ends it. */
export async function* followed(work: Work, bound: Bound, { module, signal, objects }: Following, trouble: Trouble): AsyncGenerator<Readiness> {
  for (let attempt = 1; ; attempt += 1) {
    let unknown: Readiness | undefined
    try {
      for await (const readiness of bound.driver.ready({ ...bound.call, signal }, objects)) {
        if (readiness.state === 'unknown') unknown = readiness
        else delete trouble.last
        yield readiness
      }
      if (unknown === undefined || signal.aborted) return
      trouble.last = new Failure({ code: 'readiness-unknown', subject: showKey(unknown.key), message: unknown.message, hint: 'It is not known whether it is ready: find out why it cannot be read.', retry: 'later' }).toJSON()
    } catch (error) {
      work.claim.signal.throwIfAborted()
      if (signal.aborted) return
      const failure = asFailure(error, `module ${module}`)
      if (failure.retry === 'never') throw failure
      trouble.last = failure.toJSON()
    }
    await tell(work, module, trouble.last)
    await work.parts.clock.sleep(patience(attempt), signal).catch(() => {})
    if (signal.aborted) return
  }
}

function isSettled(readiness: Readiness | undefined): boolean {
  return readiness?.state === 'ready' || readiness?.state === 'untold'
}

export function tooLate(module: string, notReady: readonly Readiness[]): FailureJson {
  return new Failure({
    // What was never seen is not known to have failed.
    code: notReady.some((one) => one.state === 'unknown') ? 'readiness-unknown' : 'deadline-exceeded',
    subject: `module ${module}`,
    message:
      notReady.length === 0
        ? 'it was not delivered within its deadline'
        : `not ready within its deadline: ${notReady.map((one) => `${showKey(one.key)}: ${one.message}`).join('; ')}`,
    hint: 'Mend what keeps it from becoming ready, or raise `spec.deadline` of the module.',
    retry: 'later',
  }).toJSON()
}
