import { Failure } from '#lib/failure.ts'
import { isObject } from '#lib/json.ts'
import type { Json, JsonObject } from '#lib/json.ts'
import type { PrometheusConfig } from './schema.ts'

export type Series = {
  /** `up{job="orders"}`; undefined for what has no labels. */
  readonly name: string | undefined
  /** NaN where there is no number. */
  readonly value: number
}

export type PrometheusAnswer = { readonly series: readonly Series[]; /** What the server says against its own answer: that parts of it are missing. */ readonly warning: string | undefined }

type Take = NonNullable<PrometheusConfig['range']>['take']

/** Reads an answer of Prometheus' API (https://prometheus.io/docs/prometheus/latest/querying/api/). Failure `answer-invalid` for any other, and for its errors. */
export function readAnswer(text: string, take: Take | undefined, subject: string): PrometheusAnswer {
  const answer = parse(text)
  if (!isObject(answer) || (answer['status'] !== 'success' && answer['status'] !== 'error')) throw invalid(subject, `${subject} does not answer as Prometheus does`)
  if (answer['status'] === 'error') throw invalid(subject, `${subject} cannot answer: ${String(answer['error'] ?? answer['errorType'] ?? 'it does not say why')}`)
  const data = isObject(answer['data']) ? answer['data'] : {}
  const series = seriesOf(data, take)
  if (series === undefined) throw invalid(subject, `${subject} answers with ${String(data['resultType'] ?? 'nothing')}, which is no series of numbers`)
  const warnings = Array.isArray(answer['warnings']) ? answer['warnings'] : []
  return { series, warning: warnings.length === 0 ? undefined : String(warnings[0]) }
}

function seriesOf({ resultType, result }: JsonObject, take: Take | undefined): Series[] | undefined {
  if (!Array.isArray(result)) return undefined
  if (resultType === 'scalar') return [{ name: undefined, value: numberAt(result) }]
  if (resultType === 'vector') return result.filter(isObject).map((one) => ({ name: nameOf(one['metric']), value: numberAt(one['value']) }))
  if (resultType !== 'matrix' || take === undefined) return undefined
  return result.filter(isObject).map((one) => ({ name: nameOf(one['metric']), value: taken(Array.isArray(one['values']) ? one['values'].map(numberAt) : [], take) }))
}

/** A value stands beside its time, as text. A histogram has none: that is no number. */
function numberAt(pair: Json | undefined): number {
  const text = Array.isArray(pair) ? pair[1] : undefined
  if (typeof text !== 'string') return Number.NaN
  return text === '+Inf' ? Infinity : text === '-Inf' ? -Infinity : Number(text)
}

/** One NaN among them, and nobody knows what it would have been. */
function taken(values: readonly number[], take: Take): number {
  if (values.length === 0) return Number.NaN
  switch (take) {
    case 'max':
      return values.reduce((a, b) => Math.max(a, b))
    case 'min':
      return values.reduce((a, b) => Math.min(a, b))
    case 'avg':
      return values.reduce((a, b) => a + b) / values.length
    case 'last':
      return values.at(-1) ?? Number.NaN
  }
}

function nameOf(metric: Json | undefined): string | undefined {
  const { __name__: name = '', ...labels } = isObject(metric) ? metric : {}
  const inside = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => `${key}="${String(value)}"`).join(', ')
  return name === '' && inside === '' ? undefined : `${String(name)}${inside === '' ? '' : `{${inside}}`}`
}

function parse(text: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch {
    return null
  }
}

function invalid(subject: string, message: string): Failure {
  return new Failure({ code: 'answer-invalid', subject, message, retry: 'later' })
}
