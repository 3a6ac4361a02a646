import type { Json } from '#lib/json.ts'
import type { TreeReader } from '#model/tree.ts'
import type { RenderTools } from './tools.ts'

/** A document that came out of rendering, and the file and line (1-based) that it is written in. */
export type RenderedDocument = { readonly value: Json; readonly file: string; readonly line: number }

export type RenderCall = {
  readonly tools: RenderTools
  readonly signal: AbortSignal
}

/**
 * Turns the files of a folder into documents. One folder, one plain object, tried in the order of `renderers` in `render.ts`.
 * A renderer reads through the reader alone, so that what was read is known, and gives the same documents for the same files.
 */
export type Renderer = {
  readonly id: string
  /** What the outcome depends on beside the files: the version of a program. */
  fingerprint(call: RenderCall): Promise<string>
  /** Whether a folder is of this renderer's sort. */
  detect(reader: TreeReader, path: string): Promise<boolean>
  render(call: RenderCall, reader: TreeReader, path: string): Promise<RenderedDocument[]>
}
