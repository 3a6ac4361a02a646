import { existsSync, readFileSync } from 'node:fs'
import { expect } from 'vitest'
import { runCommandLine } from '#cli/program.ts'
import type { ExitCode } from '#cli/program.ts'
import { publicKeyOf } from '#record/dsse.ts'
import { provenance, statement, testResult, verificationSummary } from '#record/published-fields.ts'
import { verificationSummaryType } from '#record/standards.ts'
import { verifyChain } from '#record/verify.ts'
import type { Shop } from './shop.ts'

// What every story of bad input asks.

export type Printed = { readonly code: ExitCode; readonly out: string; readonly err: string }

/** `plumb …`, as a person at a terminal has it, with a server and a token of its own. */
export async function plumbWith(shop: Pick<Shop, 'dir'>, env: { dir?: string; server?: string; token?: string }, ...argv: string[]): Promise<Printed> {
  const out: string[] = []
  const err: string[] = []
  const around = {
    print: (line: string) => void out.push(line),
    note: (line: string) => void err.push(line),
    colours: false,
    width: 400,
    cwd: shop.dir,
    env,
    readFile: (path: string) => (existsSync(path) ? readFileSync(path, 'utf8') : undefined),
    now: () => Date.now(),
  }
  const code = await runCommandLine(argv, around, [])
  return { code, out: out.join('\n'), err: err.join('\n') }
}

/** What the inventory holds in an environment: `module key uid`, sorted. */
export async function inventory(shop: Shop, environment: string): Promise<string[]> {
  const rows = await shop.plane.parts.sql.query<{ module: string; key: string; uid: string }>('select module, key, uid from inventory where environment = $1', [environment])
  return rows.map((row) => `${row.module} ${row.key} ${row.uid}`).sort()
}

/** Every record of every environment verifies with the public key alone, and is what the published schemas say: a statement, and in it what it takes from others. */
export async function expectRecordsVerify(shop: Pick<Shop, 'client'>): Promise<void> {
  const { publicKey, chains } = await shop.client.exportRecords()
  expect(chains.length).toBeGreaterThan(0)
  for (const chain of chains) {
    expect(verifyChain(chain, [publicKeyOf(publicKey)])).toMatchObject({ sealed: chain.records.length, defects: [] })
    for (const text of chain.records) expectPublished(text)
  }
}

/** Throws where a record is not as in-toto and SLSA have it. */
export function expectPublished(text: string): void {
  const { predicateType, predicate } = statement.parse(JSON.parse(text))
  if (predicateType === verificationSummaryType) verificationSummary.parse(predicate)
  const { testResult: one, testResults: many, provenance: made } = predicate as { testResult?: object; testResults?: { module: string }[]; provenance?: object }
  for (const result of [...(one === undefined ? [] : [one]), ...(many ?? [])]) testResult.parse(result)
  if (made !== undefined) provenance.parse(made)
}
