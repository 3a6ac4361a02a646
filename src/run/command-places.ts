import { Failure } from '#lib/failure.ts'
import type { TargetConfig } from '#model/config/environment.ts'
import { matchesGlob } from '#model/glob.ts'
import type { HostProgram, JobPlace, ProbeCapabilities } from '#probes/probe.ts'

/** What an environment's target lets a probe's command do. `owner` and `open` make a place of it. Failure `probe-out-of-reach`. */
export async function jobPlaceOf(target: TargetConfig, name: string, image: string, owner: string, open: (target: TargetConfig) => Promise<JobPlace['client']>): Promise<JobPlace> {
  const jobs = 'kubernetes' in target ? target.kubernetes.jobs : undefined
  if (jobs === undefined) throw refused(name, `target ${name} has no place for the Jobs of probes`, `Give it one in the environment: \`targets.${name}.kubernetes.jobs\`.`)
  if (!jobs.images.some((glob) => matchesGlob(glob, image))) throw refused(name, `Jobs of the image ${image} may not run for probes at ${name}`, `List it in \`targets.${name}.kubernetes.jobs.images\` of the environment, if they should.`)
  return { client: await open(target), namespace: jobs.namespace, serviceAccount: jobs.serviceAccount, owner }
}

/** A command of a host's allow-list. Failure `probe-out-of-reach`. */
export function hostProgramOf(target: TargetConfig, name: string, command: string, args: Parameters<ProbeCapabilities['hostProgram']>[2]): HostProgram {
  if (!('host' in target)) throw refused(name, `target ${name} is no host`, 'Name a `host` target, or an `image` to run in a cluster.')
  const { commands } = target.host
  const entry = Object.hasOwn(commands, command) ? commands[command] : undefined
  if (entry === undefined) throw refused(name, `the host ${name} runs no command ${command} for probes`, `It runs: ${Object.keys(commands).join(', ') || 'none'}. Whoever keeps the workspace lists them in \`targets.${name}.host.commands\`.`)
  if (args.length > 0 && entry.arguments === 'refused') throw refused(name, `the command ${command} of ${name} takes no arguments`, `Say \`arguments: allowed\` in \`targets.${name}.host.commands.${command}\` of the environment, if it should.`)
  const [program = '', ...always] = entry.argv
  return { argv: [program, ...always, ...args], env: entry.env }
}

function refused(subject: string, message: string, hint: string): Failure {
  return new Failure({ code: 'probe-out-of-reach', subject, message, hint })
}
