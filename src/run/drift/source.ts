import type { Finding, Source } from '#model/finding.ts'
import type { FieldPath } from '#model/plan.ts'
import type { ObjectKey } from '#model/resource.ts'
import { sourcePath, withVariables } from '#model/config/substitute.ts'
import { lineOfField } from '#render/field-line.ts'
import { renderModule } from '#render/render.ts'
import { lockFinding, saveFindings } from '#store/findings.ts'
import { findSnapshot } from '#store/snapshots.ts'
import { statuses } from '#store/statuses.ts'
import { modulesIn } from '../configuration.ts'
import type { Parts } from '../parts.ts'

/**
 * Says of findings of one environment where what they are about is declared: file and line, in the snapshot that was delivered, and the commit that last touched
 * that line. It comes after the finding, which waits for no Git; what cannot be told now is tried again with the next look.
 */
export async function locateFindings(parts: Parts, environment: string, findings: readonly Finding[], signal: AbortSignal): Promise<void> {
  const wanted = Map.groupBy(findings.filter(({ source, cause }) => source === null && cause !== 'orphan'), ({ module }) => module)
  const rows = wanted.size === 0 ? [] : await statuses(parts.sql, environment)
  for (const [module, all] of wanted) {
    const status = rows.find((row) => row.module === module)
    const declared = status?.snapshot === undefined || status.snapshot === null ? undefined : await declaredIn(parts, environment, module, status.snapshot, signal).catch(() => undefined)
    if (declared === undefined || signal.aborted) continue
    for (const { id, object, fields } of all) {
      const source = await declared(object, fields[0]?.path).catch(() => undefined)
      if (source === undefined || signal.aborted) continue
      await parts.sql.transaction(async (tx) => {
        const now = await lockFinding(tx, id)
        if (now !== undefined && now.source === null && now.state !== 'resolved') await saveFindings(tx, [{ ...now, source }], parts.clock.now())
      })
    }
  }
}

/** Tells where a module declares an object’s field, at a snapshot. */
async function declaredIn(parts: Parts, name: string, module: string, at: string, signal: AbortSignal): Promise<((object: ObjectKey, path: FieldPath | undefined) => Promise<Source | undefined>) | undefined> {
  const snapshot = await findSnapshot(parts.sql, at)
  const configuration = snapshot === undefined ? undefined : await parts.configurations.of(snapshot)
  const environment = configuration?.environments.get(name)
  if (snapshot === undefined || configuration === undefined || environment === undefined) return undefined
  const loaded = modulesIn(configuration, name).get(module)
  const reader = loaded === undefined ? undefined : parts.repositories.readers(snapshot)[loaded.repository]
  if (loaded === undefined || reader === undefined) return undefined
  const config = withVariables(loaded.config, environment)
  const { desired } = await renderModule({ reader, path: sourcePath(loaded, config), spec: config.spec, subject: `module ${module}`, cache: parts.renderCache, tools: parts.tools, signal })
  return async (object, path) => {
    const origin = desired.find(({ key }) => key === object)?.origin
    const entry = origin === undefined ? undefined : await reader.entry(origin.file)
    if (origin === undefined || entry?.type !== 'blob') return undefined
    const line = lineOfField(await reader.read(entry), origin.file, origin.line, path)
    const commit = await parts.repositories.mirror(origin.repository).blame(reader.commit, origin.file, line)
    return { repository: origin.repository, file: origin.file, line, commit: commit === undefined ? null : { sha: commit.sha, author: commit.author.name, at: commit.at, subject: commit.subject } }
  }
}
