import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '#lib/clock.ts'
import type { GitSetup } from './git.ts'
import type { Mirror, MirrorOptions } from './mirror.ts'
import { openMirror } from './mirror.ts'

/** For tests: a real bare repository, written by `git fast-import`, with any name and content that Git can hold. */
export type SourceRepository = {
  readonly path: string
  run(...args: string[]): string
  /** Commits the whole tree on a branch; a string is a file, `{ link }` a symbolic link, `{ mode }` a file of another mode. Returns the commit's id. */
  commit(files: Readonly<Record<string, File>>, options?: { branch?: string; message?: string; from?: string }): string
}
type File = string | Buffer | { readonly link: string } | { readonly mode: string; readonly content: string }

/** A folder, what is made in it, and the end of it all; disposed by the test. */
export class Fixture implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'plumbline-source-'))
  readonly git: GitSetup = { home: join(this.folder, 'home'), env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin' } }
  readonly #mirrors: Mirror[] = []
  #seconds = 1_780_000_000

  repository(name: string): SourceRepository {
    const path = join(this.folder, `${name}.git`)
    mkdirSync(path, { recursive: true })
    const env = { ...this.git.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1', HOME: this.folder }
    const git = (args: readonly string[], input?: Buffer): string =>
      execFileSync('git', ['--git-dir', path, ...args], { env, ...(input === undefined ? {} : { input }), stdio: ['pipe', 'pipe', 'pipe'] }).toString('utf8').trim()
    git(['init', '--bare', '--quiet', '--initial-branch=main', path])
    // A ref is a file of its own until somebody packs it: no program is started to read it.
    const tip = (ref: string): string | undefined => {
      if (existsSync(join(path, ref))) return readFileSync(join(path, ref), 'utf8').trim()
      return existsSync(join(path, 'packed-refs')) ? git(['for-each-ref', '--format=%(objectname)', ref]) || undefined : undefined
    }
    return {
      path,
      run: (...args) => git(args),
      commit: (files, { branch = 'main', message = 'A change', from } = {}) => {
        this.#seconds += 1
        const ref = `refs/heads/${branch}`
        const parent = from ?? tip(ref)
        const parts = [
          `commit ${ref}\nmark :1\nauthor Ada Author <ada@shop.example> ${this.#seconds - 60} +0200\ncommitter Carl Committer <carl@shop.example> ${this.#seconds} +0000\n`,
          data(Buffer.from(message)),
          parent === undefined ? '' : `from ${parent}\n`,
          'deleteall\n',
          ...Object.entries(files).flatMap(([file, content]) => [`M ${modeOf(content)} inline "${quote(file)}"\n`, data(bytesOf(content))]),
          'get-mark :1\n',
        ]
        return git(['fast-import', '--quiet', '--force'], Buffer.concat(parts.map((part) => Buffer.from(part))))
      },
    }
  }

  mirror(url: string, options: Partial<MirrorOptions> = {}): Mirror {
    const mirror = openMirror({ git: this.git, dir: join(this.folder, 'mirrors', options.name ?? 'orders'), name: 'orders', url, branch: 'main', clock: systemClock, ...options })
    this.#mirrors.push(mirror)
    return mirror
  }

  [Symbol.dispose](): void {
    for (const mirror of this.#mirrors) mirror.close()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

export const never = new AbortController().signal

function data(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`data ${bytes.length}\n`), bytes, Buffer.from('\n')])
}

function modeOf(file: File): string {
  return typeof file === 'string' || Buffer.isBuffer(file) ? '100644' : 'link' in file ? '120000' : file.mode
}

function bytesOf(file: File): Buffer {
  return Buffer.isBuffer(file) ? file : Buffer.from(typeof file === 'string' ? file : 'link' in file ? file.link : file.content)
}

function quote(path: string): string {
  return path.replaceAll('\\', '\\\\').replaceAll('"', String.raw`\"`).replaceAll('\n', String.raw`\n`)
}
