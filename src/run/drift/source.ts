import type { Finding, Source } from '#model/finding.ts'
import { sourcePath, withVariables } from '#model/config/substitute.ts'
import { lineOfField } from '#render/field-line.ts'
import { renderModule } from '#render/render.ts'
import { lockFinding, saveFindings } from '#store/findings.ts'
import { findSnapshot } from '#store/snapshots.ts'
import { statuses } from '#store/statuses.ts'
import { modulesIn } from '../configuration.ts'
import type { Parts } from '../parts.ts'

/**
 * Says of findings where what they are about is declared: file and line, in the snapshot that was delivered, and the commit that last touched that line. It comes
 * after the finding, which waits for no Git; what cannot be told now is tried again with the next look.
 */
export async function locateFindings(parts: Parts, findings: readonly Finding[], signal: AbortSignal): Promise<void> {
  for (const { id, ...finding } of findings.filter(({ source, cause }) => source === null && cause !== 'orphan')) {
    const source = await sourceOf(parts, finding, signal).catch(() => undefined)
    if (source === undefined || signal.aborted) continue
    await parts.sql.transaction(async (tx) => {
      const now = await lockFinding(tx, id)
      if (now !== undefined && now.source === null && now.state !== 'resolved') await saveFindings(tx, [{ ...now, source }], parts.clock.now())
    })
  }
}

async function sourceOf(parts: Parts, { environment: name, module, object, fields }: Omit<Finding, 'id'>, signal: AbortSignal): Promise<Source | undefined> {
  const status = (await statuses(parts.sql, name)).find((row) => row.module === module)
  const snapshot = typeof status?.snapshot === 'string' ? await findSnapshot(parts.sql, status.snapshot) : undefined
  const configuration = snapshot === undefined ? undefined : await parts.configurations.of(snapshot)
  const environment = configuration?.environments.get(name)
  if (snapshot === undefined || configuration === undefined || environment === undefined) return undefined
  const loaded = modulesIn(configuration, name).get(module)
  const reader = loaded === undefined ? undefined : parts.repositories.readers(snapshot)[loaded.repository]
  if (loaded === undefined || reader === undefined) return undefined
  const config = withVariables(loaded.config, environment)
  const { desired } = await renderModule({ reader, path: sourcePath(loaded, config), spec: config.spec, subject: `module ${module}`, cache: parts.renderCache, tools: parts.tools, signal })
  const origin = desired.find(({ key }) => key === object)?.origin
  const entry = origin === undefined ? undefined : await reader.entry(origin.file)
  if (origin === undefined || entry?.type !== 'blob') return undefined
  const line = lineOfField(await reader.read(entry), origin.file, origin.line, fields[0]?.path)
  const commit = await parts.repositories.mirror(origin.repository).blame(reader.commit, origin.file, line)
  return { repository: origin.repository, file: origin.file, line, commit: commit === undefined ? null : { sha: commit.sha, author: commit.author.name, at: commit.at, subject: commit.subject } }
}
