/** Days and times, in a time zone, in which nobody is told of findings. `to` before `from` is the next day. */
export type QuietWindow = { readonly days?: readonly string[] | undefined; readonly from: string; readonly to: string; readonly zone: string }

const minute = 60_000
const weekdays = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const

/** When the quiet time that `now` lies in ends; undefined where it lies in none. Windows that touch are one. */
export function quietUntil(windows: readonly QuietWindow[], now: number): number | undefined {
  let until: number | undefined
  // A week of windows that touch has no end that is worth waiting for.
  for (let at = now; at < now + 7 * 1440 * minute; at = until) {
    const ends = windows.flatMap((window) => endOf(window, at) ?? [])
    if (ends.length === 0) break
    until = Math.max(...ends)
  }
  return until
}

function endOf(window: QuietWindow, now: number): number | undefined {
  const { day, minutes } = localTime(now, window.zone)
  const [from, to] = [minutesOf(window.from), minutesOf(window.to)]
  const isOn = (which: number): boolean => window.days?.includes(weekdays[which % 7] ?? '') ?? true
  const startOfMinute = now - (now % minute)
  // The window of today, or the one of yesterday that goes on past midnight.
  const isLate = to <= from
  if (isOn(day) && minutes >= from && (isLate || minutes < to)) return startOfMinute + ((isLate ? 1440 : 0) + to - minutes) * minute
  if (isLate && isOn(day + 6) && minutes < to) return startOfMinute + (to - minutes) * minute
  return undefined
}

function minutesOf(text: string): number {
  const [hours = '0', minutes = '0'] = text.split(':')
  return Number(hours) * 60 + Number(minutes)
}

function localTime(at: number, zone: string): { day: number; minutes: number } {
  const parts = new Map(new Intl.DateTimeFormat('en-GB', { timeZone: zone, weekday: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).formatToParts(at).map(({ type, value }) => [type, value]))
  return { day: weekdays.indexOf((parts.get('weekday') ?? 'Sun').toLowerCase() as (typeof weekdays)[number]), minutes: Number(parts.get('hour')) * 60 + Number(parts.get('minute')) }
}
