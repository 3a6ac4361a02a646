import type { ApiError } from '../status.ts'

/** Work that may have to wait, for a webhook's answer: it yields what is waited for, and is given what comes of it. Without webhooks it is done at once. */
export type Steps<T> = Generator<() => Promise<unknown>, T, unknown>

/** Something else has changed the object while a webhook was asked: to be tried again with what is there now. */
export class Moved extends Error {
  /** What the client hears where it goes on so. */
  readonly refusal: ApiError

  constructor(refusal: ApiError) {
    super(refusal.message)
    this.refusal = refusal
  }
}

const attempts = 6

/** Given in place of what is waited for, where nothing can wait. */
export const notAsked = Symbol('not asked')

/** For what runs in process and cannot wait: webhooks are not asked. */
export function atOnce<T>(steps: Steps<T>): T {
  let step = steps.next()
  while (step.done !== true) step = steps.next(notAsked)
  return step.value
}

/** Waits where it must. `begin` is called again when the object has moved meanwhile; it must read it anew. */
export async function waiting<T>(begin: () => Steps<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await finish(begin())
    } catch (error) {
      if (!(error instanceof Moved)) throw error
      if (attempt === attempts) throw error.refusal
    }
  }
}

async function finish<T>(steps: Steps<T>): Promise<T> {
  let step = steps.next()
  while (step.done !== true) {
    const asked = await step.value().then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    )
    step = 'error' in asked ? steps.throw(asked.error) : steps.next(asked.value)
  }
  return step.value
}
