import type { ControllerContext } from '#playground/controllers/controller.ts'
import type { PostgresRuntime } from '#playground/databases/runtime.ts'
import type { Addresses } from '#playground/network/addresses.ts'

export type OperatorContext = ControllerContext & {
  /** The cluster's name. */
  readonly cluster: string
  readonly addresses: Addresses
  /** Undefined where PostgreSQL cannot be run. */
  readonly postgres: PostgresRuntime | undefined
}

/** Somebody else's operator: the definition that it brings, and a controller of the objects of that kind. */
export type Operator = {
  /** A CustomResourceDefinition, whole. */
  readonly definition: { readonly metadata: { readonly name: string }; readonly spec: object }
  /** Starts to watch; what it returns ends it, and whatever it runs. */
  readonly start: (context: OperatorContext) => () => void | Promise<void>
}
