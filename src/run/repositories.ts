import { join } from 'node:path'
import type { Clock } from '#lib/clock.ts'
import { Failure } from '#lib/failure.ts'
import type { RepositoryConfig, Workspace } from '#model/config/workspace.ts'
import type { Snapshot } from '#model/snapshot.ts'
import type { TreeReader } from '#model/tree.ts'
import type { ResolveSecret } from '#secrets/provider.ts'
import { openMirror } from '#source/mirror.ts'
import type { Mirror } from '#source/mirror.ts'
import type { GetCredentials } from '#source/credentials.ts'
import type { GitSetup } from '#source/git.ts'

type Options = {
  /** Where mirrors are kept: made anew when they are gone. */
  readonly dir: string
  /** The workspace's own repository: a Git URL, or the path of a repository. */
  readonly workspace: { readonly url: string; readonly branch: string }
  readonly git: GitSetup
  readonly clock: Clock
  readonly resolveSecret: ResolveSecret
}

/** Before the workspace document was read, its repository has no name of its own. */
const unnamed = 'workspace'

/** The mirrors of the workspace's repositories: which there are follows the workspace document. */
export class Repositories {
  readonly #options: Options
  readonly #mirrors = new Map<string, { mirror: Mirror; config: RepositoryConfig | undefined }>()
  #workspaceName = unnamed
  /** The snapshot whose repositories and commits are known to be here; see `catch-up.ts`. */
  caughtUp: string | undefined

  constructor(options: Options) {
    this.#options = options
    this.#open(unnamed, undefined, options.workspace.url, options.workspace.branch)
  }

  workspaceName(): string {
    return this.#workspaceName
  }

  names(): string[] {
    return [...this.#mirrors.keys()].sort()
  }

  config(name: string): RepositoryConfig | undefined {
    return this.#mirrors.get(name)?.config
  }

  /** The name that the workspace document gives to its own repository. */
  nameWorkspace(name: string): void {
    const entry = this.#mirrors.get(this.#workspaceName)
    this.#mirrors.delete(this.#workspaceName)
    if (entry !== undefined) this.#mirrors.set(name, entry)
    this.#workspaceName = name
  }

  /** Follows what a workspace document says from now on. Tells which repositories are new. */
  follow(workspace: Workspace): string[] {
    const wanted = Object.entries(workspace.spec.repositories)
    const own = wanted.find(([, config]) => config.url === '.')?.[0] ?? unnamed
    const added: string[] = []
    if (own !== this.#workspaceName) {
      this.nameWorkspace(own)
      added.push(own)
    }
    for (const name of this.#mirrors.keys()) if (name !== own && !(name in workspace.spec.repositories)) this.#close(name)
    for (const [name, config] of wanted) {
      const known = this.#mirrors.get(name)
      const url = config.url === '.' ? this.#options.workspace.url : relativeTo(this.#options.workspace.url, config.url)
      if (known !== undefined && known.mirror.url === url && known.mirror.branch === config.branch) {
        known.config = config
        continue
      }
      this.#close(name)
      this.#open(name, config, url, config.branch)
      added.push(name)
    }
    return added
  }

  /** Failure `repository-unknown`. */
  mirror(name: string): Mirror {
    const entry = this.#mirrors.get(name)
    if (entry !== undefined) return entry.mirror
    throw new Failure({
      code: 'repository-unknown',
      subject: `repository ${name}`,
      message: 'the workspace has no such repository',
      hint: `Its repositories: ${this.names().join(', ')}.`,
    })
  }

  /** Whether a commit of a repository that is followed is at hand: not where its mirror is lost, or has not fetched it yet. */
  async has(name: string, commit: string): Promise<boolean> {
    if (!this.#mirrors.has(name)) return false
    return this.mirror(name).commit(commit).then(
      () => true,
      (error: unknown) => {
        if (error instanceof Failure && (error.code === 'commit-unknown' || error.code === 'mirror-corrupt')) return false
        throw error
      },
    )
  }

  reader(name: string, commit: string): TreeReader {
    // The workspace's own repository was opened before its name was known.
    return { ...this.mirror(name).reader(commit), repository: name }
  }

  /** Sight of every repository of a snapshot that is still followed. */
  readers(snapshot: Snapshot): Record<string, TreeReader> {
    return Object.fromEntries(Object.entries(snapshot.commits).flatMap(([name, commit]) => (this.#mirrors.has(name) ? [[name, this.reader(name, commit)]] : [])))
  }

  close(): void {
    for (const { mirror } of this.#mirrors.values()) mirror.close()
    this.#mirrors.clear()
  }

  #open(name: string, config: RepositoryConfig | undefined, url: string, branch: string): void {
    const { dir, git, clock, resolveSecret } = this.#options
    const credentials = config?.credentials === undefined ? {} : { credentials: credentialsOf(config.credentials, resolveSecret) }
    const mirror = openMirror({ git, dir: join(dir, name), name, url, branch, clock, ...credentials })
    this.#mirrors.set(name, { mirror, config })
  }

  #close(name: string): void {
    const entry = this.#mirrors.get(name)
    this.#mirrors.delete(name)
    entry?.mirror.close()
  }
}

/** Resolved at each call, so that a value lives no longer than its call. */
function credentialsOf(config: NonNullable<RepositoryConfig['credentials']>, resolve: ResolveSecret): GetCredentials {
  return async (signal) => {
    const value = async (reference: { secretRef: string }): Promise<string> => (await resolve(reference.secretRef, signal)).value
    if ('token' in config) return { kind: 'token', user: config.user, token: await value(config.token) }
    return { kind: 'ssh', privateKey: await value(config.ssh.key), knownHosts: await value(config.ssh.knownHosts) }
  }
}

/** A relative path in a workspace document is relative to the workspace's repository, as it is for Git's submodules. */
function relativeTo(workspace: string, url: string): string {
  if (!url.startsWith('./') && !url.startsWith('../')) return url
  const isUrl = /^[a-z]+:\/\//.test(workspace)
  return isUrl ? new URL(url, workspace.endsWith('/') ? workspace : `${workspace}/`).href : join(workspace, url)
}
