import { cpSync, chownSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createConnection } from 'mysql2'
import type { Connection } from 'mysql2'
import { eventually } from './eventually.ts'
import { findProgram, freePort, runUnprivileged, serverFolder, startGuarded } from './guarded-server.ts'
import type { GuardedServer } from './guarded-server.ts'

const share = '/usr/share/mysql'
const tables = ['mysql_system_tables.sql', 'mysql_system_tables_data.sql'].map((file) => join(share, file))

/** Why tests on a MariaDB server cannot run here, or nothing if they can. */
export function mariadbMissing(): string | undefined {
  return findProgram('mariadbd') === undefined || !tables.every((file) => existsSync(file)) ? 'no MariaDB: mariadb-server-core of Debian' : undefined
}

const password = 'admin-of-tests'
/** Small, and without fsync: nothing in it is worth keeping. */
const settings = ['--innodb-log-file-size=4M', '--innodb-buffer-pool-size=8M', '--innodb-flush-method=nosync', '--aria-log-file-size=8M']

export type MariadbServer = {
  readonly folder: string
  readonly port: number
  /** Of the user `admin`, who may do everything. */
  readonly url: string
  /** Statements, as `admin`. */
  readonly ask: (...statements: string[]) => Promise<Record<string, unknown>[]>
} & Pick<GuardedServer, 'hang' | 'goOn' | 'stop'>

export const urlAs = (user: string, secret: string, port: number, database = ''): string => `mysql://${user}:${secret}@127.0.0.1:${port}/${database}`

/** Data of an empty server, from which several can be made: creating it takes two seconds. */
export async function mariadbTemplate(): Promise<{ readonly folder: string; readonly remove: () => void }> {
  const folder = serverFolder('mariadb')
  mkdirSync(join(folder, 'data'), { mode: 0o700 })
  owned(join(folder, 'data'), folder)
  const statements = [
    'create database mysql;',
    'use mysql;',
    'set @auth_root_socket=NULL;',
    ...tables.map((file) => readFileSync(file, 'utf8')),
    'flush privileges;',
    `create user admin@'127.0.0.1' identified by '${password}';`,
    `grant all on *.* to admin@'127.0.0.1' with grant option;`,
    '',
  ].join('\n')
  await runUnprivileged(program(), ['--no-defaults', '--bootstrap', `--datadir=${join(folder, 'data')}`, '--skip-networking', ...settings], statements)
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

/** A server on the loopback with a copy of the template's data. It ends with this process, however that ends. With a certificate it speaks TLS, too. */
export async function startMariadb(template: { readonly folder: string }, options: readonly string[] = [], tls?: { readonly key: string; readonly cert: string }): Promise<MariadbServer> {
  const folder = serverFolder('mariadb')
  const data = join(folder, 'data')
  cpSync(join(template.folder, 'data'), data, { recursive: true })
  writeFileSync(join(folder, 'tls.pem'), `${tls?.key ?? ''}${tls?.cert ?? ''}`, { mode: 0o600 })
  owned(join(folder, 'tls.pem'), folder)
  owned(data, folder)
  const port = await freePort()
  const args = ['--no-defaults', `--datadir=${data}`, `--port=${port}`, '--bind-address=127.0.0.1', `--socket=${join(folder, 's')}`, `--pid-file=${join(folder, 'pid')}`, '--skip-name-resolve', '--performance-schema=0', ...(tls === undefined ? [] : [`--ssl-cert=${join(folder, 'tls.pem')}`, `--ssl-key=${join(folder, 'tls.pem')}`]), ...settings, ...options]
  const server = startGuarded(folder, program(), args)
  const ask = (...statements: string[]): Promise<Record<string, unknown>[]> => asking(port, statements)
  await eventually(async () => {
    if (!server.isRunning()) throw new Error('MariaDB did not start')
    return ask('select 1').catch(() => undefined)
  }, 30_000)
  return { folder, port, url: urlAs('admin', password, port), ask, hang: server.hang, goOn: server.goOn, stop: server.stop }
}

function program(): string {
  const found = findProgram('mariadbd')
  if (found === undefined) throw new Error(mariadbMissing())
  return found
}

/** Everything in it is given to whoever owns the folder above. */
function owned(path: string, folder: string): void {
  const { uid, gid } = lstatSync(folder)
  chownSync(path, uid, gid)
  if (lstatSync(path).isDirectory()) for (const one of readdirSync(path)) owned(join(path, one), folder)
}

async function asking(port: number, statements: readonly string[]): Promise<Record<string, unknown>[]> {
  const connection = createConnection({ host: '127.0.0.1', port, user: 'admin', password })
  connection.on('error', () => {})
  try {
    let rows: Record<string, unknown>[] = []
    for (const statement of statements) rows = await one(connection, statement)
    return rows
  } finally {
    connection.destroy()
  }
}

function one(connection: Connection, statement: string): Promise<Record<string, unknown>[]> {
  return new Promise((resolve, reject) => connection.query(statement, (error, rows) => (error === null ? resolve(Array.isArray(rows) ? (rows as Record<string, unknown>[]) : []) : reject(error))))
}
