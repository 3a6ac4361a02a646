import { manifestOf } from '#drift/import/manifest.ts'
import { Failure } from '#lib/failure.ts'
import { writeDocument } from '#lib/yaml-edit/write.ts'
import type { Environment } from '#model/config/environment.ts'
import { parseKey, showKey } from '#model/resource.ts'
import type { Driver, DriverCall } from '#drivers/driver.ts'
import { importOrder } from './import-order.ts'

/** A first module in Git: its files by path from its own folder, and what was left out, with why. */
export type ImportedModule = {
  readonly files: readonly { readonly path: string; readonly content: string }[]
  readonly left: readonly { readonly object: string; readonly why: string; readonly hint?: string }[]
}

export type ImportQuestion = { readonly namespace: string; readonly module: string; readonly target: string; readonly environment: Environment }

/** Reads a namespace, and writes nothing. Failures: `import-unsupported`, `import-unsure`, `import-empty`, and those of the driver. */
export async function importNamespace(driver: Driver, call: DriverCall, question: ImportQuestion): Promise<ImportedModule> {
  const { namespace, module, target } = question
  if (driver.survey === undefined) throw new Failure({ code: 'import-unsupported', subject: `driver ${driver.id}`, message: 'it delivers to what has no namespaces' })
  const left: ImportedModule['left'][number][] = []
  const files: ImportedModule['files'][number][] = []
  for (const observation of (await driver.survey(call, namespace)).sort((a, b) => importOrder(a.key) - importOrder(b.key))) {
    if (observation.state === 'unknown')
      throw new Failure({ code: 'import-unsure', subject: showKey(observation.key), message: `it could not be read: ${observation.failure.message}`, hint: 'A module that lacks it would not be what is there. Try again.', retry: 'later' })
    if (observation.state !== 'present') continue
    const imported = manifestOf(observation)
    const { kind, name } = parseKey(observation.key)
    if ('manifest' in imported) files.push({ path: `manifests/${fileName(files, kind, name)}`, content: writeDocument(imported.manifest) })
    else left.push({ object: showKey(observation.key), why: imported.left, ...(imported.hint === undefined ? {} : { hint: imported.hint }) })
  }
  if (files.length === 0) throw new Failure({ code: 'import-empty', subject: `namespace ${namespace}`, message: left.length === 0 ? 'there is nothing in it' : `of ${left.length} objects in it, none is for Git: ${left[0]?.object}: ${left[0]?.why}` })
  return { files: [{ path: 'module.yaml', content: moduleFile(module, target, question.environment.metadata.name) }, ...files], left }
}

function fileName(files: ImportedModule['files'], kind: string, name: string): string {
  const stem = `${kind.toLowerCase()}-${name}`.replaceAll(/[^a-z0-9.-]/g, '-').slice(0, 150)
  // Two kinds of one name in different groups.
  const isTaken = files.some(({ path }) => path === `manifests/${stem}.yaml`)
  return isTaken ? `${stem}-${files.length}.yaml` : `${stem}.yaml`
}

function moduleFile(module: string, target: string, environment: string): string {
  const document = writeDocument({
    apiVersion: 'plumbline.dev/v1alpha1',
    kind: 'Module',
    metadata: { name: module },
    spec: { target, environments: [environment], source: { path: 'manifests' }, takeOver: true },
  })
  return document.replace('takeOver: true', 'takeOver: true   # what is there already becomes this module’s; remove it once it is delivered')
}
