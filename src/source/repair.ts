import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '#lib/clock.ts'
import type { GitSetup } from './git.ts'
import { git, tryGit } from './git.ts'

export const keptRefs = 'refs/plumbline/keep/'

/** A git that runs holds a lock for milliseconds; one that is this old was left by a process that was killed. */
const graceMs = 2_000

/** Makes an empty bare repository, or leaves the one that is there. It appears under its name when it is whole. */
export async function ensureRepository(setup: GitSetup, gitDir: string, subject: string): Promise<void> {
  await mkdir(setup.home, { recursive: true, mode: 0o700 })
  if (await exists(join(gitDir, 'HEAD'))) return
  const fresh = `${gitDir}.init`
  await rm(fresh, { recursive: true, force: true })
  await rm(gitDir, { recursive: true, force: true })
  await mkdir(join(gitDir, '..'), { recursive: true, mode: 0o700 })
  await git(setup, { subject, args: ['init', '--bare', '--quiet', '--template=', '--initial-branch=plumbline', '--', fresh] })
  await rename(fresh, gitDir)
}

/** Removes what killed processes left behind: `*.lock` files, half-written packs. Waits for those that are too young to tell. */
export async function sweepLeftovers(gitDir: string, clock: Clock): Promise<void> {
  for (let tries = 0; tries < 20; tries += 1) {
    const left = await leftovers(gitDir)
    if (left.length === 0) return
    // The file system's own clock: it may differ from ours.
    const probe = join(gitDir, 'plumbline-now')
    await writeFile(probe, '')
    const now = (await stat(probe)).mtimeMs
    let young = false
    for (const path of left) {
      const age = await stat(path).then(({ mtimeMs }) => now - mtimeMs, () => undefined)
      if (age === undefined) continue // gone by itself: its process lives
      if (age >= graceMs) await rm(path, { recursive: true, force: true })
      else young = true
    }
    await rm(probe, { force: true })
    if (!young) return
    await clock.sleep(graceMs / 4)
  }
}

async function leftovers(gitDir: string): Promise<string[]> {
  const below = async (folder: string, pattern: RegExp, options: { recursive: boolean }): Promise<string[]> => {
    const names = await readdir(join(gitDir, folder), options).catch(() => [])
    return names.filter((name) => pattern.test(name)).map((name) => join(gitDir, folder, name))
  }
  const found = await Promise.all([
    below('.', /^[^/]+\.lock$/, { recursive: false }),
    below('refs', /\.lock$/, { recursive: true }),
    below('objects', /^tmp_objdir-/, { recursive: false }),
    below('objects/info', /\.lock$/, { recursive: true }),
    below('objects/pack', /^(tmp_|.*\.lock$)/, { recursive: false }),
  ])
  return found.flat()
}

/** Whether everything that the mirror's refs name is there. Reads the whole history: asked only when something has failed. */
export async function isWhole(setup: GitSetup, gitDir: string, subject: string, signal: AbortSignal): Promise<boolean> {
  const args = ['fsck', '--connectivity-only', '--no-dangling', '--no-progress']
  return (await tryGit(setup, { subject, gitDir, args, signal, timeoutMs: 600_000 })).code === 0
}

/**
 * Makes a corrupt mirror anew: `fill` fetches into an empty one, kept commits that the remote no longer has are carried over where the old one can still
 * read them, and only then do the two change places. When `fill` fails, the old one stays as it is.
 */
export async function rebuild(setup: GitSetup, gitDir: string, subject: string, fill: (gitDir: string) => Promise<void>): Promise<void> {
  const [fresh, old] = [`${gitDir}.new`, `${gitDir}.corrupt`]
  await rm(fresh, { recursive: true, force: true })
  await ensureRepository(setup, fresh, subject)
  await fill(fresh)
  for (const sha of await keptCommits(setup, gitDir, subject)) await carryOver(setup, gitDir, fresh, subject, sha)
  await rm(old, { recursive: true, force: true })
  await rename(gitDir, old).catch(() => {}) // it may be gone altogether
  await rename(fresh, gitDir)
  await rm(old, { recursive: true, force: true })
}

/** The commits that are held, as far as their refs can be read. */
export async function keptCommits(setup: GitSetup, gitDir: string, subject: string): Promise<string[]> {
  // From the file names as well: a corrupt repository may not list its own refs.
  const loose = await readdir(join(gitDir, keptRefs)).catch(() => [])
  const listed = await tryGit(setup, { subject, gitDir, args: ['for-each-ref', '--format=%(refname:lstrip=3)', '--', keptRefs.slice(0, -1)] })
  const names = [...loose, ...(listed.code === 0 ? listed.stdout.toString('utf8').split('\n') : [])]
  return [...new Set(names)].filter((name) => /^[0-9a-f]{40}$/.test(name))
}

async function carryOver(setup: GitSetup, from: string, to: string, subject: string, sha: string): Promise<void> {
  const ref = `${keptRefs}${sha}`
  const here = await tryGit(setup, { subject, gitDir: to, args: ['update-ref', ref, sha] })
  if (here.code === 0) return
  await tryGit(setup, { subject, gitDir: to, args: ['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', '--', from, `${ref}:${ref}`] })
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(() => true, () => false)
}
