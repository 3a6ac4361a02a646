import type { Export } from '#record/export.ts'
import { chain, chains } from '#store/records.ts'
import type { Parts } from './parts.ts'

/** The chains of every environment, or of one, with the key that verifies them. */
export async function exportRecords(parts: Parts, environment: string | undefined): Promise<Export> {
  const names = (await chains(parts.sql)).filter((name) => environment === undefined || name === environment)
  return { publicKey: parts.publicKey, chains: await Promise.all(names.map(async (name) => ({ environment: name, ...(await chain(parts.sql, name)) }))) }
}
