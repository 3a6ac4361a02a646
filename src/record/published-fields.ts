import { z } from 'zod'

// For tests: what the published specifications ask for, field by field, so that whoever reads a record by them alone finds what they promise.

const digests = z.record(z.string(), z.string().min(1)).refine((set) => Object.keys(set).length > 0)
const timestamp = z.iso.datetime()

/** https://github.com/in-toto/attestation/blob/main/spec/v1/resource_descriptor.md */
const descriptor = z.object({ uri: z.string().optional(), name: z.string().optional(), digest: digests.optional() }).refine((one) => one.uri ?? one.digest ?? one.name)

/** https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md */
export const statement = z.object({ _type: z.literal('https://in-toto.io/Statement/v1'), subject: z.array(z.object({ name: z.string(), digest: digests })).min(1), predicateType: z.url(), predicate: z.looseObject({}) })

const names = z.array(z.string()).optional()

/** https://in-toto.io/attestation/test-result/v0.1 */
export const testResult = z.object({ result: z.enum(['PASSED', 'WARNED', 'FAILED']), configuration: z.array(descriptor), url: z.url().optional(), passedTests: names, warnedTests: names, failedTests: names })

const verificationFields = { verifier: 1, timeVerified: 1, resourceUri: 1, policy: 1, inputAttestations: 1, verificationResult: 1, verifiedLevels: 1, dependencyLevels: 1, slsaVersion: 1 }

/** https://slsa.dev/verification_summary/v1 */
export const verificationSummary = z
  .looseObject({
    verifier: z.object({ id: z.url() }),
    timeVerified: timestamp,
    resourceUri: z.string().regex(/^[a-z][a-z0-9+.-]*:/),
    policy: z.object({ uri: z.string().min(1) }),
    inputAttestations: z.array(z.object({ uri: z.string().optional(), digest: digests })).optional(),
    verificationResult: z.enum(['PASSED', 'FAILED']),
    verifiedLevels: z.array(z.string().refine((level) => !level.startsWith('SLSA_'), 'only SLSA names its levels')),
  })
  .refine((one) => Object.keys(one).every((key) => key in verificationFields || URL.canParse(key)), 'a field of our own has a name that is a URI')

/** https://slsa.dev/provenance/v1 */
export const provenance = z.strictObject({
  buildDefinition: z.strictObject({ buildType: z.url(), externalParameters: z.looseObject({}), internalParameters: z.looseObject({}), resolvedDependencies: z.array(descriptor) }),
  runDetails: z.strictObject({ builder: z.strictObject({ id: z.url() }), metadata: z.strictObject({ invocationId: z.string(), startedOn: timestamp, finishedOn: timestamp }) }),
})
