import type { GitCall, GitSetup } from './git.ts'
import { objectId, tryGit } from './git.ts'

/** A line's history is not worth more than this. */
const timeoutMs = 5_000

/** The commit that last touched a line (1-based) of a file, as of a commit; undefined where Git cannot tell, or takes too long. */
export async function blameLine(setup: GitSetup, call: GitCall, commit: string, file: string, line: number): Promise<string | undefined> {
  const args = ['blame', '--porcelain', '--no-textconv', '-L', `${line},${line}`, objectId(commit, call.subject), '--', file]
  const exit = await tryGit(setup, { ...call, args, timeoutMs, maxOutputBytes: 1024 * 1024 }).catch(() => undefined)
  return exit?.code === 0 ? /^([0-9a-f]{40,64}) /.exec(exit.stdout.toString('utf8'))?.[1] : undefined
}
