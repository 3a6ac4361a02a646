import { spawn } from 'node:child_process'
import { chmodSync, chownSync, existsSync, mkdtempSync, readFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'

/** Ends the server, and removes its folder, when standard input closes: whoever holds its other end was done, or was killed. */
const guard = `
folder=$1; shift
exec 3<&0
"$@" </dev/null 3<&- >"$folder/server.log" 2>&1 & server=$!
echo $server >"$folder/server.pid"
{ cat >/dev/null; kill -KILL $server; } <&3 2>/dev/null & watcher=$!
exec 3<&-
wait $server
kill $watcher 2>/dev/null; wait $watcher 2>/dev/null
rm -rf "$folder"`

export type GuardedServer = {
  readonly folder: string
  readonly isRunning: () => boolean
  /** From here on it takes connections, as the system does that for it, and answers nobody. `stop` ends it all the same. */
  readonly hang: () => void
  readonly goOn: () => void
  readonly stop: () => Promise<void>
}

/** Whom a server runs as that refuses to be root's; undefined where this process is not. */
function unprivileged(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  const [, , uid, gid] = readFileSync('/etc/passwd', 'utf8').split('\n').map((line) => line.split(':')).find(([name]) => name === 'nobody') ?? []
  return uid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) }
}

/** A folder of its own for a server, which its user may write. */
export function serverFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `plumbline-${name}-`))
  const owner = unprivileged()
  chmodSync(folder, 0o700)
  if (owner !== undefined) chownSync(folder, owner.uid, owner.gid)
  return folder
}

/** Starts a program as an unprivileged user, in its folder, which goes with it. It writes to `server.log` there. */
export function startGuarded(folder: string, command: string, args: readonly string[]): GuardedServer {
  const child = spawn('/bin/sh', ['-c', guard, 'guard', folder, command, ...args], { ...unprivileged(), cwd: '/', env: { PATH: process.env['PATH'] ?? '' }, stdio: ['pipe', 'ignore', 'ignore'], detached: true })
  child.stdin.on('error', () => {})
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()).once('error', () => resolve()))
  let running = true
  void ended.then(() => (running = false))
  const signal = (name: NodeJS.Signals): void => void process.kill(Number(readFileSync(join(folder, 'server.pid'), 'utf8')), name)
  return {
    folder,
    isRunning: () => running,
    hang: () => signal('SIGSTOP'),
    goOn: () => signal('SIGCONT'),
    stop: async () => {
      child.stdin.end()
      await ended
    },
  }
}

/** Runs a program to its end, as the servers' user. */
export async function runUnprivileged(command: string, args: readonly string[], stdin: string): Promise<void> {
  const child = spawn(command, args, { ...unprivileged(), cwd: '/', env: { PATH: process.env['PATH'] ?? '' }, stdio: ['pipe', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
  child.stdin.on('error', () => {})
  child.stdin.end(stdin)
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve))
  if (code !== 0) throw new Error(`${command} ended with ${String(code)}: ${said.slice(-2_000)}`)
}

/** A port that was free a moment ago, for servers that cannot choose one themselves. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

export function findProgram(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin']
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path))
}
