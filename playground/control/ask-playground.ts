import { connect } from 'node:net'
import { Failure, type FailureJson } from '#lib/failure.ts'
import type { BreakageRow, ControlRequest } from './control.ts'
import { controlSocketOf } from './socket-path.ts'

const answerMs = 60_000

/** Tells the playground that runs in `dir`. Failures: `playground-not-running`, and those that it answers. */
export async function askPlayground(dir: string, request: ControlRequest): Promise<BreakageRow[]> {
  const text = await exchange(controlSocketOf(dir), `${JSON.stringify(request)}\n`, dir)
  let answer: { rows?: BreakageRow[]; error?: FailureJson }
  try {
    answer = JSON.parse(text) as typeof answer
  } catch (cause) {
    throw notRunning(dir, 'The playground ended before it answered', cause)
  }
  const { rows, error } = answer
  if (error !== undefined) throw new Failure(error)
  return rows ?? []
}

function exchange(path: string, line: string, dir: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = connect(path)
    socket.setTimeout(answerMs, () => socket.destroy(new Error(`no answer in ${answerMs / 1000} s`)))
    socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    socket.on('connect', () => socket.write(line))
    socket.on('error', (cause) => reject(notRunning(dir, `No playground answers in this folder: ${cause.message}`, cause)))
    socket.on('end', () => resolve(text))
  })
}

const notRunning = (dir: string, message: string, cause: unknown): Failure =>
  new Failure({ code: 'playground-not-running', subject: dir, message, hint: 'Start it with plumb playground, or name its folder with --dir.', retry: 'later', cause })
