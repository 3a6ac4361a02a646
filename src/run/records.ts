import type { ChainPage } from '#store/records.ts'
import { chainPage, chains } from '#store/records.ts'
import type { Parts } from './parts.ts'
import { sealChain } from './publish-chain.ts'

/** The chains of environments, each with its first records from number `from` on, and with the key that verifies them. All of it is under a signed checkpoint. */
export async function exportRecords(parts: Parts, environment: string | undefined, from: number, sees: (environment: string) => boolean): Promise<{ publicKey: string; chains: ChainPage[] }> {
  const names = (await chains(parts.sql)).filter((name) => sees(name) && (environment === undefined || name === environment))
  for (const name of names) await sealChain(parts, name)
  const pages = await Promise.all(names.map((name) => chainPage(parts.sql, name, from)))
  return { publicKey: parts.signer.publicKey, chains: pages.filter((page) => page !== undefined) }
}
