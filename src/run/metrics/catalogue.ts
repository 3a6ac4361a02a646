import type { Family } from '#lib/exposition.ts'

type Entry = { readonly type: Family['type']; readonly labels: readonly string[]; readonly help: string }

/** Every metric, in the order in which they are given. Labels name what Git names (environments, modules, probes) and words of ours: no run, no person, no message. */
export const metrics = {
  plumbline_deliveries_total: { type: 'counter', labels: ['environment', 'outcome'], help: 'Modules that runs were to change, by what became of their delivery.' },
  plumbline_runs_total: { type: 'counter', labels: ['environment', 'kind', 'outcome'], help: 'Runs that ended.' },
  plumbline_run_duration_seconds: { type: 'histogram', labels: ['environment', 'outcome'], help: 'From when a run was made until it ended, with what it waited for.' },
  plumbline_runs_open: { type: 'gauge', labels: ['environment', 'state'], help: 'Runs that have not ended.' },
  plumbline_module_delivery: { type: 'gauge', labels: ['environment', 'module', 'status'], help: 'Always 1: the status of a module’s delivery. It says nothing of whether it works.' },
  plumbline_module_verification: { type: 'gauge', labels: ['environment', 'module', 'status'], help: 'Always 1: the status of a module’s verification (stale where its time is over). It says nothing of what was delivered.' },
  plumbline_module_verified_timestamp_seconds: { type: 'gauge', labels: ['environment', 'module'], help: 'When it was last looked at whether a module works.' },
  plumbline_probe_verdict: { type: 'gauge', labels: ['environment', 'module', 'probe', 'kind', 'verdict'], help: 'Always 1: what a probe says. The module @environment is the environment itself.' },
  plumbline_probe_duration_seconds: { type: 'histogram', labels: ['kind', 'verdict'], help: 'How long samples of probes took, in this process since it began.' },
  plumbline_findings: { type: 'gauge', labels: ['environment', 'cause', 'state'], help: 'Findings of drift that are not resolved.' },
  plumbline_work_waiting: { type: 'gauge', labels: ['kind'], help: 'Keys of the work queue that are due, and that nobody works on.' },
  plumbline_work_running: { type: 'gauge', labels: ['kind'], help: 'Keys of the work queue that somebody works on.' },
  plumbline_work_oldest_seconds: { type: 'gauge', labels: ['kind'], help: 'For how long the longest due key waits; 0 where none does.' },
  plumbline_messages: { type: 'gauge', labels: ['environment', 'channel', 'state'], help: 'Notifications by channel: waiting, sent or given-up, as long as they are kept.' },
  plumbline_watch_up: { type: 'gauge', labels: ['environment', 'target', 'driver'], help: '1 where a target is watched for drift; 0 where it is not, or not yet.' },
} as const satisfies Readonly<Record<string, Entry>>

export type MetricName = keyof typeof metrics
