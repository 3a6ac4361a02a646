import type { TreeReader } from '#model/tree.ts'
import { anywhere } from './anywhere.ts'
import { inGenerators } from './in-generators.ts'
import { inJsonPatches } from './in-json-patches.ts'
import { inKustomizations } from './in-kustomization.ts'
import { inManifests } from './in-manifests.ts'
import type { Ranked, Sought } from './sought.ts'
import type { Text } from './texts.ts'

/** Every place where Git writes something already that may decide a field, each with the edit that gives it the value that is sought. */
export async function written(sought: Sought, texts: readonly Text[], reader: TreeReader, sharing: (path: string) => Promise<number>): Promise<Ranked[]> {
  return [...inKustomizations(sought, texts), ...inJsonPatches(sought, texts), ...(await inGenerators(sought, texts, reader, sharing)), ...inManifests(sought, texts), ...anywhere(sought, texts)]
}
