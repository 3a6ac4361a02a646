import { Failure } from '#lib/failure.ts'
import type { GitCall, GitSetup } from './git.ts'
import { git, objectId } from './git.ts'

/** A commit that `git fast-import` makes: one program for all its objects, where a blob, a tree and a commit by themselves are one each. */
export type ImportedCommit = {
  /** The ref that it is written on, here. */
  readonly ref: string
  /** Undefined: it has none, and what the ref was is let go. */
  readonly parent: string | undefined
  readonly message: string
  /** Milliseconds since 1970: the date of the commit. */
  readonly at: number
  readonly author: { readonly name: string; readonly email: string }
  /** What it changes, on top of its parent. */
  readonly changes: readonly (
    | { readonly clear: true }
    | { readonly file: string; readonly content: string | Uint8Array }
    /** The note of a commit, in place of the one that it had. */
    | { readonly noteOf: string; readonly content: string | Uint8Array }
  )[]
}

/** Makes a commit on a ref of a repository here, and gives its id. Failure `git-failed`. Format: git-fast-import(1). */
export async function importCommit(setup: GitSetup, call: GitCall, commit: ImportedCommit): Promise<string> {
  const said = await git(setup, { ...call, args: ['fast-import', '--quiet', '--force', '--date-format=raw', '--done'], stdin: stream(commit, call.subject) })
  const id = said.toString('utf8').trim()
  if (/^[0-9a-f]{40}$/.test(id)) return id
  throw new Failure({ code: 'git-failed', subject: call.subject, message: `git fast-import told no commit: ${JSON.stringify(id.slice(0, 80))}`, retry: 'later' })
}

function stream(commit: ImportedCommit, subject: string): Buffer {
  const parts: (string | Uint8Array)[] = []
  const data = (content: string | Uint8Array): void => void parts.push(`data ${Buffer.byteLength(content)}\n`, content, '\n')
  const plain = (text: string): string => text.replaceAll(/[<>\p{Cc}]/gu, ' ')
  const who = `${plain(commit.author.name)} <${plain(commit.author.email)}> ${Math.floor(commit.at / 1000)} +0000`
  parts.push(`reset ${commit.ref}\n`, ...(commit.parent === undefined ? [] : [`from ${objectId(commit.parent, subject)}\n`]), '\n')
  parts.push(`commit ${commit.ref}\nmark :1\nauthor ${who}\ncommitter ${who}\n`)
  data(commit.message)
  for (const change of commit.changes) {
    if ('clear' in change) {
      parts.push('deleteall\n')
      continue
    }
    parts.push('file' in change ? `M 100644 inline ${change.file}\n` : `N inline ${objectId(change.noteOf, subject)}\n`)
    data(change.content)
  }
  parts.push('\nget-mark :1\ndone\n')
  return Buffer.concat(parts.map((part) => Buffer.from(part)))
}
