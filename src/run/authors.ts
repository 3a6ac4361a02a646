import { workspaceFile } from '#model/config/load.ts'
import { sourcePath } from '#model/config/substitute.ts'
import type { Workspace } from '#model/config/workspace.ts'
import { addressesOf } from '#model/principal.ts'
import type { Principal } from '#model/principal.ts'
import type { RunKind } from '#store/runs.ts'
import { findSnapshot, policyOf } from '#store/snapshots.ts'
import { statuses } from '#store/statuses.ts'
import type { Intents } from './render-run.ts'
import type { Work } from './work.ts'

/** `strangers`: the addresses of authors that belong to nobody who is known. */
export type Authors = { readonly authors: string[]; readonly strangers: string[] }

/** What brings no commit: a state that somebody chose, or steps to carry out. */
const commitless: readonly RunKind[] = ['revert', 'rollback', 'operation']

/**
 * Whose run it is. Who wrote what it delivers, by the e-mail addresses of all of its commits, while the run itself tells of the newest ones alone; and
 * who asked for what Git did not: that drift is put back, a change rolled back, an operation carried out, or what Git no longer has deleted.
 */
export async function authorsOf(work: Work, intents: Intents, known: readonly Principal[]): Promise<Authors> {
  const { kind, startedBy } = work.run
  const isChosen = commitless.includes(kind) || kind === 'prune'
  const asked = isChosen && startedBy !== null ? [startedBy] : []
  if (commitless.includes(kind)) return { authors: asked, strangers: [] }
  const { authors, strangers } = await writers(work, intents, known)
  return { authors: [...new Set([...authors, ...asked])], strangers }
}

async function writers(work: Work, intents: Intents, known: readonly Principal[]): Promise<Authors> {
  const { parts, run } = work
  const ranges = run.kind === 'policy' ? [await policyRange(work)] : await moduleRanges(work, intents)
  const lists = await Promise.all([...new Map(ranges.map((range) => [JSON.stringify(range), range])).values()].map((range) => writersOf(parts, range)))
  const written = new Set([...run.changes.map((change) => change.author.email), ...lists.flat()].map((email) => email.toLowerCase()))
  const addresses = new Set(known.flatMap((principal) => addressesOf(principal).map((email) => email.toLowerCase())))
  return {
    authors: known.filter((principal) => addressesOf(principal).some((email) => written.has(email.toLowerCase()))).map((principal) => principal.name),
    strangers: [...written].filter((email) => email !== '' && !addresses.has(email)).sort(),
  }
}

/** The commits of a repository that a run brings, or those of them that touch some paths. Without `from`: all that there ever were. */
type Range = { readonly repository: string; readonly from: string | undefined; readonly to: string | undefined; readonly paths: readonly string[] }

async function policyRange({ parts, run, snapshot }: Work): Promise<Range> {
  const since = (await policyOf(parts.sql, run.environment))?.snapshot
  const before = since === undefined ? undefined : await findSnapshot(parts.sql, since)
  const repository = parts.repositories.workspaceName()
  return { repository, from: before?.commits[repository], to: snapshot.commits[repository], paths: [] }
}

/** What its modules changed since they were last delivered: in their own repository, and in the documents of the workspace that they are made with. */
async function moduleRanges({ parts, run, snapshot, configuration }: Work, intents: Intents): Promise<Range[]> {
  const own = parts.repositories.workspaceName()
  const rows = new Map((await statuses(parts.sql, run.environment)).map((row) => [row.module, row]))
  const ranges: Range[] = []
  for (const [name, { snapshot: heldAt }] of Object.entries(run.modules)) {
    // What is held back brings none of the commits that Git is ahead by.
    if (heldAt !== undefined) continue
    const intent = intents.modules.get(name)
    const row = rows.get(name)
    const repository = intent?.repository ?? row?.repository
    if (repository === undefined) continue
    const before = typeof row?.snapshot === 'string' ? (await findSnapshot(parts.sql, row.snapshot))?.commits : undefined
    // Of what was never delivered here, its own folders tell: the rest of its repository is not what is new.
    const paths = before?.[repository] === undefined ? foldersOf(configuration.modules.get(name), intent) : []
    ranges.push({ repository, from: before?.[repository], to: snapshot.commits[repository], paths })
    if (repository !== own && before !== undefined) ranges.push({ repository: own, from: before[own], to: snapshot.commits[own], paths: documentsOf(configuration.workspace) })
  }
  return ranges
}

function foldersOf(module: { readonly folder: string } | undefined, intent: { readonly config: Parameters<typeof sourcePath>[1] } | undefined): string[] {
  return module === undefined || intent === undefined ? [] : [module.folder, sourcePath(module, intent.config)].filter((path) => !path.startsWith('..'))
}

/** Where the documents of a workspace lie that say how modules are made: by their globs, as far as those name a folder. */
function documentsOf({ spec }: Workspace): string[] {
  return [workspaceFile, ...[spec.environments, spec.probeSets].flat().map((glob) => (/^([^*?]*)(\/|$)/.exec(glob)?.[1] ?? '') || '.')]
}

async function writersOf({ repositories }: Work['parts'], { repository, from, to, paths }: Range): Promise<string[]> {
  if (to === undefined || to === from || !repositories.names().includes(repository)) return []
  const mirror = repositories.mirror(repository)
  const written = await mirror.authors(from, to, paths)
  return from === undefined ? [...written, (await mirror.commit(to)).author.email] : written
}
