import { runProcess } from '#lib/process.ts'
import type { HostProgram, Probe } from '../probe.ts'
import { takeSample } from '../sample.ts'
import type { Asking, Found } from '../sample.ts'
import { judgeOutput, outputThreshold } from './judge-output.ts'
import type { Output } from './judge-output.ts'
import { runJob } from './run-job.ts'
import { schema } from './schema.ts'
import type { CommandConfig } from './schema.ts'

/** However long a probe may wait: nothing runs on a host for longer. */
const usualMs = 600_000
const maxOutputBytes = 64 * 1024

/** Runs a command, as a Job in a cluster or as a program that the operator allows on a host. */
export const command: Probe<CommandConfig, 'jobs' | 'hostProgram' | 'cel'> = {
  kind: 'command',
  needs: ['jobs', 'hostProgram', 'cel'],
  schema,
  sample: (call, config) => {
    const { clients, signal } = call
    const { target, image, run = '' } = config
    const asking: Asking = {
      signal: 'boolean',
      target: image === undefined ? `${run} on ${target}` : `${config.argv?.[0] ?? 'command'} of ${image} in ${target}`,
      phase: { name: `target ${target}`, of: 'way' },
      threshold: outputThreshold(config),
    }
    /** From then on it is the command itself that is waited for. */
    const started = (): void => void (asking.phase = { name: 'command', of: 'subject' })
    return takeSample(call, asking, async (): Promise<Found> => {
      if (image === undefined) {
        const program = await clients.hostProgram(target, run, config.arguments)
        started()
        return judgeOutput(config, await onHost(program, signal), clients.cel)
      }
      const place = await clients.jobs(target, image)
      asking.phase = { name: `pod of the Job in ${place.namespace}`, of: 'way' }
      return judgeOutput(config, await runJob(place, config, signal, { started }), clients.cel)
    })
  },
}

/** What it writes to its standard error is nobody's to read. */
async function onHost({ argv: [program, ...args], env, longestMs = usualMs }: HostProgram, signal: AbortSignal): Promise<Output> {
  const { code, stdout } = await runProcess({ command: program, args, env, cwd: '/', timeoutMs: longestMs, maxOutputBytes, signal })
  return { exit: code, text: stdout.toString('utf8') }
}
