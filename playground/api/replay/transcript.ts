import type { Json, JsonObject } from '#lib/json.ts'

/** One recorded request and its answer; see the README beside the transcripts. */
export type Step = {
  readonly say: string
  readonly note?: string
  readonly request: { readonly method: string; readonly path: string; readonly headers?: Record<string, string>; readonly body?: Json; readonly bodyIsDescription?: boolean }
  readonly response: {
    readonly status: number
    readonly headers: Record<string, string>
    readonly body?: Json
    readonly events?: readonly JsonObject[]
    readonly closedBy?: 'server' | 'client'
    readonly names?: readonly string[]
    readonly order?: readonly string[]
    readonly listKind?: string
    readonly listMetadata?: JsonObject
    readonly topLevelKeys?: readonly string[]
  }
}

export type Transcript = { readonly title: string; readonly steps: readonly Step[] }

/** What a recording does not show: writes between its steps. `before` is the index of the step that comes after them. */
export type Unseen = { readonly before: number; readonly method: string; readonly path: string; readonly body: Json }
