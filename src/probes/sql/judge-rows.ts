import type { SqlRows, SqlSession } from '#clients/sql-session.ts'
import type { Json } from '#lib/json.ts'
import type { ProbeCapabilities } from '../probe.ts'
import { celFound } from '../cel-found.ts'
import type { Found } from '../sample.ts'
import { judge, thresholdText } from '../thresholds.ts'
import type { SqlConfig } from './schema.ts'

/** One value: the first column of the one row. */
export function judgeValue(config: SqlConfig, engine: SqlSession['engine'], { columns, rows }: SqlRows): Found {
  const threshold = thresholdText(config) ?? 'gives a row'
  const [row] = rows
  const [column] = columns
  if (row === undefined || column === undefined) return { verdict: 'failed', threshold, message: 'the query gives no row' }
  if (rows.length > 1) return { verdict: 'failed', threshold, message: 'the query gives more than one row' }
  const what = isWord(column) ? column.replaceAll('_', ' ') : 'the value'
  const value = asRuled(row[0] ?? null, engine, config.equals)
  const ruled = [config.equals, config.min, config.max, config.warn].some((rule) => rule !== undefined)
  if (!ruled) return { verdict: 'passed', threshold, ...(typeof value === 'number' || typeof value === 'boolean' ? { value } : {}), message: 'the query gives a row' }
  const found = judge(what, value, config)
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return found
  // A text out of a database is nobody's business but the rule's.
  const { value: _left, ...rest } = found
  return found.verdict === 'passed' ? { ...rest, message: `${what} is as expected` } : { ...rest, message: `${what} is another text than expected` }
}

/** PostgreSQL calls a column without a name `?column?`, MySQL by its whole expression. */
function isWord(column: string): boolean {
  return /^[A-Za-z][A-Za-z0-9_ ]{0,62}$/.test(column)
}

/** MySQL has no booleans: its comparisons give 1 and 0. */
function asRuled(value: Json, engine: SqlSession['engine'], equals: Json | undefined): Json {
  return engine === 'mysql' && typeof equals === 'boolean' && (value === 0 || value === 1) ? value === 1 : value
}

/** Every row, held against an expression. */
export async function judgeRows({ cel, most }: NonNullable<SqlConfig['rows']>, { columns, rows }: SqlRows, evaluate: ProbeCapabilities['cel']): Promise<Found> {
  // Of rows that nobody has seen nothing can be said.
  if (rows.length > most) return { verdict: 'unknown', threshold: cel, message: `the query gives more than ${most} rows, and no more are read` }
  const named = rows.map((row) => Object.fromEntries(columns.map((column, index) => [column, row[index] ?? null])))
  return { threshold: cel, ...celFound(await evaluate(cel, { rows: named }), 'what the query gives') }
}
