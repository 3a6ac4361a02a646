import type { Adoption } from '#model/adoption.ts'
import type { Finding } from '#model/finding.ts'
import { showKey } from '#model/resource.ts'
import { seen, writeMessage } from '#source/commit.ts'
import { adoptableFields } from './wish.ts'

/** The words of a commit and of its pull request. */
export type AdoptionWords = { readonly title: string; readonly body: string; readonly commit: string }

export function wordsOf(finding: Finding, adoption: Pick<Adoption, 'reason'>, found: Pick<Adoption, 'renamed' | 'unproven'>, runRecord: string | null): AdoptionWords {
  const { environment, object, cause } = finding
  const fields = adoptableFields(finding)
  const [first, ...more] = fields
  const what = cause === 'missing' || first === undefined ? showKey(object) : `${first.path}${more.length === 0 ? '' : ` and ${more.length} more`} of ${showKey(object)}`
  const title = cause === 'missing' ? `Adopt that ${what} is gone from ${environment}` : `Adopt ${what} from ${environment}`
  const changes = cause === 'missing' ? [] : fields.map(({ path, declared, live }) => oneLine(`${path}: ${brief(declared)} -> ${brief(live)}`))
  const who = `Made so by ${oneLine(finding.person ?? finding.manager ?? 'somebody who left no trace')}${finding.onset === null ? '' : ` at ${new Date(finding.onset).toISOString()}`}.`
  const proof = `Rendered again: nothing else changes in ${environment}, and nothing anywhere else.`
  const notes = [
    ...found.renamed.map(({ from, to }) => `${showKey(from)} becomes ${showKey(to)}, and what refers to it rolls out.`),
    ...(found.unproven.length === 0 ? [] : [`Not proven for what does not render: ${found.unproven.join(', ')}.`]),
  ].join('\n')
  return {
    title,
    // On a page of a forge, what stands in a cluster is code: no link, no name that is called, no word that closes an issue.
    body: seen([changes.map((line) => `    ${line}`).join('\n'), `${who}\n${proof}`, notes, `Reason: ${adoption.reason}`, `Finding: ${finding.id}`].filter((part) => part !== '').join('\n\n')),
    commit: writeMessage(title, [changes.join('\n'), `${who}\n${proof}`, notes], { Reason: adoption.reason, Finding: finding.id, 'Run-Record': runRecord ?? '' }),
  }
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ')
}

function brief(value: unknown): string {
  const text = value === null ? 'nothing' : JSON.stringify(value)
  return text.length > 200 ? `${text.slice(0, 200)}…` : text
}
