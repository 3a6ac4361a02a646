import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { digestOfBytes } from '#lib/digest.ts'
import { pointsOf, publishedHeadOf } from './chain.ts'
import type { ChainFrame, Defect } from './chain.ts'
import { publicKeyOf } from './dsse.ts'
import type { Keyring } from './dsse.ts'
import { missingChains } from './export.ts'
import { exportInvalid, frame, requireName } from './folder.ts'
import { linesOf } from './lines.ts'
import { proveRecords, verifyProven } from './proven.ts'
import type { SignedChain } from './proven.ts'
import type { RecordStatement } from './statement.ts'
import { examine, judge, trustIn } from './verify.ts'
import type { ChainReport, Examined } from './verify.ts'

/** Whether a folder has all records of its chains, or those that somebody picked. */
type Scope = 'all' | 'some'

/**
 * A folder of records of which each is signed and proves itself: `public-key.pem` and, for each environment, `<environment>/chain.json` (all but the records, and
 * `has`: whether they are all there) and `records.dsse.ndjson`.
 */
export type ProvenFolder = { readonly publicKey: string; readonly chains: readonly { readonly frame: ChainFrame; readonly has: Scope; readonly lines: Iterable<string> }[] }

const about = frame.extend({ has: z.enum(['all', 'some']) })

/** Writes those records that `wanted` picks; without it, all. A chain of which it picks none is left out. Resolves to the files' paths. */
export async function writeProvenFolder(dir: string, publicKey: string, chains: readonly SignedChain[], wanted?: (statement: RecordStatement) => boolean): Promise<string[]> {
  await mkdir(dir, { recursive: true })
  const files = [join(dir, 'public-key.pem')]
  await writeFile(join(dir, 'public-key.pem'), publicKey)
  for (const chain of chains) {
    const { environment, start = null, rotations = [], checkpoints } = chain
    requireName(environment)
    const [frameFile, records] = [join(dir, environment, 'chain.json'), join(dir, environment, 'records.dsse.ndjson')]
    await mkdir(join(dir, environment), { recursive: true })
    let written = 0
    await writeFile(records, (function* () {
      for (const one of proveRecords(chain, wanted ?? (() => true))) {
        written += 1
        yield `${JSON.stringify(one)}\n`
      }
    })())
    if (written === 0) {
      await rm(join(dir, environment), { recursive: true })
      continue
    }
    await writeFile(frameFile, `${JSON.stringify({ environment, has: wanted === undefined ? 'all' : 'some', start, rotations, checkpoints }, null, 1)}\n`)
    files.push(frameFile, records)
  }
  return files
}

/** Opens what `writeProvenFolder` wrote; nothing where no record of a folder is signed (`openFolder` opens that). Failure `record-export-invalid`. */
export function openProvenFolder(dir: string): ProvenFolder | undefined {
  const folders = existsSync(dir) ? readdirSync(dir).sort().filter((name) => existsSync(join(dir, name, 'records.dsse.ndjson'))) : []
  if (folders.length === 0) return undefined
  try {
    const chains = folders.map((environment) => {
      const { has, ...read } = about.parse(JSON.parse(readFileSync(join(dir, environment, 'chain.json'), 'utf8')))
      const records = join(dir, environment, 'records.dsse.ndjson')
      return { frame: { ...read, environment }, has, lines: { [Symbol.iterator]: () => linesOf(records) } }
    })
    return { publicKey: readFileSync(join(dir, 'public-key.pem'), 'utf8'), chains }
  } catch (error) {
    throw exportInvalid(dir, error)
  }
}

/**
 * Verifies the signature and the proof of every record, and of chains that are whole also that nothing is missing, changed or swapped. `publicKeyPem` in place of the
 * folder's own key: a key that came with the records proves only that they belong together.
 */
export function verifyProvenFolder({ publicKey, chains }: ProvenFolder, publicKeyPem?: string, heads: Readonly<Record<string, string>> = {}): ChainReport[] {
  const keys = [publicKeyOf(publicKeyPem ?? publicKey)]
  const whole = chains.filter(({ has }) => has === 'all').map(({ frame: own, lines }) => walked(own, lines, heads[own.environment]))
  const trusted = trustIn(whole, keys)
  const reports = new Map(judge(whole, [...trusted.values()]).map((report) => [report.environment, report]))
  return [
    ...chains.map(({ frame: own, has, lines }): ChainReport => {
      const found = linesFound(lines, trusted)
      const report = has === 'all' ? reports.get(own.environment) : undefined
      if (report !== undefined) return { ...report, defects: [...report.defects, ...found.defects] }
      const size = Math.max(0, ...pointsOf(own.environment, own.checkpoints, []).map(({ says }) => says.size))
      const foreign = found.environments.filter((name) => name !== own.environment).map((name) => ({ where: 'the folder', what: `has a record of the chain of ${name}` }))
      return { environment: own.environment, records: found.digests.size, of: size, pruned: 0, sealed: found.digests.size, head: null, defects: [...found.defects, ...foreign, ...headAmong(heads[own.environment], found.digests, own)] }
    }),
    ...missingChains(chains.map((one) => one.frame.environment), heads),
  ]
}

function walked(own: ChainFrame, lines: Iterable<string>, head: string | undefined): Examined {
  const examining = examine(own, head)
  for (const line of lines) if (!examining.take(verifyProven(line, []).record)) break
  return examining.end()
}

/** As many are named, and then only counted: with another key all are bad. */
const namedDefects = 8

type LinesFound = { readonly digests: ReadonlySet<string>; readonly environments: readonly string[]; readonly defects: readonly Defect[] }

function linesFound(lines: Iterable<string>, trusted: Keyring): LinesFound {
  const keys = [...trusted.values()]
  const [digests, environments, defects] = [new Set<string>(), new Set<string>(), new Array<Defect>()]
  let last = -1
  for (const line of lines) {
    const one = verifyProven(line, keys)
    defects.push(...one.defects)
    if (one.seq >= 0 && one.seq <= last) defects.push({ where: `record ${one.seq}`, what: `stands behind record ${last}: they were swapped, or it is there twice` })
    last = Math.max(last, one.seq)
    digests.add(digestOfBytes(one.record))
    environments.add(one.environment)
  }
  if (digests.size === 0) defects.push({ where: 'the file', what: 'has no records' })
  const more = defects.length - namedDefects
  return { digests, environments: [...environments].filter((name) => name !== ''), defects: more <= 0 ? defects : [...defects.slice(0, namedDefects), { where: 'the file', what: `has ${more} more defects` }] }
}

/** Of some records alone it cannot be told whether a head is behind or before them, unless it is one of theirs. */
function headAmong(head: string | undefined, digests: ReadonlySet<string>, own: ChainFrame): Defect[] {
  const digest = head === undefined ? undefined : publishedHeadOf(head)?.digest
  const isThere = digest === undefined || digests.has(digest) || pointsOf(own.environment, own.checkpoints, []).some(({ says }) => says.head === digest)
  return isThere ? [] : [{ where: 'the chain', what: `is not all here: the head ${digest} that was published can only be looked for in an export of all records` }]
}
