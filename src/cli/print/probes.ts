import type { Flip, ProbeResult, Sample } from '#api/client.ts'
import { safe, wrap } from './safe.ts'
import { columns, word } from './table.ts'
import type { Paint } from './table.ts'

/** So many of several targets are told one by one. */
const mostTargets = 20

/** What the probes of one module saw: a line each, and beneath it the time before the change and each of several targets, where there are any. */
export function probeLines(probes: readonly ProbeResult[], paint: Paint, width: number): string[] {
  const rows = probes.map((probe) => {
    const last = probe.samples.at(-1)
    const target = width < 110 ? [] : [{ text: safe(last?.target ?? ''), tone: 'quiet' as const }]
    return [{ text: 'probe', tone: 'quiet' as const }, word(probe.verdict), { text: safe(probe.probe) }, { text: `${safe(last?.message ?? 'was not asked')}${howOften(probe)}` }, ...target]
  })
  const lines = columns(rows, { width, elastic: [3, 4], indent: '    ' }, paint)
  return probes.flatMap((probe, index) => [lines[index] ?? '', ...beneath(probe, paint, width)])
}

function howOften({ window, asked }: ProbeResult): string {
  const told = [...(window === undefined ? [] : [`${window.passed} of the last ${window.of} passed, ${window.needed} needed`]), ...(asked > 1 ? [`asked ${asked} times`] : [])]
  return told.length === 0 ? '' : `  (${told.join('; ')})`
}

function beneath({ before, samples, flapping }: ProbeResult, paint: Paint, width: number): string[] {
  const say = (text: string): string[] => wrap(text, width - 8).map((line) => `          ${paint('quiet', line)}`)
  const last = samples.at(-1)
  const across = last?.across ?? []
  return [
    ...(last?.code === undefined ? [] : say(`${last.code}${last.hint === undefined ? '' : `: ${safe(last.hint)}`}`)),
    ...(flapping === undefined ? [] : say(flappingText(flapping))),
    ...(before === undefined ? [] : say(`before the change ${before.verdict} ${safe(before.message)}`)),
    ...columns(across.slice(0, mostTargets).map(targetCells), { width, elastic: [1, 2], indent: '          ' }, paint),
    ...(across.length > mostTargets ? say(`and ${across.length - mostTargets} more`) : []),
  ]
}

/** ` (dns-not-found; Is the name right? …)`: of what could not be asked, why, and what helps. */
export function whyNot({ code, hint }: Pick<Sample, 'code' | 'hint'>): string {
  return code === undefined ? '' : ` (${code}${hint === undefined ? '' : `; ${safe(hint)}`})`
}

/** `flapping: 5 changes of its verdict since 12:03:07, the last to failed`. */
export function flappingText(history: readonly Flip[]): string {
  const last = history.at(-1)
  return `flapping: ${history.length} changes of its verdict since ${history[0]?.at ?? ''}, the last to ${last?.to ?? ''} (${safe(last?.message ?? '')})`
}

function targetCells({ verdict, target, message }: Pick<Sample, 'verdict' | 'target' | 'message'>) {
  return [word(verdict), { text: safe(target), tone: 'quiet' as const }, { text: safe(message) }]
}
