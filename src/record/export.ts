import type { KeyObject } from 'node:crypto'
import { publicKeyOf } from './dsse.ts'
import type { ExportFolder } from './folder.ts'
import { examine, judge } from './verify.ts'
import type { ChainReport, Examined } from './verify.ts'

/** Verifies every chain of an export. `publicKeyPem` in place of the export's own key: a key that came with the records proves only that they belong together. */
export function verifyExport(exported: ExportFolder, publicKeyPem?: string, heads: Readonly<Record<string, string>> = {}): ChainReport[] {
  const examined = exported.chains.map((chain): Examined => {
    const examining = examine(chain, heads[chain.environment])
    for (const text of chain.records) if (!examining.take(text)) break
    return examining.end()
  })
  return reportsOf(examined, [publicKeyOf(publicKeyPem ?? exported.publicKey)], heads)
}

/** The reports of chains that were examined, and of those that are missing though a head of them was published. */
export function reportsOf(examined: readonly Examined[], keys: readonly KeyObject[], heads: Readonly<Record<string, string>>): ChainReport[] {
  return [...judge(examined, keys), ...missingChains(examined.map(({ frame }) => frame.environment), heads)]
}

/** One report for each chain that is not there, though a head of it was published. */
export function missingChains(there: readonly string[], heads: Readonly<Record<string, string>>): ChainReport[] {
  return Object.keys(heads)
    .filter((environment) => !there.includes(environment))
    .map((environment) => ({
      environment,
      records: 0,
      pruned: 0,
      sealed: 0,
      head: null,
      defects: [{ where: 'the chain', what: `is missing: the head ${heads[environment]} of it was published` }],
    }))
}
