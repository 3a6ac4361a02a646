import { asFailure } from '#lib/failure.ts'
import type { Failure } from '#lib/failure.ts'
import { notesOf } from '#record/note.ts'
import type { RecordStatement } from '#record/statement.ts'
import { chainEnd, noteCursor, runRecords, saveNoteCursor } from '#store/records.ts'
import type { Parts } from './parts.ts'

/** So many records at once. */
const most = 200

/**
 * Tells repositories that want it (`notes: true`) what became of their commits. Each repository is told of each record once; one that cannot be reached is
 * behind, and is told later. After a crash a record may be told again, which changes nothing.
 */
export async function noteCommits(parts: Parts, environment: string, signal: AbortSignal): Promise<{ again: number } | undefined> {
  const { sql, repositories, clock } = parts
  const wanting = repositories.names().filter((name) => repositories.config(name)?.notes === true)
  const end = wanting.length === 0 ? undefined : await chainEnd(sql, environment)
  if (end === undefined) return undefined
  let failure: Failure | undefined
  let more = false
  for (const repository of wanting) {
    const told = await noteCursor(sql, environment, repository)
    if (told >= end.size) continue
    try {
      const records = await runRecords(sql, environment, told, most)
      const lines = records.flatMap(({ text, digest }) => notesOf(JSON.parse(text) as RecordStatement, digest)).filter((note) => note.repository === repository)
      if (lines.length > 0) await repositories.mirror(repository).pushNotes({ lines, at: clock.now(), author: { name: 'Plumbline', email: 'plumbline@localhost' } }, AbortSignal.any([signal, AbortSignal.timeout(60_000)]))
      const last = records.at(-1)
      const isAll = records.length < most || last === undefined
      await saveNoteCursor(sql, environment, repository, isAll ? end.size : last.seq + 1)
      more ||= !isAll
    } catch (error) {
      signal.throwIfAborted()
      failure ??= asFailure(error, `notes on commits of ${repository}`)
    }
  }
  if (failure !== undefined) throw failure
  return more ? { again: clock.now() } : undefined
}
