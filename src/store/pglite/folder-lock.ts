import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Failure } from '#lib/failure.ts'

/**
 * One holder a folder, by a lock that the kernel keeps for as long as the process lives: it goes with kill -9, and it holds between
 * containers that share the folder, where neither process ids nor abstract sockets do. Node has no fcntl(2); its SQLite has: an exclusive
 * transaction on `lock` is such a lock (and SQLite keeps the threads of one process apart). Nothing else may open `lock`: closing any
 * other descriptor of that file in this process would release it. So who holds it is told in `holder.json`, which only informs.
 *
 * Failures: `store-locked`, `store-broken`.
 */
export function lockFolder(folder: string): () => void {
  let database: DatabaseSync | undefined
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    database = new DatabaseSync(join(folder, 'lock'), { timeout: 0 })
    database.exec('pragma journal_mode = memory; begin exclusive') // in memory: a journal file would be left behind by kill -9
  } catch (error) {
    database?.close()
    if ((error as { errcode?: number }).errcode === 5) throw lockedFailure(folder) // SQLITE_BUSY
    throw new Failure({
      code: 'store-broken',
      subject: folder,
      message: `The store's folder cannot be used: ${(error as Error).message}`,
      hint: 'Check that it is a folder that this user may write to, on a file system that has locks.',
      cause: error,
    })
  }
  const holder = join(folder, 'holder.json')
  try {
    writeFileSync(holder, JSON.stringify({ pid: process.pid }))
  } catch {
    // a full disk: the lock holds without it
  }
  return () => {
    rmSync(holder, { force: true })
    database.close()
  }
}

function lockedFailure(folder: string): Failure {
  const pid = holderOf(folder)
  return new Failure({
    code: 'store-locked',
    subject: folder,
    message: `The store is in use by another process${pid === undefined ? '' : `, ${pid}`}.`,
    hint: 'Stop that process first, or use another folder (--dir).',
    retry: 'later',
    fields: pid === undefined ? {} : { pid },
  })
}

function holderOf(folder: string): number | undefined {
  try {
    const { pid } = JSON.parse(readFileSync(join(folder, 'holder.json'), 'utf8')) as { pid?: unknown }
    return typeof pid === 'number' ? pid : undefined
  } catch {
    return undefined // being written, or removed: the lock itself decides
  }
}
