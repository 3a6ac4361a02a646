import { expect, test } from 'vitest'
import { revertMayLoseState } from './holds-state.ts'

const set = 'apps/StatefulSet/shop/db'
const policy = (whenScaled: string) => ({ spec: { persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled } } })
const path = 'spec.persistentVolumeClaimRetentionPolicy.whenScaled'

test.each([
  ['a claim', 'core/PersistentVolumeClaim/shop/data', [], {}, true],
  ['a Deployment', 'apps/Deployment/shop/web', [], policy('Delete'), false],
  ['a StatefulSet that keeps its claims', set, [], policy('Retain'), false],
  ['a StatefulSet that says nothing of them', set, [{ path: 'spec.replicas', git: 3 }], { spec: { replicas: 5 } }, false],
  ['a StatefulSet that deletes claims when it is scaled down', set, [], policy('Delete'), true],
  ['a StatefulSet that was declared so, and is not so now', set, [{ path, git: 'Delete' }], policy('Retain'), true],
  ['a StatefulSet that is gone', set, [{ path, git: 'Delete' }], undefined, true],
])('whether a revert may lose data: %s', (_, key, declared, live, is) => {
  expect(revertMayLoseState(key, declared, live)).toBe(is)
})
