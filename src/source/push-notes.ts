import { Failure } from '#lib/failure.ts'
import type { GitCall, GitSetup } from './git.ts'
import { complaint, git, objectId, tryGit } from './git.ts'
import { remoteRef } from './push-ref.ts'

export const notesRef = 'refs/notes/plumbline'

/** A line for the note of a commit. A commit that is not here is passed over. */
export type NoteLine = { readonly commit: string; readonly line: string }

export type Notes = { readonly lines: readonly NoteLine[]; readonly at: number; readonly author: { readonly name: string; readonly email: string } }

/** Others write notes too, and may always be a little faster. */
const attempts = 5

/**
 * Adds lines to the notes of commits, on the remote: on top of what is there now, and taken by it only if that is still so. A line that is there already is not
 * added again, and what others wrote stays, byte for byte. Tells how many lines were new. Failures `push-refused`, `repository-unreachable`, `git-failed`.
 */
export async function pushNotes(setup: GitSetup, call: GitCall, url: string, notes: Notes): Promise<number> {
  for (let attempt = 1; ; attempt += 1) {
    const theirs = await remoteRef(setup, call, url, notesRef)
    const run = async (args: readonly string[], more: Partial<GitCall> = {}): Promise<Buffer> => git(setup, { ...call, ...more, env: { ...call.env, ...more.env }, args })
    if (theirs !== undefined) await run(['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', '--', url, `+${notesRef}:${notesRef}`])
    else await run(['update-ref', '-d', notesRef])
    const added = await add(setup, call, run, notes)
    if (added === 0) return 0
    const pushed = await tryGit(setup, { ...call, args: ['push', '--quiet', '--porcelain', '--no-verify', `--force-with-lease=${notesRef}:${theirs ?? ''}`, '--', url, `${notesRef}:${notesRef}`] })
    if (pushed.code === 0) return added
    const moved = (await remoteRef(setup, call, url, notesRef)) !== theirs
    if (moved && attempt < attempts) continue
    throw new Failure({
      code: 'push-refused',
      subject: call.subject,
      message: `repository ${call.subject} did not take ${notesRef}: ${moved ? 'somebody else wrote it each time' : complaint(pushed.stderr, call.redactor)}`,
      hint: `May the credentials write ${notesRef}? Where they may not, leave out \`notes: true\`.`,
      retry: 'later',
    })
  }
}

type Run = (args: readonly string[], more?: Partial<GitCall>) => Promise<Buffer>

/** One note for each commit, with its new lines at the end. */
async function add(setup: GitSetup, call: GitCall, run: Run, { lines, at, author }: Notes): Promise<number> {
  const date = `@${Math.floor(at / 1000)} +0000`
  const env = Object.fromEntries(['AUTHOR', 'COMMITTER'].flatMap((role) => [[`GIT_${role}_NAME`, author.name], [`GIT_${role}_EMAIL`, author.email], [`GIT_${role}_DATE`, date]]))
  let added = 0
  for (const [commit, ofCommit] of Map.groupBy(lines, (one) => objectId(one.commit, call.subject))) {
    if ((await tryGit(setup, { ...call, args: ['cat-file', '-e', `${commit}^{commit}`] })).code !== 0) continue
    const before = await noteOf(setup, call, run, commit)
    const known = new Set(before.split('\n'))
    const fresh = [...new Set(ofCommit.map((one) => one.line.replaceAll(/[\r\n]+/g, ' ')))].filter((line) => !known.has(line))
    if (fresh.length === 0) continue
    const text = `${before}${before === '' || before.endsWith('\n') ? '' : '\n'}${fresh.join('\n')}\n`
    const blob = (await run(['hash-object', '-w', '--no-filters', '--stdin'], { stdin: text })).toString('utf8').trim()
    await run(['notes', `--ref=${notesRef}`, 'add', '-f', '-C', blob, commit], { env })
    added += fresh.length
  }
  return added
}

/** What the note of a commit says; '' where it has none. What could not be read is an error: it would be overwritten. */
async function noteOf(setup: GitSetup, call: GitCall, run: Run, commit: string): Promise<string> {
  const listed = await tryGit(setup, { ...call, args: ['notes', `--ref=${notesRef}`, 'list', commit] })
  if (listed.code === 0) return (await run(['cat-file', 'blob', listed.stdout.toString('utf8').trim()])).toString('utf8')
  if (listed.code === 1) return ''
  throw new Failure({ code: 'git-failed', subject: call.subject, message: `the note of ${commit} cannot be read: ${complaint(listed.stderr, call.redactor)}` })
}
