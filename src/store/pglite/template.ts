import { mkdir, open, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { constants, zstdCompress, zstdDecompress } from 'node:zlib'

/**
 * A fresh data folder in one file, so that creating a store does not run initdb (3 to 6 s). Made by `make-template.ts`.
 * The form: zstd over a 4-byte length (little-endian), that many bytes of JSON `[path, size | 'folder'][]`, then the files' bytes in order.
 */
export const templateFile = new URL('./template.zst', import.meta.url)

export type TemplateEntry = { readonly path: string; readonly content: Buffer | 'folder' }

export async function packTemplate(entries: readonly TemplateEntry[]): Promise<Buffer> {
  const index = Buffer.from(JSON.stringify(entries.map(({ path, content }) => [path, content === 'folder' ? content : content.length])))
  const length = Buffer.alloc(4)
  length.writeUInt32LE(index.length)
  const { ZSTD_c_compressionLevel: level, ZSTD_c_enableLongDistanceMatching: long, ZSTD_c_windowLog: window } = constants
  return promisify(zstdCompress)(Buffer.concat([length, index, ...entries.flatMap(({ content }) => (content === 'folder' ? [] : [content]))]), {
    params: { [level]: 22, [long]: 1, [window]: 25 },
  })
}

/** Writes the template into `folder`, which must not exist. Every file and folder is on the disk, not only in its cache, when this resolves. */
export async function unpackTemplate(folder: string, packed?: Buffer): Promise<void> {
  const bytes = await promisify(zstdDecompress)(packed ?? (await readFile(templateFile)), { params: { [constants.ZSTD_d_windowLogMax]: 25 } })
  const start = 4 + bytes.readUInt32LE(0)
  const index = JSON.parse(bytes.subarray(4, start).toString('utf8')) as [string, number | 'folder'][]
  const folders = [folder, ...index.filter(([, size]) => size === 'folder').map(([path]) => join(folder, path))]
  for (const path of folders) await mkdir(path, { mode: 0o700 })
  let at = start
  const writes = index.flatMap(([path, size]) => (size === 'folder' ? [] : [() => writeDurably(join(folder, path), bytes.subarray(at, (at += size)))]))
  await Promise.all(writes.map((write) => write()))
  await Promise.all([...folders, dirname(folder)].map(syncFolder))
}

async function writeDurably(path: string, content: Uint8Array): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(content)
    await file.datasync()
  } finally {
    await file.close()
  }
}

/** A new name in a folder is durable once the folder itself is. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
