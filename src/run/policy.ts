import { digestOf } from '#lib/digest.ts'
import type { Digest } from '#lib/digest.ts'
import { newId } from '#lib/ids.ts'
import type { Json, JsonObject } from '#lib/json.ts'
import { leafChanges } from '#lib/leaves.ts'
import type { Environment } from '#model/config/environment.ts'
import { probesByName } from '#model/config/probe.ts'
import type { Limits } from '#model/config/workspace.ts'
import { matchesGlob } from '#model/glob.ts'
import { isEnded } from '#model/run.ts'
import { enqueue } from '#store/queue.ts'
import { createRun, listRuns, lockRuns } from '#store/runs.ts'
import type { NewRun } from '#store/runs.ts'
import { acceptPolicy, completePolicy, findSnapshot, policyOf } from '#store/snapshots.ts'
import type { SnapshotRow } from '#store/snapshots.ts'
import type { Sql } from '#store/sql.ts'
import { changesSince, storyOf } from './changes.ts'
import type { Asked } from './asked.ts'
import type { Configuration } from './configuration.ts'
import type { Parts } from './parts.ts'
import { record, replacedBy } from './record-run.ts'

/** What a repository may deliver to in one environment: nothing, where it is not listed. */
type LimitsHere = 'everything' | Omit<Exclude<Limits, 'everything'>, 'environments'>

/**
 * What an environment stands on: all that its document says (what its gates decide by, what it delivers to, what proves it and what probes may reach there, who
 * is told), and what each repository may deliver to it. Variables are no part of it: what they are put into is, be it a plan, a proof or a probe of its own. The
 * first policy that is seen stands by itself. Another one is accepted by a run of its own (`kind: policy`), which delivers nothing and asks for the approvals of
 * the policy that it replaces; until then everything goes by the old one. `null` where the document says nothing, so that saying something is a change.
 */
export type Policy = Omit<Environment['spec'], 'variables' | 'freshFor'> & { readonly freshFor: number | null; readonly limits: Readonly<Record<string, LimitsHere>> }

/** The policy that a snapshot has for one of its environments. */
export function policyIn(environment: Environment, configuration: Pick<Configuration, 'workspace'>): Policy {
  const { variables: _, freshFor = null, ...spec } = environment.spec
  const limits = Object.entries(configuration.workspace.spec.repositories).flatMap(([name, { allow }]): [string, LimitsHere][] => {
    if (allow === 'everything') return [[name, allow]]
    const { environments, ...here } = allow
    return environments.some((glob) => matchesGlob(glob, environment.metadata.name)) ? [[name, here]] : []
  })
  return { ...spec, freshFor, reach: [...spec.reach].sort(), limits: Object.fromEntries(limits) }
}

/** The policy in force: the last accepted one. What was not part of a policy when that was accepted is as the snapshot has it. */
export async function policyInForce(sql: Sql, environment: Environment, configuration: Pick<Configuration, 'workspace'>): Promise<Policy> {
  const kept = await policyOf(sql, environment.metadata.name)
  // As `accept` wrote it: durations are in milliseconds, so that the schema of documents does not fit it.
  return { ...policyIn(environment, configuration), ...(kept?.config as Partial<Policy> | undefined) }
}

/** An environment as a policy has it. */
export function governed(environment: Environment, policy: Policy): Environment {
  const { limits: _, freshFor, ...spec } = policy
  return { ...environment, spec: { ...spec, variables: environment.spec.variables, freshFor: freshFor ?? undefined } }
}

/** An environment as the policy in force has it: what is delivered to, asked and reached is what was accepted. */
export async function inForce(sql: Sql, environment: Environment, configuration: Pick<Configuration, 'workspace'>): Promise<Environment> {
  return governed(environment, await policyInForce(sql, environment, configuration))
}

/** What a repository may deliver to in an environment, by the policy in force there. */
export function limitsOf(policy: Pick<Policy, 'limits'>, environment: string, repository: string): Limits {
  const here = Object.hasOwn(policy.limits, repository) ? policy.limits[repository] : undefined
  if (here === undefined) return { environments: [], targets: [], namespaces: [], kinds: [], secrets: [] }
  return here === 'everything' ? here : { environments: [environment], ...here }
}

/** What changes, for a person to read: `review.approvals: 1 -> 0`. Sorted; empty where nothing does. */
export function policyChanges(from: Policy, to: Policy): string[] {
  return leafChanges(told(from), told(to))
}

/** What an approval of a change of policy stands on. */
export function policyDigest(from: Policy, to: Policy): Digest {
  return digestOf({ policy: { from: told(from), to: told(to) } })
}

export async function accept(tx: Sql, environment: string, policy: Policy, snapshot: string, at: number): Promise<void> {
  await acceptPolicy(tx, environment, plain(policy) as JsonObject, snapshot, at)
}

/**
 * Accepts the first policy; opens a run for another one, unless one is open already or a person declined this very change. Tells whether one is being decided
 * on: until it is accepted, or waits, nobody can say by which policy something is delivered.
 */
export async function considerPolicy(parts: Parts, snapshot: SnapshotRow, environment: Environment, configuration: Configuration, asked: Asked | undefined): Promise<boolean> {
  await openOrEnd(parts, snapshot, environment, configuration, asked)
  const [latest] = await listRuns(parts.sql, { environment: environment.metadata.name, kind: 'policy', limit: 1 })
  return latest !== undefined && !isEnded(latest.state) && latest.state !== 'waiting'
}

async function openOrEnd(parts: Parts, snapshot: SnapshotRow, environment: Environment, configuration: Configuration, asked: Asked | undefined): Promise<void> {
  const { sql, clock } = parts
  const name = environment.metadata.name
  const kept = await policyOf(sql, name)
  const from = await policyInForce(sql, environment, configuration)
  const to = policyIn(environment, configuration)
  const digest = policyDigest(from, to)
  // Accepted when less was part of a policy: what stands now of the rest is what any other is held against.
  if (kept !== undefined && !Object.keys(from).every((part) => Object.hasOwn(kept.config, part))) await completePolicy(sql, name, plain(from) as JsonObject, kept)
  const [latest] = await listRuns(sql, { environment: name, kind: 'policy', limit: 1 })
  const open = latest === undefined || isEnded(latest.state) ? undefined : latest
  const isChange = policyChanges(from, to).length > 0
  // One that waits stays; one that was declined is opened again only at a person's word.
  const isKnown = latest?.planDigest === digest && (open !== undefined || asked?.kind !== 'deploy')
  if (kept !== undefined && (isChange ? isKnown : open === undefined)) return
  const run = kept === undefined || !isChange ? undefined : await policyRun(parts, snapshot, name, kept.snapshot, digest, asked)
  await sql.transaction(async (tx) => {
    await lockRuns(tx, name)
    const [newest] = await listRuns(tx, { environment: name, kind: 'policy', limit: 1 })
    if (newest?.id !== latest?.id || newest?.state !== latest?.state) return // somebody else decides on it, and looks at it again
    if (kept === undefined) return accept(tx, name, to, snapshot.id, clock.now())
    if (run !== undefined) {
      await createRun(tx, run)
      await enqueue(tx, clock, `run/${run.id}`)
    }
    if (open !== undefined) await record(tx, parts, open.id, 'superseded', replacedBy(open, run), clock.now())
  })
}

async function policyRun(parts: Parts, snapshot: SnapshotRow, environment: string, since: string, digest: Digest, asked: Asked | undefined): Promise<NewRun> {
  const repository = parts.repositories.workspaceName()
  const changes = await changesSince(parts, snapshot, new Map([[repository, (await findSnapshot(parts.sql, since))?.commits[repository]]]))
  const now = parts.clock.now()
  return { id: newId('run', now), environment, kind: 'policy', snapshot: snapshot.id, ...storyOf(changes, asked), changes, startedBy: asked?.by ?? null, modules: {}, planDigest: digest, createdAt: now }
}

/** A policy for a person to read, and to compare: what has a name is told by it. */
function told({ probes, changeProbes, notify, ...policy }: Policy): Json {
  const channels = Object.fromEntries(notify.map(({ name, ...channel }) => [name, channel]))
  return plain({ ...policy, probes: probesByName(probes), changeProbes: probesByName(changeProbes), notify: channels })
}

function plain(value: object): Json {
  return JSON.parse(JSON.stringify(value)) as Json
}
