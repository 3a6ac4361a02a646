import { appendFileSync, chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Failure } from '#lib/failure.ts'
import { runProcess } from '#lib/process.ts'
import { histories, type Commit } from './history.ts'

export type ExampleRepositories = {
  /** The playground's folder: the bare repositories are `<dir>/git/<name>.git`. */
  readonly dir: string
  /** What `${playground.<name>}` stands for in the files: addresses, and a folder. */
  readonly values: Readonly<Record<string, string>>
  /** Files that are left out, by the start of `<repository>/<path>`: of what this machine cannot give. */
  readonly without?: readonly string[]
  /** Where `git` is looked for, as in PATH. */
  readonly searchPath: string
}

const source = fileURLToPath(import.meta.resolve('#playground/example/repositories'))
const notifier = fileURLToPath(import.meta.resolve('#playground/example/notify-push.ts'))

/** Makes the repositories that are missing, and their hooks anew; what was pushed stays. Answers their paths by name. */
export async function ensureRepositories(example: ExampleRepositories): Promise<Record<string, string>> {
  const made = Object.keys(histories).map(async (name) => {
    const path = pathOf(example.dir, name)
    if (!existsSync(path)) await make(example, name, path)
    writeHook(example.dir, name, path) // with every start: this program, or Node, may have moved
    return [name, path] as const
  })
  return Object.fromEntries(await Promise.all(made))
}

/** Makes them all as they were at first: whatever people pushed is gone. Told as a push is told. */
export async function resetRepositories(example: ExampleRepositories): Promise<Record<string, string>> {
  const paths = await ensureRepositories(example)
  await Promise.all(Object.entries(paths).map(([name, path]) => makeAnew(example, name, path)))
  await Promise.all(Object.values(paths).map((path) => tell(example, path)))
  return paths
}

const nothing = '0'.repeat(40)

async function tell({ dir, searchPath }: ExampleRepositories, path: string): Promise<void> {
  const head = (await gitIn(dir, searchPath)(['-C', path, 'rev-parse', 'refs/heads/main'])).trim()
  const stdin = Buffer.from(`${nothing} ${head} refs/heads/main\n`)
  await runProcess({ command: join(path, 'hooks', 'post-receive'), args: [], env: { PATH: searchPath }, timeoutMs: 10_000, maxOutputBytes: 100_000, stdin })
}

const pathOf = (dir: string, name: string): string => join(dir, 'git', `${name}.git`)

/** Under another name first: a repository that is there is whole. */
async function make({ dir, values, without = [], searchPath }: ExampleRepositories, name: string, path: string): Promise<void> {
  const fresh = `${path}.new`
  rmSync(fresh, { recursive: true, force: true })
  mkdirSync(fresh, { recursive: true, mode: 0o700 })
  const git = gitIn(dir, searchPath)
  await git(['init', '--quiet', '--bare', '--initial-branch=main', '--template=', fresh])
  appendFileSync(join(fresh, 'config'), '[core]\n\thooksPath = hooks\n') // ours, whatever the pusher's own configuration says
  await git(['-C', fresh, 'fast-import', '--quiet', '--date-format=raw'], fastImport(filesOf(name, without), histories[name] ?? [], values))
  renameSync(fresh, path)
}

/** What Plumbline published is evidence, not example: a head that is gone from Git looks as if somebody had cut it, and no later one is published after it. */
const isEvidence = (ref: string): boolean => ref.startsWith('refs/plumbline/') || ref === 'refs/notes/plumbline'

/** In its place, so that no evidence is lost that comes in meanwhile; but what is no repository any more holds none. */
async function makeAnew(example: ExampleRepositories, name: string, path: string): Promise<void> {
  const { dir, values, without = [], searchPath } = example
  const git = gitIn(dir, searchPath)
  const isWhole = await git([`--git-dir=${path}`, 'rev-parse', '--is-bare-repository']).then(() => true, () => false)
  if (!isWhole) {
    rmSync(path, { recursive: true, force: true })
    await make(example, name, path)
    writeHook(dir, name, path)
    return
  }
  await git(['-C', path, 'fast-import', '--quiet', '--force', '--date-format=raw'], fastImport(filesOf(name, without), histories[name] ?? [], values))
  const refs = (await git(['-C', path, 'for-each-ref', '--format=%(refname)'])).split('\n')
  const others = refs.filter((ref) => ref !== '' && ref !== 'refs/heads/main' && !isEvidence(ref))
  await git(['-C', path, 'update-ref', '--stdin'], Buffer.from(others.map((ref) => `delete ${ref}\n`).join('')))
}

/** The system's git, which reads no configuration of whoever runs it. */
function gitIn(dir: string, searchPath: string): (args: readonly string[], stdin?: Uint8Array) => Promise<string> {
  const env = { PATH: searchPath, HOME: dir, GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null', LC_ALL: 'C' }
  return async (args, stdin) => {
    const { code, stdout, stderr } = await runProcess({ command: 'git', args, env, timeoutMs: 30_000, maxOutputBytes: 1_000_000, ...(stdin === undefined ? {} : { stdin }) })
    if (code !== 0) throw new Failure({ code: 'playground-repository', subject: dir, message: `git ${args.at(-1)}: ${stderr.trim()}` })
    return stdout.toString()
  }
}

/** Every file of the example, by its path in the repository, but those that are left out. */
function filesOf(name: string, without: readonly string[]): ReadonlyMap<string, string> {
  const root = join(source, name)
  const entries = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const paths = entries.map((entry) => join(entry.parentPath, entry.name)).sort()
  const texts = paths.map((path) => [relative(root, path).replaceAll('\\', '/'), readFileSync(path, 'utf8')] as const)
  return new Map(texts.filter(([path]) => !without.some((start) => `${name}/${path}`.startsWith(start))))
}

/** The stream that `git fast-import` reads: each commit writes its files, and keeps those of the ones before. */
function fastImport(files: ReadonlyMap<string, string>, commits: readonly Commit[], values: Readonly<Record<string, string>>): Buffer {
  const parts: string[] = []
  const data = (text: string): void => void parts.push(`data ${Buffer.byteLength(text)}\n${text}\n`)
  for (const { author, date, message, files: starts, earlier = [] } of commits) {
    const when = `${Date.parse(date) / 1000} +0000`
    parts.push(`commit refs/heads/main\nauthor ${author} ${when}\ncommitter ${author} ${when}\n`)
    data(`${message}\n`)
    for (const [path, text] of files) {
      if (!starts.some((start) => path.startsWith(start))) continue
      parts.push(`M 100644 inline ${path}\n`)
      data(filled(path, earlier.reduce((then, [now, before]) => then.replaceAll(now, before), text), values))
    }
    parts.push('\n')
  }
  parts.push('done\n')
  return Buffer.from(parts.join(''))
}

function filled(path: string, text: string, values: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\$\{playground\.([a-z0-9.-]+)\}/g, (_, name: string) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined
    if (value === undefined) throw new Failure({ code: 'playground-repository', subject: path, message: `There is no value for \${playground.${name}}` })
    return value
  })
}

/**
 * After a push: one signed notice a branch, to whoever is written in `<dir>/notify.json`. The shell leaves out what is no branch, notes and record heads
 * among them, which are pushed often: a Node for each would cost more than all the rest of the push.
 */
function writeHook(dir: string, name: string, path: string): void {
  const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`
  const hooks = join(path, 'hooks')
  mkdirSync(hooks, { recursive: true, mode: 0o700 })
  const words = [process.execPath, notifier, join(dir, 'notify.json'), name].map(quoted).join(' ')
  const fresh = join(hooks, 'post-receive.new')
  const script = `#!/bin/sh
branches=
while read -r before after ref; do
  case $ref in refs/heads/*) branches="$branches$before $after $ref
" ;; esac
done
[ -n "$branches" ] || exit 0
printf %s "$branches" | NODE_COMPILE_CACHE=${quoted(join(dir, 'compiled'))} ${words}
`
  writeFileSync(fresh, script, { mode: 0o700 })
  chmodSync(fresh, 0o700)
  renameSync(fresh, join(hooks, 'post-receive'))
}
