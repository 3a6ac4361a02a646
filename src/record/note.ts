import { worst } from '#model/probe.ts'
import type { Verdict } from '#model/probe.ts'
import { deliveredWord } from './delivered.ts'
import { runRecordType } from './statement.ts'
import type { RecordStatement } from './statement.ts'

/** What became of one commit, for the note on it. */
export type CommitNote = { readonly repository: string; readonly commit: string; readonly line: string }

/** The lines that a run's record adds to the notes of the commits that it delivered. A run that gave way to another delivered nothing. */
export function notesOf(statement: RecordStatement, digest: string): CommitNote[] {
  if (statement.predicateType !== runRecordType || statement.predicate.state === 'superseded') return []
  const { run, state, changes, modules, chain, endedAt } = statement.predicate
  const verdicts = modules.map((one) => one.verification).filter((one): one is Verdict => one !== 'pending')
  const verified = verdicts.length === 0 ? 'not verified' : `verification ${worst(verdicts)}`
  const line = `Plumbline: ${chain.environment} ${state}: ${deliveredWord(modules)}, ${verified}; ${run}, record ${chain.environment} #${chain.seq} ${digest} ${new Date(endedAt).toISOString()}`
  return changes.map(({ repository, sha }) => ({ repository, commit: sha, line }))
}
