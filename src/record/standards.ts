import type { Json } from '#lib/json.ts'
import type { ProbeResult } from '#model/probe.ts'

/** in-toto's test-result v0.1: https://github.com/in-toto/attestation/blob/main/spec/predicates/test-result.md */
export const testResultType = 'https://in-toto.io/attestation/test-result/v0.1'
/** SLSA's verification summary v1: https://slsa.dev/spec/v1.0/verification_summary */
export const verificationSummaryType = 'https://slsa.dev/verification_summary/v1'

export type ResourceDescriptor = { readonly uri?: string; readonly name?: string; readonly digest?: Readonly<Record<string, string>> }

export type TestResult = {
  readonly result: 'PASSED' | 'WARNED' | 'FAILED'
  readonly configuration: readonly ResourceDescriptor[]
  readonly passedTests: readonly string[]
  readonly warnedTests: readonly string[]
  readonly failedTests: readonly string[]
}

/** The probes of a verdict in in-toto's words; `undefined` where one of them is unknown, for which those have no word. */
export function testResultOf(probes: readonly ProbeResult[], configuration: readonly ResourceDescriptor[]): TestResult | undefined {
  if (probes.length === 0 || probes.some((probe) => probe.verdict === 'unknown')) return undefined
  const named = (verdict: ProbeResult['verdict']): string[] => probes.filter((probe) => probe.verdict === verdict).map((probe) => probe.probe)
  const [passedTests, warnedTests, failedTests] = [named('passed'), named('warned'), named('failed')]
  return { result: failedTests.length > 0 ? 'FAILED' : warnedTests.length > 0 ? 'WARNED' : 'PASSED', configuration, passedTests, warnedTests, failedTests }
}

/** SLSA's own fields; others may be added under names that are URIs. `timeVerified` is RFC 3339. */
export type VerificationSummary = {
  readonly verifier: { readonly id: string }
  readonly timeVerified: string
  readonly resourceUri: string
  readonly policy: ResourceDescriptor & { readonly uri: string }
  readonly inputAttestations?: readonly ResourceDescriptor[]
  readonly verificationResult: 'PASSED' | 'FAILED'
  /** Never a value of SLSA's own: what is verified here is no build. */
  readonly verifiedLevels: readonly ('PLUMBLINE_VERIFIED' | 'FAILED')[]
}

/** SLSA's provenance v1: https://slsa.dev/spec/v1.0/provenance. Times are RFC 3339. */
export type Provenance = {
  readonly buildDefinition: {
    readonly buildType: string
    readonly externalParameters: Readonly<Record<string, Json>>
    readonly internalParameters: Readonly<Record<string, Json>>
    readonly resolvedDependencies: readonly ResourceDescriptor[]
  }
  readonly runDetails: { readonly builder: { readonly id: string }; readonly metadata: { readonly invocationId: string; readonly startedOn: string; readonly finishedOn: string } }
}

/** A delivery is no build; what it was made from, by what and when is told in the same way. */
export function provenanceOf(run: {
  readonly run: string
  readonly environment: string
  readonly modules: readonly string[]
  readonly plan: string | null
  readonly commits: Readonly<Record<string, string>>
  readonly startedAt: number
  readonly endedAt: number
}): Provenance {
  const commits = Object.entries(run.commits).sort(([a], [b]) => (a < b ? -1 : 1))
  return {
    buildDefinition: {
      buildType: 'https://plumbline.dev/delivery/v1alpha1',
      externalParameters: { environment: run.environment, modules: [...run.modules] },
      internalParameters: run.plan === null ? {} : { plan: run.plan },
      resolvedDependencies: commits.map(([repository, gitCommit]) => ({ uri: `plumbline:repository/${repository}`, name: repository, digest: { gitCommit } })),
    },
    runDetails: {
      builder: { id: 'https://plumbline.dev/control-plane/v1alpha1' },
      metadata: { invocationId: run.run, startedOn: new Date(run.startedAt).toISOString(), finishedOn: new Date(run.endedAt).toISOString() },
    },
  }
}
