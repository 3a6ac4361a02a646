import { isFor } from '#model/config/operation.ts'
import { lastOperation, scheduleOf } from '#store/operations.ts'
import type { Parts } from '../parts.ts'
import { iso } from '../views.ts'
import { newest } from './operate-now.ts'
import { aboutStep, kindOf } from './steps.ts'

/** The operations that there are, once for each of their environments that the caller sees. */
export async function listOperations(parts: Parts, only: string | undefined, sees: (environment: string) => boolean) {
  const { configuration } = await newest(parts)
  const all = [...configuration.operations.values()].flatMap((operation) => [...configuration.environments.keys()].flatMap((environment) => (isFor(operation, environment) ? [{ operation, environment }] : [])))
  return Promise.all(
    all
      .filter(({ environment }) => sees(environment) && (only === undefined || environment === only))
      .map(async ({ operation: { metadata, spec }, environment }) => {
        const last = await lastOperation(parts.sql, environment, metadata.name)
        const due = spec.schedule === undefined ? undefined : await scheduleOf(parts.sql, environment, metadata.name)
        return {
          name: metadata.name,
          environment,
          about: spec.about,
          steps: spec.steps.map((step) => ({ name: step.name, kind: kindOf(step), about: aboutStep(step) })),
          schedule: spec.schedule ?? null,
          nextAt: due === undefined ? null : iso(due.nextAt),
          last: last === undefined ? null : { run: last.id, state: last.state },
        }
      }),
  )
}
