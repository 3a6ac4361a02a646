import { Client } from 'pg'

/** Where a server listens. */
export type Address = { readonly host: string; readonly port: number }

export type Login = Address & { readonly user: string; readonly password: string; readonly database: string }

/** One statement with its values; the rows that it gives. */
export type Ask = (text: string, values?: readonly unknown[]) => Promise<Record<string, unknown>[]>

/** Connects, does that, and disconnects. Failures: those of `pg`. */
export async function connected<T>(login: Login, work: (ask: Ask) => Promise<T>, timeoutMs = 10_000): Promise<T> {
  const client = new Client({ ...login, application_name: 'playground', connectionTimeoutMillis: timeoutMs, query_timeout: timeoutMs })
  client.on('error', () => {}) // a server that ends: the statement under way tells
  try {
    await client.connect()
    return await work(async (text, values) => (await client.query<Record<string, unknown>>(text, values === undefined ? undefined : [...values])).rows)
  } finally {
    await client.end().catch(() => {})
  }
}

export const urlOf = ({ host, port, user, password, database }: Login): string => `postgres://${user}:${encodeURIComponent(password)}@${host}:${port}/${database}`
