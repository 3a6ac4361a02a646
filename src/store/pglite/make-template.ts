import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { packTemplate, templateFile, type TemplateEntry } from './template.ts'

// Makes `template.zst` afresh: `node src/store/pglite/make-template.ts`. Run it when PGlite's version changes.
// Only `postgres` is kept of the three databases, since nobody creates another, and only the WAL segments that hold something.
const folder = await mkdtemp(join(tmpdir(), 'plumbline-template-'))
try {
  const pg = await PGlite.create(folder, { initDbStartParams: ['--wal-segsize=1'] })
  await pg.exec('update pg_database set datistemplate = false')
  for (const statement of ['drop database template0', 'drop database template1', 'vacuum full', 'vacuum freeze', 'checkpoint']) await pg.exec(statement)
  await pg.close()
  const entries: TemplateEntry[] = []
  const names = (await readdir(folder, { recursive: true, withFileTypes: true })).map((entry) => ({ entry, path: join(entry.parentPath, entry.name).slice(folder.length + 1) }))
  names.sort((a, b) => (a.path < b.path ? -1 : 1)) // a folder comes before what it holds
  for (const { entry, path } of names) {
    if (/^pg_wal\/[0-9A-F]{24}$/.test(path) && !(await isInUse(join(folder, path), path.slice('pg_wal/'.length)))) continue
    if (path === 'postmaster.pid') continue
    entries.push({ path, content: entry.isDirectory() ? 'folder' : await readFile(join(folder, path)) })
  }
  const packed = await packTemplate(entries)
  await writeFile(templateFile, packed)
  console.log(`${entries.length} entries, ${packed.length} bytes`)
} finally {
  await rm(folder, { recursive: true })
}

/** A recycled WAL segment has its new name already, and its old content: its first page's address (XLogPageHeaderData, at 8) tells. */
async function isInUse(path: string, name: string): Promise<boolean> {
  const page = await readFile(path)
  const address = BigInt(`0x${name.slice(8, 16)}`) * 0x1_0000_0000n + BigInt(`0x${name.slice(16)}`) * BigInt(page.length)
  return page.readBigUInt64LE(8) === address
}
