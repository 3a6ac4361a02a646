import { constants } from 'node:fs'
import { open, realpath } from 'node:fs/promises'
import { isAbsolute, sep } from 'node:path'
import { Failure } from '#lib/failure.ts'
import type { SecretProvider } from '#secrets/provider.ts'
import type { VersionOf } from '#secrets/version.ts'

export type FileSecrets = {
  /** Absolute folders. Nothing outside them is read, also not through a link in them. */
  readonly folders: readonly string[]
  readonly versionOf: VersionOf
  /** Of one file. */
  readonly maxBytes?: number
}

/** `file:/path` (the whole file, without the line feed at its end) and `file:/path#key` (a member of a JSON object, or a line `key=value`). */
export function fileProvider({ folders, versionOf, maxBytes = 1024 * 1024 }: FileSecrets): SecretProvider {
  return {
    id: 'file',
    read: async (path, key, signal) => {
      signal.throwIfAborted()
      const subject = `file:${path}${key === undefined ? '' : `#${key}`}`
      const text = await readWithin(folders, path, subject, maxBytes)
      const value = key === undefined ? text.replace(/\r?\n$/, '') : valueOf(text, key, subject)
      if (value === undefined || value === '') throw notFound(subject, key === undefined ? `the file ${path} is empty` : `the file ${path} has no value for the key ${key}`)
      return { value, version: versionOf(value) }
    },
  }
}

async function readWithin(folders: readonly string[], path: string, subject: string, maxBytes: number): Promise<string> {
  // By its name first, so that an answer tells nothing about files that are none of ours.
  if (!isAbsolute(path) || path.split('/').includes('..') || !folders.some((folder) => below(path, folder))) throw outside(subject)
  try {
    const real = await realpath(path)
    const roots = await Promise.all(folders.map((folder) => realpath(folder).catch(() => undefined)))
    if (!roots.some((root) => root !== undefined && below(real, root))) throw outside(subject)
    // Not through a link that came since; and without waiting for the other end of a pipe.
    const file = await open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    try {
      const stat = await file.stat()
      if (!stat.isFile()) throw new Failure({ code: 'secret-refused', subject, message: `${path} is not a file` })
      const buffer = Buffer.alloc(maxBytes + 1)
      let length = 0
      for (let read = -1; read !== 0 && length <= maxBytes; length += read) read = (await file.read(buffer, length, buffer.length - length, null)).bytesRead
      if (length > maxBytes) throw new Failure({ code: 'secret-refused', subject, message: `${path} has more than ${maxBytes} bytes` })
      return buffer.toString('utf8', 0, length)
    } finally {
      await file.close()
    }
  } catch (error) {
    const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown'
    if (code === 'ENOENT' || code === 'ENOTDIR') throw notFound(subject, `there is no file ${path}`)
    if (error instanceof Failure) throw error
    throw new Failure({
      code: 'secret-unavailable', subject, message: `the file ${path} could not be read: ${code}`,
      hint: 'May the user who runs Plumbline read it?', retry: 'later',
    })
  }
}

/** A member of a JSON object, or of lines `key=value`. Errors of the parse stay here: they quote what they could not read. */
function valueOf(text: string, key: string, subject: string): string | undefined {
  if (text.trimStart().startsWith('{')) {
    let document: unknown
    try {
      document = JSON.parse(text)
    } catch {
      throw new Failure({ code: 'secret-refused', subject, message: `the file of ${subject} begins like JSON and is none` })
    }
    const value: unknown = Object.entries(document as object).find(([name]) => name === key)?.[1]
    if (value === undefined || typeof value === 'string') return value
    if (typeof value === 'number' || typeof value === 'boolean') return String(value)
    throw new Failure({ code: 'secret-refused', subject, message: `the value of ${subject} is not a text` })
  }
  for (const line of text.split(/\r?\n/)) {
    const at = line.indexOf('=')
    if (at === -1 || line.slice(0, at).replace(/^export\s+/, '').trim() !== key) continue
    const value = line.slice(at + 1).trim()
    return /^(["']).*\1$/.test(value) && value.length > 1 ? value.slice(1, -1) : value
  }
  return undefined
}

function below(path: string, folder: string): boolean {
  return path.startsWith(folder.endsWith(sep) ? folder : `${folder}${sep}`)
}

function outside(subject: string): Failure {
  return new Failure({ code: 'secret-refused', subject, message: `${subject} is not below a folder that secrets may be read from`, hint: 'Start Plumbline with the folder among its secret folders.' })
}

function notFound(subject: string, message: string): Failure {
  return new Failure({ code: 'secret-not-found', subject, message, retry: 'later' })
}
