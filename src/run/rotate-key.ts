import { Failure } from '#lib/failure.ts'
import { statementOf, keyRotationType } from '#record/statement.ts'
import type { Signer } from '#record/dsse.ts'
import { enqueue } from '#store/queue.ts'
import { chains, saveCheckpoint, signing, waitForSigners } from '#store/records.ts'
import { append, checkpointBytes } from './chain.ts'
import type { Parts } from './parts.ts'

/** Where the key that signs records is kept: see `src/record-keys.ts`. */
export type NextKey = { stage(): Promise<Signer>; promote(): Promise<void> }

export type Rotated = { readonly from: string; readonly to: string; readonly environments: readonly string[] }

/**
 * Replaces the key that signs records. Every chain gets a record of it, and a checkpoint that ends with that record and bears both signatures: who trusts
 * the one key can trust the other. All chains, or none; only then is the old key gone.
 */
export async function rotateKey(parts: Parts, by: string, reason: string): Promise<Rotated> {
  const { sql, clock, signer: from, nextKey } = parts
  const to = await nextKey.stage()
  if (to.keyId === from.keyId) throw new Failure({ code: 'record-key-invalid', subject: 'the next record key', message: 'it is the one that signs now', hint: 'Stage another one as next.json in the folder of keys, or none, to have one made.' })
  const now = clock.now()
  const environments = await sql.transaction(async (tx) => {
    await waitForSigners(tx)
    const names = await chains(tx)
    for (const environment of names) {
      const named = ({ keyId, publicKey }: Signer) => ({ keyId, publicKey })
      const head = await append(tx, parts, environment, to.keyId, [(chain) => statementOf(keyRotationType, { chain, from: named(from), to: named(to), actor: by, reason, at: now }, { name: `key:${to.keyId}` })], now)
      const bytes = checkpointBytes(environment, head, now)
      const [one, other] = [await from.sign(bytes), await to.sign(bytes)]
      await saveCheckpoint(tx, environment, head.size, { ...one, signatures: [...one.signatures, ...other.signatures] }, 'kept')
      await enqueue(tx, clock, `chain/${environment}`)
    }
    return names
  })
  await nextKey.promote()
  return { from: from.keyId, to: to.keyId, environments }
}

/** At the start: the key at hand must be the one that signs the chains of this store. Failure `record-key-changed`. */
export async function expectSigner({ sql, signer }: Pick<Parts, 'sql' | 'signer'>): Promise<void> {
  const other = (await signing(sql)).find((id) => id !== signer.keyId)
  if (other === undefined) return
  throw new Failure({
    code: 'record-key-changed',
    subject: 'record key',
    message: `the records of this store are signed by ${other}, and the folder of keys holds ${signer.keyId}`,
    hint: 'Restore keys/record.pem (or what signer.json names) from where it was kept.',
  })
}
