import { readFile, writeFile } from 'node:fs/promises'

/** A file's content; made, of mode 0600 and on the disk, where there is none. */
export async function keepFile(file: string, make: () => string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  const value = make()
  await writeFile(file, value, { mode: 0o600, flag: 'wx', flush: true })
  return value
}
