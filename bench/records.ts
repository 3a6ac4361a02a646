import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { signerOf, newKeyPair } from '#record/dsse.ts'
import { verifyExport } from '#record/export.ts'
import { openFolder } from '#record/folder.ts'
import { Frontier } from '#record/merkle.ts'
import { aRun } from '#record/records-fixture.ts'
import { checkpointStatement, sealRecord } from '#record/statement.ts'

// How long it takes to verify an exported chain: `node bench/records.ts [records]`, 1,000,000 of about 500 bytes if left out. A checkpoint every 256 records, as the
// control plane keeps them. What is measured is all that `plumb record verify FOLDER` does: reading, hashing, links, roots, signatures.
const count = Number(process.argv[2] ?? 1_000_000)
/** Of the target: 1,000,000 records of 500 bytes within this time, however loaded the machine was in the other rounds. */
const mostSeconds = (10 * count) / 1_000_000
const dir = mkdtempSync(join(tmpdir(), 'plumbline-bench-records-'))
try {
  const keys = newKeyPair()
  const bytes = write(dir, keys)
  console.log(`${count} records of ${Math.round(bytes / count)} bytes, ${Math.round(bytes / 1e6)} MB`)
  let best = Infinity
  for (const round of [1, 2, 3]) {
    const [started, used] = [performance.now(), process.cpuUsage()]
    const [report] = verifyExport(await openFolder(dir), keys.publicPem)
    const { user, system } = process.cpuUsage(used)
    if (report === undefined || report.records !== count || report.sealed !== count || report.defects.length > 0) throw new Error(`it did not verify: ${JSON.stringify(report)}`)
    const seconds = (performance.now() - started) / 1000
    best = Math.min(best, seconds)
    console.log(`round ${round}: ${seconds.toFixed(2)} s, ${((user + system) / 1e6).toFixed(2)} s of CPU, ${Math.round(count / seconds)} records a second, at most ${Math.round(process.resourceUsage().maxRSS / 1024)} MB of memory`)
  }
  if (best > mostSeconds) {
    console.error(`missed: ${best.toFixed(2)} s for ${count} records, at most ${mostSeconds} s wanted`)
    process.exitCode = 1
  }
} finally {
  rmSync(dir, { recursive: true, force: true })
}

/** As `plumb record export` would. Returns the records' bytes. */
function write(folder: string, keys: { privatePem: string; publicPem: string }): number {
  const signer = signerOf(keys.privatePem)
  const [tree, checkpoints] = [new Frontier(), [] as object[]]
  mkdirSync(join(folder, 'production'))
  const file = openSync(join(folder, 'production', 'records.ndjson'), 'w')
  let [previous, bytes, page] = [null as ReturnType<typeof sealRecord>['digest'] | null, 0, [] as string[]]
  for (let seq = 0; seq < count; seq += 1) {
    const { text, digest } = sealRecord(shorter(seq, previous))
    tree.append(Buffer.from(digest))
    previous = digest
    page.push(text, '\n')
    bytes += text.length
    if (seq % 4096 === 4095 || seq === count - 1) {
      writeSync(file, page.join(''))
      page = []
    }
    if (tree.size % 256 === 0 || tree.size === count) {
      const says = { environment: 'production', size: tree.size, root: tree.root().toString('hex'), head: digest, at: seq }
      checkpoints.push(signer.sign(Buffer.from(JSON.stringify(checkpointStatement(says)))))
    }
  }
  closeSync(file)
  writeFileSync(join(folder, 'public-key.pem'), keys.publicPem)
  writeFileSync(join(folder, 'production', 'chain.json'), JSON.stringify({ environment: 'production', start: null, rotations: [], checkpoints }))
  return bytes
}

/** A run's record without the lists that are empty: about 500 bytes. */
function shorter(seq: number, previous: ReturnType<typeof sealRecord>['digest'] | null): ReturnType<typeof aRun> {
  const record = aRun({ environment: 'production', seq, previous })
  return { ...record, predicate: Object.fromEntries(Object.entries(record.predicate).filter(([, value]) => !Array.isArray(value) && value !== null)) } as typeof record
}
