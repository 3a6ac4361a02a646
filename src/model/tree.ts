/** An entry of a Git tree. `id` is the Git object id: equal ids are equal content. `path` is relative to the repository's root. */
export type TreeEntry = { readonly path: string; readonly id: string; readonly type: 'blob' | 'tree' | 'link' | 'submodule'; readonly size?: number }

/**
 * Read-only sight of one repository at one commit: Git objects, never a checkout. Paths are relative to the root, with `/`, normalised;
 * a path that leaves the repository is a Failure `path-outside-repository`. `undefined` is "not there"; a failed read throws.
 */
export type TreeReader = {
  readonly repository: string
  readonly commit: string
  entry(path: string): Promise<TreeEntry | undefined>
  /** The direct children of a folder, by name; `undefined` when there is no such folder. */
  list(path: string): Promise<TreeEntry[] | undefined>
  /** Every blob and link at or below a folder. */
  walk(path: string): Promise<TreeEntry[]>
  /** A blob's bytes. Failure `file-too-large` over the limit that the reader was made with. */
  read(entry: TreeEntry): Promise<Buffer>
}
