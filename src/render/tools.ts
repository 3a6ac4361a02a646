import { runProcess } from '#lib/process.ts'
import type { Exit } from '#lib/process.ts'
import { ParsedBlobs } from './parsed-blobs.ts'

export type KustomizeTool = {
  /** `kustomize 5.6.0`: renderings of another version are not reused. */
  readonly version: string
  /** Builds the folder, which is in a private tree with its own home. Failures of `runProcess`. */
  build(folder: string, home: string, signal: AbortSignal): Promise<Exit>
}

/** What renderers use beside the tree. Made once a process. */
export type RenderTools = {
  readonly blobs: ParsedBlobs
  /** Where private trees are made. */
  readonly tempDir: string
  /** Looked for once, when first needed; undefined where there is none. */
  readonly kustomize: () => Promise<KustomizeTool | undefined>
}

const limits = { timeoutMs: 30_000, maxOutputBytes: 32 * 1024 * 1024, memoryKiB: 4 * 1024 * 1024 }

/** `path`: where programs are looked for (a PATH). `concurrency`: how many programs run at once. */
export function renderTools(options: { readonly path: string; readonly tempDir: string; readonly concurrency?: number }): RenderTools {
  const slots = new Slots(options.concurrency ?? 2)
  let kustomize: Promise<KustomizeTool | undefined> | undefined
  return {
    blobs: new ParsedBlobs(),
    tempDir: options.tempDir,
    kustomize: () => {
      kustomize ??= findKustomize(options.path, slots).catch((error: unknown) => {
        kustomize = undefined // that it could not be found out is not that there is none
        throw error
      })
      return kustomize
    },
  }
}

async function findKustomize(path: string, slots: Slots): Promise<KustomizeTool | undefined> {
  const candidates = [
    { program: 'kustomize', version: ['version'], build: 'build' },
    { program: 'kubectl', version: ['version', '--client'], build: 'kustomize' },
  ]
  for (const candidate of candidates) {
    const found = await versionOf(candidate.program, candidate.version, path)
    if (found === undefined) continue
    return {
      version: `${candidate.program} ${found}`,
      build: (folder, home, signal) => slots.run(() => limited(candidate.program, [candidate.build, folder], path, home, signal)),
    }
  }
  return undefined
}

/** Undefined where the program is not there (127), or its kustomize is older than 4.5, which does not tell where objects come from. */
async function versionOf(program: string, args: readonly string[], path: string): Promise<string | undefined> {
  const { code, stdout } = await limited(program, args, path, '/nonexistent', new AbortController().signal)
  if (code !== 0) return undefined
  // kubectl before 1.24 does not name its kustomize; the other number is its own.
  const pattern = program === 'kubectl' ? /Kustomize Version: v?((\d+)\.(\d+)\.\S+)/ : /v?((\d+)\.(\d+)\.\d+\S*)/
  const [, version, major, minor] = pattern.exec(stdout.toString('utf8')) ?? []
  return Number(major) > 4 || (Number(major) === 4 && Number(minor) >= 5) ? version : undefined
}

/**
 * Nothing is inherited. The proxies lead nowhere: a build needs no network, and what it would fetch was refused before. The shell sets a limit
 * on memory, where the system has one (not on macOS), and becomes the program. PATH is for the lookup alone: `git` is not to be found by it.
 */
async function limited(program: string, args: readonly string[], path: string, home: string, signal: AbortSignal): Promise<Exit> {
  const nowhere = 'http://127.0.0.1:9'
  const lookUp = `ulimit -v ${limits.memoryKiB} 2>/dev/null; program=$(command -v "$0") || exit 127; PATH=; exec "$program" "$@"`
  return runProcess({
    command: '/bin/sh',
    args: ['-c', lookUp, program, ...args],
    ...(home === '/nonexistent' ? {} : { cwd: home }),
    env: { PATH: path, HOME: home, XDG_CONFIG_HOME: home, TMPDIR: home, HTTP_PROXY: nowhere, HTTPS_PROXY: nowhere, ALL_PROXY: nowhere, KUBECONFIG: `${home}/none`, GOMEMLIMIT: '1GiB' },
    timeoutMs: limits.timeoutMs,
    maxOutputBytes: limits.maxOutputBytes,
    signal,
  })
}

/** Lets a number of tasks run at once; the others wait their turn. */
class Slots {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(count: number) {
    this.#free = count
  }

  async run<Result>(task: () => Promise<Result>): Promise<Result> {
    if (this.#free > 0) this.#free -= 1
    else await new Promise<void>((resolve) => void this.#waiting.push(resolve))
    try {
      return await task()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#free += 1
      else next()
    }
  }
}
