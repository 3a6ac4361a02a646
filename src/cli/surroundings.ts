import { safe } from './print/safe.ts'
import type { Look } from './print/table.ts'

/** What a command may know of where it runs; handed in by `main.ts`. */
export type Surroundings = {
  /** Writes a line to standard output. */
  readonly print: (line: string) => void
  /** Writes a line to standard error: progress, and what is not the answer. */
  readonly note: (line: string) => void
  /** Standard output is a terminal that shows colours. */
  readonly colours: boolean
  /** Columns of the terminal; infinite where nobody’s screen is written to: nothing is cut or broken then. */
  readonly width: number
  readonly cwd: string
  /** `PLUMB_DIR`, `PLUMB_SERVER`, `PLUMB_TOKEN`. */
  readonly env: { readonly dir?: string; readonly server?: string; readonly token?: string }
  readonly readFile: (path: string) => string | undefined
  readonly now: () => number
}

export function lookOf(around: Surroundings): Look {
  return { colours: around.colours, width: Math.max(60, around.width), now: around.now() }
}

/** Where a server's log goes: its lines hold what repositories and systems said, each safe to print. */
export function logTo(around: Surroundings): (line: string) => void {
  return (line) => around.note(safe(line))
}
