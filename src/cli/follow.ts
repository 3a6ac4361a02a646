import type { Run } from '#api/client.ts'
import { isEnded } from '#model/run.ts'
import { unreachable } from './connect.ts'
import type { Connection } from './connect.ts'

/**
 * Follows a run by the server's events, calling `seen` with each new state of it, until it has ended, waits for a person, or `signal` says that it is
 * enough: then it comes back as it is. `before` is the run as it was before the caller did something about it: that it still waits so means nothing yet. A lost connection is taken up again. Failure `server-not-running`.
 */
export async function followRun(connection: Connection, id: string, seen: (run: Run) => void, signal: AbortSignal, before?: Run): Promise<Run> {
  if (before !== undefined) await untilTakenUp(connection, before, signal)
  for await (const _ of changes(connection, signal)) {
    const run = await connection.client.show(id)
    seen(run)
    if (isEnded(run.state) || needsPerson(run)) return run
  }
  return connection.client.show(id)
}

/** How long a control plane may take to look at a run again that a person did something about. */
const takenUpMs = 5_000

async function untilTakenUp(connection: Connection, before: Run, signal: AbortSignal): Promise<void> {
  const told = (run: Run): string => JSON.stringify([run.state, run.waiting])
  for await (const _ of changes(connection, AbortSignal.any([signal, AbortSignal.timeout(takenUpMs)])))
    if (told(await connection.client.show(before.id)) !== told(before)) return
}

/** It does not go on unless a person does something. */
export function needsPerson(run: Run): boolean {
  return run.state === 'waiting' && run.waiting.some((one) => one.waitingFor === 'approval' || one.waitingFor === 'person' || one.waitingFor === 'pause')
}

/** Changes come in bursts. So long (ms) after one, whoever follows is told of it and of all that came with it, once. */
const burstMs = 25

/** One value now, and one whenever something has changed; what changes while the caller looks at the last one is one more. */
export async function* changes(connection: Connection, signal: AbortSignal): AsyncGenerator<undefined> {
  let failures = 0
  while (!signal.aborted) {
    const left = new AbortController()
    try {
      const answer = await fetch(new URL('/v1/events', connection.url), { headers: { authorization: `Bearer ${connection.token}` }, signal: AbortSignal.any([signal, left.signal]), redirect: 'error' })
      if (!answer.ok || answer.body === null) {
        await answer.body?.cancel()
        // Whoever may not hear what happens asks again instead.
        yield undefined
        await pause(1000, signal)
        continue
      }
      let [isNew, isOver] = [true, false]
      let wake = (): void => {}
      const alive = (): void => void (failures = 0)
      const changed = (): void => {
        isNew = true
        wake()
      }
      const hearing = hear(answer.body, alive, changed).finally(() => {
        isOver = true
        wake()
      })
      hearing.catch(() => {}) // waited for at the end
      while (isNew || !isOver) {
        if (isNew) {
          isNew = false
          yield undefined
          continue
        }
        await new Promise<void>((resolve) => (wake = resolve))
        await pause(burstMs, signal)
      }
      await hearing
      await pause(100, signal)
    } catch (error) {
      if (signal.aborted) return
      failures += 1
      if (failures > 5) throw unreachable(connection.url, error)
      await pause(300 * failures, signal)
    } finally {
      left.abort() // whoever stops listening has no connection left open
    }
  }
}
/** Calls `changed` for what the server sends. A line with a colon says only that the connection lives: `alive` is called for that too. */
async function hear(body: ReadableStream<Uint8Array>, alive: () => void, changed: () => void): Promise<void> {
  let text = ''
  const decoder = new TextDecoder()
  for await (const chunk of body) {
    alive()
    const blocks = (text + decoder.decode(chunk, { stream: true })).split('\n\n')
    text = blocks.pop() ?? ''
    if (blocks.some((block) => !block.startsWith(':'))) changed()
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms)
    function done(): void {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    signal.addEventListener('abort', done, { once: true })
  })
}
