import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { cronJobController } from './cron-job.ts'
import { parseSchedule } from './cron-schedule.ts'
import { cronJobs, events, jobs, type CronJob, type Job } from './kinds.ts'
import { World } from './world.ts'

const start = '2026-01-01T00:00:00Z' // where the clock of a World stands
const minutes = (count: number): number => count * 60_000

describe('a schedule', () => {
  const next = (schedule: string, after = start, zone?: string): string | undefined => {
    const time = parseSchedule(schedule, zone)?.after(Date.parse(after))
    return time === undefined ? undefined : new Date(time).toISOString()
  }

  test.each([
    ['*/5 * * * *', '2026-01-01T00:05:00.000Z'],
    ['0 0 * * *', '2026-01-02T00:00:00.000Z'],
    ['30 9-17/4 * * mon-fri', '2026-01-01T09:30:00.000Z'],
    ['15 3 1 * *', '2026-01-01T03:15:00.000Z'],
    ['0 0 29 2 *', '2028-02-29T00:00:00.000Z'],
    ['0 0 13 * 5', '2026-01-02T00:00:00.000Z'], // the 13th or a Friday
    ['0 12 * * 7', '2026-01-04T12:00:00.000Z'], // 7 is Sunday too
    ['@monthly', '2026-02-01T00:00:00.000Z'],
    ['5,10 1 * JAN,jul *', '2026-01-01T01:05:00.000Z'],
  ])('%s is next due at %s', (schedule, time) => expect(next(schedule)).toBe(time))

  test.each(['', '* * * *', '60 * * * *', '* * 0 * *', '*/0 * * * *', '5-1 * * * *', 'a * * * *', '* * * * 8', '@reboot', '1-2-3 * * * *', `${'1,'.repeat(200)}1 * * * *`])('“%s” is none', (schedule) => {
    expect(parseSchedule(schedule)).toBeUndefined()
  })

  test('keeps a zone’s wall clock over the change to summer time, and knows no zone that is none', () => {
    expect(next('0 9 * * *', '2026-03-28T09:00:00Z', 'Europe/Berlin')).toBe('2026-03-29T07:00:00.000Z')
    expect(next('0 9 * * *', '2026-03-27T09:00:00Z', 'Europe/Berlin')).toBe('2026-03-28T08:00:00.000Z')
    expect(next('0 9 1 7 *', '2026-01-01T09:00:00Z', 'America/New_York')).toBe('2026-07-01T13:00:00.000Z')
    expect(parseSchedule('* * * * *', 'Middle/Earth')).toBeUndefined()
  })

  test('that never comes is found out', () => expect(next('0 0 30 2 *')).toBeUndefined())
})

describe('a CronJob', () => {
  let world: World
  const make = (spec: Partial<CronJob['spec']> = {}): void => {
    const jobTemplate = { metadata: { labels: { app: 'report' } }, spec: { template: { spec: { containers: [{ name: 'main', image: 'task' }] } } } }
    world.objects.create(cronJobs, { metadata: { name: 'report', namespace: 'shop' }, spec: { schedule: '*/10 * * * *', jobTemplate, ...spec } }, 'test')
  }
  const made = (): Job[] => world.objects.list(jobs, 'shop').sort((a, b) => a.metadata.name.localeCompare(b.metadata.name))
  const report = (): CronJob | undefined => world.objects.get(cronJobs, 'shop', 'report')
  const end = async (type: 'Complete' | 'Failed'): Promise<void> => {
    for (const job of made()) {
      if (job.status?.conditions !== undefined) continue
      const time = new Date(world.clock.now()).toISOString()
      world.objects.edit(jobs, job.metadata, 'status', 'test', (object) => void (object.status = { startTime: time, ...(type === 'Complete' ? { completionTime: time } : {}), conditions: [{ type, status: 'True' }] }))
    }
    await world.settle()
  }

  beforeEach(() => {
    world = new World()
    world.start(cronJobController)
  })
  afterEach(() => world.stop())

  test('that has not run yet has no status, and its managed fields name no controller', async () => {
    make({ suspend: true })
    await world.advance(minutes(20))
    expect(report()?.status).toBeUndefined()
  })

  test('makes a Job at each of its times, named after it, and tells which are active', async () => {
    make()
    await world.advance(minutes(9))
    expect(made()).toEqual([])
    await world.advance(minutes(1))
    const [job] = made()
    expect(job?.metadata).toMatchObject({
      name: `report-${(Date.parse(start) + minutes(10)) / 60_000}`,
      labels: { app: 'report' },
      annotations: { 'batch.kubernetes.io/cronjob-scheduled-timestamp': '2026-01-01T00:10:00Z' },
      ownerReferences: [{ kind: 'CronJob', name: 'report', controller: true }],
    })
    expect(report()?.status).toMatchObject({ active: [{ kind: 'Job', name: job?.metadata.name }], lastScheduleTime: '2026-01-01T00:10:00Z' })
    await end('Complete')
    expect(report()?.status).toMatchObject({ lastSuccessfulTime: expect.stringContaining('00:10:00') })
    expect(report()?.status?.active).toBeUndefined()
  })

  test('keeps three that succeeded and one that failed', async () => {
    make()
    for (let round = 0; round < 6; round += 1) {
      await world.advance(minutes(10))
      await end(round % 2 === 0 ? 'Complete' : 'Failed')
    }
    expect(made().map(({ status }) => status?.conditions?.[0]?.type).sort()).toEqual(['Complete', 'Complete', 'Complete', 'Failed'])
  })

  test('forbids a second one beside the first, and starts it when that has ended', async () => {
    make({ concurrencyPolicy: 'Forbid' })
    await world.advance(minutes(10))
    await world.advance(minutes(10))
    expect(made()).toHaveLength(1)
    await end('Complete')
    expect(made()).toHaveLength(2)
  })

  test('replaces the one that still runs', async () => {
    make({ concurrencyPolicy: 'Replace' })
    await world.advance(minutes(10))
    const [first] = made()
    await world.advance(minutes(10))
    expect(made().map(({ metadata }) => metadata.uid)).not.toContain(first?.metadata.uid)
    expect(made()).toHaveLength(1)
  })

  test('suspended does nothing; later it makes up for the last time alone, unless its deadline has passed', async () => {
    make({ suspend: true })
    await world.advance(minutes(35))
    expect(made()).toEqual([])
    world.objects.edit(cronJobs, { name: 'report', namespace: 'shop' }, 'object', 'test', (object) => void (object.spec.suspend = false))
    await world.settle()
    expect(made().map(({ metadata }) => metadata.annotations?.['batch.kubernetes.io/cronjob-scheduled-timestamp'])).toEqual(['2026-01-01T00:30:00Z'])
  })

  test('with a deadline leaves out what is too late', async () => {
    make({ suspend: true, startingDeadlineSeconds: 60 })
    await world.advance(minutes(35))
    world.objects.edit(cronJobs, { name: 'report', namespace: 'shop' }, 'object', 'test', (object) => void (object.spec.suspend = false))
    await world.settle()
    expect(made()).toEqual([])
  })

  test('with a schedule that is none says so', async () => {
    make({ schedule: 'now and then' })
    await world.advance(minutes(20))
    expect(made()).toEqual([])
    expect(world.objects.list(events, 'shop')).toMatchObject([{ reason: 'UnparseableSchedule', message: 'unparseable schedule: now and then' }])
  })
})
