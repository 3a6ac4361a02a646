/** When a CronJob is due: five fields as cron(5) reads them, with names, steps and `@daily` and the like. Times are milliseconds since 1970. */
export type CronSchedule = { /** The first time after that one; undefined where none comes within five years (30 February). */ readonly after: (time: number) => number | undefined }

type Field = { readonly allows: (value: number) => boolean; readonly isAny: boolean }

const minuteMs = 60_000
const hourMs = 3_600_000
const dayMs = 86_400_000
const horizonMs = 5 * 366 * dayMs
const macros: Readonly<Record<string, string>> = { '@yearly': '0 0 1 1 *', '@annually': '0 0 1 1 *', '@monthly': '0 0 1 * *', '@weekly': '0 0 * * 0', '@daily': '0 0 * * *', '@midnight': '0 0 * * *', '@hourly': '0 * * * *' }
const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const days = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']

/** Undefined for what is no schedule, or no time zone (IANA's names; UTC where none is given). */
export function parseSchedule(text: string, timeZone = 'UTC'): CronSchedule | undefined {
  const fields = (Object.hasOwn(macros, text.trim()) ? (macros[text.trim()] ?? '') : text).trim().split(/\s+/)
  if (fields.length !== 5) return undefined
  const [minute, hour, date, month, weekday] = [parse(fields[0], 0, 59), parse(fields[1], 0, 23), parse(fields[2], 1, 31), parse(fields[3], 1, 12, months, 1), parse(fields[4], 0, 7, days, 0)]
  const offset = offsetIn(timeZone)
  if (minute === undefined || hour === undefined || date === undefined || month === undefined || weekday === undefined || offset === undefined) return undefined
  const onWeekday = (value: number): boolean => weekday.allows(value) || (value === 0 && weekday.allows(7))
  // Where both are said, either will do.
  const onDay = (local: Date): boolean =>
    date.isAny || weekday.isAny ? date.allows(local.getUTCDate()) && onWeekday(local.getUTCDay()) : date.allows(local.getUTCDate()) || onWeekday(local.getUTCDay())
  return {
    after: (time) => {
      for (let at = (Math.floor(time / minuteMs) + 1) * minuteMs; at < time + horizonMs; ) {
        const wall = at + offset(at)
        const local = new Date(wall)
        if (!month.allows(local.getUTCMonth() + 1) || !onDay(local)) at += Math.min(dayMs - (wall % dayMs), untilChange(offset, at))
        else if (!hour.allows(local.getUTCHours())) at += hourMs - (wall % hourMs)
        else if (!minute.allows(local.getUTCMinutes())) at += minuteMs
        else return at
      }
      return undefined
    },
  }
}

/** On a day when the clocks change, hour by hour: its end is not where it would be. */
function untilChange(offset: (time: number) => number, at: number): number {
  return offset(at) === offset(at + dayMs) ? dayMs : hourMs - ((at + offset(at)) % hourMs)
}

function parse(text: string | undefined, low: number, high: number, names: readonly string[] = [], first = 0): Field | undefined {
  if (text === undefined || text.length > 100) return undefined
  const allowed = new Set<number>()
  const numberOf = (word: string): number => (/^\d{1,2}$/.test(word) ? Number(word) : names.includes(word.toLowerCase()) ? names.indexOf(word.toLowerCase()) + first : Number.NaN)
  for (const part of text.split(',')) {
    const match = /^(\*|\?|[\da-zA-Z]+)(?:-([\da-zA-Z]+))?(?:\/(\d{1,2}))?$/.exec(part)
    if (match === null) return undefined
    const [, from = '', to, step] = match
    const any = from === '*' || from === '?'
    const start = any ? low : numberOf(from)
    const end = any ? high : to !== undefined ? numberOf(to) : step !== undefined ? high : start
    const by = step === undefined ? 1 : Number(step)
    if (!(start >= low && end <= high && start <= end && by > 0) || (any && to !== undefined)) return undefined
    for (let value = start; value <= end; value += by) allowed.add(value)
  }
  return { allows: (value) => allowed.has(value), isAny: /^[*?]/.test(text) }
}

/** How far a zone's clocks are ahead of UTC, in milliseconds, at a time. */
function offsetIn(timeZone: string): ((time: number) => number) | undefined {
  if (timeZone === 'UTC') return () => 0
  let format: Intl.DateTimeFormat
  try {
    format = new Intl.DateTimeFormat('en-US', { timeZone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' })
  } catch {
    return undefined
  }
  return (time) => {
    const part = Object.fromEntries(format.formatToParts(time).map(({ type, value }) => [type, Number(value)]))
    const wall = Date.UTC(part['year'] ?? 0, (part['month'] ?? 1) - 1, part['day'], part['hour'], part['minute'], part['second'])
    return wall - Math.floor(time / 1000) * 1000
  }
}
