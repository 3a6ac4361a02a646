import { DatabaseError } from 'pg'
import type { Failure } from '#lib/failure.ts'
import { storeFailure, unavailableFailure, type SqlError } from '../store-failure.ts'

/** What the server says has a SQLSTATE; what our own decoding says is a defect; everything else is the connection. */
export function postgresFailure(error: unknown, text?: string): Failure {
  if (error instanceof DatabaseError) return storeFailure(error as SqlError, text)
  if (error instanceof RangeError || error instanceof TypeError || error instanceof SyntaxError) return storeFailure(error as SqlError, text)
  return unavailableFailure(`The store's server cannot be reached: ${(error as Error).message || (error as NodeJS.ErrnoException).code}`, error)
}
