import { digestOf, type Digest } from '#lib/digest.ts'
import type { Json } from '#lib/json.ts'
import type { Present } from '#model/field-facts.ts'
import type { AuditEntry, ElevationWindow, FindingCause, FindingField, Trace } from '#model/finding.ts'
import type { Held, Observation, Owner } from '#model/plan.ts'
import { showKey } from '#model/resource.ts'
import { attribute } from './attribute.ts'
import { compareDeclared, isSecretField, type Drifted } from './compare.ts'
import { joined, latest, personOf, traceOf } from './trace.ts'
import { writerNames, writerOf } from './writers.ts'

/** What one look at an object tells: everything but what only time, people and policies know. `digest` is of what is there. */
export type Drift = {
  readonly cause: FindingCause
  readonly fields: readonly FindingField[]
  readonly manager: string | null
  readonly person: string | null
  readonly onset: number | null
  readonly message: string
  readonly digest: Digest
  readonly traces: readonly Trace[]
}

export type Look = {
  readonly held: Held
  /** Absent or present: what could not be read, or is not served just now, is not classified. */
  readonly observation: Extract<Observation, { state: 'absent' | 'present' }>
  /** What audit sources told of writes to this very object. */
  readonly audit: readonly AuditEntry[]
  /** What is known already of what differed at the last look. */
  readonly known: readonly Trace[]
  readonly elevations: readonly ElevationWindow[]
  /** When this look is: what leaves no time of its own, and was not so before, is looked for just before. */
  readonly seenAt: number
  /** When it was surely there as declared, or there at all, before that; 0 where nobody knows. */
  readonly since?: number
  /** Before it was last found to be as declared: what was written until then made nothing so that is found now. */
  readonly restoredAt?: number
}

/**
 * What drifted of an object that we hold, by cause; nothing where it is as declared.
 *
 * | the object                  | then                                                              |
 * |-----------------------------|-------------------------------------------------------------------|
 * | is absent, or being deleted | `missing`, whoever deleted it                                     |
 * | has another UID             | `recreated`, with what of it differs                              |
 * | is ours                     | each declared field by who moved it (`attribute.ts`)              |
 */
export function classify(look: Look): Drift[] {
  const { held, observation } = look
  if (observation.state === 'absent') return [missing(look, 'is gone: somebody deleted it')]
  if (observation.uid !== held.uid) return [recreated(look, observation)]
  if (observation.terminating) return [missing(look, 'is being deleted')]
  return byCause(look, observation, compareDeclared(held, observation).drifted)
}

/** An object with a module's label that nobody holds, and that no other object brought along. */
export function orphan(live: Present): Drift {
  const first = [...live.owners].sort((a, b) => (a.at ?? 0) - (b.at ?? 0)).slice(0, 1)
  return {
    cause: 'orphan',
    fields: [],
    manager: writerNames(first),
    person: null,
    onset: first[0]?.at ?? null,
    message: `${showKey(live.key)} bears a module’s label, and Plumbline did not make it`,
    digest: digestOf({ orphan: live.uid }),
    traces: [],
  }
}

function missing(look: Look, what: string): Drift {
  const { held, observation, seenAt, since = 0 } = look
  const of = digestOf({ missing: held.uid })
  // That it is gone then is something else: only then can it be made again. Who deleted it is the same.
  const digest = observation.state === 'present' ? digestOf({ leaving: held.uid }) : of
  const trace = traceOf(look, of, { verbs: ['delete'], owners: [], seenAt, since })
  const { write } = trace
  return { cause: 'missing', fields: [], manager: write?.manager ?? null, person: personOf(write), onset: write?.at ?? null, message: `${showKey(held.key)} ${what}`, digest, traces: [trace] }
}

function recreated(look: Look, live: Present): Drift {
  const { held, seenAt } = look
  const maker = makerOf(live.owners)
  const digest = digestOf({ recreated: live.uid })
  const trace = traceOf(look, digest, { verbs: ['create', 'patch', 'update'], owners: maker.map(nameAndTime), seenAt })
  return {
    cause: 'recreated',
    fields: compareDeclared(held, live).drifted.map((one) => shown(held.key, one)),
    manager: writerNames(maker),
    person: personOf(trace.write),
    onset: trace.write?.at ?? latest(trace.sought.owners),
    message: `${showKey(held.key)} was deleted and made again by somebody: its UID is another`,
    digest,
    traces: [trace],
  }
}

/** Whoever wrote first; managers' times are whole seconds, and a controller that wrote in the same one only followed. */
function makerOf(all: readonly Owner[]): readonly Owner[] {
  const written = all.filter((owner) => owner.subresource === '').sort((a, b) => (a.at ?? 0) - (b.at ?? 0))
  const first = written.filter(({ at }) => (at ?? 0) === (written[0]?.at ?? 0))
  const others = first.filter((owner) => writerOf(owner, all) !== 'controller')
  return (others.length > 0 ? others : first).slice(0, 1)
}

type Traced = { readonly drifted: Drifted; readonly cause: FindingCause; readonly person: string | null; readonly at: number | null; readonly manager: string | null; readonly trace: Trace }

function byCause(look: Look, live: Present, drifted: readonly Drifted[]): Drift[] {
  const traced = drifted.map((one): Traced => {
    const owners = one.owners.map(nameAndTime)
    // Whoever takes the field from its owner has done something else, though the value stays.
    const trace = traceOf(look, digestOf([...thingOf(one), owners.map(({ manager }) => manager)]), { verbs: ['update', 'patch'], owners, seenAt: look.seenAt, ...(look.restoredAt === undefined ? {} : { since: look.restoredAt }) })
    const audit = trace.write ?? undefined
    const found = attribute({ owners: one.owners, all: live.owners, writtenAt: latest(trace.sought.owners), ours: one.ours, audit, elevations: look.elevations, module: look.held.module })
    return { drifted: one, ...found, manager: writerNames(one.owners) ?? audit?.manager ?? null, trace }
  })
  return [...Map.groupBy(traced, ({ cause }) => cause)].map(([cause, all]) => {
    const onsets = all.flatMap(({ at }) => at ?? [])
    return {
      cause,
      fields: all.map((one) => shown(look.held.key, one.drifted)),
      manager: joined(all.map(({ manager }) => manager)),
      person: joined(all.map(({ person }) => person)),
      onset: onsets.length === 0 ? null : Math.min(...onsets),
      message: messageOf(look.held.key, all),
      digest: digestOf(all.map(({ drifted: one }) => thingOf(one))),
      traces: all.map(({ trace }) => trace),
    }
  })
}

function thingOf({ path, live, instead }: Drifted): Json[] {
  return [path, live, ...(instead === undefined ? [] : [instead])]
}

function messageOf(key: string, all: readonly Traced[]): string {
  const [first] = all
  const what = all.length === 1 ? `${first?.drifted.path} of ${showKey(key)} ${first?.drifted.gone === true ? 'was removed' : 'is not what was declared'}` : `${all.length} fields of ${showKey(key)} are not what was declared`
  const who = joined(all.map(({ person }) => person)) ?? joined(all.map(({ manager }) => manager))
  return who === null ? `${what}; nobody left a trace` : `${what}, by ${who}`
}

function shown(key: string, { path, declared, live, instead }: Drifted): FindingField {
  return isSecretField(key, path) ? { path, declared: null, live: null, secret: true } : { path, declared, live, ...(instead === undefined ? {} : { instead }) }
}

function nameAndTime({ manager, at }: Owner): Pick<Owner, 'manager' | 'at'> {
  return { manager, ...(at === undefined ? {} : { at }) }
}
