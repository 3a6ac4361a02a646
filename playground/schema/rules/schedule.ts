import type { Cause } from '#playground/contract.ts'
import { invalidValue, required } from '../causes.ts'

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const days = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']
const bounds = [
  { low: 0, high: 59, names: [] },
  { low: 0, high: 23, names: [] },
  { low: 1, high: 31, names: [] },
  { low: 1, high: 12, names: months },
  { low: 0, high: 6, names: days },
] as const

/** A CronJob's schedule. Its words are those of the library that the server reads it with, robfig/cron. */
export function scheduleErrors(schedule: string): Cause[] {
  if (schedule === '') return [required('spec.schedule')]
  if (schedule.includes('TZ')) return [invalidValue('spec.schedule', schedule, 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead')]
  if (schedule.startsWith('@')) return []
  const fields = schedule.trim().split(/\s+/)
  if (fields.length !== 5) return [invalidValue('spec.schedule', schedule, `expected exactly 5 fields, found ${fields.length}: [${fields.join(' ')}]`)]
  for (const [i, field] of fields.entries()) {
    for (const part of field.split(',')) {
      const problem = rangeProblem(part, bounds[i] as (typeof bounds)[number])
      if (problem !== undefined) return [invalidValue('spec.schedule', schedule, problem)]
    }
  }
  return []
}

function rangeProblem(text: string, { low, high, names }: (typeof bounds)[number]): string | undefined {
  const [range = '', step, ...more] = text.split('/')
  const [from = '', to, ...beyond] = range.split('-')
  if (more.length > 0) return `too many slashes: ${text}`
  if (beyond.length > 0) return `too many hyphens: ${text}`
  const numberOf = (word: string): number => {
    const named = (names as readonly string[]).indexOf(word.toLowerCase())
    return named >= 0 ? named + low : Number(word)
  }
  const isAny = from === '*' || from === '?'
  for (const word of [...(isAny ? [] : [from]), ...(to === undefined ? [] : [to]), ...(step === undefined ? [] : [step])]) {
    if (!/^\d+$/.test(word) && Number.isNaN(numberOf(word))) return `failed to parse int from ${word}: strconv.Atoi: parsing ${JSON.stringify(word)}: invalid syntax`
  }
  const start = isAny ? low : numberOf(from)
  const end = isAny ? high : to === undefined ? (step === undefined ? start : high) : numberOf(to)
  if (start < low) return `beginning of range (${start}) below minimum (${low}): ${text}`
  if (end > high) return `end of range (${end}) above maximum (${high}): ${text}`
  if (start > end) return `beginning of range (${start}) beyond end of range (${end}): ${text}`
  return step === '0' ? `step of range should be a positive number: ${text}` : undefined
}

export function timeZoneErrors(zone: string | undefined): Cause[] {
  if (zone === undefined) return []
  if (zone === '') return [invalidValue('spec.timeZone', zone, 'must be nil or non-empty string')]
  try {
    Intl.DateTimeFormat('en-US', { timeZone: zone }).format(0)
    return []
  } catch {
    return [invalidValue('spec.timeZone', zone, `unknown time zone ${zone}`)]
  }
}
