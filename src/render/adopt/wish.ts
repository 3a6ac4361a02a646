import type { FailureJson } from '#lib/failure.ts'
import type { Json } from '#lib/json.ts'
import type { Edit } from '#model/adoption.ts'
import type { FieldPath } from '#model/plan.ts'
import type { ObjectKey } from '#model/resource.ts'
import type { TreeReader } from '#model/tree.ts'
import type { RenderCache } from '../cache.ts'
import type { RenderTools } from '../tools.ts'

/**
 * A declared field and the value that it is to have; without one it is to be declared no more. `was`: what Git said when it was delivered, where that is
 * known: what somebody has changed in Git since is not written over.
 */
export type WishedField = { readonly path: FieldPath; readonly live?: Json; readonly was?: Json }

/** What a rendering is to be: as it is now, but for some fields of one object, or without that object. */
export type Wish =
  | { readonly kind: 'fields'; readonly key: ObjectKey; readonly fields: readonly WishedField[] }
  | { readonly kind: 'gone'; readonly key: ObjectKey }

/** A module's source in one environment: what is rendered there. */
export type Place = {
  readonly module: string
  readonly environment: string
  /** The folder of the source, from the repository's root. */
  readonly path: string
  readonly spec: { readonly empty: boolean; readonly plainSecrets: boolean }
}

export type Adoption = {
  readonly reader: TreeReader
  /** Where the wish is to come true. */
  readonly place: Place
  /** Every other place that is rendered from this repository: nothing may change there. */
  readonly others: readonly Place[]
  readonly wish: Wish
  /** Asked for renderings that are there already; nothing that is tried is kept in it. */
  readonly cache: RenderCache
  readonly tools: RenderTools
  readonly signal: AbortSignal
}

export type Proposal = {
  readonly edits: readonly Edit[]
  /** The whole new content by path; undefined where a file goes. */
  readonly files: ReadonlyMap<string, Buffer | undefined>
  /** A generated object whose name ends in a digest of its content gets another name, and what refers to it rolls out. */
  readonly renamed: readonly { readonly from: ObjectKey; readonly to: ObjectKey }[]
  /** Places that cannot be rendered, with or without the edit: nothing is proven for them. */
  readonly unproven: readonly string[]
}

export type Answer =
  | { readonly outcome: 'proposed'; readonly proposal: Proposal }
  /** Git says so already. */
  | { readonly outcome: 'already' }
  /** Codes: `adopt-no-place`, `adopt-not-declared`, `adopt-secret`, and those of a rendering that fails. */
  | { readonly outcome: 'refused'; readonly failure: FailureJson }

/** Changes of files by path: the new content, or undefined where the file goes. */
export type Changes = ReadonlyMap<string, Buffer | undefined>

/** One way in which the wish may come true. */
export type Candidate = { readonly changes: Changes }
