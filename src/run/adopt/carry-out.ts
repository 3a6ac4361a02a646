import { asFailure, Failure } from '#lib/failure.ts'
import type { FailureJson } from '#lib/failure.ts'
import type { Adoption } from '#model/adoption.ts'
import type { Finding } from '#model/finding.ts'
import type { Answer } from '#render/adopt/wish.ts'
import { findAdoption, saveAdoption } from '#store/adoptions.ts'
import { addFindingChanges, findingNow, lockFinding, saveFindings } from '#store/findings.ts'
import { enqueue } from '#store/queue.ts'
import { findRun } from '#store/runs.ts'
import { statuses } from '#store/statuses.ts'
import type { Claim } from '../claim.ts'
import { knownConfiguration } from '../drift/targets.ts'
import type { Parts } from '../parts.ts'
import { headOf, pullRequestOf, pushProposal } from '../propose.ts'
import { wordsOf } from './message.ts'
import { repositoryOf, searchAt } from './search.ts'
import { heldOf, wishOf } from './wish.ts'

/**
 * Carries an adoption on from where the store says that it is: looked for, proven and pushed; then its pull request; then its deadline. It may be called again
 * after any crash: the branch that is there is found, by its name, and what it says is not said twice. The finding resolves by itself when the commit is
 * delivered.
 */
export async function carryOutAdoption(parts: Parts, id: string, claim: Claim): Promise<{ readonly again: number } | undefined> {
  const { sql, clock } = parts
  const [adoption, finding] = [await findAdoption(sql, id), await findingNow(sql, id)]
  if (adoption === undefined || finding === undefined || finding.state !== 'adopting') return undefined
  if (adoption.state === 'asked') {
    const pushed = await tryPush(parts, finding, adoption, claim)
    if ('refused' in pushed) return void (await giveUp(parts, claim, id, { ...adoption, state: 'refused', failure: pushed.refused }, 'refused'))
    await keep(parts, claim, pushed)
    return { again: clock.now() } // the pull request is a step of its own: after a crash, the commit is known
  }
  if (adoption.state !== 'proposed') return undefined
  if (clock.now() >= adoption.deadline) return void (await giveUp(parts, claim, id, { ...adoption, state: 'overdue', failure: overdue(adoption) }, 'overdue'))
  if (adoption.pullRequest === null && adoption.failure === null && adoption.to === 'branch') await openRequest(parts, finding, adoption, claim)
  return { again: adoption.deadline }
}

/** What is final is an answer; what may pass by itself is thrown, and tried again. */
async function tryPush(parts: Parts, finding: Finding, adoption: Adoption, claim: Claim): Promise<Adoption | { readonly refused: FailureJson }> {
  try {
    return await push(parts, finding, adoption, claim)
  } catch (error) {
    claim.signal.throwIfAborted()
    const failure = asFailure(error, `finding ${finding.id}`)
    if (failure.retry !== 'never') throw failure
    return { refused: failure.toJSON() }
  }
}

async function push(parts: Parts, finding: Finding, adoption: Adoption, claim: Claim): Promise<Adoption> {
  const configuration = await knownConfiguration(parts)
  const repository = repositoryOf(configuration, finding)
  const mirror = parts.repositories.mirror(repository)
  await mirror.fetch(claim.signal)
  const head = await headOf(parts, repository)
  const tip = adoption.to === 'deployed' ? undefined : await mirror.proposal(adoption.branch, claim.signal)
  // What was merged by now is in the head; a branch that is not goes on from where it is.
  const onto = tip === undefined || (await mirror.contains(head, tip)) ? head : tip
  const answer = await searchAt(parts, configuration, finding, wishOf(finding, onto === head ? await heldOf(parts.sql, finding) : undefined), onto, claim.signal)
  const found = proposalOf(answer)
  const kept = { ...adoption, state: 'proposed' as const, repository, failure: null }
  if (found.files === undefined) {
    if (onto === head) return { ...kept, ...found.about, commit: onto, branch: mirror.branch, to: 'deployed' }
    // It was pushed before a crash, and what it says was not kept: it is what would be pushed now.
    const about = adoption.edits.length > 0 ? {} : proposalOf(await searchAt(parts, configuration, finding, wishOf(finding, await heldOf(parts.sql, finding)), head, claim.signal)).about
    return { ...kept, ...about, commit: onto }
  }
  const words = wordsOf(finding, adoption, found.about, await recordOf(parts, finding))
  await claim.assertLease()
  const commit = await pushProposal(parts, { repository, branch: adoption.branch, to: adoption.to, onto, tip, changes: found.files, message: words.commit, at: adoption.askedAt, author: adoption.author }, claim.signal)
  return { ...kept, ...found.about, commit }
}

/** Failure: the refusal. `files` is absent where Git says it already. */
function proposalOf(answer: Answer): { readonly files?: ReadonlyMap<string, Buffer | undefined>; readonly about: Pick<Adoption, 'edits' | 'renamed' | 'unproven'> } {
  if (answer.outcome === 'refused') throw new Failure(answer.failure)
  if (answer.outcome === 'already') return { about: { edits: [], renamed: [], unproven: [] } }
  const { files, edits, renamed, unproven } = answer.proposal
  return { files, about: { edits, renamed, unproven } }
}

async function openRequest(parts: Parts, finding: Finding, adoption: Adoption, claim: Claim): Promise<void> {
  const { title, body } = wordsOf(finding, adoption, adoption, null)
  try {
    const pull = await pullRequestOf(parts, adoption.repository ?? '', { branch: adoption.branch, title, body }, claim.signal)
    if (pull !== undefined) await keep(parts, claim, { ...adoption, pullRequest: pull.url })
  } catch (error) {
    claim.signal.throwIfAborted()
    const failure = asFailure(error, `finding ${finding.id}`)
    if (failure.retry !== 'never') throw failure
    await keep(parts, claim, { ...adoption, failure: failure.toJSON() }) // the branch is there: a person can open it
  }
}

/** The record of the run that delivered the module last. */
async function recordOf(parts: Parts, { environment, module }: Finding): Promise<string | null> {
  const row = (await statuses(parts.sql, environment)).find((one) => one.module === module)
  const run = row?.run === null || row === undefined ? undefined : await findRun(parts.sql, row.run)
  return run?.recordDigest ?? null
}

/** Where it is no obligation any more (a person decided otherwise meanwhile), it is told all the same what was pushed. */
async function keep(parts: Parts, claim: Claim, adoption: Adoption): Promise<void> {
  await parts.sql.transaction(async (tx) => {
    await claim.fence(tx)
    const finding = await lockFinding(tx, adoption.finding)
    const before = finding?.state === 'adopting' ? undefined : await findAdoption(tx, adoption.finding)
    await saveAdoption(tx, { ...adoption, state: before?.state ?? adoption.state }, parts.clock.now())
  })
}

/** The finding is a person's again. */
async function giveUp(parts: Parts, claim: Claim, id: string, adoption: Adoption, what: 'refused' | 'overdue'): Promise<void> {
  const now = parts.clock.now()
  await parts.sql.transaction(async (tx) => {
    await claim.fence(tx)
    const finding = await lockFinding(tx, id)
    if (finding?.state !== 'adopting') return
    await saveAdoption(tx, adoption, now)
    const open: Finding = { ...finding, state: finding.decision === 'hold' ? 'held' : 'open', failure: adoption.failure, updatedAt: now }
    await saveFindings(tx, [open], now)
    await addFindingChanges(tx, [{ finding: id, environment: open.environment, at: now, what, actor: 'plumbline', reason: adoption.failure?.message ?? what, body: open }])
    await enqueue(tx, parts.clock, `drift/${open.environment}`)
  })
}

function overdue({ branch, repository, deadline }: Adoption): FailureJson {
  return new Failure({ code: 'adopt-overdue', subject: `${repository} ${branch}`, message: `what was adopted should have been delivered by ${new Date(deadline).toISOString()}`, hint: 'Merge it, or decide otherwise: plumb accept, plumb revert, plumb adopt.' }).toJSON()
}
