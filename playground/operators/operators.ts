import { digestOf } from '#lib/digest.ts'
import { customResourceDefinitions } from '#playground/controllers/kinds.ts'
import { cloudNativePg } from './cloudnative-pg/cloudnative-pg.ts'
import type { Operator, OperatorContext } from './operator.ts'
import { elasticsearch } from './simulated/elasticsearch.ts'
import { kafka } from './simulated/kafka.ts'
import { zalandoPostgres } from './simulated/zalando-postgres.ts'

export const operators = [cloudNativePg, zalandoPostgres, kafka, elasticsearch] as const satisfies readonly Operator[]

const manager = 'playground'
const digestAnnotation = 'playground.plumbline.dev/definition'

/** Installs the definitions, where they are missing or are those of another version, and starts the operators. What it returns ends them. */
export function startOperators(context: OperatorContext): () => Promise<void> {
  for (const { definition } of operators) install(context, definition)
  const stops = operators.map(({ start }) => start(context))
  return async () => {
    await Promise.all(stops.map((stop) => stop()))
  }
}

function install({ objects }: OperatorContext, { metadata, spec }: Operator['definition']): void {
  const annotations = { [digestAnnotation]: digestOf(JSON.stringify(spec)) }
  const known = objects.get(customResourceDefinitions, '', metadata.name)
  if (known === undefined) return void objects.create(customResourceDefinitions, { metadata: { ...metadata, annotations }, spec }, manager)
  if (known.metadata.annotations?.[digestAnnotation] === annotations[digestAnnotation]) return
  objects.edit(customResourceDefinitions, { name: metadata.name }, 'object', manager, (object) => {
    object.metadata.annotations = { ...object.metadata.annotations, ...annotations }
    object.spec = { ...object.spec, ...spec }
  })
}
