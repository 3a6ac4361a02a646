import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Failure } from '#lib/failure.ts'

/**
 * One playground a folder, by a lock of the kernel's that goes with the process, however it ends. Node has no fcntl(2) of its own, but its
 * SQLite has: an exclusive transaction is such a lock. Nothing else may open the file. Failure: `playground-locked`.
 */
export function lockPlayground(dir: string): () => void {
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const database = new DatabaseSync(join(dir, 'playground.lock'), { timeout: 0 })
  try {
    database.exec('pragma journal_mode = memory; begin exclusive')
  } catch (cause) {
    database.close()
    throw new Failure({
      code: 'playground-locked',
      subject: dir,
      message: 'Another process runs a playground in this folder',
      hint: 'Stop it first, or use another folder (--dir).',
      retry: 'later',
      cause,
    })
  }
  return () => {
    if (database.isOpen) database.close()
  }
}
