import { canary, conformance, slowMs } from '../conformance.ts'
import { command } from './command.ts'

conformance(command, async () => {
  const clients = {
    jobs: async () => Promise.reject(new Error('no cluster here')),
    hostProgram: async (_target: string, _run: string, args: readonly string[]) => ({ argv: ['/bin/sh', '-c', `echo ${canary} >&2; printf '{"secret":"${canary}"}'; ${args.join(' ')}`] as const, env: { SECRET: canary } }),
    cel: async () => true,
  }
  const question = (script: string) => ({ clients, config: { target: 'runner', run: 'check', arguments: [script], cel: 'output.secret != ""' } })
  return { passing: question('exit 0'), failing: question('exit 3'), hanging: question('sleep 30'), refusing: { clients: { ...clients, hostProgram: async () => ({ argv: ['/nowhere/check'] as const, env: {} }) }, config: question('exit 0').config }, lying: { clients: { ...clients, cel: async () => false }, config: question('exit 0').config }, slow: question(`sleep ${slowMs / 1000}`), stop: async () => {} }
})
