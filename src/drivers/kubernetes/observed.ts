import { asFailure } from '#lib/failure.ts'
import { isObject, type JsonObject } from '#lib/json.ts'
import { fieldSetOf } from '#model/field-set.ts'
import type { FieldPath, Observation, Owner } from '#model/plan.ts'
import type { ObjectKey } from '#model/resource.ts'
import { moduleLabel } from '#model/module-label.ts'
import { manager } from './names.ts'
import { withDigests } from './secret-values.ts'

export type Present = Extract<Observation, { state: 'present' }>

/** A live object as the plan sees it: its owners out of `managedFields`, a Secret's values as digests. Unreadable ownership makes it unknown. */
export function observed(key: ObjectKey, object: JsonObject, secretDigest: (value: string) => string): Present | Extract<Observation, { state: 'unknown' }> {
  const { managedFields: entries, ...metadata } = isObject(object['metadata']) ? object['metadata'] : {}
  let owners: Owner[]
  try {
    owners = (Array.isArray(entries) ? entries : []).filter(isObject).map(ownerOf)
  } catch (error) {
    return { key, state: 'unknown', failure: asFailure(error, key).toJSON() }
  }
  return {
    key,
    state: 'present',
    uid: text(metadata['uid']),
    version: text(metadata['resourceVersion']),
    body: withDigests({ ...object, metadata }, secretDigest),
    owners,
    delegated: [],
    terminating: metadata['deletionTimestamp'] !== undefined && metadata['deletionTimestamp'] !== null,
    ...claimOf(metadata),
  }
}

/** What a controller made bears the labels of what it was made for: that is no claim of its own. */
function claimOf({ labels, ownerReferences }: JsonObject): { claim?: string } {
  const claim = isObject(labels) ? labels[moduleLabel] : undefined
  return typeof claim !== 'string' || (Array.isArray(ownerReferences) && ownerReferences.length > 0) ? {} : { claim }
}

/** The paths of our own Apply, where the object has managed fields. */
export function ownPaths(object: Pick<Present, 'owners'>): readonly FieldPath[] | undefined {
  return object.owners.find((owner) => owner.manager === manager && owner.operation === 'Apply' && owner.subresource === '')?.paths
}

function ownerOf(entry: JsonObject): Owner {
  const at = Date.parse(text(entry['time']))
  return {
    manager: text(entry['manager']),
    operation: entry['operation'] === 'Apply' ? 'Apply' : 'Update',
    subresource: text(entry['subresource']),
    ...(Number.isNaN(at) ? {} : { at }),
    paths: fieldSetOf(isObject(entry['fieldsV1']) ? entry['fieldsV1'] : {}),
  }
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

export function nameOf(object: JsonObject): string {
  const metadata = object['metadata']
  return isObject(metadata) ? String(metadata['name'] ?? '') : ''
}
