/** A Ctrl-C reaches a program twice where `npm` or `bin/plumb` stands before it: from the terminal, and passed on. */
const sameKeyMs = 1000

/**
 * Aborts at the first Ctrl-C or request to end, or when `bin/plumb`, which started this process, is gone, so that everything can be stopped in order. Another one, a second later or more, ends the process
 * at once.
 */
export function stopRequested(now: () => number): AbortSignal {
  const controller = new AbortController()
  let first: number | undefined
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => {
      if (first !== undefined && now() - first >= sameKeyMs) process.exit(1)
      first ??= now()
      controller.abort()
    })
  // `bin/plumb` was killed: nobody could stop this process any more who does not know its number. The channel does not keep it from ending.
  process.on('disconnect', () => controller.abort())
  process.channel?.unref()
  return controller.signal
}

/** Resolves when the signal aborts. */
export function stopped(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
