import { digestOf } from '#lib/digest.ts'
import { Failure } from '#lib/failure.ts'
import type { Edit } from '#model/adoption.ts'
import { isWithin } from '#model/field-path.ts'
import { ownershipOf } from '#model/field-set.ts'
import { isOurs, plumbline } from '#model/field-facts.ts'
import type { FieldPath, Held, Observation } from '#model/plan.ts'
import type { Principal } from '#model/principal.ts'
import { showKey } from '#model/resource.ts'
import type { ObjectKey } from '#model/resource.ts'
import { writeMessage } from '#source/commit.ts'
import { heldBy } from '#store/inventory.ts'
import { statuses } from '#store/statuses.ts'
import { findTarget, knownConfiguration, lookingCall } from '../drift/targets.ts'
import type { Parts } from '../parts.ts'
import { authorOf, headOf, pullRequestOf, pushProposal } from '../propose.ts'
import { repositoryOf, searchAt } from './search.ts'

/**
 * A field that Git declares and another controller rightly moves. `isSafe`: that controller owns it by now, so that an apply without it does not delete it:
 * a field of ours alone would go, or back to its default, with the apply that follows the commit.
 */
export type YieldedField = { readonly module: string; readonly object: ObjectKey; readonly path: FieldPath; readonly to: string; readonly isSafe: boolean }

/** What modules of an environment declare and had better not, as the clusters are now. What cannot be read is thrown. */
export async function yieldedFields(parts: Parts, environment: string, module: string | undefined, signal: AbortSignal): Promise<YieldedField[]> {
  const found: YieldedField[] = []
  for (const { target, driver, ...row } of await statuses(parts.sql, environment)) {
    if (module !== undefined && row.module !== module) continue
    const held = (await heldBy(parts.sql, environment, row.module)).filter(({ key }) => mayBeScaled(key))
    const place = held.length === 0 ? undefined : await findTarget(parts, { environment, target, driver })
    if (place === undefined) continue
    const wanted = held.flatMap(({ key, apiVersion }) => (apiVersion === undefined ? [] : [{ key, body: { apiVersion }, origin: { repository: '', file: '', line: 0 } }]))
    const observations = await place.via.observe(await lookingCall(parts, place, signal), held.map(({ key }) => key), wanted)
    for (const [index, observation] of observations.entries()) found.push(...yieldedOf(row.module, held[index] as Held, observation))
  }
  return found
}

/** Custom resources may be scaled as well: only what surely is not is left out. */
function mayBeScaled(key: ObjectKey): boolean {
  return !/^core\/(ConfigMap|Secret|Service|ServiceAccount|Namespace|PersistentVolumeClaim)\/|^(rbac\.authorization|networking)\.k8s\.io\//.test(key)
}

function yieldedOf(module: string, { key, fields }: Held, observation: Observation): YieldedField[] {
  if (observation.state === 'unknown') throw new Failure(observation.failure)
  if (observation.state !== 'present') return []
  const ownership = ownershipOf(observation)
  return observation.delegated.flatMap(({ path, to }) => {
    if (!fields.some((field) => isWithin(field.path, path))) return []
    return [{ module, object: key, path, to, isSafe: ownership.of(path).some((owner) => !isOurs(owner, plumbline)) }]
  })
}

export type YieldProposed = { readonly repository: string; readonly branch: string; readonly commit: string; readonly pullRequest: string | null; readonly edits: readonly Edit[] }

/**
 * Commits, on a branch, that Git declares such fields of an object no more: proven like an adoption. Failures: `yield-nothing`, `yield-unsafe`, and those of
 * the search and of the push.
 */
export async function proposeYield(parts: Parts, environment: string, asked: { readonly module: string; readonly object: string; readonly reason: string }, principal: Principal, signal: AbortSignal): Promise<YieldProposed> {
  const { module, object, reason } = asked
  const fields = (await yieldedFields(parts, environment, module, signal)).filter((one) => one.object === object || showKey(one.object) === object)
  const [first] = fields
  if (first === undefined) throw new Failure({ code: 'yield-nothing', subject: object, message: `${module} declares nothing of it that another controller moves`, hint: `plumb yield -e ${environment} lists what there is.` })
  const ours = fields.find(({ isSafe }) => !isSafe)
  if (ours !== undefined) {
    const message = `${ours.to} has not written ${ours.path} yet: an apply that leaves it out would delete it`
    throw new Failure({ code: 'yield-unsafe', subject: showKey(ours.object), message, hint: 'Wait until it has; then stop declaring it. In this order nobody is without a value.', retry: 'later' })
  }
  const configuration = await knownConfiguration(parts)
  const repository = repositoryOf(configuration, { environment, module })
  const mirror = parts.repositories.mirror(repository)
  await mirror.fetch(signal)
  const branch = `plumbline/yield-${environment}-${digestOf(first.object).slice('sha256:'.length, 'sha256:'.length + 10)}`
  const head = await headOf(parts, repository)
  const tip = await mirror.proposal(branch, signal)
  const onto = tip === undefined || (await mirror.contains(head, tip)) ? head : tip
  const answer = await searchAt(parts, configuration, { environment, module }, { kind: 'fields', key: first.object, fields: fields.map(({ path }) => ({ path })) }, onto, signal)
  if (answer.outcome === 'refused') throw new Failure(answer.failure)
  const title = `Leave ${fields.map(({ path }) => path).join(' and ')} of ${showKey(first.object)} in ${environment} to ${first.to}`
  const about = 'It owns the field, and Plumbline leaves it out already: declared no more, it stays as it is.'
  const commit =
    answer.outcome === 'already'
      ? onto
      : await pushProposal(parts, { repository, branch, to: 'branch', onto, tip, changes: answer.proposal.files, message: writeMessage(title, [about], { Reason: reason }), at: parts.clock.now(), author: authorOf(principal) }, signal)
  const pull = onto === head && answer.outcome === 'already' ? undefined : await pullRequestOf(parts, repository, { branch, title, body: `${about}\n\nReason: ${reason}` }, signal)
  return { repository, branch, commit, pullRequest: pull?.url ?? null, edits: answer.outcome === 'already' ? [] : answer.proposal.edits }
}
