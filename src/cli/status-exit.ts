import type { EnvironmentStatus, ModuleStatus, StatusAnswer } from '#api/client.ts'
import { errors } from '#model/errors.ts'
import type { ErrorCode } from '#model/errors.ts'
import type { ExitCode } from './program.ts'

/**
 * What `plumb status` ends with: 1 where something failed, 2 where the configuration is wrong, 4 where something or its repository could not be looked at,
 * 3 where what is not delivered waits for a person (what is held at an older snapshot waits for a revert, and what was cancelled for a person’s word), 0 where all is delivered and verified, and else 4: it is under way, or nobody can say yet. The first that holds.
 */
export function exitOfStatus(status: StatusAnswer): ExitCode {
  const modules = status.environments.flatMap((environment) => environment.modules)
  const some = (holds: (module: ModuleStatus) => boolean): boolean => modules.some(holds)
  if (some((module) => module.delivery === 'failed' || module.verification === 'failed') || status.environments.some(({ verification }) => verification === 'failed')) return 1
  if (status.problems.some((problem) => !isUnknown(problem))) return 2
  if (status.problems.length > 0 || some((module) => module.delivery === 'unknown') || status.repositories.some((repository) => repository.failure !== null)) return 4
  if (status.environments.some(waitsForPerson)) return 3
  const areWhole = status.environments.every(({ verification }) => verification === null || verification === 'passed' || verification === 'warned')
  return status.snapshot !== null && modules.every(isGood) && areWhole ? 0 : 4
}

function isUnknown({ code }: StatusAnswer['problems'][number]): boolean {
  return errors[code as ErrorCode]?.exit === 4
}

/** Delivered and verified. */
export function isGood(module: ModuleStatus): boolean {
  return module.delivery === 'synced' && (module.verification === 'passed' || module.verification === 'warned')
}

function waitsForPerson({ waiting, modules }: EnvironmentStatus): boolean {
  // What was cancelled is not begun again by itself.
  if (modules.some((module) => module.delivery === 'behind' && module.failure?.code === 'run-cancelled')) return true
  if (modules.some((module) => module.pinned !== null && module.delivery === 'behind')) return true
  return (modules.length === 0 || !modules.every(isGood)) && waiting.some((one) => one.waitingFor === 'approval' || one.waitingFor === 'person' || one.waitingFor === 'pause')
}
