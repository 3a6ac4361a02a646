import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '#lib/clock.ts'
import { Failure } from '#lib/failure.ts'
import type { Commit } from '#model/snapshot.ts'
import type { TreeReader } from '#model/tree.ts'
import { blameLine } from './blame.ts'
import { parentsOf, parseCommit } from './commit.ts'
import type { GetCredentials } from './credentials.ts'
import type { Origin } from './fetch-branch.ts'
import { diagnose, fetchBranch, fetchFailed, safeDirectories, unreachable, withOrigin } from './fetch-branch.ts'
import type { GitCall, GitSetup } from './git.ts'
import { branchName, git, objectId, tryGit } from './git.ts'
import { ObjectStore } from './objects.ts'
import type { ProposedCommit } from './propose.ts'
import { askBranch, commitChanges, patchBetween, proposalBranch, pushBranch } from './propose.ts'
import type { Notes } from './push-notes.ts'
import { pushNotes } from './push-notes.ts'
import type { PushedFile, PushFile } from './push-ref.ts'
import { pushFile } from './push-ref.ts'
import { ensureRepository, keptCommits, keptRefs, rebuild, sweepLeftovers } from './repair.ts'
import type { TreeLimits } from './tree.ts'
import { expectObject, readTree, TreeCache, treeLimits } from './tree.ts'
import { remoteOf } from './url.ts'

export type MirrorOptions = {
  readonly git: GitSetup
  /** The mirror's own folder; one process at a time uses it. */
  readonly dir: string
  /** The repository's name in the workspace. */
  readonly name: string
  /** Absolute: the caller resolves what the workspace writes relative to itself. */
  readonly url: string
  readonly branch: string
  readonly credentials?: GetCredentials
  readonly clock: Clock
  readonly limits?: Partial<TreeLimits & { readonly fetchTimeoutMs: number }>
}

/** `forced`: the branch no longer contains `previous`; its history was rewritten. */
export type FetchResult = { readonly head: string; readonly previous: string | undefined; readonly forced: boolean }

const maxLog = 1_000
const maxCommitBytes = 1024 * 1024

/** Opens a mirror of one branch of one repository. Nothing is read or written yet. Failures: `repository-url-refused`, `branch-name-invalid`. */
export function openMirror(options: MirrorOptions): Mirror {
  return new Mirror(options)
}

/** A bare mirror of one branch. What it has fetched it can read for ever, whatever becomes of the remote. */
export class Mirror {
  readonly name: string
  readonly url: string
  readonly branch: string
  readonly #options: MirrorOptions
  readonly #origin: Origin
  readonly #gitDir: string
  readonly #setup: GitSetup
  readonly #limits: TreeLimits
  #objects: ObjectStore
  #trees: TreeCache
  #turn: Promise<unknown> = Promise.resolve()
  #tick = 0
  #last: { readonly started: number; readonly result: FetchResult } | undefined
  #rebuilding: Promise<void> | undefined
  #corrupt = false
  #swept = false
  /** What `keep` holds, as far as it was asked since the start. */
  readonly #kept = new Set<string>()

  constructor(options: MirrorOptions) {
    this.name = options.name
    this.branch = branchName(options.branch, options.name)
    this.#options = options
    const remote = remoteOf(options.url, options.name)
    this.url = remote.url
    this.#origin = {
      setup: options.git, name: options.name, branch: this.branch, remote, credentials: options.credentials, fetchTimeoutMs: options.limits?.fetchTimeoutMs ?? 600_000,
      globalConfig: remote.transport === 'file' ? join(options.dir, 'config') : undefined,
    }
    this.#gitDir = join(options.dir, 'repository.git')
    this.#setup = options.git
    this.#limits = { ...treeLimits, ...options.limits }
    this.#objects = new ObjectStore(this.#setup, this.#gitDir, this.name, options.clock)
    this.#trees = new TreeCache(this.#objects, this.name)
  }

  /**
   * Asks the remote. Calls that come while one is under way share the next one. Failures: `repository-unreachable`, `branch-missing`,
   * `repository-fetch-failed`, `git-credentials-unfit`, and those of the credentials; the last head stands through all of them.
   */
  async fetch(signal: AbortSignal): Promise<FetchResult> {
    const asked = ++this.#tick
    return await this.#inTurn(async () => {
      signal.throwIfAborted()
      if (this.#last !== undefined && this.#last.started > asked) return this.#last.result // one that began after we were asked
      const started = ++this.#tick
      const result = await this.#fetch(signal)
      this.#last = { started, result }
      return result
    })
  }

  /** The branch's last fetched commit; `undefined` before the first fetch. */
  async head(): Promise<string | undefined> {
    return await this.id(`refs/heads/${this.branch}^{commit}`).catch((error: unknown) => {
      if (error instanceof Failure && error.code === 'mirror-corrupt') return undefined // noted: the next fetch makes it anew
      throw error
    })
  }

  /** The id of what a ref or a commit's name names here; undefined where there is no such thing. Failure `mirror-corrupt` where that cannot be told: it is not "nothing". */
  async id(name: string): Promise<string | undefined> {
    if (!existsSync(join(this.#gitDir, 'HEAD'))) return undefined
    const answer = await this.#objects.read(name, 0).catch((error: unknown) => Promise.reject(this.#noted(error)))
    return answer?.id
  }

  /** Failures of its calls: `commit-unknown`, `path-outside-repository`, `file-too-large`, `tree-too-large`, `not-a-file`, `mirror-corrupt`. */
  reader(commit: string): TreeReader {
    const reader = readTree(this.#objects, this.#trees, this.name, commit, this.#limits)
    const noting = async <T>(reading: Promise<T>): Promise<T> => await reading.catch((error: unknown) => Promise.reject(this.#noted(error)))
    return {
      ...reader,
      entry: (path) => noting(reader.entry(path)),
      list: (path) => noting(reader.list(path)),
      walk: (path) => noting(reader.walk(path)),
      read: (entry) => noting(reader.read(entry)),
    }
  }

  /** Failure `commit-unknown` when the mirror has no such commit. */
  async commit(sha: string): Promise<Commit> {
    const answer = await this.#objects.read(objectId(sha, this.name), maxCommitBytes).catch((error: unknown) => Promise.reject(this.#noted(error)))
    if (answer === undefined || (!('tooLarge' in answer) && answer.type !== 'commit')) {
      throw new Failure({ code: 'commit-unknown', subject: this.name, message: `the mirror of ${this.name} has no commit ${sha}`, retry: 'later' })
    }
    return parseCommit(sha, expectObject(answer, 'commit', sha, this.name).bytes)
  }

  /** The commits that `to` has and `from` has not, the newest first, at most 1,000; with `paths`, those that touch one of them. */
  async log(from: string | undefined, to: string, paths: readonly string[] = []): Promise<Commit[]> {
    const range = [objectId(to, this.name), ...(from === undefined ? [] : [`^${objectId(from, this.name)}`])]
    // Most often there is one commit more than before: that takes no program.
    if (from !== undefined && paths.length === 0 && (await this.#parents(to)).join(' ') === from) return [await this.commit(to)]
    const output = await git(this.#setup, this.#call(['rev-list', `--max-count=${maxLog}`, ...range, '--', ...paths]))
    return await Promise.all(output.toString('utf8').split('\n').filter((sha) => sha !== '').map((sha) => this.commit(sha)))
  }

  /**
   * The e-mail addresses of whoever wrote a commit that `to` has and `from` has not, however many there are; with `paths`, one that touches one of them.
   * Where `to` does not come after `from` (a force push), or `from` is not here any more, nobody can say what lies between: then those of everybody who
   * wrote any of it. Failure `git-failed` where `to` cannot be read.
   */
  async authors(from: string | undefined, to: string, paths: readonly string[] = []): Promise<string[]> {
    const isRange = from !== undefined && (await this.#contains(objectId(to, this.name), objectId(from, this.name)))
    const left = from !== undefined && !isRange && (await this.commit(from).then(() => true, () => false)) ? [from] : []
    const range = isRange ? [objectId(to, this.name), `^${from}`] : [objectId(to, this.name), ...left]
    const output = await git(this.#setup, this.#call(['log', '--format=%ae', ...range, '--', ...paths], { timeoutMs: 120_000 }))
    return [...new Set(output.toString('utf8').split('\n').filter((email) => email !== ''))].sort()
  }

  /** The commit that last touched a line of a file, as of a commit; undefined where Git cannot tell. */
  async blame(commit: string, file: string, line: number): Promise<Commit | undefined> {
    const sha = await blameLine(this.#setup, this.#call([]), commit, file, line)
    return sha === undefined ? undefined : await this.commit(sha)
  }

  /** Every path whose content, mode or existence differs between two commits; all paths of `b` when there is no `a`. */
  async changed(a: string | undefined, b: string): Promise<string[]> {
    const args =
      a === undefined
        ? ['ls-tree', '-r', '-z', '--full-tree', '--name-only', objectId(b, this.name)]
        : ['diff-tree', '-r', '-z', '--no-renames', '--no-ext-diff', '--ignore-submodules=none', '--name-only', objectId(a, this.name), objectId(b, this.name)]
    const output = await git(this.#setup, this.#call(args))
    return output.toString('utf8').split('\0').filter((path) => path !== '')
  }

  /** Holds commits that were delivered, so that they can be rendered again offline, also after a force push. */
  async keep(...shas: readonly string[]): Promise<void> {
    await this.#rebuilding
    const fresh = shas.filter((sha) => !this.#kept.has(sha))
    await this.#updateKept(fresh.map((sha) => `update ${keptRefs}${objectId(sha, this.name)} ${sha}`))
    for (const sha of fresh) this.#kept.add(sha)
  }

  /** The commits that are held, as the repository has it: from then on `keep` goes by that. */
  async kept(): Promise<string[]> {
    await this.#rebuilding
    this.#kept.clear()
    return await keptCommits(this.#setup, this.#gitDir, this.name)
  }

  /** Lets go of commits that `keep` held. */
  async release(...shas: readonly string[]): Promise<void> {
    for (const sha of shas) this.#kept.delete(sha)
    await this.#updateKept(shas.map((sha) => `delete ${keptRefs}${objectId(sha, this.name)}`))
  }

  /** Commits one small file on a ref of the remote; see `push-ref.ts`. */
  async push(file: PushFile, signal: AbortSignal): Promise<PushedFile> {
    return await this.#withRemote(signal, (call) => pushFile(this.#setup, call, this.url, this, file))
  }

  /** A branch of Plumbline's own on the remote: its tip, which can be read from then on; undefined where there is none. See `propose.ts`. */
  async proposal(branch: string, signal: AbortSignal): Promise<string | undefined> {
    return await this.#withRemote(signal, (call) => askBranch(this.#setup, call, this.url, proposalBranch(branch, this.name)))
  }

  /** Makes a commit, on no branch yet. */
  async draft(commit: ProposedCommit, signal: AbortSignal): Promise<string> {
    return await this.#inTurn(async () => {
      await this.#prepare()
      return await commitChanges(this.#setup, this.#call([], { signal }), commit)
    })
  }

  /** What `git apply` takes. */
  async patch(from: string, to: string): Promise<string> {
    return await patchBetween(this.#setup, this.#call([]), from, to)
  }

  /** Pushes a draft to a branch of Plumbline's own, or (`deployed`) to the very branch that is followed. `expected`: what was there. */
  async propose(to: { readonly branch: string } | 'deployed', commit: string, expected: string | undefined, signal: AbortSignal): Promise<void> {
    const branch = to === 'deployed' ? this.branch : proposalBranch(to.branch, this.name)
    await this.#withRemote(signal, (call) => pushBranch(this.#setup, call, this.url, { branch, commit, expected }))
  }

  /** Whether a commit is another, or comes before it. */
  async contains(commit: string, ancestor: string): Promise<boolean> {
    return await this.#contains(objectId(commit, this.name), objectId(ancestor, this.name))
  }

  /** Adds lines to the notes of commits of the remote; see `push-notes.ts`. */
  async pushNotes(notes: Notes, signal: AbortSignal): Promise<number> {
    return await this.#withRemote(signal, (call) => pushNotes(this.#setup, call, this.url, this, notes))
  }

  /** Packs what many fetches left, when it is worth it. To be called when there is nothing else to do. */
  async tidy(signal: AbortSignal): Promise<void> {
    await this.#inTurn(async () => {
      await this.#prepare()
      const args = ['-c', 'gc.auto=2000', '-c', 'gc.autoPackLimit=30', '-c', 'gc.autoDetach=false', 'gc', '--auto', '--quiet']
      await git(this.#setup, this.#call(args, { signal, timeoutMs: 600_000 }))
    })
  }

  /** Ends the process that reads objects; a later read starts it again. */
  close(): void {
    this.#objects.close()
  }

  async #fetch(signal: AbortSignal): Promise<FetchResult> {
    await this.#prepare()
    const previous = await this.head()
    const said = this.#corrupt ? undefined : await fetchBranch(this.#origin, this.#gitDir, signal)
    const state = said === undefined ? undefined : await diagnose(this.#origin, this.#gitDir, said, signal)
    if (this.#corrupt || state === 'corrupt') await this.#rebuild(signal)
    else if (state === 'whole') {
      await sweepLeftovers(this.#gitDir, this.#options.clock)
      const again = await fetchBranch(this.#origin, this.#gitDir, signal)
      if (again !== undefined) throw fetchFailed(this.#origin, again)
    }
    let head = await this.head()
    if (head === undefined || (await this.#objects.read(`${head}^{tree}`, Number.MAX_SAFE_INTEGER).catch(() => undefined)) === undefined) {
      await this.#rebuild(signal)
      head = await this.head()
    }
    if (head === undefined) throw this.#corrupted()
    return { head, previous, forced: previous !== undefined && previous !== head && !(await this.#contains(head, previous)) }
  }

  async #rebuild(signal: AbortSignal): Promise<void> {
    const fill = async (gitDir: string): Promise<void> => {
      const said = await fetchBranch(this.#origin, gitDir, signal)
      if (said !== undefined) throw unreachable(this.#origin, said)
    }
    this.#rebuilding = rebuild(this.#setup, this.#gitDir, this.name, fill)
    try {
      await this.#rebuilding
    } finally {
      this.#rebuilding = undefined
    }
    this.#objects.close()
    this.#kept.clear()
    this.#trees = new TreeCache(this.#objects, this.name)
    this.#corrupt = false
  }

  async #contains(head: string, ancestor: string): Promise<boolean> {
    if ((await this.#parents(head)).includes(ancestor)) return true
    const exit = await tryGit(this.#setup, this.#call(['merge-base', '--is-ancestor', ancestor, head]))
    return exit.code === 0 // an ancestor that cannot be read is told as a force push: the louder of the two
  }

  /** Of a commit that can be read; nothing where git has to tell. */
  async #parents(sha: string): Promise<string[]> {
    const answer = await this.#objects.read(sha, maxCommitBytes).catch(() => undefined)
    return answer !== undefined && 'bytes' in answer && answer.type === 'commit' ? parentsOf(answer.bytes) : []
  }

  async #prepare(): Promise<void> {
    await mkdir(this.#options.dir, { recursive: true, mode: 0o700 })
    if (this.#origin.globalConfig !== undefined) await writeFile(this.#origin.globalConfig, safeDirectories(this.url))
    if (!existsSync(join(this.#gitDir, 'HEAD'))) this.#kept.clear()
    await ensureRepository(this.#setup, this.#gitDir, this.name)
    if (!this.#swept) await sweepLeftovers(this.#gitDir, this.#options.clock)
    this.#swept = true
  }

  async #updateKept(lines: readonly string[]): Promise<void> {
    await this.#rebuilding
    if (lines.length > 0) await git(this.#setup, this.#call(['update-ref', '--stdin'], { stdin: lines.map((line) => `${line}\n`).join('') }))
  }

  #call(args: readonly string[], more: Partial<GitCall> = {}): GitCall {
    return { subject: this.name, gitDir: this.#gitDir, args, ...more }
  }

  #withRemote<T>(signal: AbortSignal, work: (call: GitCall) => Promise<T>): Promise<T> {
    return this.#inTurn(async () => {
      await this.#prepare()
      return await withOrigin(this.#origin, this.#gitDir, signal, (call) => work({ ...call, args: [] }))
    })
  }

  /** One after the other: a bare repository has one writer. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work)
    this.#turn = mine.catch(() => {
      this.#swept = false // it may have been killed: what it held is swept before the next one
    })
    return mine
  }

  #noted(error: unknown): unknown {
    if (error instanceof Failure && error.code === 'mirror-corrupt') this.#corrupt = true
    return error
  }

  #corrupted(): Failure {
    return new Failure({ code: 'mirror-corrupt', subject: this.name, message: `the mirror of ${this.name} has no head after a fetch`, retry: 'later' })
  }
}
