import type { Told } from './telemetry/tracer.ts'
import { deliver as deliverAll } from './deliver.ts'
import { gateRun as gate } from './gate-run.ts'
import { inSpan } from './telemetry/in-span.ts'
import { operate as carryOut } from './operation/operate.ts'
import { planRun as plan } from './plan-run.ts'
import { renderRun as render } from './render-run.ts'
import { seal as sealRun, sealFailure as sealRefused } from './seal.ts'
import { verifyChange as verifyAll } from './verify.ts'
import type { Work } from './work.ts'

// The steps of the path, with a span around each where traces are asked for. Nothing of what they do depends on it.

export const renderRun = spanned('render', render)
export const planRun = spanned('plan', plan, ({ digest }) => ({ attributes: { digest } }))
export const gateRun = spanned('gate', gate, ({ outcome }) => ({ attributes: { outcome } }))
export const deliver = spanned('deliver', deliverAll)
export const operate = spanned('operate', carryOut)
export const verifyChange = spanned('verify', verifyAll)
export const seal = spanned('record', sealRun)
export const sealFailure = spanned('record', sealRefused)

function spanned<Rest extends readonly unknown[], Result>(name: string, step: (work: Work, ...rest: Rest) => Promise<Result>, tell?: (result: Result) => Told): typeof step {
  return (work, ...rest) => inSpan(work.parts, name, { environment: work.run.environment }, () => step(work, ...rest), tell)
}
