import { digestOfBytes } from '#lib/digest.ts'
import { worst } from '#model/probe.ts'
import type { Verdict } from '#model/probe.ts'
import type { Verification } from '#model/run.ts'
import { chainField, dayField } from './predicates.ts'
import type { ChainLink, Day } from './predicates.ts'
import { verificationSummaryType } from './standards.ts'
import type { ResourceDescriptor } from './standards.ts'
import { linkOf, statementOf } from './statement.ts'
import type { RecordStatement } from './statement.ts'
import { momentsOf } from './timeline.ts'

/** A module's day, in milliseconds since 1970, with how many samples said what. */
export type LookedAt = { readonly environment: string; readonly module: string; readonly from: number; readonly to: number; readonly samples: Day['samples'] }

/** So many records stand for the day they are of; more would make the summary larger than what it sums up. */
const mostInputs = 100

/**
 * A day of a module in the words of SLSA's verification summary: it passed where every verdict that stood on that day was good. `records` are those about the
 * module, in order, from long enough before the day that one of them tells how it stood when it began; where none does, that is not known.
 */
export function summaryOf({ environment, module, from, to, samples }: LookedAt, records: readonly string[], chain: ChainLink): RecordStatement {
  const read = records.map((text) => ({ text, statement: JSON.parse(text) as RecordStatement }))
  const turns = read
    .flatMap(({ statement }) => momentsOf(statement))
    .flatMap(({ verdict, modules, at, onset }) => (verdict !== null && modules.includes(module) && at < to ? [{ at: onset ?? at, known: at, verdict }] : []))
  const before = turns.filter(({ known }) => known < from).at(-1)?.verdict ?? 'unknown'
  const within = turns.filter(({ known }) => known >= from)
  const lastedMs: Partial<Record<Verification, number>> = {}
  const stood: Verification[] = []
  let [at, verification, changes] = [from, before, 0]
  for (const turn of [...within, { at: to, verdict: undefined }]) {
    const until = Math.min(to, Math.max(at, turn.at))
    if (until > at) {
      lastedMs[verification] = (lastedMs[verification] ?? 0) + until - at
      stood.push(verification)
    }
    at = until
    if (turn.verdict === undefined || turn.verdict === verification) continue
    verification = turn.verdict
    changes += 1
  }
  // What was stale was not known.
  const lowest = worst([...stood, verification].map((one): Verdict => (one === 'stale' ? 'unknown' : one)))
  const isGood = lowest === 'passed' || lowest === 'warned'
  const resourceUri = `plumbline:${environment}/${module}`
  const inputs = read.filter(({ statement }) => momentsOf(statement).some((moment) => moment.verdict !== null && moment.at >= from && moment.at < to))
  return statementOf(
    verificationSummaryType,
    {
      verifier: { id: 'https://plumbline.dev/control-plane/v1alpha1' },
      timeVerified: new Date(to).toISOString(),
      resourceUri,
      policy: { uri: `${resourceUri}#probes` },
      inputAttestations: inputs.slice(-mostInputs).map(({ text, statement }): ResourceDescriptor => ({ uri: `plumbline:record/${environment}/${linkOf(statement)?.seq}`, digest: { sha256: digestOfBytes(text).slice(7) } })),
      verificationResult: isGood ? 'PASSED' : 'FAILED',
      verifiedLevels: [isGood ? 'PLUMBLINE_VERIFIED' : 'FAILED'],
      [chainField]: chain,
      [dayField]: { module, from, to, samples, lastedMs, changes, worst: lowest, verification },
    },
    { name: `module:${environment}/${module}` },
  )
}
