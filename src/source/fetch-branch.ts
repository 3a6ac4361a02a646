import { join } from 'node:path'
import { Failure } from '#lib/failure.ts'
import type { GetCredentials } from './credentials.ts'
import { withCredentials } from './credentials.ts'
import type { GitCall, GitSetup } from './git.ts'
import { complaint, outOfSpace, tryGit } from './git.ts'
import { isWhole } from './repair.ts'
import type { Remote } from './url.ts'

/** One branch of one repository, as a mirror follows it. */
export type Origin = {
  readonly setup: GitSetup
  readonly name: string
  readonly branch: string
  readonly remote: Remote
  readonly credentials: GetCredentials | undefined
  /** Of one fetch, in milliseconds. */
  readonly fetchTimeoutMs: number
  /** Configuration that the processes which git starts read as well. */
  readonly globalConfig: string | undefined
}

/** Calls `work` with what a call to the remote needs: the signal, the credentials, the configuration. */
export function withOrigin<T>(origin: Origin, gitDir: string, signal: AbortSignal, work: (call: Omit<GitCall, 'args'>) => Promise<T>): Promise<T> {
  const global = origin.globalConfig === undefined ? {} : { GIT_CONFIG_GLOBAL: origin.globalConfig }
  return withCredentials(origin.setup, origin.remote, origin.name, origin.credentials, signal, (signedIn) =>
    work({ subject: origin.name, gitDir, signal, ...signedIn, env: { ...global, ...signedIn.env } }),
  )
}

/** Fetches the branch into a repository, also over history that was rewritten. `undefined` when it is done, else what git said of it. */
export async function fetchBranch(origin: Origin, gitDir: string, signal: AbortSignal): Promise<string | undefined> {
  const ref = `refs/heads/${origin.branch}`
  const args = ['fetch', '--quiet', '--force', '--no-tags', '--no-write-fetch-head', '--no-recurse-submodules', '--', origin.remote.url, `+${ref}:${ref}`]
  try {
    return await withOrigin(origin, gitDir, signal, async (call) => {
      const exit = await tryGit(origin.setup, { ...call, args, timeoutMs: origin.fetchTimeoutMs })
      return exit.code === 0 ? undefined : complaint(exit.stderr, call.redactor)
    })
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof Failure && error.code === 'process-timeout') throw unreachable(origin, error.message)
    throw error
  }
}

/**
 * Why a fetch failed. What lies with the remote is thrown: `repository-unreachable`, `branch-missing`. Otherwise it lies here, and our mirror is
 * `corrupt`, or `whole` and somebody was in the way: a fetch that outlived the process that started it. The systems are asked, the words of git are not guessed at.
 */
export async function diagnose(origin: Origin, gitDir: string, said: string, signal: AbortSignal): Promise<'corrupt' | 'whole'> {
  const ref = `refs/heads/${origin.branch}`
  const asked = await withOrigin(origin, gitDir, signal, (call) => tryGit(origin.setup, { ...call, args: ['ls-remote', '--quiet', '--', origin.remote.url, ref], timeoutMs: 60_000 }))
  if (asked.code !== 0) throw unreachable(origin, said)
  if (!asked.stdout.toString('utf8').split('\n').some((line) => line.endsWith(`\t${ref}`))) {
    throw new Failure({
      code: 'branch-missing',
      subject: origin.name,
      message: `repository ${origin.name} has no branch ${origin.branch}`,
      hint: 'Create the branch, or correct spec.repositories.<name>.branch in plumbline.yaml. What was fetched last still stands.',
      retry: 'later',
    })
  }
  return (await isWhole(origin.setup, gitDir, origin.name, signal)) ? 'whole' : 'corrupt'
}

export function fetchFailed(origin: Origin, said: string): Failure {
  return new Failure({
    code: 'repository-fetch-failed',
    subject: origin.name,
    message: `repository ${origin.name} answers, but could not be fetched: ${said}`,
    hint: outOfSpace.test(said) ? 'The disk of the mirrors is full: make room. What was fetched last still stands, and Plumbline goes on by itself.' : 'What was fetched last still stands. Look at the repository and at the disk of the mirrors.',
    retry: 'later',
  })
}

export function unreachable(origin: Origin, said: string): Failure {
  return new Failure({
    code: 'repository-unreachable',
    subject: origin.name,
    message: `repository ${origin.name} could not be fetched: ${said}`,
    hint: 'Check its URL, the network and the credentials. What was fetched last still stands.',
    retry: 'later',
  })
}

/** A local repository may belong to another user; git's check of that is also made in the process that reads it, which only a file can tell. */
export function safeDirectories(path: string): string {
  const value = (text: string): string => `"${text.replaceAll('\\', '\\\\').replaceAll('"', String.raw`\"`)}"`
  return `[safe]\n\tdirectory = ${value(path)}\n\tdirectory = ${value(join(path, '.git'))}\n`
}
