import type { Backend } from './backend.ts'
import { ApiError } from './status.ts'

const patienceMs = 3000

/** Waits until a version is there, as a read that asks for one that has not come yet does; for three seconds, then it is a 504. */
export async function reached(backend: Backend, version: number, signal: AbortSignal): Promise<void> {
  const { storage, clock } = backend
  if (storage.version >= version) return
  const done = new AbortController()
  const come = new Promise<void>((resolve) => {
    const stop = storage.subscribe((change) => {
      if (change.version >= version) resolve()
    })
    done.signal.addEventListener('abort', stop, { once: true })
  })
  await Promise.race([come, clock.sleep(patienceMs, AbortSignal.any([signal, done.signal])).catch(() => {})])
  done.abort()
  if (storage.version >= version) return
  throw new ApiError(504, 'Timeout', `Timeout: Too large resource version: ${version}, current: ${storage.version}`, {
    details: { causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }], retryAfterSeconds: 1 },
  })
}
