import type { Driver } from './driver.ts'
import { kubernetes } from './kubernetes/kubernetes.ts'

/** Every driver, by its folder's name. A test holds this against the folders. */
export const drivers = [kubernetes] as const satisfies readonly Driver[]
