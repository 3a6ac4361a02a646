import { chmodSync, mkdirSync, mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { systemClock } from '#lib/clock.ts'
import { openStore } from '#store/open.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** A folder that holds an empty store, made and migrated, that nobody has open. */
    readonly emptyStore: string
  }
}

const memory = '/dev/shm'
const enough = 4 * 1024 ** 3

/** Before all tests: a place for their folders, and one empty store to copy. What tests leave in that place goes with it. */
export async function setup({ provide }: TestProject): Promise<() => void> {
  const before = process.env['TMPDIR']
  // 0711: a database server runs as somebody else, in folders of its own in here.
  const place = mkdtempSync(join(inMemory() ? memory : tmpdir(), 'plumbline-tests-'))
  chmodSync(place, 0o711)
  process.env['TMPDIR'] = place
  const dir = join(place, 'empty-store')
  mkdirSync(dir)
  await (await openStore({ dir }, systemClock)).close()
  provide('emptyStore', dir)
  return () => {
    rmSync(place, { recursive: true, force: true })
    if (before === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = before
  }
}

/** Stores and repositories ask for thousands of syncs: in memory these cost nothing. What a disk does to a store is tested on disks that fail (`faulty-disk.ts`). */
function inMemory(): boolean {
  try {
    const { bavail, bsize } = statfsSync(memory)
    return bavail * bsize > enough
  } catch {
    return false
  }
}
