/**
 * Metrics in Prometheus' text format, version 0.0.4.
 * https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
 */
export type Family = {
  readonly name: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly series: readonly Series[]
}

/** `distribution` in place of a value: of a histogram. */
export type Series = { readonly labels: Readonly<Record<string, string>> } & ({ readonly value: number } | { readonly distribution: Distribution })

/** How many values were at most each bound (so that every count holds the one before it), how many there were at all, and their sum. */
export type Distribution = { readonly bounds: readonly number[]; readonly counts: readonly number[]; readonly count: number; readonly sum: number }

export const expositionType = 'text/plain; version=0.0.4; charset=utf-8'

export function exposition(families: readonly Family[]): string {
  return families
    .map(({ name, type, help, series }) => `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n# TYPE ${name} ${type}\n${series.map((one) => linesOf(name, one)).join('')}`)
    .join('')
}

function linesOf(name: string, series: Series): string {
  const { labels } = series
  if (!('distribution' in series)) return line(name, labels, series.value)
  const { bounds, counts, count, sum } = series.distribution
  const buckets = bounds.map((bound, at) => line(`${name}_bucket`, { ...labels, le: String(bound) }, counts[at] ?? 0))
  return [...buckets, line(`${name}_bucket`, { ...labels, le: '+Inf' }, count), line(`${name}_sum`, labels, sum), line(`${name}_count`, labels, count)].join('')
}

function line(name: string, labels: Readonly<Record<string, string>>, value: number): string {
  const pairs = Object.entries(labels).map(([key, text]) => `${key}="${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`)
  return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}\n`
}
