import { createHmac } from 'node:crypto'
import { join } from 'node:path'
import { Failure } from '#lib/failure.ts'
import { firstFingerprint } from '#store/fingerprints.ts'
import type { Sql } from '#store/sql.ts'

/**
 * At the start, before anything is written: the key of digests must be the one that this store was written with, in each of the processes that share it.
 * With another, every Secret that is delivered would look changed by somebody, and each process would take the other's work for drift. The key that signs
 * records is told by the chains themselves, which also know when it was replaced. Failure `store-other-keys`.
 */
export async function expectSameKeys(sql: Sql, keys: { readonly digest: Buffer }, dir: string, now: number): Promise<void> {
  const fingerprint = createHmac('sha256', keys.digest).update('plumbline: the key of digests').digest('hex').slice(0, 32)
  if ((await firstFingerprint(sql, 'digest', fingerprint, now)) === fingerprint) return
  throw new Failure({
    code: 'store-other-keys',
    subject: join(dir, 'digest.key'),
    message: 'this store was written with another key of digests: another process uses it, or did, with keys of its own',
    hint: 'Copy the folder keys/ of that process here, and start again. Where it is lost for good: delete from key_fingerprint where name = \'digest\'; then each Secret is delivered once more.',
  })
}
