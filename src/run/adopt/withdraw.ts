import type { Adoption } from '#model/adoption.ts'
import type { Finding } from '#model/finding.ts'
import { findAdoption, saveAdoption } from '#store/adoptions.ts'
import { addFindingChanges } from '#store/findings.ts'
import type { Sql } from '#store/sql.ts'

/** Who decided otherwise, and what: the caller does it in the same transaction. */
export type Otherwise = { readonly by: string; readonly instead: 'accepted' | 'reverted' }

/**
 * A finding that is on its way back to Git is an obligation no more; any other stays as it is. Its branch is left to people, who may have built on it: what of
 * it is merged later is a change of Git like every other, planned, gated and delivered.
 */
export async function withdrawAdoption(tx: Sql, finding: Finding, { by, instead }: Otherwise, now: number): Promise<void> {
  if (finding.state !== 'adopting') return
  const adoption = await findAdoption(tx, finding.id)
  if (adoption !== undefined) await saveAdoption(tx, { ...adoption, state: 'withdrawn', failure: null }, now)
  const reason = `it is ${instead} instead${adoption === undefined ? '' : `; ${leftOf(adoption)}`}`
  await addFindingChanges(tx, [{ finding: finding.id, environment: finding.environment, at: now, what: 'withdrawn', actor: by, reason, body: finding }])
}

/** What of an adoption is still in Git, and what a person does with that. */
export function leftOf({ state, to, branch, repository, commit, pullRequest }: Adoption): string {
  if (state === 'asked') return `if ${branch} is there already, delete it`
  if (to === 'deployed') return `${commit?.slice(0, 8)} of ${repository} is on the branch that is followed, and is delivered unless it is taken back there`
  return `${pullRequest === null ? '' : `close ${pullRequest}, and `}delete ${branch} of ${repository}`
}
