/** How far a replica is behind, as far as it can be told. */
export type Lag = {
  /** Why it is not one that follows: then nothing else counts. */
  readonly broken?: string
  /** Between these many seconds; `unsure` says why they are two. */
  readonly seconds: { readonly atLeast: number; readonly atMost: number }
  /** Of the primary's log, what the replica has not carried out. */
  readonly bytes?: number
  readonly unsure?: string
  /** Of a PostgreSQL replica that has not carried out all: how far it is, for its primary to say since when. */
  readonly replayed?: string
  /** Its replay was paused by somebody: it falls behind from here on. */
  readonly paused: boolean
}

/** How far a primary had written when it was asked. */
export type Position =
  | { readonly engine: 'postgres'; readonly lsn: string }
  /** Its binary logs in order, with their sizes. */
  | { readonly engine: 'mysql'; readonly logs: readonly { readonly name: string; readonly size: number }[] }

/** How often, and how far apart, a replica is asked again that has not yet carried out what its primary had written a moment before: a burst gets a second. */
export const looks = 12
export const betweenLooksMs = 80
