import { Failure } from '#lib/failure.ts'
import type { Playground } from '#playground/playground.ts'
import { leftOut, type Breakage, type BreakageState, type Tell } from './breakage.ts'
import { clusterBreakages } from './cluster-breakages.ts'
import { databaseBreakages } from './database-breakages.ts'

/** One line of the table of what can be broken. */
export type BreakageRow = { readonly name: string; readonly environment: string; readonly state: BreakageState | 'unknown'; readonly does: string; readonly shows: string }

export type ControlRequest = { readonly do: 'list' } | { readonly do: 'reset' } | { readonly do: 'break' | 'mend'; readonly what: string; readonly environment: string }

/** What is done at a person's word, one thing at a time. */
export type Control = (request: ControlRequest, tell: Tell) => Promise<BreakageRow[]>

/**
 * Failures: `breakage-unknown`, `breakage-impossible` (there is nothing to break), `playground-database`, and those of `reset`. Answers how what
 * was asked about is now; everything after a reset.
 */
export function controlOf({ clusters, database, reset }: Pick<Playground, 'clusters' | 'database' | 'reset'>): Control {
  const production = 'production' in clusters ? databaseBreakages(database).map((breakage) => ({ environment: 'production', breakage })) : []
  const all = [...production, ...Object.values(clusters).flatMap((cluster) => clusterBreakages(cluster).map((breakage) => ({ environment: cluster.name, breakage })))]
  const rows = (some: typeof all): Promise<BreakageRow[]> => Promise.all(some.map(({ environment, breakage }) => rowOf(environment, breakage)))
  let last: Promise<unknown> = Promise.resolve()

  const carryOut: Control = async (request, tell) => {
    if (request.do === 'list') return rows(all)
    if (request.do === 'reset') {
      for (const { environment, breakage } of all) {
        if ((await breakage.state().catch(() => 'broken')) !== 'broken') continue
        await breakage.mend((doing) => tell(`${environment}: ${doing}`)).catch(() => {}) // the database is made anew
      }
      await reset(tell)
      return rows(all)
    }
    const { what, environment } = request
    const found = all.filter((one) => one.breakage.name === what && one.environment === environment)
    const [one] = found
    if (one === undefined) throw unknown(what, environment, all)
    const state = await one.breakage.state()
    if (state === 'absent') {
      throw new Failure({ code: 'breakage-impossible', subject: what, message: `There is nothing to ${request.do}: it is not there, or broken otherwise`, hint: 'plumb playground break shows how everything is.' })
    }
    const tellWhere: Tell = (doing) => tell(`${environment}: ${doing}`)
    if (request.do === 'break' && state === 'whole') await one.breakage.break(tellWhere)
    if (request.do === 'mend' && state === 'broken') await one.breakage.mend(tellWhere)
    return rows(found)
  }
  return (request, tell) => {
    const done = last.then(() => carryOut(request, tell))
    last = done.catch(() => {})
    return done
  }
}

async function rowOf(environment: string, { name, does, shows, state }: Breakage): Promise<BreakageRow> {
  return { name, environment, state: await state().catch(() => 'unknown' as const), does, shows }
}

function unknown(what: string, environment: string, all: readonly { environment: string; breakage: Breakage }[]): Failure {
  const why = Object.hasOwn(leftOut, what) ? leftOut[what] : undefined
  const elsewhere = all.filter(({ breakage }) => breakage.name === what).map((one) => one.environment)
  const names = [...new Set(all.filter((one) => one.environment === environment).map(({ breakage }) => breakage.name))]
  const message = why ?? (elsewhere.length > 0 ? `“${what}” is not a thing of ${environment}; it is one of ${elsewhere.join(', ')}` : `Nothing that can be broken is called “${what}”`)
  const hint = names.length > 0 ? `In ${environment}: ${names.join(', ')}.` : `Environments: ${[...new Set(all.map((one) => one.environment))].join(', ')}.`
  return new Failure({ code: 'breakage-unknown', subject: what, message, hint })
}
