import { environmentItself } from '#model/probe-state.ts'
import type { Cause } from '#model/probe-state.ts'
import { pinType, policyType } from '#record/statement.ts'
import type { RecordStatement } from '#record/statement.ts'
import { momentsOf } from '#record/timeline.ts'
import { needed } from '#plan/order.ts'
import { lastFinding } from '#store/findings.ts'
import { lastOperationStep } from '#store/operations.ts'
import { pausesBetween } from '#store/pauses.ts'
import { recordsBetween } from '#store/records.ts'
import { lastChange } from '#store/runs.ts'
import type { RunRow } from '#store/runs.ts'
import type { Sql } from '#store/sql.ts'
import { modulesIn } from './configuration.ts'
import type { Configuration } from './configuration.ts'

/** A change may take so long (ms) to show: it may be older, by as much, than the last sample that told the verdict before. What is older than that, the sample speaks against. */
const showsWithin = 60_000

/** The modules of which a change may be the cause: itself, and what it depends on; for the environment all. */
export function touchedBy(configuration: Configuration, environment: string, module: string): string[] {
  const modules = [...modulesIn(configuration, environment)].map(([name, { config }]) => ({ name, dependsOn: config.spec.dependsOn }))
  return module === environmentItself ? modules.map(({ name }) => name) : [module, ...needed([module], modules)]
}

/** The modules that a run changes. */
export function changedBy({ kind, modules }: Pick<RunRow, 'kind' | 'modules'>): string[] {
  return kind === 'verify' ? [] : Object.keys(modules).filter((name) => modules[name]?.changed === true)
}

export type Onset = { readonly environment: string; /** What may be the cause, if it changed. */ readonly touchedBy: readonly string[]; readonly onset: number; /** The last sample that told the verdict before. */ readonly lastBefore: number | null }

/**
 * What lies just before a verdict's onset, the nearest last: the newest run, and the newest step of an operation, that changed something of it, the newest finding, and what
 * changed around it (a policy, a pin, a pause). None where nothing did.
 */
export async function causesBefore(tx: Sql, { environment, touchedBy: modules, onset, lastBefore }: Onset): Promise<Cause[]> {
  const since = Math.min(lastBefore ?? onset, onset) - showsWithin
  const run = await lastChange(tx, environment, modules, since, onset)
  const operation = await lastOperationStep(tx, environment, since, onset)
  const finding = await lastFinding(tx, environment, modules, since, onset)
  const causes: Cause[] = [
    ...(run === undefined ? [] : [{ kind: 'run' as const, id: run.id, at: run.at, about: run.reason }]),
    ...(operation === undefined ? [] : [{ kind: 'run' as const, id: operation.run, at: operation.at, about: `step ${operation.step} of the operation ${operation.operation}: ${operation.reason}` }]),
    ...(finding === undefined ? [] : [{ kind: 'finding' as const, id: finding.id, at: finding.at, about: finding.message }]),
    ...(await contextBefore(tx, environment, modules, since, onset)),
  ]
  return causes.sort((a, b) => a.at - b.at)
}

/** Of policies, pins and pauses the newest each. */
async function contextBefore(tx: Sql, environment: string, modules: readonly string[], from: number, to: number): Promise<Cause[]> {
  const records = await recordsBetween(tx, { environments: [environment], module: null, from, to, kinds: ['policy', 'pin'], limit: 20 })
  const moments = records.map(({ text }) => JSON.parse(text) as RecordStatement).flatMap((statement) => momentsOf(statement).map((moment) => ({ moment, type: statement.predicateType })))
  const newest = (type: string, kind: 'policy' | 'context'): Cause[] =>
    moments
      .filter(({ moment, ...one }) => one.type === type && (moment.modules.length === 0 || moment.modules.some((name) => modules.includes(name))))
      .slice(0, 1)
      .map(({ moment: { ref, record, at, text } }) => ({ kind, id: ref ?? `record ${record}`, at, about: text }))
  const pause = (await pausesBetween(tx, from, to)).findLast((one) => one.environment === environment && (one.module === null || modules.includes(one.module)))
  return [...newest(policyType, 'policy'), ...newest(pinType, 'context'), ...(pause === undefined ? [] : [{ kind: 'pause' as const, id: pause.id, at: pause.createdAt, about: `paused: ${pause.reason}` }])]
}
