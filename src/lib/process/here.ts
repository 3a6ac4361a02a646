import { spawn } from 'node:child_process'
import { Failure } from '../failure.ts'

export type Command = {
  readonly command: string
  readonly args: readonly string[]
  readonly cwd?: string
  /** The whole environment: nothing is inherited. */
  readonly env: Readonly<Record<string, string>>
  readonly stdin?: string | Uint8Array
  readonly timeoutMs: number
  /** Of standard output and standard error each. */
  readonly maxOutputBytes: number
  readonly signal?: AbortSignal
}

export type Exit = { readonly code: number; readonly stdout: Buffer; readonly stderr: string }

/** `runProcess`, started by this very process. `started` is told the process group. */
export async function runHere(command: Command, started: (group: number) => void = () => {}): Promise<Exit> {
  const child = spawn(command.command, command.args, {
    ...(command.cwd === undefined ? {} : { cwd: command.cwd }),
    env: command.env,
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true, // a group of its own, so that what it started ends with it
  })
  if (child.pid !== undefined) started(child.pid)
  let stopped: Failure | undefined
  const stop = (reason: Failure): void => {
    stopped ??= reason
    endGroup(child.pid)
  }
  const failure = (code: string, message: string, hint?: string): Failure =>
    new Failure({ code, subject: command.command, message, ...(hint === undefined ? {} : { hint }), retry: 'later' })
  const timer = setTimeout(
    () => stop(failure('process-timeout', `${command.command} did not end within ${command.timeoutMs} ms`)),
    command.timeoutMs,
  )
  const onAbort = (): void => stop(failure('process-killed', `${command.command} was stopped: ${String(command.signal?.reason)}`))
  command.signal?.addEventListener('abort', onAbort, { once: true })
  const collect = (stream: NodeJS.ReadableStream): Buffer[] => {
    const chunks: Buffer[] = []
    let size = 0
    stream.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size <= command.maxOutputBytes) chunks.push(chunk)
      else stop(failure('process-output-too-large', `${command.command} wrote more than ${command.maxOutputBytes} bytes`))
    })
    return chunks
  }
  const stdout = collect(child.stdout)
  const stderr = collect(child.stderr)
  child.stdin.on('error', () => {}) // a program that does not read its input closes the pipe: its exit code tells the story
  child.stdin.end(command.stdin)
  try {
    const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (...exit) => resolve(exit))
    })
    if (stopped !== undefined) throw stopped
    if (code === null) throw failure('process-killed', `${command.command} was ended by ${signal}`)
    return { code, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString('utf8') }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    throw new Failure({
      code: 'process-missing',
      subject: command.command,
      message: `${command.command} is not installed, or not on the PATH`,
      hint: `Install ${command.command}, or put it on the PATH of the process that runs Plumbline.`,
      cause: error,
    })
  } finally {
    clearTimeout(timer)
    command.signal?.removeEventListener('abort', onAbort)
  }
}

/** Ends a process group, where it is still there. */
export function endGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // already gone
  }
}
