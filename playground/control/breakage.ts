/** `absent`: there is nothing here that could be broken. */
export type BreakageState = 'whole' | 'broken' | 'absent'

/** Hears what is under way, of what takes a while: a few words without an end. */
export type Tell = (doing: string) => void

/** Something that a person can break, to see what follows, and mend. */
export type Breakage = {
  readonly name: string
  readonly does: string
  /** What is then seen. */
  readonly shows: string
  /** As it really is, asked of what would be broken. Rejects where that does not answer. */
  state(): Promise<BreakageState>
  break(tell: Tell): Promise<void>
  /** What is whole stays as it is. */
  mend(tell: Tell): Promise<void>
}

/** What cannot honestly be broken here. */
export const leftOut: Readonly<Record<string, string>> = {
  node: 'the one node is the playground itself, and nothing here would evict its pods or start them elsewhere',
}
