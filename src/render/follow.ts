import { posix } from 'node:path'
import { Failure } from '#lib/failure.ts'
import type { TreeEntry, TreeReader } from '#model/tree.ts'

/** A link to a link to a link is followed; a circle is not. */
const maxLinks = 8

/**
 * What stands at a path, with symbolic links followed inside the repository. The entry bears the path that it really has. Undefined where
 * nothing stands. Failures: `path-outside-repository` (also for links that leave, or are absolute), `link-loop`, `submodule-refused`.
 */
export async function follow(reader: TreeReader, path: string): Promise<TreeEntry | undefined> {
  let left = segmentsOf(reader, path)
  const direct = await reader.entry(left.join('/'))
  if (direct?.type === 'blob' || direct?.type === 'tree') return direct
  let at = ''
  let links = 0
  while (true) {
    const [name, ...rest] = left
    if (name === undefined) return reader.entry(at)
    const here = at === '' ? name : `${at}/${name}`
    const entry = await reader.entry(here)
    if (entry === undefined) return undefined
    if (entry.type === 'submodule') {
      throw new Failure({
        code: 'submodule-refused',
        subject: `${reader.repository}/${here}`,
        message: `${here} is a Git submodule: its files are not part of the repository`,
        hint: 'Track that repository in the workspace, with modules of its own, or copy the files.',
      })
    }
    if (entry.type === 'link') {
      links += 1
      if (links > maxLinks) throw new Failure({ code: 'link-loop', subject: `${reader.repository}/${path}`, message: `following ${path} leads through more than ${maxLinks} symbolic links` })
      const target = (await reader.read(entry)).toString('utf8')
      left = [...segmentsOf(reader, target.startsWith('/') ? target : posix.join(at, target), here), ...rest]
      at = ''
      continue
    }
    if (entry.type === 'blob' && rest.length > 0) return undefined
    at = here
    left = rest
  }
}

/** Failure `path-outside-repository`; `link` is the symbolic link that led there. */
function segmentsOf(reader: TreeReader, path: string, link?: string): string[] {
  const normal = posix.normalize(path)
  if (normal.startsWith('/') || normal === '..' || normal.startsWith('../')) {
    throw new Failure({
      code: 'path-outside-repository',
      subject: `${reader.repository}/${link ?? path}`,
      message: link === undefined ? `${path} leaves the repository ${reader.repository}` : `the symbolic link ${link} leaves the repository ${reader.repository}`,
      hint: 'Only what is in the repository itself is read.',
    })
  }
  return normal.split('/').filter((segment) => segment !== '' && segment !== '.')
}
