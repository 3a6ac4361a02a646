import { chmodSync, rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { isObject } from '#lib/json.ts'
import { asFailure, Failure } from '#lib/failure.ts'
import type { Control, ControlRequest } from './control.ts'
import { controlSocketOf } from './socket-path.ts'

const longestRequest = 4_096
const requestMs = 5_000

/**
 * Listens for a person's word on a socket of the playground's folder, which only its owner may connect to. One line of JSON a connection
 * (`ControlRequest`), answered by one: `{ rows }`, or `{ error }` as `Failure` writes itself; before it comes one `{ doing }` for each step that takes a while. Where it
 * cannot listen, the log says so.
 */
export async function startControlSocket(dir: string, control: Control, log: (line: string) => void): Promise<{ stop(): Promise<void> }> {
  const path = controlSocketOf(dir)
  const open = new Set<Socket>()
  const server = createServer((socket) => {
    open.add(socket)
    socket.on('close', () => open.delete(socket))
    socket.on('error', () => socket.destroy())
    void serve(socket, control)
  })
  rmSync(path, { force: true }) // of a playground that was killed: there is one a folder, and this one has the lock
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(path, resolve)
    })
    chmodSync(path, 0o600)
  } catch (error) {
    log(`break, mend and reset are not to be had: ${error instanceof Error ? error.message : String(error)}`)
  }
  return {
    stop: async () => {
      for (const socket of open) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
      rmSync(path, { force: true })
    },
  }
}

async function serve(socket: Socket, control: Control): Promise<void> {
  const say = (line: object): void => {
    if (socket.writable) socket.write(`${JSON.stringify(line)}\n`)
  }
  try {
    say({ rows: await control(parse(await firstLine(socket)), (doing) => say({ doing })) })
  } catch (error) {
    say({ error: asFailure(error, 'playground').toJSON() })
  }
  socket.end()
}

function firstLine(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    const bad = (message: string): void => reject(new Failure({ code: 'breakage-unknown', subject: 'the playground’s control socket', message }))
    socket.setTimeout(requestMs, () => bad('No whole line came in time'))
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      const end = text.indexOf('\n')
      if (end >= 0) {
        socket.setTimeout(0)
        resolve(text.slice(0, end))
      } else if (text.length > longestRequest) bad('The line is too long')
    })
    socket.on('close', () => bad('The connection was closed before a whole line came'))
  })
}

function parse(line: string): ControlRequest {
  let request: unknown
  try {
    request = JSON.parse(line)
  } catch {
    // said below
  }
  if (isObject(request)) {
    const { do: verb, what, environment } = request
    if (verb === 'list' || verb === 'reset') return { do: verb }
    if ((verb === 'break' || verb === 'mend') && typeof what === 'string' && typeof environment === 'string') return { do: verb, what, environment }
  }
  throw new Failure({ code: 'breakage-unknown', subject: 'the playground’s control socket', message: 'expected one line: {"do": "list" | "reset"}, or {"do": "break" | "mend", "what": …, "environment": …}' })
}
