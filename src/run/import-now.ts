import { posix } from 'node:path'
import { Failure } from '#lib/failure.ts'
import type { Limits } from '#model/config/workspace.ts'
import { matchesGlob } from '#model/glob.ts'
import type { Principal } from '#model/principal.ts'
import { writeMessage } from '#source/commit.ts'
import { findTarget, lookingCall, newestConfiguration } from './drift/targets.ts'
import { importNamespace } from './import.ts'
import type { ImportedModule } from './import.ts'
import type { Parts } from './parts.ts'
import { limitsOf, policyInForce } from './policy.ts'
import { authorOf, headOf, pullRequestOf, pushProposal } from './propose.ts'

export type ImportAsked = { readonly namespace: string; readonly module: string; readonly target: string | undefined }

/** Reads a namespace of an environment's cluster. Failures: `environment-unknown`, `target-unknown`, and those of `importNamespace`. */
export async function importNow(parts: Parts, environmentName: string, asked: ImportAsked, signal: AbortSignal): Promise<ImportedModule & { readonly target: string }> {
  const environment = (await newestConfiguration(parts))?.environments.get(environmentName)
  if (environment === undefined) throw new Failure({ code: 'environment-unknown', subject: `environment ${environmentName}`, message: 'the workspace has no such environment', hint: 'plumb status lists them.' })
  const clusters = Object.entries(environment.spec.targets).flatMap(([name, config]) => ('kubernetes' in config ? [name] : []))
  const name = clusters.find((one) => one === (asked.target ?? one))
  const isTold = asked.target !== undefined || clusters.length === 1
  const target = name === undefined || !isTold ? undefined : await findTarget(parts, { environment: environmentName, target: name, driver: 'kubernetes' })
  if (target === undefined) throw new Failure({ code: 'target-unknown', subject: `environment ${environmentName}`, message: isTold ? `it has no cluster ${asked.target ?? ''} in force` : 'it has several clusters, or none', hint: `Its clusters: ${clusters.join(', ') || 'none'}. Name one with --target.` })
  const imported = await importNamespace(target.via, await lookingCall(parts, target, signal), { namespace: asked.namespace, module: asked.module, target: target.target, environment })
  return { ...imported, target: target.target }
}

/** Into a repository only what it may deliver goes: else who may look at one namespace could push to any repository. Failure `import-beyond-limits`. */
export function expectDeliverable(limits: Limits, { environment, target, namespace }: { readonly environment: string; readonly target: string; readonly namespace: string }, repository: string): void {
  const isListed = (globs: readonly string[], name: string): boolean => globs.some((glob) => matchesGlob(glob, name))
  if (limits === 'everything' || (isListed(limits.environments, environment) && isListed(limits.targets, target) && isListed(limits.namespaces, namespace))) return
  throw new Failure({
    code: 'import-beyond-limits',
    subject: `repository ${repository}`,
    message: `it may not deliver to the namespace ${namespace} of ${target} in ${environment}`,
    hint: `Choose another one, or see spec.repositories.${repository}.allow of the workspace.`,
  })
}

async function limitsIn(parts: Parts, environment: string, repository: string): Promise<Limits> {
  const configuration = await newestConfiguration(parts)
  const document = configuration?.environments.get(environment)
  if (configuration === undefined || document === undefined) return { environments: [], targets: [], namespaces: [], kinds: [], secrets: [] }
  return limitsOf(await policyInForce(parts.sql, document, configuration), environment, repository)
}

export type ImportProposed = { readonly branch: string; readonly commit: string; readonly pullRequest: string | null; readonly left: ImportedModule['left'] }

/** The same as a commit on a branch, and a pull request where the repository has a forge. A branch that is there already gets a commit on top. */
export async function proposeImport(parts: Parts, environment: string, asked: ImportAsked & { readonly repository: string; readonly reason: string }, principal: Principal, signal: AbortSignal): Promise<ImportProposed> {
  const { repository, namespace, module, reason } = asked
  const mirror = parts.repositories.mirror(repository)
  const imported = await importNow(parts, environment, asked, signal)
  expectDeliverable(await limitsIn(parts, environment, repository), { environment, target: imported.target, namespace }, repository)
  const branch = `plumbline/import-${namespace}`
  const tip = await mirror.proposal(branch, signal)
  const onto = tip ?? (await headOf(parts, repository))
  const files = imported.files.map(({ path, content }) => [posix.join(module, path), Buffer.from(content)] as const)
  const same = await Promise.all(files.map(async ([path, bytes]) => (await contentAt(parts, repository, onto, path))?.equals(bytes) ?? false))
  const title = `Import namespace ${namespace} of ${environment} as module ${module}`
  const about = `${files.length - 1} objects that were made by hand. Left out:\n\n${imported.left.map(({ object, why }) => `- ${object}: ${why}`).join('\n') || '- nothing'}`
  const message = writeMessage(title, [about], { Reason: reason })
  const commit = same.every(Boolean) ? onto : await pushProposal(parts, { repository, branch, to: 'branch', onto, tip, changes: new Map(files), message, at: parts.clock.now(), author: authorOf(principal) }, signal)
  const pull = await pullRequestOf(parts, repository, { branch, title, body: about }, signal)
  return { branch, commit, pullRequest: pull?.url ?? null, left: imported.left }
}

async function contentAt(parts: Parts, repository: string, commit: string, path: string): Promise<Buffer | undefined> {
  const reader = parts.repositories.reader(repository, commit)
  const entry = await reader.entry(path)
  return entry?.type === 'blob' ? reader.read(entry) : undefined
}
