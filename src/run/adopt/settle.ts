import type { Adoption } from '#model/adoption.ts'
import type { Finding } from '#model/finding.ts'
import { saveAdoption } from '#store/adoptions.ts'
import type { Sql } from '#store/sql.ts'
import { leftOf } from './withdraw.ts'

/** What delivered that Git declares by now what a finding is about; null where Git did not move, or where it is not known. */
export type DeliveredBy = { readonly run: string | null; readonly commits: Readonly<Record<string, string>> }

/**
 * A finding is over, and with it its way back to Git: delivered, where that is what ended it; else nobody waits for it any more. Answers what is to be said of
 * it.
 */
export async function settleAdoption(tx: Sql, { digest }: Finding, adoption: Adoption, by: DeliveredBy | undefined, now: number): Promise<string> {
  const { state, repository } = adoption
  const isPending = state === 'asked' || state === 'proposed'
  if (by !== undefined && adoption.digest === digest && (isPending || state === 'overdue' || state === 'withdrawn')) {
    await saveAdoption(tx, { ...adoption, state: 'delivered', failure: null, delivered: { run: by.run, commit: by.commits[repository ?? ''] ?? null } }, now)
    return ', as it was adopted'
  }
  if (!isPending) return ''
  await saveAdoption(tx, { ...adoption, state: 'withdrawn', failure: null }, now)
  return `; its adoption is withdrawn: ${leftOf(adoption)}`
}
