import type { Finding, Source } from '#model/finding.ts'
import type { ObjectKey } from '#model/resource.ts'
import { sourcePath, withVariables } from '#model/config/substitute.ts'
import { decidingPlace } from '#render/adopt/deciding.ts'
import { placeOfField } from '#render/field-place.ts'
import { renderModule } from '#render/render.ts'
import { lockFinding, saveFindings } from '#store/findings.ts'
import { findSnapshot } from '#store/snapshots.ts'
import { statuses } from '#store/statuses.ts'
import { modulesIn } from '../configuration.ts'
import type { Parts } from '../parts.ts'

/**
 * Says of findings of one environment where what they are about is declared: file, line and column, in the snapshot that was delivered, and the commit that last touched
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
      const source = await declared(object, fields[0]).catch(() => undefined)
      if (source === undefined || signal.aborted) continue
      await parts.sql.transaction(async (tx) => {
        const now = await lockFinding(tx, id)
        if (now !== undefined && now.source === null && now.state !== 'resolved') await saveFindings(tx, [{ ...now, source }], parts.clock.now())
      })
    }
  }
}

/** Tells where a module declares an object’s field, at a snapshot. */
async function declaredIn(parts: Parts, name: string, module: string, at: string, signal: AbortSignal): Promise<((object: ObjectKey, field: Finding['fields'][number] | undefined) => Promise<Source | undefined>) | undefined> {
  const snapshot = await findSnapshot(parts.sql, at)
  const configuration = snapshot === undefined ? undefined : await parts.configurations.of(snapshot)
  const environment = configuration?.environments.get(name)
  if (snapshot === undefined || configuration === undefined || environment === undefined) return undefined
  const loaded = modulesIn(configuration, name).get(module)
  const reader = loaded === undefined ? undefined : parts.repositories.readers(snapshot)[loaded.repository]
  if (loaded === undefined || reader === undefined) return undefined
  const config = withVariables(loaded.config, environment)
  const path = sourcePath(loaded, config)
  const how = { reader, cache: parts.renderCache, tools: parts.tools, signal }
  const { desired } = await renderModule({ ...how, path, spec: config.spec, subject: `module ${module}` })
  const decided = async (key: ObjectKey, field: Finding['fields'][number] | undefined): Promise<{ file: string; line: number; column: number } | undefined> => {
    const origin = desired.find((one) => one.key === key)?.origin
    if (origin === undefined) return undefined
    const place = { module, environment: name, path, spec: config.spec }
    // The value of a Secret is not known here.
    const deciding = field === undefined || field.secret === true ? undefined : await decidingPlace({ ...how, place }, { key, path: field.path, live: field.live ?? undefined })
    if (deciding !== undefined) return deciding
    const entry = await reader.entry(origin.file)
    return entry?.type === 'blob' ? { file: origin.file, ...placeOfField(await reader.read(entry), origin.file, origin.line, field?.path) } : undefined
  }
  return async (object, field) => {
    const place = await decided(object, field)
    if (place === undefined) return undefined
    const commit = await parts.repositories.mirror(reader.repository).blame(reader.commit, place.file, place.line)
    return { repository: reader.repository, ...place, commit: commit === undefined ? null : { sha: commit.sha, author: commit.author.name, at: commit.at, subject: commit.subject } }
  }
}
