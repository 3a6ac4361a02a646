import { digestOf } from '#lib/digest.ts'

/** Who wrote a commit, when and why. `trailers` are the commit message's last paragraph (`Ticket: …`). */
export type Commit = {
  readonly sha: string
  readonly author: { readonly name: string; readonly email: string }
  /** Milliseconds since 1970: the committer's date. */
  readonly at: number
  readonly subject: string
  readonly trailers: Readonly<Record<string, string>>
}

/** One commit for each repository, taken together. The same commits are the same snapshot. */
export type Snapshot = {
  /** `s-` and 12 hexadecimal digits of the digest of `commits`. */
  readonly id: string
  /** Repository name -> commit id. */
  readonly commits: Readonly<Record<string, string>>
}

export function snapshotOf(commits: Readonly<Record<string, string>>): Snapshot {
  return { id: `s-${digestOf(commits).slice(7, 19)}`, commits }
}
