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
