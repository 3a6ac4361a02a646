import type { FieldPath } from './plan.ts'

/** Which module an object is of. It narrows a watch; it proves nothing. Plumbline puts it on by itself: Git says nothing of it. */
export const moduleLabel = 'plumbline.dev/module'
export const moduleLabelPath: FieldPath = `metadata.labels["${moduleLabel}"]`
