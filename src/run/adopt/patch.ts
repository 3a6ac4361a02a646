import { Failure } from '#lib/failure.ts'
import type { Finding } from '#model/finding.ts'
import type { Proposal } from '#render/adopt/wish.ts'
import { knownConfiguration } from '../drift/targets.ts'
import type { Parts } from '../parts.ts'
import { headOf, patchOf } from '../propose.ts'
import { repositoryOf, searchAt } from './search.ts'
import { heldOf, wishOf } from './wish.ts'

export type AdoptionPatch = Pick<Proposal, 'edits' | 'renamed' | 'unproven'> & { readonly repository: string; readonly commit: string; readonly patch: string }

/** The edit as a patch against the head that is followed, and nothing is pushed. `patch` is empty where Git says so already. Failures: those of the search. */
export async function adoptionPatch(parts: Parts, finding: Finding, signal: AbortSignal): Promise<AdoptionPatch> {
  const configuration = await knownConfiguration(parts)
  const repository = repositoryOf(configuration, finding)
  const commit = await headOf(parts, repository)
  const answer = await searchAt(parts, configuration, finding, wishOf(finding, await heldOf(parts.sql, finding)), commit, signal)
  if (answer.outcome === 'refused') throw new Failure(answer.failure)
  if (answer.outcome === 'already') return { repository, commit, patch: '', edits: [], renamed: [], unproven: [] }
  const { files, edits, renamed, unproven } = answer.proposal
  return { repository, commit, patch: await patchOf(parts, repository, commit, files, signal), edits, renamed, unproven }
}
