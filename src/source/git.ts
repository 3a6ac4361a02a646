import { Failure } from '#lib/failure.ts'
import type { Exit } from '#lib/process.ts'
import { runProcess } from '#lib/process.ts'
import { Redactor } from '#lib/redact.ts'

/** How the system's `git` (2.32 or later) is run. `main.ts` makes one for the process. */
export type GitSetup = {
  /** A private folder (0700): HOME of every call, and the place of key files while a call lasts. */
  readonly home: string
  /** What git inherits, and nothing else: `PATH`, and where there is one a proxy (`https_proxy`, `no_proxy`) or an authority of one's own (`GIT_SSL_CAINFO`). */
  readonly env: Readonly<Record<string, string>>
}

export type GitCall = {
  /** The repository's name, or what else a failure should name. */
  readonly subject: string
  readonly args: readonly string[]
  readonly gitDir?: string
  /** Configuration for this call, by the environment: it is in no argument list. */
  readonly config?: readonly (readonly [key: string, value: string])[]
  readonly env?: Readonly<Record<string, string>>
  readonly stdin?: string | Uint8Array
  readonly timeoutMs?: number
  readonly maxOutputBytes?: number
  readonly signal?: AbortSignal
  /** Values that must not be in an error's text. */
  readonly redactor?: Redactor
}

/** Nothing that a repository brings is run, nothing outside is read, and only the transports that we speak are open. */
const safety = [
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'core.attributesFile=/dev/null',
  'core.bigFileThreshold=16m', // larger blobs are streamed, so they do not fill git's memory
  'credential.helper=',
  'diff.external=',
  'fetch.recurseSubmodules=false',
  'gc.auto=0', // tidying has its own call: never in the way of a fetch, never detached from its process group
  'http.followRedirects=false',
  'http.lowSpeedLimit=1000',
  'http.lowSpeedTime=30',
  'maintenance.auto=false',
  'protocol.allow=never',
  'protocol.file.allow=always',
  'protocol.http.allow=always', // url.ts lets it through to this very machine only
  'protocol.https.allow=always',
  'protocol.ssh.allow=always',
  'submodule.recurse=false',
]

export function gitCommand(setup: GitSetup, call: GitCall): { args: string[]; env: Record<string, string> } {
  const config = [...safety.map((line) => ['-c', line]).flat(), ...(call.gitDir === undefined ? [] : ['-c', `safe.directory=${call.gitDir}`])]
  const secretConfig = Object.fromEntries(
    (call.config ?? []).flatMap(([key, value], index) => [[`GIT_CONFIG_KEY_${index}`, key], [`GIT_CONFIG_VALUE_${index}`, value]]),
  )
  return {
    args: ['--no-pager', '--literal-pathspecs', ...config, ...(call.gitDir === undefined ? [] : [`--git-dir=${call.gitDir}`]), ...call.args],
    env: {
      ...setup.env,
      HOME: setup.home,
      LC_ALL: 'C',
      GIT_ALLOW_PROTOCOL: 'file:http:https:ssh', // beats every configuration, also in the processes that git starts
      GIT_ASKPASS: '/bin/false',
      GIT_CONFIG_COUNT: String(call.config?.length ?? 0),
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_NO_REPLACE_OBJECTS: '1', // what an id names is what is read
      GIT_OPTIONAL_LOCKS: '0',
      GIT_SSH_COMMAND: 'ssh -F /dev/null -o BatchMode=yes -o StrictHostKeyChecking=yes',
      GIT_SSH_VARIANT: 'ssh',
      GIT_TERMINAL_PROMPT: '0',
      ...secretConfig,
      ...call.env,
    },
  }
}

/** Runs git to its end; a non-zero exit is an answer. Failures: those of `runProcess`. */
export async function tryGit(setup: GitSetup, call: GitCall): Promise<Exit> {
  return await runProcess({
    command: 'git',
    ...gitCommand(setup, call),
    timeoutMs: call.timeoutMs ?? 30_000,
    maxOutputBytes: call.maxOutputBytes ?? 64 * 1024 * 1024,
    ...(call.stdin === undefined ? {} : { stdin: call.stdin }),
    ...(call.signal === undefined ? {} : { signal: call.signal }),
  })
}

/** Runs git and gives its output. Failure `git-failed`, with git's own words, when it exits with anything but 0. */
export async function git(setup: GitSetup, call: GitCall): Promise<Buffer> {
  const exit = await tryGit(setup, call)
  if (exit.code === 0) return exit.stdout
  const verb = call.args.find((arg) => !arg.startsWith('-')) ?? ''
  throw new Failure({ code: 'git-failed', subject: call.subject, message: `git ${verb}: ${complaint(exit.stderr, call.redactor)}`, retry: 'later' })
}

const boilerplate = /^(fatal: Could not read from remote repository\.|Please make sure you have the correct access rights|and the repository exists\.|hint: .*)$/

/** Said by whoever meets it first; what git says after that is what became of it. */
export const outOfSpace = /no space left on device/i

/** The line of git's standard error that says most: one line, without secrets and without control characters (a remote may send any). */
export function complaint(stderr: string, redactor?: Redactor): string {
  const lines = (redactor ?? new Redactor())
    .redact(stderr)
    .split(/[\r\n]+/)
    // oxlint-disable-next-line no-control-regex
    .map((line) => line.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, ' ').trim())
    .filter((line) => line !== '')
  const line = lines.find((candidate) => outOfSpace.test(candidate)) ?? lines.findLast((candidate) => !boilerplate.test(candidate)) ?? lines[0] ?? 'it said nothing'
  return line.length > 300 ? `${line.slice(0, 300)}…` : line
}

/** A full object id (SHA-1). Failure `commit-unknown` for anything else, so that no id can be an option or an expression. */
export function objectId(text: string, subject: string): string {
  if (/^[0-9a-f]{40}$/.test(text)) return text
  throw new Failure({ code: 'commit-unknown', subject, message: `${JSON.stringify(text.slice(0, 80))} is not a full commit id`, hint: 'Give all 40 hexadecimal digits.' })
}

/** A branch's name by the rules of `git check-ref-format`. Failure `branch-name-invalid`. */
export function branchName(text: string, subject: string): string {
  // oxlint-disable-next-line no-control-regex
  const bad = text === '' || text === '@' || text.length > 200 || text.startsWith('-') || text.endsWith('.') || /[\u0000-\u0020\u007f~^:?*[\\]|\.\.|@\{/.test(text)
  if (!bad && text.split('/').every((part) => part !== '' && !part.startsWith('.') && !part.endsWith('.lock'))) return text
  throw new Failure({
    code: 'branch-name-invalid',
    subject,
    message: `${JSON.stringify(text.slice(0, 80))} cannot be a branch's name`,
    hint: 'Correct spec.repositories.<name>.branch in plumbline.yaml.',
  })
}
