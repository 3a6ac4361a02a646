import { Failure } from '#lib/failure.ts'
import type { GitCall, GitSetup } from './git.ts'
import { complaint, git, tryGit } from './git.ts'

export type PushFile = {
  /** Below `refs/plumbline/`, such as `refs/plumbline/checkpoints/production`. */
  readonly ref: string
  /** The file's name at the root of the commit. */
  readonly name: string
  readonly content: string | Uint8Array
  readonly message: string
  /** Milliseconds since 1970: the date of the commit. */
  readonly at: number
  readonly author: { readonly name: string; readonly email: string }
}

export type PushedFile = { readonly commit: string; readonly previous: string | undefined }

/**
 * Commits one small file on top of a ref, here and on the remote, which takes it only if its ref is still what it was for us: a ref that somebody
 * moved or cut is a Failure `ref-moved`, never overwritten. Failures: `ref-refused`, `ref-moved`, `push-refused`, `repository-unreachable`,
 * `git-failed`.
 */
export async function pushFile(setup: GitSetup, call: GitCall, url: string, file: PushFile): Promise<PushedFile> {
  if (!/^refs\/plumbline\/[a-z0-9-]+(\/[a-z0-9-]+)*$/.test(file.ref) || !/^[a-z0-9][a-z0-9.-]*$/.test(file.name)) {
    throw new Failure({ code: 'ref-refused', subject: file.ref, message: `${JSON.stringify(file.ref)} with ${JSON.stringify(file.name)} is not a ref and file that Plumbline writes` })
  }
  const run = async (args: readonly string[], more: Partial<GitCall> = {}): Promise<string> =>
    (await git(setup, { ...call, ...more, env: { ...call.env, ...more.env }, args })).toString('utf8').trim()
  const ours = await local(setup, call, file.ref)
  const theirs = await remoteRef(setup, call, url, file.ref)
  if (ours !== undefined && ours !== theirs && !(await isAhead(setup, call, run, url, file.ref, ours, theirs))) {
    throw moved(call.subject, file.ref, ours, theirs)
  }
  const previous = theirs
  if (previous !== undefined && previous !== ours) await run(['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', '--', url, `+${file.ref}:${file.ref}`])
  const commit = await write(run, file, previous)
  const lease = `--force-with-lease=${file.ref}:${previous ?? ''}`
  const pushed = await tryGit(setup, { ...call, args: ['push', '--quiet', '--porcelain', '--no-verify', lease, '--', url, `${commit}:${file.ref}`] })
  if (pushed.code !== 0) {
    const now = await remoteRef(setup, call, url, file.ref)
    if (now !== previous && now !== commit) throw moved(call.subject, file.ref, previous, now)
    if (now !== commit) {
      throw new Failure({
        code: 'push-refused',
        subject: call.subject,
        message: `repository ${call.subject} did not take ${file.ref}: ${complaint(pushed.stderr, call.redactor)}`,
        hint: 'May the credentials write refs/plumbline/*?',
        retry: 'later',
      })
    }
  }
  await run(['update-ref', file.ref, commit])
  return { commit, previous }
}

async function local(setup: GitSetup, call: GitCall, ref: string): Promise<string | undefined> {
  const exit = await tryGit(setup, { ...call, args: ['rev-parse', '--verify', '--quiet', ref] })
  return exit.code === 0 ? exit.stdout.toString('utf8').trim() : undefined
}

/** What a ref of the remote points to. Failure `repository-unreachable`. */
export async function remoteRef(setup: GitSetup, call: GitCall, url: string, ref: string): Promise<string | undefined> {
  const exit = await tryGit(setup, { ...call, args: ['ls-remote', '--quiet', '--', url, ref] })
  if (exit.code === 0) return exit.stdout.toString('utf8').split('\n').find((line) => line.endsWith(`\t${ref}`))?.split('\t')[0]
  throw new Failure({
    code: 'repository-unreachable',
    subject: call.subject,
    message: `repository ${call.subject} could not be asked for ${ref}: ${complaint(exit.stderr, call.redactor)}`,
    hint: 'Check its URL, the network and the credentials.',
    retry: 'later',
  })
}

/** Whether the remote has gone on from where we stood: our own push, whose answer was lost, or another replica's. */
async function isAhead(
  setup: GitSetup, call: GitCall, run: (args: readonly string[]) => Promise<string>, url: string, ref: string, ours: string, theirs: string | undefined,
): Promise<boolean> {
  if (theirs === undefined) return false
  await run(['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', '--', url, ref])
  return (await tryGit(setup, { ...call, args: ['merge-base', '--is-ancestor', ours, theirs] })).code === 0
}

async function write(run: (args: readonly string[], more?: Partial<GitCall>) => Promise<string>, file: PushFile, parent: string | undefined): Promise<string> {
  const blob = await run(['hash-object', '-w', '--no-filters', '--stdin'], { stdin: file.content })
  const tree = await run(['mktree'], { stdin: `100644 blob ${blob}\t${file.name}\n` })
  const date = `@${Math.floor(file.at / 1000)} +0000`
  const person = (role: string): Record<string, string> => ({
    [`GIT_${role}_NAME`]: file.author.name, [`GIT_${role}_EMAIL`]: file.author.email, [`GIT_${role}_DATE`]: date,
  })
  return await run(['commit-tree', tree, ...(parent === undefined ? [] : ['-p', parent])], { stdin: file.message, env: { ...person('AUTHOR'), ...person('COMMITTER') } })
}

function moved(subject: string, ref: string, ours: string | undefined, theirs: string | undefined): Failure {
  return new Failure({
    code: 'ref-moved',
    subject,
    message: `${ref} of repository ${subject} was ${ours ?? 'absent'} for us and is ${theirs ?? 'gone'} there`,
    hint: 'Somebody rewrote or removed it. Find out who; nothing was overwritten.',
    fields: { ref, ours: ours ?? null, theirs: theirs ?? null },
  })
}
