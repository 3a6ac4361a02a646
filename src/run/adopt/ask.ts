import { Failure } from '#lib/failure.ts'
import type { Adoption } from '#model/adoption.ts'
import type { Finding } from '#model/finding.ts'
import type { Principal } from '#model/principal.ts'
import { findAdoption, saveAdoption } from '#store/adoptions.ts'
import { addFindingChanges, findingNow, lockFinding, saveFindings } from '#store/findings.ts'
import { enqueue } from '#store/queue.ts'
import type { Sql } from '#store/sql.ts'
import { expectStanding } from '../drift/commands.ts'
import { newestConfiguration } from '../drift/targets.ts'
import type { Parts } from '../parts.ts'
import { policyInForce } from '../policy.ts'
import type { Policy } from '../policy.ts'
import { authorOf, plumblineAuthor } from '../propose.ts'
import { wishOf } from './wish.ts'

export const adoptKey = (finding: string): string => `adopt/${finding}`

/**
 * A person asks for a drift to be written back to Git. What is under way already is asked for again: it finds the branch that is there. The work is done by
 * the queue, from what is on disk now. Failures `finding-resolved`, `finding-under-way`, `adopt-unfit`, `adopt-secret`, `environment-unknown`.
 */
export async function askAdoption(parts: Parts, id: string, principal: Principal, reason: string): Promise<void> {
  const { sql, clock } = parts
  const now = clock.now()
  const environment = (await findingNow(sql, id))?.environment
  const policy = environment === undefined ? undefined : await policyOf(parts, environment)
  await sql.transaction(async (tx) => {
    const finding = await lockFinding(tx, id)
    expectStanding(finding, id)
    wishOf(finding)
    await begin(tx, parts, finding, { by: principal.name, author: authorOf(principal), reason }, policy, now)
  })
}

/** The same by the policy of the environment, for findings that are open and were not asked for as they are now. Answers them as they are then. */
export async function askByPolicy(tx: Sql, parts: Parts, findings: readonly Finding[], policy: Policy | undefined, now: number): Promise<void> {
  for (const finding of findings) {
    if (finding.decision !== 'adopt' || finding.state !== 'open') continue
    const before = await findAdoption(tx, finding.id)
    if (before?.digest === finding.digest || !isFit(finding)) continue
    await begin(tx, parts, finding, { by: 'plumbline', author: plumblineAuthor, reason: 'the environment’s policy says so' }, policy, now)
  }
}

async function begin(tx: Sql, parts: Parts, finding: Finding, who: Pick<Adoption, 'by' | 'author' | 'reason'>, policy: Policy | undefined, now: number): Promise<void> {
  const { id, environment, digest } = finding
  // A policy that was accepted before there was a word on this says: a branch, and a week.
  const adopt = policy?.drift.adopt as Policy['drift']['adopt'] | undefined
  const to = adopt?.push === 'deployed' && policy?.tier === 'sandbox' ? 'deployed' : 'branch'
  // What a branch holds that is there already stays told, where nothing is to be added to it.
  const { edits, renamed, unproven } = (await findAdoption(tx, id)) ?? { edits: [], renamed: [], unproven: [] }
  const fresh = { repository: null, commit: null, pullRequest: null, edits, renamed, unproven, failure: null }
  await saveAdoption(tx, { ...fresh, ...who, finding: id, environment, state: 'asked', askedAt: now, deadline: now + (adopt?.within ?? week), branch: branchOf(id), to, digest }, now)
  const adopting: Finding = { ...finding, state: 'adopting', accepted: null, failure: null, updatedAt: now }
  await saveFindings(tx, [adopting], now)
  await addFindingChanges(tx, [{ finding: id, environment, at: now, what: 'adopting', actor: who.by, reason: who.reason, body: adopting }])
  await enqueue(tx, parts.clock, adoptKey(id))
}

const week = 7 * 86_400_000

function branchOf(finding: string): string {
  return `plumbline/adopt-${finding.toLowerCase().replaceAll(/[^a-z0-9-]/g, '-')}`
}

function isFit(finding: Finding): boolean {
  try {
    wishOf(finding)
    return true
  } catch (error) {
    if (error instanceof Failure) return false
    throw error
  }
}

async function policyOf(parts: Parts, environment: string): Promise<Policy> {
  const configuration = await newestConfiguration(parts)
  const document = configuration?.environments.get(environment)
  if (configuration !== undefined && document !== undefined) return policyInForce(parts.sql, document, configuration)
  throw new Failure({ code: 'environment-unknown', subject: `environment ${environment}`, message: 'the workspace has no such environment any more', hint: 'plumb status lists them.' })
}
