import { digestOfBytes } from '#lib/digest.ts'
import type { Chain } from './chain.ts'
import { aboutOf, linkOf } from './statement.ts'
import type { RecordStatement } from './statement.ts'
import { mergeMoments, momentsOfAll } from './timeline.ts'
import type { Moment } from './timeline.ts'
import type { ChainReport } from './verify.ts'

export type ReportedRecord = { readonly environment: string; readonly seq: number; readonly digest: string; readonly statement: RecordStatement }

/** What a written report has: which records, their line of time, and what verifying them found when it was made. */
export type Report = {
  readonly title: string
  readonly madeAt: number
  /** Of whose key the chains were held against, and where that came from. */
  readonly key: { readonly keyId: string; readonly came: 'with the records' | 'from whoever made this' }
  readonly chains: readonly ChainReport[]
  readonly records: readonly ReportedRecord[]
  readonly moments: readonly Moment[]
  /** How many records were asked for and are left out, for a person reads no more. */
  readonly leftOut: number
}

export type Narrowed = { readonly module?: string | undefined; readonly run?: string | undefined; readonly since?: number | undefined }

/** Whether a record is asked for. */
export function isWanted(statement: RecordStatement, { module, run, since }: Narrowed): boolean {
  const about = aboutOf(statement)
  return (module === undefined || about.modules.includes(module)) && (run === undefined || about.run === run || (about.run?.endsWith(run) ?? false)) && (since === undefined || about.at >= since)
}

/** A person reads no more of them. */
const mostRecords = 500

export function makeReport(about: Pick<Report, 'title' | 'madeAt' | 'key' | 'chains'>, chains: readonly Chain[], narrowed: Narrowed): Report {
  const wanted: ReportedRecord[] = []
  let leftOut = 0
  for (const chain of chains) {
    const own: ReportedRecord[] = []
    for (const text of chain.records) {
      const statement = parse(text)
      if (statement === undefined || !isWanted(statement, narrowed)) continue
      own.push({ environment: chain.environment, seq: linkOf(statement)?.seq ?? 0, digest: digestOfBytes(text), statement })
      // The newest count; memory is for those alone.
      if (own.length > mostRecords) leftOut += own.splice(0, own.length - mostRecords).length
    }
    wanted.push(...own)
  }
  const records = wanted.sort((a, b) => aboutOf(a.statement).at - aboutOf(b.statement).at)
  const shown = records.slice(-mostRecords)
  return { ...about, records: shown, moments: mergeMoments(momentsOfAll(shown.map(({ statement }) => statement))), leftOut: leftOut + records.length - shown.length }
}

/** A bad record is told by the verification. */
function parse(text: string): RecordStatement | undefined {
  try {
    const statement = JSON.parse(text) as RecordStatement
    aboutOf(statement)
    return linkOf(statement) === undefined ? undefined : statement
  } catch {
    return undefined
  }
}
