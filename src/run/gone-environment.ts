import { Failure } from '#lib/failure.ts'
import type { Environment } from '#model/config/environment.ts'
import { begunIn } from '#store/begun.ts'
import { heldIn } from '#store/inventory.ts'
import { lockRuns, openRuns } from '#store/runs.ts'
import type { RunRow } from '#store/runs.ts'
import { forgetPolicy, newestSnapshot, policyEnvironments, policyOf } from '#store/snapshots.ts'
import type { Sql } from '#store/sql.ts'
import { forgetStatus, statuses } from '#store/statuses.ts'
import type { Configuration } from './configuration.ts'
import type { Parts } from './parts.ts'
import { governed } from './policy.ts'
import type { Policy } from './policy.ts'
import { record } from './record-run.ts'

/** What Git no longer has, as it was last accepted: where it is, and what gates its end. Undefined where it was never known, or is forgotten. */
export async function environmentOnceHad(sql: Sql, name: string): Promise<{ environment: Environment; policy: Policy } | undefined> {
  const kept = await policyOf(sql, name)
  if (kept === undefined) return undefined
  // As `accept` wrote it; but it asks for nothing any more, and so it proves nothing.
  const policy = { ...(kept.config as unknown as Policy), probes: [], changeProbes: [] }
  const bare = { apiVersion: 'plumbline.dev/v1alpha1', kind: 'Environment', metadata: { name }, spec: { variables: {} } } as unknown as Environment
  return { environment: governed(bare, policy), policy }
}

/** The environments that are known here, as they were last accepted. */
export async function knownEnvironments(sql: Sql, of: (name: string) => boolean = () => true): Promise<Environment[]> {
  const names = (await policyEnvironments(sql)).filter(of)
  return (await Promise.all(names.map((name) => environmentOnceHad(sql, name)))).flatMap((once) => (once === undefined ? [] : [once.environment]))
}

/** Those of them that Git no longer has. */
export async function goneEnvironments(sql: Sql, configuration: Configuration): Promise<Environment[]> {
  return knownEnvironments(sql, (name) => !configuration.environments.has(name))
}

/** Whether a run has lost its ground: its environment is gone from Git, or is back when all that it held was to be deleted. */
export async function isStray(parts: Parts, run: RunRow): Promise<boolean> {
  const snapshot = await newestSnapshot(parts.sql)
  const configuration = snapshot === undefined ? undefined : await parts.configurations.of(snapshot).catch(() => undefined)
  return configuration !== undefined && isStrayIn(configuration, run)
}

function isStrayIn({ environments }: Configuration, run: RunRow): boolean {
  return environments.has(run.environment) === (run.kind === 'prune')
}

/**
 * Ends the runs that have lost their ground before their effects began. An environment that is gone, and that holds nothing, is forgotten; one that holds
 * something stays known until a person has it pruned or forgotten: nothing of it is deleted by itself.
 */
export async function settleEnvironment(parts: Parts, name: string, configuration: Configuration): Promise<void> {
  const isGone = !configuration.environments.has(name)
  if (!isGone && !(await openRuns(parts.sql, name)).some((run) => isStrayIn(configuration, run))) return
  await parts.sql.transaction(async (tx) => {
    await lockRuns(tx, name)
    const now = parts.clock.now()
    const open = await openRuns(tx, name)
    const strays = open.filter((run) => (run.state === 'planning' || run.state === 'waiting') && isStrayIn(configuration, run))
    for (const run of strays) {
      const message = isGone ? `the environment ${name} was removed from the workspace` : `the environment ${name} is back in the workspace`
      await record(tx, parts, run.id, 'superseded', new Failure({ code: 'run-superseded', subject: `run ${run.id}`, message, hint: `plumb status -e ${name}` }).toJSON(), now)
    }
    if (!isGone || open.length > strays.length || (await heldIn(tx, name)).length > 0 || (await begunIn(tx, name)).length > 0) return
    for (const { module } of await statuses(tx, name)) await forgetStatus(tx, name, module, now)
    await forgetPolicy(tx, name)
  })
}
