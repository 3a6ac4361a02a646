import { messages, protocol, type PGlite } from '@electric-sql/pglite'

const { serialize } = protocol

type Message = Awaited<ReturnType<PGlite['execProtocolStream']>>[number]
type Statement = { readonly name: string; readonly fields: readonly { readonly name: string; readonly decode: (text: string) => unknown }[] }

/** More texts than the repositories have. Each holds a plan in the engine's memory. */
const mostStatements = 500

/**
 * Statements that the engine parses and plans once. PGlite's own `query` does both each time, in six messages: five to eight times the work.
 * By PostgreSQL's extended query protocol, with parameters and results as text (https://www.postgresql.org/docs/18/protocol-flow.html).
 */
export class Prepared {
  readonly #pg: PGlite
  readonly #statements = new Map<string, Statement>()
  #named = 0

  constructor(pg: PGlite) {
    this.#pg = pg
  }

  /** The rows; `undefined` where the engine did not say that the statement is complete. Throws the engine's `DatabaseError`. */
  async query(text: string, params: readonly (string | null)[]): Promise<Record<string, unknown>[] | undefined> {
    const statement = this.#statements.get(text) ?? (await this.#prepare(text))
    if (statement === undefined) return undefined
    const { name, fields } = statement
    const answers = await this.#exchange([serialize.bind({ statement: name, values: [...params] }), serialize.execute({})])
    if (!answers.some((answer) => answer instanceof messages.CommandCompleteMessage)) return undefined
    return answers.filter((answer) => answer instanceof messages.DataRowMessage).map((row) => decoded(row, fields))
  }

  /** Everything is planned anew when it is next asked: tables have changed, or grown. */
  async forget(): Promise<void> {
    const names = [...this.#statements.values()].map(({ name }) => name)
    this.#statements.clear()
    if (names.length > 0) await this.#exchange(names.map((name) => serialize.close({ type: 'S', name })))
  }

  async #prepare(text: string): Promise<Statement | undefined> {
    if (this.#statements.size >= mostStatements) await this.forget()
    this.#named += 1
    const name = `s${this.#named}`
    const answers = await this.#exchange([serialize.parse({ name, text }), serialize.describe({ type: 'S', name })])
    if (answers.length === 0) return undefined
    const described = answers.find((answer) => answer instanceof messages.RowDescriptionMessage)
    const fields = described?.fields.map((field) => ({ name: field.name, decode: this.#pg.parsers[field.dataTypeID] ?? String })) ?? []
    const statement = { name, fields }
    this.#statements.set(text, statement)
    return statement
  }

  /** An engine that said nothing has panicked: it is sent no more, not even the end of the exchange. */
  async #exchange(parts: readonly Uint8Array[]): Promise<Message[]> {
    let answers: Message[] = []
    let failed = false
    try {
      answers = await this.#send(Buffer.concat(parts))
    } catch (error) {
      failed = true
      throw error
    } finally {
      if (failed || answers.length > 0) await this.#send(serialize.sync())
    }
    return answers
  }

  #send(message: Uint8Array): Promise<Message[]> {
    return this.#pg.execProtocolStream(message, { syncToFs: false })
  }
}

function decoded(row: messages.DataRowMessage, fields: Statement['fields']): Record<string, unknown> {
  return Object.fromEntries(fields.map(({ name, decode }, at) => [name, row.fields[at] == null ? null : decode(row.fields[at])]))
}
