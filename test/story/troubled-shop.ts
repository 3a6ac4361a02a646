import { readFileSync } from 'node:fs'
import { expect } from 'vitest'
import { runCommandLine } from '#cli/program.ts'
import type { ExitCode } from '#cli/program.ts'
import { publicKeyOf } from '#record/dsse.ts'
import { verifyChain } from '#record/verify.ts'
import type { FailureJson } from '#lib/failure.ts'
import { git } from './shop.ts'
import type { Shop } from './shop.ts'

// What every story of bad input asks.

export type Printed = { readonly code: ExitCode; readonly out: string; readonly err: string }

/** `plumb …`, as a person at a terminal has it. */
export function plumb(shop: Shop, ...argv: string[]): Promise<Printed> {
  return plumbWith(shop, { dir: shop.dir }, ...argv)
}

/** The same, with a server and a token of its own. */
export async function plumbWith(shop: Shop, env: { dir?: string; server?: string; token?: string }, ...argv: string[]): Promise<Printed> {
  const out: string[] = []
  const err: string[] = []
  const around = {
    print: (line: string) => void out.push(line),
    note: (line: string) => void err.push(line),
    colours: false,
    width: 400,
    cwd: shop.dir,
    env,
    readFile: (path: string) => readFileSync(path, 'utf8'),
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

/** Waits for a problem of the workspace's configuration, as `plumb status` has it. */
export function problem(shop: Shop, code: string, subject: RegExp): Promise<FailureJson> {
  return shop.until(`the problem ${code} of ${subject}`, async () => (await shop.client.status()).problems.find((one) => one.code === code && subject.test(one.subject)) as FailureJson | undefined, 10_000)
}

/** Every record of every environment verifies with the public key alone. */
export async function expectRecordsVerify(shop: Shop): Promise<void> {
  const { publicKey, chains } = await shop.client.exportRecords()
  expect(chains.length).toBeGreaterThan(0)
  for (const chain of chains) expect(verifyChain(chain, [publicKeyOf(publicKey)])).toMatchObject({ sealed: chain.records.length, defects: [] })
}

export async function headOf(shop: Shop, repository: string): Promise<string> {
  return (await git(await shop.clone(repository), 'rev-parse', 'HEAD')).trim()
}

/** A commit that makes a repository's files those of an earlier one. */
export async function asItWas(shop: Shop, repository: string, commit: string): Promise<void> {
  const path = await shop.clone(repository)
  await git(path, 'read-tree', '--reset', '-u', commit)
  await git(path, '-c', 'user.name=Ada Park', '-c', 'user.email=ada@orders.example', 'commit', '-q', '--allow-empty', '-m', 'As it was')
  await git(path, 'push', '-q', 'origin', 'HEAD:main')
}
