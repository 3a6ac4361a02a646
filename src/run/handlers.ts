import { LookLog } from '#store/samples.ts'
import type { Handle } from '#store/worker.ts'
import { carryOutAdoption } from './adopt/carry-out.ts'
import { catchUp } from './catch-up.ts'
import { claimOf } from './claim.ts'
import { tellDrift } from './drift/tell.ts'
import { considerEnvironment } from './environment.ts'
import { follow, isUnread } from './follow.ts'
import { handOutNotifications } from './notify/hand-out.ts'
import { sendMessages } from './notify/send.ts'
import { noteCommits } from './note-commits.ts'
import { beginScheduled, wakeSchedules } from './operation/schedule.ts'
import type { Parts } from './parts.ts'
import { publishChain } from './publish-chain.ts'
import { retries } from './retries.ts'
import { run } from './run.ts'
import { traced } from './telemetry/in-span.ts'
import { tidy } from './tidy.ts'
import { verifyModule } from './verify-module.ts'
import type { Looks } from './verify-module.ts'

/** What a worker does for a key: what of it is left to do, and when it is to be looked at again. May be called twice, or after a crash: the key says what, the store says how far. */
type Handlers = Readonly<Record<string, Handle>>

/** What is decided, delivered, recorded and told. */
export function workHandlers(parts: Parts): Handlers {
  return {
    'repository/': async (key, context) => {
      // A repository is looked at also where what is known cannot be read: that look is what mends it.
      await catchUp(parts, context.signal).catch((error: unknown) => (isUnread(error) ? undefined : Promise.reject(error)))
      return follow(parts, subject(key), context.signal)
    },
    'environment/': async (key, context) => {
      await catchUp(parts, context.signal)
      await considerEnvironment(parts, subject(key), context.signal)
      await wakeSchedules(parts, subject(key))
      // What failed and may pass by itself is looked at again when its time has come.
      const due = [...(await retries(parts.sql, subject(key))).values()]
      if (due.length > 0) return { again: Math.min(...due) }
    },
    'chain/': async (key, context) => {
      const published = await publishChain(parts, subject(key))
      return (await noteCommits(parts, subject(key), context.signal)) ?? published
    },
    'adopt/': async (key, context) => {
      await catchUp(parts, context.signal)
      return carryOutAdoption(parts, subject(key), claimOf(parts.sql, context))
    },
    'drift/': async (key, context) => {
      await catchUp(parts, context.signal)
      return tellDrift(parts, subject(key))
    },
    'notify/': async (key, context) => {
      await catchUp(parts, context.signal)
      await handOutNotifications(parts, subject(key))
    },
    'operation/': async (key, context) => {
      const [, environment = '', name = ''] = key.split('/')
      await catchUp(parts, context.signal)
      return beginScheduled(parts, environment, name)
    },
    'tidy/': (_, context) => tidy(parts, context.signal),
    'run/': async (key, context) => {
      await catchUp(parts, context.signal)
      await traced(parts, subject(key), () => run(parts, subject(key), claimOf(parts.sql, context)))
    },
  }
}

/** What waits for what it asks: on hands of its own, so that no delivery waits for it. */
export function lookHandlers(parts: Parts): Handlers {
  const looks: Looks = { log: new LookLog(parts.sql) }
  return {
    'send/': async (key, context) => {
      const [environment = '', ...channel] = subject(key).split('/')
      await catchUp(parts, context.signal)
      await sendMessages(parts, environment, channel.join('/'), context.signal)
    },
    'verify/': async (key, context) => {
      const [, environment = '', module = ''] = key.split('/')
      await catchUp(parts, context.signal)
      return verifyModule(parts, looks, environment, module, claimOf(parts.sql, context))
    },
  }
}

function subject(key: string): string {
  return key.slice(key.indexOf('/') + 1)
}
