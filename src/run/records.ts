import { Failure } from '#lib/failure.ts'
import type { Envelope, Signer } from '#record/dsse.ts'
import type { ChainPage } from '#store/records.ts'
import { chainPage, chains } from '#store/records.ts'
import type { Parts } from './parts.ts'
import { sealChain } from './publish-chain.ts'

export type RecordsWanted = { readonly environment?: string | undefined; /** The number of the first one. */ readonly from: number; /** A signature of each. */ readonly sign?: 'each' | undefined }

type SignedPage = ChainPage & { signatures?: Envelope['signatures'] }

/**
 * The chains of environments, each with its first records from a number on, and with the key that verifies them. All of it is under a signed checkpoint.
 * Failure `record-key-elsewhere` where each record is to be signed, and a command signs here.
 */
export async function exportRecords(parts: Parts, { environment, from, sign }: RecordsWanted, sees: (environment: string) => boolean): Promise<{ publicKey: string; chains: SignedPage[] }> {
  const signer = sign === undefined ? undefined : ownKey(parts.signer)
  const names = (await chains(parts.sql)).filter((name) => sees(name) && (environment === undefined || name === environment))
  for (const name of names) await sealChain(parts, name)
  const pages = await Promise.all(names.map((name) => chainPage(parts.sql, name, from)))
  const found = pages.filter((page) => page !== undefined)
  const chainsFound = signer === undefined ? found : found.map((page) => ({ ...page, signatures: page.records.flatMap((text) => signer.sign(Buffer.from(text)).signatures) }))
  return { publicKey: parts.signer.publicKey, chains: chainsFound }
}

function ownKey(signer: Signer): Signer & { kind: 'key' } {
  if (signer.kind === 'key') return signer
  throw new Failure({
    code: 'record-key-elsewhere',
    subject: 'records',
    message: 'this control plane holds no key: a command signs its checkpoints, and is not asked for every record',
    hint: 'Export whole chains with --format json: they verify by their checkpoints.',
  })
}
