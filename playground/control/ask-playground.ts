import { connect } from 'node:net'
import { Failure, type FailureJson } from '#lib/failure.ts'
import type { Tell } from './breakage.ts'
import type { BreakageRow, ControlRequest } from './control.ts'
import { controlSocketOf } from './socket-path.ts'

const silenceMs = 60_000

type Answer = { readonly doing?: string; readonly rows?: BreakageRow[]; readonly error?: FailureJson }

/** Tells the playground that runs in `dir`; `tell` hears what it does meanwhile. Failures: `playground-not-running`, and those that it answers. */
export async function askPlayground(dir: string, request: ControlRequest, tell: Tell = () => {}): Promise<BreakageRow[]> {
  for await (const line of linesOf(dir, request)) {
    const { doing, rows, error } = JSON.parse(line) as Answer
    if (doing !== undefined) tell(doing)
    if (error !== undefined) throw new Failure(error)
    if (rows !== undefined) return rows
  }
  throw notRunning(dir, 'The playground ended before it answered')
}

/** What it says to a request, whole lines alone. */
async function* linesOf(dir: string, request: ControlRequest): AsyncGenerator<string> {
  const socket = connect(controlSocketOf(dir)).setEncoding('utf8')
  socket.setTimeout(silenceMs, () => socket.destroy(new Error(`no answer in ${silenceMs / 1000} s`)))
  socket.write(`${JSON.stringify(request)}\n`)
  let rest = ''
  try {
    for await (const chunk of socket as AsyncIterable<string>) {
      const lines = `${rest}${chunk}`.split('\n')
      rest = lines.pop() ?? ''
      yield* lines
    }
  } catch (cause) {
    throw notRunning(dir, `No playground answers in this folder: ${(cause as Error).message}`, cause)
  }
}

const notRunning = (dir: string, message: string, cause?: unknown): Failure =>
  new Failure({ code: 'playground-not-running', subject: dir, message, hint: 'Start it with plumb playground, or name its folder with --dir.', retry: 'later', cause })
