import { posix } from 'node:path'
import { Failure } from '#lib/failure.ts'
import type { Principal } from '#model/principal.ts'
import { writeMessage } from '#source/commit.ts'
import { newestSnapshot } from '#store/snapshots.ts'
import type { Configuration } from './configuration.ts'
import { importNamespace } from './import.ts'
import type { ImportedModule } from './import.ts'
import type { Parts } from './parts.ts'
import { authorOf, headOf, pullRequestOf, pushProposal } from './propose.ts'

export type ImportAsked = { readonly namespace: string; readonly module: string; readonly target: string | undefined }

/** Reads a namespace of an environment's cluster. Failures: `environment-unknown`, `target-unknown`, and those of `importNamespace`. */
export async function importNow(parts: Parts, environmentName: string, asked: ImportAsked, signal: AbortSignal): Promise<ImportedModule> {
  const environment = (await newestConfiguration(parts))?.environments.get(environmentName)
  if (environment === undefined) throw new Failure({ code: 'environment-unknown', subject: `environment ${environmentName}`, message: 'the workspace has no such environment', hint: 'plumb status lists them.' })
  const clusters = Object.entries(environment.spec.targets).filter(([, config]) => 'kubernetes' in config)
  const [target, config] = clusters.find(([name]) => name === (asked.target ?? name)) ?? []
  const driver = parts.drivers.find(({ id }) => id === 'kubernetes')
  if (target === undefined || config === undefined || driver === undefined || (asked.target === undefined && clusters.length > 1)) {
    const names = clusters.map(([name]) => name).join(', ')
    throw new Failure({ code: 'target-unknown', subject: `environment ${environmentName}`, message: asked.target === undefined ? 'it has several clusters, or none' : `it has no cluster ${asked.target}`, hint: `Its clusters: ${names || 'none'}. Name one with --target.` })
  }
  const call = {
    clients: { kubernetes: await parts.kubernetes(config) },
    clock: parts.clock,
    signal,
    assertLease: () => Promise.reject(new Error('an import changes nothing')),
    secretDigest: parts.secretDigest,
  }
  return importNamespace(driver, call, { namespace: asked.namespace, module: asked.module, target, environment })
}

export type ImportProposed = { readonly branch: string; readonly commit: string; readonly pullRequest: string | null; readonly left: ImportedModule['left'] }

/** The same as a commit on a branch, and a pull request where the repository has a forge. A branch that is there already gets a commit on top. */
export async function proposeImport(parts: Parts, environment: string, asked: ImportAsked & { readonly repository: string; readonly reason: string }, principal: Principal, signal: AbortSignal): Promise<ImportProposed> {
  const { repository, namespace, module, reason } = asked
  const mirror = parts.repositories.mirror(repository)
  const imported = await importNow(parts, environment, asked, signal)
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

async function newestConfiguration(parts: Parts): Promise<Configuration | undefined> {
  const snapshot = await newestSnapshot(parts.sql)
  return snapshot === undefined ? undefined : parts.configurations.of(snapshot)
}
