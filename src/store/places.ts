import type { Sql } from './sql.ts'

/** The place that was behind an address when that could last be told. */
export async function placeAt(sql: Sql, driver: string, address: string): Promise<string | undefined> {
  const [row] = await sql.query<{ name: string }>('select name from place where driver = $1 and address = $2', [driver, address])
  return row?.name
}

export async function rememberPlace(sql: Sql, driver: string, address: string, name: string): Promise<void> {
  await sql.query('insert into place (driver, address, name) values ($1, $2, $3) on conflict (driver, address) do update set name = excluded.name', [driver, address, name])
}
