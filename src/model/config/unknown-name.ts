import { didYouMean } from '#lib/nearest.ts'
import type { Environment } from './environment.ts'
import type { Complaint } from './issues.ts'

/** That a document names something that is not there, with what is. */
export function unknownName(path: Complaint['path'], what: string, name: string, known: Iterable<string>, environment?: Environment): Complaint {
  const names = [...known].sort()
  const where = environment === undefined ? '' : ` in environment ${environment.metadata.name}`
  const some = names.length > 10 ? `${names.slice(0, 10).join(', ')}, …` : names.join(', ')
  return { path, at: 'value', what: `there is no ${what} “${name}”${where}`, expected: names.length === 0 ? `nothing: there is no ${what}${where}` : `one of ${some}`, hint: 'Name one that there is, or add this one.', ...didYouMean(name, names) }
}
