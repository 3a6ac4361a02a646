import { Cron } from 'croner'

/** Whether a text is five fields of cron (minute, hour, day of the month, month, day of the week) that some time fits. */
export function isCron(text: string): boolean {
  try {
    return text.trim().split(/\s+/).length === 5 && nextCron(text, 0) !== undefined
  } catch {
    return false
  }
}

/** The first time after a time that fits, in UTC; undefined where there is none. Milliseconds since 1970. */
export function nextCron(text: string, after: number): number | undefined {
  return new Cron(text, { timezone: 'UTC', mode: '5-part' }).nextRun(new Date(after))?.getTime()
}
