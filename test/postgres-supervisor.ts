import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chownSync, cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { Client } from 'pg'
import { startTimeOf } from './process-start-time.ts'

// Started by `postgres.ts`, in a process group of its own: runs a PostgreSQL server in a folder for as long as the process that asked for it
// lives, looks after that by itself (kill -9 gives no notice), and then removes both.
const [folder = '', pid = '', started = '', bin = '', copy = ''] = process.argv.slice(2)

const owner = process.getuid?.() === 0 ? unprivilegedUser() : undefined
const asOwner = owner === undefined ? {} : { uid: owner.uid, gid: owner.gid }
let server: ChildProcess | undefined
try {
  const programs = copy === 'true' ? copyPrograms() : bin
  const data = join(folder, 'data')
  const password = randomBytes(12).toString('hex')
  createData(programs, data, password)
  const port = await freePort()
  server = spawn(join(programs, 'postgres'), ['-D', data, ...settings({ port })], { ...asOwner, cwd: data, stdio: ['ignore', 'inherit', 'inherit'] })
  await answers(server, port, password)
  writeFileSync(join(folder, 'address.new'), JSON.stringify({ port, password }), { mode: 0o600 })
  renameSync(join(folder, 'address.new'), join(folder, 'address.json'))
  while (isAlive() && server.exitCode === null) await after(200)
} catch (error) {
  writeFileSync(join(folder, 'failed.txt'), `PostgreSQL did not start: ${String(error)}`)
  while (isAlive()) await after(200) // so that the threads that come later read it too
} finally {
  await end(server)
  rmSync(folder, { recursive: true, force: true })
}

function isAlive(): boolean {
  if (started !== '') return startTimeOf(Number(pid)) === started
  try {
    return process.kill(Number(pid), 0)
  } catch {
    return false
  }
}

/** PostgreSQL does not run as root. */
function unprivilegedUser(): { uid: number; gid: number } {
  for (const name of ['postgres', 'nobody']) {
    const line = readFileSync('/etc/passwd', 'utf8').split('\n').find((entry) => entry.startsWith(`${name}:`))?.split(':')
    if (line !== undefined) return { uid: Number(line[2]), gid: Number(line[3]) }
  }
  throw new Error('this is root, and there is no user postgres or nobody')
}

/** npm packs no symbolic links: the package lists them for a script, which may not have run, and whose result another user may not reach. */
function copyPrograms(): string {
  const native = dirname(bin)
  const target = join(folder, 'native')
  cpSync(native, target, { recursive: true, verbatimSymlinks: true })
  const list = join(native, 'pg-symlinks.json')
  const links = existsSync(list) ? (JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]) : []
  for (const link of links) {
    const path = join(folder, link.target)
    if (!existsSync(path)) symlinkSync(join(folder, link.source), path)
  }
  return join(target, 'bin')
}

function createData(programs: string, data: string, password: string): void {
  mkdirSync(data, { mode: 0o700 })
  const passwordFile = join(folder, 'password')
  writeFileSync(passwordFile, password, { mode: 0o600 })
  if (owner !== undefined) for (const path of [data, passwordFile]) chownSync(path, owner.uid, owner.gid)
  const args = ['-D', data, '-U', 'postgres', '-A', 'scram-sha-256', `--pwfile=${passwordFile}`, '-E', 'UTF8', '--locale=C', '--no-sync']
  const run = spawnSync(join(programs, 'initdb'), args, { ...asOwner, cwd: data, encoding: 'utf8' })
  if (run.status !== 0) throw new Error(`initdb: ${run.error?.message ?? run.stderr}`)
}

function settings(given: { port: number }): string[] {
  const all = { port: given.port, listen_addresses: '127.0.0.1', unix_socket_directories: '', fsync: 'on', dynamic_shared_memory_type: 'mmap', shared_buffers: '32MB', max_connections: 100, max_wal_size: '256MB' }
  return Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])
}

async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const { port } = probe.address() as AddressInfo
  await new Promise((resolve) => probe.close(resolve))
  return port
}

async function answers(child: ChildProcess, port: number, password: string): Promise<void> {
  for (const deadline = Date.now() + 30_000; ; await after(30)) {
    if (child.exitCode !== null) throw new Error(`postgres ended with ${child.exitCode}: ${readFileSync(join(folder, 'supervisor.log'), 'utf8')}`)
    const client = new Client({ host: '127.0.0.1', port, user: 'postgres', password, database: 'postgres' })
    client.on('error', () => {})
    try {
      await client.connect()
      await client.end()
      return
    } catch (error) {
      await client.end().catch(() => {})
      if (Date.now() > deadline) throw error
    }
  }
}

async function end(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGQUIT') // immediate: nothing in it is wanted any more
  await Promise.race([ended, after(5_000).then(() => child.kill('SIGKILL'))])
}
