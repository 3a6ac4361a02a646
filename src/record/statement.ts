import { digestOfBytes } from '#lib/digest.ts'
import type { Digest } from '#lib/digest.ts'
import { canonicalJson } from '#lib/json.ts'
import { chainField, dayField } from './predicates.ts'
import type { ChainLink, FindingPredicate, KeyRotationPredicate, PinPredicate, PolicyPredicate, PrunePredicate, RunPredicate, VerdictChangePredicate, VerificationSummaryPredicate } from './predicates.ts'
import { testResultOf, verificationSummaryType } from './standards.ts'

export const runRecordType = 'https://plumbline.dev/run-record/v1alpha1'
export const verdictChangeType = 'https://plumbline.dev/verdict-change/v1alpha1'
export const findingType = 'https://plumbline.dev/finding/v1alpha1'
export const policyType = 'https://plumbline.dev/policy/v1alpha1'
export const pinType = 'https://plumbline.dev/pin/v1alpha1'
export const keyRotationType = 'https://plumbline.dev/key-rotation/v1alpha1'
export const pruneType = 'https://plumbline.dev/prune/v1alpha1'
export const checkpointType = 'https://plumbline.dev/checkpoint/v1alpha1'

/** An in-toto Statement v1 (https://in-toto.io/Statement/v1). */
export type Statement<Predicate, Type extends string = string> = {
  readonly _type: 'https://in-toto.io/Statement/v1'
  readonly subject: readonly { readonly name: string; readonly digest: Readonly<Record<string, string>> }[]
  readonly predicateType: Type
  readonly predicate: Predicate
}

type Types = {
  [runRecordType]: RunPredicate
  [verdictChangeType]: VerdictChangePredicate
  [verificationSummaryType]: VerificationSummaryPredicate
  [findingType]: FindingPredicate
  [policyType]: PolicyPredicate
  [pinType]: PinPredicate
  [keyRotationType]: KeyRotationPredicate
  [pruneType]: PrunePredicate
}

/** A record of any kind: told apart by `predicateType`. */
export type RecordStatement = { [Type in keyof Types]: Statement<Types[Type], Type> }[keyof Types]

/** The kinds of records, as they are called where a person reads. */
export const recordKinds = {
  [runRecordType]: 'run',
  [verdictChangeType]: 'verdict-change',
  [verificationSummaryType]: 'verification-summary',
  [findingType]: 'finding',
  [policyType]: 'policy',
  [pinType]: 'pin',
  [keyRotationType]: 'key-rotation',
  [pruneType]: 'prune',
} as const satisfies Record<keyof Types, string>
export type RecordKind = (typeof recordKinds)[keyof typeof recordKinds]

/** The statement of a record. Without commits that it is about, its subject is itself by name. */
export function statementOf<Type extends keyof Types>(predicateType: Type, predicate: Types[Type], about: { readonly name: string; readonly commits?: Readonly<Record<string, string>> }): Statement<Types[Type], Type> {
  const commits = Object.entries(about.commits ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
  const subject =
    commits.length > 0 ? commits.map(([repository, sha]) => ({ name: `git:${repository}`, digest: { gitCommit: sha } })) : [{ name: about.name, digest: { sha256: digestOfBytes(about.name).slice(7) } }]
  return { _type: 'https://in-toto.io/Statement/v1', subject, predicateType, predicate }
}

/** The statement of a run. Its subjects are the commits that it delivered; without any, the run itself. */
export function runStatement(predicate: RunPredicate): Statement<RunPredicate, typeof runRecordType> {
  return statementOf(runRecordType, predicate, { name: `run:${predicate.run}`, commits: predicate.snapshot.commits })
}

/** The statement of a change of verdict; in in-toto's words too, where those have one for it. Its subject is the module. */
export function verdictStatement(predicate: Omit<VerdictChangePredicate, 'testResult'>): Statement<VerdictChangePredicate, typeof verdictChangeType> {
  const { module, probes, chain } = predicate
  const testResult = testResultOf(probes, [{ uri: `plumbline:${chain.environment}/${module}#probes` }])
  return statementOf(verdictChangeType, { ...predicate, ...(testResult === undefined ? {} : { testResult }) }, { name: `module:${chain.environment}/${module}` })
}

/** Where a record says that it stands; `undefined` for what is no record. */
export function linkOf(statement: { readonly predicate?: unknown }): ChainLink | undefined {
  const predicate = statement.predicate as { chain?: ChainLink; [chainField]?: ChainLink } | undefined
  return predicate?.chain ?? predicate?.[chainField]
}

/** What a record is about, for whoever looks for it: its kind, its run, its modules, and when it was so (milliseconds since 1970). */
export type About = { readonly kind: RecordKind; readonly run: string | null; readonly modules: readonly string[]; readonly at: number }

export function aboutOf(statement: RecordStatement): About {
  const kind = recordKinds[statement.predicateType]
  switch (statement.predicateType) {
    case runRecordType:
      return { kind, run: statement.predicate.run, modules: statement.predicate.modules.map((one) => one.module), at: statement.predicate.endedAt }
    case verdictChangeType:
      return { kind, run: null, modules: [statement.predicate.module], at: statement.predicate.decidedAt }
    case verificationSummaryType:
      return { kind, run: null, modules: [statement.predicate[dayField].module], at: Date.parse(statement.predicate.timeVerified) }
    case findingType:
    case pinType:
      return { kind, run: statement.predicate.run, modules: [statement.predicate.module], at: statement.predicate.at }
    case policyType:
      return { kind, run: statement.predicate.run, modules: [], at: statement.predicate.at }
    default:
      return { kind, run: null, modules: [], at: statement.predicate.at }
  }
}

/** The bytes of a record, and the digest that the next one names. */
export function sealRecord(statement: RecordStatement): { text: string; digest: Digest } {
  const text = canonicalJson(statement)
  return { text, digest: digestOfBytes(text) }
}

/** What a checkpoint says of a chain's first `size` records. `head` is the digest of the last of them. */
export type CheckpointPredicate = {
  readonly environment: string
  readonly size: number
  /** Hexadecimal: the RFC 6962 root over the records' digests (as text). */
  readonly root: string
  readonly head: Digest
  readonly at: number
}

export function checkpointStatement(predicate: CheckpointPredicate): Statement<CheckpointPredicate> {
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: `records:${predicate.environment}`, digest: { sha256: predicate.root } }],
    predicateType: checkpointType,
    predicate,
  }
}
