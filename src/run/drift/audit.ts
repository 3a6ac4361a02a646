import { createHash, timingSafeEqual } from 'node:crypto'
import { attributed } from '#drift/trace.ts'
import { Failure } from '#lib/failure.ts'
import { isObject, type JsonObject } from '#lib/json.ts'
import type { TargetConfig } from '#model/config/environment.ts'
import type { Finding } from '#model/finding.ts'
import { announceAudit, auditEntries, saveAudit } from '#store/audit.ts'
import { addFindingChanges, resolvedSince, saveFindings, withFindings } from '#store/findings.ts'
import { enqueue } from '#store/queue.ts'
import type { Sql } from '#store/sql.ts'
import { statuses } from '#store/statuses.ts'
import type { Parts } from '../parts.ts'
import { findTarget, lookingCall, type Target } from './targets.ts'

type Audit = NonNullable<Extract<TargetConfig, { kubernetes: object }>['kubernetes']['audit']>

/** Where a target’s API server tells who wrote what; undefined where nobody said. */
export function auditOf({ config }: Pick<Target, 'config'>): Audit | undefined {
  return 'kubernetes' in config ? config.kubernetes.audit : undefined
}

/** What is reverted by a policy is over within a second; an audit source may take a minute to tell of it. */
const tellsWithin = 600_000

/** Keeps what an audit source tells of what we hold. Where it tells who made a drift that was found already, that is looked at again; what is over is told then and there. */
export async function takeAudit(parts: Parts, target: Target, events: readonly JsonObject[], signal: AbortSignal): Promise<void> {
  const entries = await target.via.audited?.(await lookingCall(parts, target, signal), events)
  if (entries === undefined || entries.length === 0) return
  await parts.sql.transaction(async (tx) => {
    const objects = await saveAudit(tx, target.environment, target.target, entries)
    const found = await withFindings(tx, target.environment, objects)
    if (found.length > 0) await announceAudit(tx, target.environment, target.target, found, parts.clock.now())
    await attributeResolved(tx, parts, target, objects)
  })
}

/** Nobody looks again at what is as declared by now. */
async function attributeResolved(tx: Sql, parts: Parts, { environment, target }: Target, objects: readonly string[]): Promise<void> {
  const now = parts.clock.now()
  const resolved = (await resolvedSince(tx, environment, objects, now - tellsWithin)).filter((one) => one.target === target)
  if (resolved.length === 0) return
  const entries = Map.groupBy(await auditEntries(tx, environment, target, objects), ({ object }) => object)
  const named = resolved.flatMap((one) => attributed(one, entries.get(one.object) ?? []) ?? [])
  await saveFindings(tx, named, now)
  await addFindingChanges(tx, named.map((body) => ({ finding: body.id, environment, at: now, what: 'attributed', actor: 'plumbline', reason: madeBy(body), body })))
  if (named.length > 0) await enqueue(tx, parts.clock, `drift/${environment}`)
}

/** Why a finding bears a person’s name. */
export function madeBy({ person }: Pick<Finding, 'person'>): string {
  return `an audit source names ${person ?? 'nobody'}`
}

/** A batch of an API server’s audit webhook. Failures `audit-unknown`, `audit-signature`, `audit-invalid`; all of them before anything is kept. */
export async function receiveAudit(parts: Parts, name: { environment: string; target: string }, authorization: string | undefined, body: string, signal: AbortSignal): Promise<void> {
  const driver = (await statuses(parts.sql, name.environment)).find((row) => row.target === name.target)?.driver
  const target = driver === undefined ? undefined : await findTarget(parts, { ...name, driver })
  const audit = target === undefined ? undefined : auditOf(target)
  if (target === undefined || audit === undefined || !('webhook' in audit)) throw new Failure({ code: 'audit-unknown', subject: 'audit', message: 'no audit webhook is taken for that', hint: 'Name it in the target: kubernetes.audit.webhook.' })
  const { value } = await parts.resolveSecret(audit.webhook.secretRef, signal)
  if (!isEqual(authorization ?? '', `Bearer ${value}`)) throw new Failure({ code: 'audit-signature', subject: 'audit', message: 'it does not bear the token of that target', hint: 'Give the API server the token in its audit webhook’s kubeconfig.' })
  await takeAudit(parts, target, eventsOf(body), signal)
}

function isEqual(given: string, wanted: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given), digest(wanted))
}

function eventsOf(body: string): JsonObject[] {
  try {
    const list = JSON.parse(body) as unknown
    const items = isObject(list) && list['kind'] === 'EventList' ? list['items'] : undefined
    if (Array.isArray(items)) return items.filter(isObject)
  } catch {
    // told below
  }
  throw new Failure({ code: 'audit-invalid', subject: 'audit', message: 'it is no EventList of audit.k8s.io/v1', hint: 'It is for the audit webhook of an API server alone (--audit-webhook-config-file).' })
}
