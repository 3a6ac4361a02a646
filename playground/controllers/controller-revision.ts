import { isControlledBy, manager, type ControllerContext } from './controller.ts'
import { controllerRevisions, type ControllerRevision, type DaemonSet, type PodTemplate, type StatefulSet } from './kinds.ts'
import { equalTemplates, templateHash } from './pod-template.ts'
import { ownerReference } from './pods-of.ts'

type Owner = StatefulSet | DaemonSet

/** The templates that a set has had, oldest first: what `kubectl rollout history` shows, and `undo` takes one from. */
export function revisionsOf({ objects }: ControllerContext, owner: Owner): ControllerRevision[] {
  return objects
    .list(controllerRevisions, owner.metadata.namespace)
    .filter((revision) => isControlledBy(revision.metadata, owner.metadata.uid))
    .sort((a, b) => a.revision - b.revision || (a.metadata.name < b.metadata.name ? -1 : 1))
}

export function templateOf({ data }: ControllerRevision): PodTemplate {
  const { $patch: _, ...template } = data.spec.template
  return template
}

/** The revision of the set's present template, as its newest: one that the set goes back to gets a new number. `hashLabel` is where the hash in its name stands as well. */
export function presentRevision(context: ControllerContext, owner: Owner, hashLabel: string): ControllerRevision {
  const { objects } = context
  const known = revisionsOf(context, owner)
  const { template } = owner.spec
  const same = known.findLast((revision) => equalTemplates(templateOf(revision), template))
  const number = Math.max(0, ...known.filter((revision) => revision !== same).map(({ revision }) => revision)) + 1
  if (same !== undefined) {
    if (same.revision >= number) return same
    return objects.edit(controllerRevisions, same.metadata, 'object', manager, (revision) => void (revision.revision = number)) ?? same
  }
  const { name, namespace, annotations } = owner.metadata
  const hash = templateHash(template)
  const metadata = {
    name: `${name}-${hash}`,
    namespace,
    labels: { ...template.metadata?.labels, [hashLabel]: hash },
    ...(annotations === undefined ? {} : { annotations }),
    ownerReferences: [ownerReference(owner)],
  }
  return objects.create(controllerRevisions, { metadata, data: { spec: { template: { ...template, $patch: 'replace' } } }, revision: number }, manager)
}

/** Revisions that no pod bears and nothing else needs go beyond `revisionHistoryLimit`, the oldest first. */
export function trimRevisions(context: ControllerContext, owner: Owner, isNeeded: (revision: ControllerRevision) => boolean): void {
  const history = revisionsOf(context, owner).filter((revision) => !isNeeded(revision))
  const surplus = history.length - (owner.spec.revisionHistoryLimit ?? 10)
  for (const revision of history.slice(0, Math.max(0, surplus))) context.objects.delete(controllerRevisions, revision.metadata)
}
