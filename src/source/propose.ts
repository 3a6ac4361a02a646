import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Failure } from '#lib/failure.ts'
import type { GitCall, GitSetup } from './git.ts'
import { branchName, complaint, git, objectId, tryGit } from './git.ts'

type Person = { readonly name: string; readonly email: string }

/** Some files changed on top of a commit: the new content by path, or undefined where the file goes. */
export type ProposedCommit = {
  readonly onto: string
  readonly changes: ReadonlyMap<string, Uint8Array | undefined>
  readonly message: string
  /** Milliseconds since 1970. */
  readonly at: number
  readonly author: Person
  readonly committer: Person
}

/**
 * Makes the commit in the mirror, where no ref names it yet. The same input is the same commit, wherever it is made. Files keep their modes.
 * Failures: `commit-unknown`, `git-failed`.
 */
export async function commitChanges(setup: GitSetup, call: GitCall, commit: ProposedCommit): Promise<string> {
  const folder = await mkdtemp(join(setup.home, 'index-'))
  const run = async (args: readonly string[], more: Partial<GitCall> = {}): Promise<string> =>
    (await git(setup, { ...call, ...more, env: { ...call.env, GIT_INDEX_FILE: join(folder, 'index'), ...more.env }, args })).toString('utf8').trim()
  try {
    const onto = objectId(commit.onto, call.subject)
    await run(['read-tree', onto])
    const lines: string[] = []
    for (const [path, content] of [...commit.changes].sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (content === undefined) lines.push(`0 ${'0'.repeat(40)}\t${path}\0`)
      else lines.push(`${await modeOf(run, path)} ${await run(['hash-object', '-w', '--no-filters', '--stdin'], { stdin: content })}\t${path}\0`)
    }
    await run(['update-index', '-z', '--index-info'], { stdin: lines.join('') })
    const tree = await run(['write-tree'])
    const date = `@${Math.floor(commit.at / 1000)} +0000`
    const person = (role: string, { name, email }: Person): Record<string, string> => ({ [`GIT_${role}_NAME`]: plain(name), [`GIT_${role}_EMAIL`]: plain(email), [`GIT_${role}_DATE`]: date })
    return await run(['commit-tree', tree, '-p', onto], { stdin: commit.message, env: { ...person('AUTHOR', commit.author), ...person('COMMITTER', commit.committer) } })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function modeOf(run: (args: readonly string[]) => Promise<string>, path: string): Promise<string> {
  const listed = await run(['ls-files', '--stage', '--', path])
  return /^(100644|100755) /.exec(listed)?.[1] ?? '100644'
}

/** Git takes names without these, and none that is empty. */
function plain(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replaceAll(/[<>\u0000-\u001f\u007f]/g, '').trim() || 'unknown'
}

/** What `git apply` takes: the difference between two commits that the mirror has. */
export async function patchBetween(setup: GitSetup, call: GitCall, from: string, to: string): Promise<string> {
  const args = ['diff-tree', '-p', '--full-index', '--binary', '--no-renames', '--no-ext-diff', '--no-textconv', '--no-color', objectId(from, call.subject), objectId(to, call.subject)]
  return (await git(setup, { ...call, args })).toString('utf8')
}

/** The branches that Plumbline makes are its own. */
export function proposalBranch(name: string, subject: string): string {
  const branch = branchName(name, subject)
  if (/^plumbline\/[a-z0-9-]+$/.test(branch)) return branch
  throw new Failure({ code: 'ref-refused', subject, message: `${JSON.stringify(name.slice(0, 80))} is not a branch that Plumbline writes` })
}

/** What a branch of the remote holds, fetched, so that it can be read; undefined where there is none. Failures: `repository-unreachable`, `git-failed`. */
export async function askBranch(setup: GitSetup, call: GitCall, url: string, branch: string): Promise<string | undefined> {
  const ref = `refs/heads/${branch}`
  const asked = await tryGit(setup, { ...call, args: ['ls-remote', '--quiet', '--', url, ref] })
  if (asked.code !== 0) {
    const message = `repository ${call.subject} could not be asked for ${branch}: ${complaint(asked.stderr, call.redactor)}`
    throw new Failure({ code: 'repository-unreachable', subject: call.subject, message, hint: 'Check its URL, the network and the credentials.', retry: 'later' })
  }
  const tip = asked.stdout.toString('utf8').split('\n').find((line) => line.endsWith(`\t${ref}`))?.split('\t')[0]
  if (tip === undefined) return undefined
  await git(setup, { ...call, args: ['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', '--no-recurse-submodules', '--', url, ref] })
  return objectId(tip, call.subject)
}

/**
 * Sets a branch of the remote to a commit, if it still is what it was: undefined stands for a branch that is not there. The commit is made on top of
 * what was there, so that nothing is lost. Failures: `ref-moved`, `push-refused`, `repository-unreachable`.
 */
export async function pushBranch(setup: GitSetup, call: GitCall, url: string, push: { readonly branch: string; readonly commit: string; readonly expected: string | undefined }): Promise<void> {
  const ref = `refs/heads/${push.branch}`
  const args = ['push', '--quiet', '--porcelain', '--no-verify', `--force-with-lease=${ref}:${push.expected ?? ''}`, '--', url, `${objectId(push.commit, call.subject)}:${ref}`]
  const pushed = await tryGit(setup, { ...call, args })
  if (pushed.code === 0) return
  const now = await askBranch(setup, call, url, push.branch)
  if (now === push.commit) return // it was taken, and only the answer got lost
  if (now === push.expected) {
    const message = `repository ${call.subject} did not take ${push.branch}: ${complaint(pushed.stderr, call.redactor)}`
    throw new Failure({ code: 'push-refused', subject: call.subject, message, hint: 'May the credentials write this branch?', retry: 'later' })
  }
  const message = `${push.branch} of repository ${call.subject} is another by now; nothing was overwritten`
  throw new Failure({ code: 'ref-moved', subject: call.subject, message, hint: 'Try again: it is looked at anew.', retry: 'now', fields: { ref, ours: push.expected ?? null, theirs: now ?? null } })
}
