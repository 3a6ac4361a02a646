import { Failure } from '#lib/failure.ts'
import { importCommit } from './fast-import.ts'
import type { GitCall, GitSetup } from './git.ts'
import { complaint, git, tryGit } from './git.ts'
import type { Here } from './push-notes.ts'

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

/** A commit is held by it until the remote has taken it: the ref itself says only what the remote said. */
const draftRef = 'refs/plumbline/draft'

export type PushedFile = { readonly commit: string; readonly previous: string | undefined }

/**
 * Commits one small file on top of a ref, here and on the remote, which takes it only if its ref is still what it was for us: a ref that somebody
 * moved or cut is a Failure `ref-moved`, never overwritten. Failures: `ref-refused`, `ref-moved`, `push-refused`, `repository-unreachable`,
 * `git-failed`.
 */
export async function pushFile(setup: GitSetup, call: GitCall, url: string, here: Pick<Here, 'id'>, file: PushFile): Promise<PushedFile> {
  if (!/^refs\/plumbline\/[a-z0-9-]+(\/[a-z0-9-]+)*$/.test(file.ref) || !/^[a-z0-9][a-z0-9.-]*$/.test(file.name)) {
    throw new Failure({ code: 'ref-refused', subject: file.ref, message: `${JSON.stringify(file.ref)} with ${JSON.stringify(file.name)} is not a ref and file that Plumbline writes` })
  }
  const ours = await here.id(file.ref)
  // Where we stood is most likely where the remote stands: the push finds out, at no cost.
  const previous = ours ?? (await begin(setup, call, url, file.ref))
  return await pushOn(setup, call, url, file, { ours, previous })
}

/** The ref as the remote has it, here as well. */
async function begin(setup: GitSetup, call: GitCall, url: string, ref: string): Promise<string | undefined> {
  const theirs = await remoteRef(setup, call, url, ref)
  if (theirs !== undefined) await git(setup, { ...call, args: ['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', '--', url, `+${ref}:${ref}`] })
  return theirs
}

async function pushOn(setup: GitSetup, call: GitCall, url: string, file: PushFile, at: { readonly ours: string | undefined; readonly previous: string | undefined }): Promise<PushedFile> {
  const { ours, previous } = at
  const changes = [{ clear: true }, { file: file.name, content: file.content }] as const
  const commit = await importCommit(setup, call, { ref: draftRef, parent: previous, message: file.message, at: file.at, author: file.author, changes })
  const lease = `--force-with-lease=${file.ref}:${previous ?? ''}`
  const pushed = await tryGit(setup, { ...call, args: ['push', '--quiet', '--porcelain', '--no-verify', lease, '--', url, `${commit}:${file.ref}`] })
  if (pushed.code !== 0) {
    const theirs = await remoteRef(setup, call, url, file.ref)
    if (theirs !== commit) {
      if (theirs !== previous) {
        if (ours !== previous || ours === undefined || !(await isAhead(setup, call, url, file.ref, ours, theirs))) throw moved(call.subject, file.ref, previous, theirs)
        await begin(setup, call, url, file.ref)
        return await pushOn(setup, call, url, file, { ours, previous: theirs })
      }
      throw new Failure({
        code: 'push-refused',
        subject: call.subject,
        message: `repository ${call.subject} did not take ${file.ref}: ${complaint(pushed.stderr, call.redactor)}`,
        hint: 'May the credentials write refs/plumbline/*?',
        retry: 'later',
      })
    }
  }
  await git(setup, { ...call, args: ['update-ref', file.ref, commit] })
  return { commit, previous }
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
async function isAhead(setup: GitSetup, call: GitCall, url: string, ref: string, ours: string, theirs: string | undefined): Promise<boolean> {
  if (theirs === undefined) return false
  await git(setup, { ...call, args: ['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', '--', url, ref] })
  return (await tryGit(setup, { ...call, args: ['merge-base', '--is-ancestor', ours, theirs] })).code === 0
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
