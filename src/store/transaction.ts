import { AsyncLocalStorage } from 'node:async_hooks'
import { Failure } from '#lib/failure.ts'
import type { Param, Sql } from './sql.ts'

/** One statement on the connection that the transaction has for itself. */
export type Run = (text: string, params: readonly Param[]) => Promise<Record<string, unknown>[]>

const inside = new AsyncLocalStorage<{ store: object; open: boolean }>()

/**
 * A statement on the store itself, from inside a transaction on it, would wait for the transaction that waits for it (one connection), or
 * escape it silently (many). Both are defects, and are told at once.
 */
export function refuseInsideTransaction(store: object): void {
  const at = inside.getStore()
  if (at?.open === true && at.store === store) throw misuse('A statement was sent past the transaction that it is in: use the Sql that the transaction hands over.')
}

/**
 * Runs `work` between BEGIN and COMMIT or ROLLBACK. `committing` is called when COMMIT has been sent and not yet answered: the order of what
 * comes after is settled by then.
 */
export async function runTransaction<T>(store: object, kind: Sql['kind'], run: Run, work: (sql: Sql) => Promise<T>, committing: () => void = () => {}): Promise<T> {
  const scope = { store, open: true }
  await run('begin', [])
  const transaction = new Transaction(kind, run)
  let result: T
  try {
    result = await inside.run(scope, () => work(transaction))
    await transaction.settled()
  } catch (error) {
    scope.open = false
    await transaction.end()
    await run('rollback', []).catch(() => {}) // the connection is gone, and the transaction with it: the first error tells more
    throw error
  }
  scope.open = false
  await transaction.end()
  const commit = run('commit', [])
  committing()
  await commit
  return result
}

class Transaction implements Sql {
  readonly kind: Sql['kind']
  readonly #run: Run
  #last: Promise<unknown> = Promise.resolve()
  #failed: { error: unknown } | undefined
  #ended = false
  #depth = 0

  constructor(kind: Sql['kind'], run: Run) {
    this.kind = kind
    this.#run = run
  }

  async query<Row extends object>(text: string, params: readonly Param[] = []): Promise<Row[]> {
    if (this.#ended) throw misuse('A statement was sent after its transaction had ended.')
    const mine = this.#last.then(() => this.#run(text, params))
    this.#last = mine.catch((error: unknown) => {
      this.#failed ??= { error }
    })
    return (await mine) as Row[]
  }

  /** A savepoint. Two side by side in one transaction are not told apart by PostgreSQL: one after the other, please. */
  async transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
    this.#depth += 1
    const name = `nested_${this.#depth}`
    try {
      await this.query(`savepoint ${name}`)
      const result = await work(this)
      await this.settled()
      await this.query(`release savepoint ${name}`)
      return result
    } catch (error) {
      await this.#last
      await this.query(`rollback to savepoint ${name}`)
      this.#failed = undefined
      throw error
    } finally {
      this.#depth -= 1
    }
  }

  /** Waits for the statements that nobody waited for. A failed one fails the transaction, even where `work` caught it: PostgreSQL would answer COMMIT with a rollback, without an error. */
  async settled(): Promise<void> {
    await this.#last
    if (this.#failed !== undefined) throw this.#failed.error
  }

  async end(): Promise<void> {
    this.#ended = true
    await this.#last
  }
}

function misuse(message: string): Failure {
  return new Failure({ code: 'store-misuse', subject: 'store', message, hint: 'This is a defect in Plumbline: please report it with the log around it.' })
}
