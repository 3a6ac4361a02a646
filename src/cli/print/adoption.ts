import type { Adoption, AdoptionPatchAnswer } from '#api/client.ts'
import { showKey } from '#model/resource.ts'
import { failureLines } from './failure.ts'
import { cut, safe, wrap } from './safe.ts'
import { left, painter } from './table.ts'
import type { Look, Paint } from './table.ts'

/** What became of `plumb adopt`: where it was pushed, until when it should be delivered, and what it changes where. */
export function printAdoption(adoption: Adoption, look: Look): string[] {
  const paint = painter(look)
  const { repository, branch, commit, pullRequest, state, failure } = adoption
  const place = `${safe(repository ?? '')} ${safe(branch)}${commit === null ? '' : ` at ${commit.slice(0, 8)}`}`
  const ended = `${paint(state === 'withdrawn' ? 'quiet' : state === 'delivered' ? 'good' : 'bad', state)}${commit === null ? '' : `  ${place}`}`
  const head = state === 'asked' ? 'It is being looked for: plumb drift show tells what becomes of it.' : state === 'proposed' ? `${paint('good', adoption.edits.length === 0 ? 'Git says so already' : 'proposed')}  ${place}` : ended
  const request = pullRequest === null ? [] : [`  ${safe(pullRequest)}`]
  const until = state === 'proposed' ? [`  ${paint('quiet', `an obligation until it is delivered: within ${left(adoption.deadline, look.now)}`)}`] : []
  return [head, ...request, ...deliveredLines(adoption, paint), ...printEdits(adoption, look), ...until, ...nextLines(adoption, paint), ...(failure === null ? [] : failureLines(failure, '  ', paint, look.width))]
}

function deliveredLines({ delivered, repository }: Adoption, paint: Paint): string[] {
  if (delivered === null || delivered.run === null) return []
  return [`  ${paint('quiet', `by ${delivered.run}${delivered.commit === null ? '' : `, with ${safe(repository ?? '')} at ${delivered.commit.slice(0, 8)}`}`)}`]
}

function nextLines({ state, to, repository, branch, edits, pullRequest }: Adoption, paint: Paint): string[] {
  if (state !== 'proposed') return []
  const isMerged = to === 'deployed' || edits.length === 0
  const follow = 'plumb status tells when it is delivered, and the finding resolves then'
  if (isMerged) return [`  ${paint('quiet', 'next')}  ${follow}`]
  const merge = pullRequest === null ? `git fetch origin && git merge origin/${safe(branch)} && git push` : 'merge its pull request'
  return [`  ${paint('quiet', 'next')}  review it; ${merge}${pullRequest === null ? `, in a clone of ${safe(repository ?? '')}` : ''}`, `        ${follow}`]
}

/** Each edit by file, line and column; then what a person should know of it. */
export function printEdits({ edits, renamed, unproven }: Pick<AdoptionPatchAnswer, 'edits' | 'renamed' | 'unproven'>, look: Look): string[] {
  const paint = painter(look)
  const room = Math.max(30, look.width - 8)
  const lines = (text: string, sign: string, tone: 'bad' | 'good'): string[] => (text === '' ? [] : text.split('\n').map((line) => `      ${paint(tone, cut(`${sign} ${safe(line)}`, room))}`))
  return [
    ...edits.flatMap(({ file, line, column, before, after }) => [`    ${safe(file)}:${line}:${column}`, ...lines(before, '-', 'bad'), ...lines(after, '+', 'good')]),
    ...renamed.flatMap(({ from, to }) => wrap(`${showKey(from)} becomes ${showKey(to)}, and what refers to it rolls out`, look.width - 4).map((line) => `    ${paint('warn', safe(line))}`)),
    ...(unproven.length === 0 ? [] : wrap(`not proven for what does not render: ${unproven.join(', ')}`, look.width - 4).map((line) => `    ${paint('warn', safe(line))}`)),
  ]
}
