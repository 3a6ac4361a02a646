import type { DriverCall } from '../driver.ts'

export type Call = DriverCall<'kubernetes'>
