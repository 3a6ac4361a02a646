import type { ChainLink, FindingPredicate, RunPredicate, VerdictChangePredicate, VerificationSummaryPredicate } from './predicates.ts'
import { chainField, dayField } from './predicates.ts'
import { findingType, runStatement, statementOf, verdictStatement } from './statement.ts'
import type { RecordStatement } from './statement.ts'
import { verificationSummaryType } from './standards.ts'

// Records for tests, each as plain as its kind allows.

const start = Date.UTC(2026, 4, 1, 9)
const commits = { orders: 'a'.repeat(40) }

export function aRun(chain: ChainLink, more: Partial<RunPredicate> = {}): RecordStatement {
  return runStatement({
    chain, run: `run-${chain.seq}`, state: 'succeeded', actor: 'Ada <ada@shop.example>', reason: `change ${chain.seq}`, ticket: null, snapshot: { id: 's-1', commits }, changes: [], plan: null,
    gates: [], approvals: [], effects: [], modules: [], probes: [], unknown: [], failure: null, startedAt: start + chain.seq * 60_000, endedAt: start + chain.seq * 60_000 + 5_000, ...more,
  })
}

export function aVerdictChange(chain: ChainLink, more: Partial<VerdictChangePredicate> = {}): RecordStatement {
  const at = start + chain.seq * 60_000
  const probes: VerdictChangePredicate['probes'] = [
    { probe: 'lag', kind: 'sql', verdict: 'failed', asked: 1, samples: [{ signal: 'diff', target: 'orders-db', value: 47, unit: 's', threshold: '<= 10 s', verdict: 'failed', message: 'replica lag 47 s, threshold 10 s', collectedAt: at - 900, durationMs: 12 }] },
  ]
  return verdictStatement({
    chain, module: 'orders-api', from: 'passed', to: 'failed', onset: at - 900, lastBefore: at - 60_900, decidedAt: at, flapping: false,
    before: [{ kind: 'run', id: 'run-0', at: at - 70_000, about: 'change 0' }], snapshot: 's-1', message: 'replica lag 47 s, threshold 10 s', probes, unknown: [], ...more,
  })
}

export function aFinding(chain: ChainLink, more: Partial<FindingPredicate> = {}): RecordStatement {
  const at = start + chain.seq * 60_000
  const predicate: FindingPredicate = {
    chain, finding: 'finding-1', module: 'orders-api', object: 'apps/Deployment/orders/orders-api', decision: 'opened', cause: 'manual', by: 'kubectl-edit', onset: at - 4_000,
    fields: [{ path: 'spec.replicas', declared: 2, live: 5, owner: 'kubectl-edit' }], actor: 'policy', reason: 'report', ticket: null, run: null, at, ...more,
  }
  return statementOf(findingType, predicate, { name: `finding:${predicate.finding}` })
}

export function aSummary(chain: ChainLink): RecordStatement {
  const from = start
  const predicate: VerificationSummaryPredicate = {
    verifier: { id: 'https://plumbline.dev/verifier/v1alpha1' }, timeVerified: new Date(from + 86_400_000).toISOString(), resourceUri: 'plumbline:staging/orders-api',
    policy: { uri: 'plumbline:staging/orders-api#probes' }, verificationResult: 'PASSED', verifiedLevels: ['PLUMBLINE_VERIFIED'], [chainField]: chain,
    [dayField]: { module: 'orders-api', from, to: from + 86_400_000, samples: { passed: 288 }, lastedMs: { passed: 86_400_000 }, changes: 0, worst: 'passed', verification: 'passed' },
  }
  return statementOf(verificationSummaryType, predicate, { name: 'module:orders-api', commits })
}
