import { Launcher } from './process/launcher.ts'
import { runHere, type Command, type Exit } from './process/here.ts'

export type { Command, Exit } from './process/here.ts'

/** Bytes of memory above which a process no longer starts programs itself: starting one copies its page tables, 10 ms at 400 MB in which nothing else happens. */
const large = 150e6

let launcher: Launcher | undefined

/**
 * Runs a program, without a shell, in a process group of its own, and waits for its end. A non-zero exit is an answer, not an error.
 * From a large process it is started by a small one, which is kept for the next; it ends with this one, and everything that it started with it.
 * Failures: `process-missing`, `process-timeout`, `process-output-too-large`, `process-killed`.
 */
export async function runProcess(command: Command): Promise<Exit> {
  command.signal?.throwIfAborted()
  if (process.memoryUsage.rss() < large) return runHere(command)
  if (launcher?.alive !== true) launcher = new Launcher()
  return launcher.run(command)
}
