import type { z } from 'zod'
import { command } from './command/command.ts'
import { dns } from './dns/dns.ts'
import { http } from './http/http.ts'
import { kubernetes } from './kubernetes/kubernetes.ts'
import type { Probe } from './probe.ts'
import { prometheus } from './prometheus/prometheus.ts'
import { sql } from './sql/sql.ts'
import { tls } from './tls/tls.ts'
import { tcp } from './tcp/tcp.ts'

/** Every probe, by its folder's name. A test holds this against the folders. */
export const probes = [http, tcp, tls, dns, sql, kubernetes, prometheus, command] as const satisfies readonly Probe<unknown>[]

/** The schema of each kind, for the configuration. */
export const probeSchemas: Readonly<Record<string, z.ZodType>> = Object.fromEntries(probes.map((probe) => [probe.kind, probe.schema]))
