import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { digestOf } from '#lib/digest.ts'

const prefix = 'plumbline-databases-'
/** Names the playground whose data it is. */
const label = 'playground'

/**
 * A folder in `temporary` for the data of the playground in `dir`, where PostgreSQL's user cannot reach that one: the same at every start, since data outlives the
 * process here as it does there. Throws where it is somebody else's.
 */
export function folderElsewhere(dir: string, temporary: string): string {
  const place = join(temporary, `${prefix}${digestOf(dir).slice(7, 23)}`)
  mkdirSync(place, { recursive: true, mode: 0o700 })
  if (!isOurs(place)) throw new Error(`${place} is not this user’s folder`)
  writeFileSync(join(place, label), resolve(dir), { mode: 0o600 })
  return place
}

/** Removes the folders of playgrounds that are gone themselves: nobody can come back to that data, however they ended. */
export function removeForsaken(temporary: string): void {
  for (const name of readdirSync(temporary).filter((entry) => entry.startsWith(prefix))) {
    const place = join(temporary, name)
    if (!isOurs(place) || !existsSync(join(place, label))) continue
    if (!existsSync(readFileSync(join(place, label), 'utf8'))) rmSync(place, { recursive: true, force: true })
  }
}

function isOurs(place: string): boolean {
  const found = lstatSync(place, { throwIfNoEntry: false })
  return found?.isDirectory() === true && found.uid === process.getuid?.()
}
