import { z } from 'zod'
import type { Driver } from '../driver.ts'
import { apply } from './apply.ts'
import { audited } from './audited.ts'
import { declare } from './body.ts'
import { autoscalerKinds } from './delegated.ts'
import { identify } from './identify.ts'
import { observe } from './observe.ts'
import { preview } from './preview.ts'
import { ready } from './ready.ts'
import { recognise } from './recognise.ts'
import { recover } from './recover.ts'
import { survey } from './survey.ts'
import { rewriters } from './rewriters.ts'
import { watch } from './watch.ts'

/** Delivers Kubernetes objects by server-side apply, as the field manager `plumbline`. See README.md. */
export const kubernetes: Driver<'kubernetes'> = {
  id: 'kubernetes',
  tracks: ['declarative', 'operator'],
  needs: ['kubernetes'],
  config: z.strictObject({}),
  identify,
  declare: (call, module, desired) => declare(call.secretDigest, module, desired),
  observe,
  preview,
  apply,
  recognise,
  recover,
  ready,
  survey,
  watch,
  movers: autoscalerKinds,
  audited,
  rewriters,
}
