import { Failure } from '#lib/failure.ts'
import type { TreeReader } from '#model/tree.ts'
import type { ImportedCommit } from './fast-import.ts'
import { importCommit } from './fast-import.ts'
import type { GitCall, GitSetup } from './git.ts'
import { complaint, git, objectId, tryGit } from './git.ts'
import { remoteRef } from './push-ref.ts'

export const notesRef = 'refs/notes/plumbline'

/** A line for the note of a commit. A commit that is not here is passed over. */
export type NoteLine = { readonly commit: string; readonly line: string }

export type Notes = { readonly lines: readonly NoteLine[]; readonly at: number; readonly author: { readonly name: string; readonly email: string } }

/** Others write notes too, and may always be a little faster. */
const attempts = 5

/** What is asked of the mirror: the ids of its refs and commits, and what commits hold. */
export type Here = {
  /** The id of what a name names here, where there is such a thing. */
  id(name: string): Promise<string | undefined>
  reader(commit: string): Pick<TreeReader, 'entry' | 'read'>
}

/**
 * Adds lines to the notes of commits, on the remote: on top of what is there now, and taken by it only if that is still so. A line that is there already is not
 * added again, and what others wrote stays, byte for byte. Tells how many lines were new. Failures `push-refused`, `repository-unreachable`, `git-failed`.
 */
export async function pushNotes(setup: GitSetup, call: GitCall, url: string, here: Here, notes: Notes): Promise<number> {
  // What we pushed last is most likely still what is there: the push finds out, at no cost.
  let theirs = await here.id(notesRef)
  let isAsked = false
  for (let attempt = 1; ; attempt += 1) {
    if (theirs === undefined && !isAsked) {
      theirs = await take(setup, call, url)
      isAsked = true
    }
    const { added, changes } = await fresh(here, call, theirs, notes)
    if (added > 0) {
      await importCommit(setup, call, { ref: notesRef, parent: theirs, message: 'Notes added by Plumbline\n', at: notes.at, author: notes.author, changes })
      const pushed = await tryGit(setup, { ...call, args: ['push', '--quiet', '--porcelain', '--no-verify', `--force-with-lease=${notesRef}:${theirs ?? ''}`, '--', url, `${notesRef}:${notesRef}`] })
      if (pushed.code === 0) return added
      const before = theirs
      theirs = await take(setup, call, url)
      if ((theirs === before && isAsked) || attempt === attempts) throw refused(call, theirs === before ? complaint(pushed.stderr, call.redactor) : 'somebody else wrote it each time')
    } else {
      if (isAsked) return 0
      const before = theirs
      theirs = await take(setup, call, url)
      if (theirs === before) return 0
    }
    isAsked = true
  }
}

/** What the remote's notes are now, and from now on here as well. */
async function take(setup: GitSetup, call: GitCall, url: string): Promise<string | undefined> {
  const theirs = await remoteRef(setup, call, url, notesRef)
  if (theirs !== undefined) await git(setup, { ...call, args: ['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', '--', url, `+${notesRef}:${notesRef}`] })
  return theirs
}

function refused(call: GitCall, why: string): Failure {
  return new Failure({
    code: 'push-refused',
    subject: call.subject,
    message: `repository ${call.subject} did not take ${notesRef}: ${why}`,
    hint: `May the credentials write ${notesRef}? Where they may not, leave out \`notes: true\`.`,
    retry: 'later',
  })
}

/** The notes that change: each with its new lines at the end. */
async function fresh(here: Here, call: GitCall, tip: string | undefined, { lines }: Notes): Promise<{ added: number; changes: ImportedCommit['changes'] }> {
  let added = 0
  const changes: ImportedCommit['changes'][number][] = []
  for (const [commit, ofCommit] of Map.groupBy(lines, (one) => objectId(one.commit, call.subject))) {
    if ((await here.id(`${commit}^{commit}`)) === undefined) continue
    const before = tip === undefined ? Buffer.alloc(0) : await noteOf(here, tip, commit)
    const known = new Set(before.toString('utf8').split('\n'))
    const more = [...new Set(ofCommit.map((one) => one.line.replaceAll(/[\r\n]+/g, ' ')))].filter((line) => !known.has(line))
    if (more.length === 0) continue
    changes.push({ noteOf: commit, content: Buffer.concat([before, Buffer.from(`${before.length === 0 || before.at(-1) === 10 ? '' : '\n'}${more.join('\n')}\n`)]) })
    added += more.length
  }
  return { added, changes }
}

/** What the note of a commit says; nothing where it has none. What cannot be read is an error: it would be overwritten. */
async function noteOf(here: Here, tip: string, commit: string): Promise<Buffer> {
  const reader = here.reader(tip)
  // Many notes are spread over folders, by the first digits of their commits.
  for (const path of [commit, `${commit.slice(0, 2)}/${commit.slice(2)}`, `${commit.slice(0, 2)}/${commit.slice(2, 4)}/${commit.slice(4)}`]) {
    const entry = await reader.entry(path)
    if (entry !== undefined) return await reader.read(entry)
  }
  return Buffer.alloc(0)
}
