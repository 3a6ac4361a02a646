/** A promise's result, or the signal's reason as soon as it is aborted. What was begun goes on by itself, and its later failure is nobody's. */
export async function until<T>(begun: Promise<T>, signal: AbortSignal): Promise<T> {
  begun.catch(() => {})
  signal.throwIfAborted()
  const { promise, reject } = Promise.withResolvers<never>()
  const abort = (): void => reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  try {
    return await Promise.race([begun, promise])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
