/** What a stretch of a bench cost, and whom: so that a stall of ours can be told from a machine that others use too. */
import { readdirSync, readFileSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import { monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks'

type Ran = { readonly cpuMs: number; readonly waitedMs: number }
const never: Ran = { cpuMs: 0, waitedMs: 0 }

/** How long the threads of a process ran, and how long they were ready to and had to wait for a CPU (`/proc/<pid>/task/<tid>/schedstat`). Zero where the system does not tell. */
function threadsOf(pid: number): Map<string, Ran> {
  const threads = new Map<string, Ran>()
  try {
    for (const tid of readdirSync(`/proc/${pid}/task`)) {
      const [ran = 0, waited = 0] = readFileSync(`/proc/${pid}/task/${tid}/schedstat`, 'utf8').split(' ').map(Number)
      threads.set(tid, { cpuMs: ran / 1e6, waitedMs: waited / 1e6 })
    }
  } catch {
    // another system, or a thread that has just ended
  }
  return threads
}

function since(before: ReadonlyMap<string, Ran>, now: ReadonlyMap<string, Ran>): Map<string, Ran> {
  return new Map([...now].map(([tid, ran]) => [tid, { cpuMs: ran.cpuMs - (before.get(tid) ?? never).cpuMs, waitedMs: ran.waitedMs - (before.get(tid) ?? never).waitedMs }]))
}

function total(threads: ReadonlyMap<string, Ran>): Ran {
  return [...threads.values()].reduce((sum, { cpuMs, waitedMs }) => ({ cpuMs: sum.cpuMs + cpuMs, waitedMs: sum.waitedMs + waitedMs }), never)
}

const busyMs = (): number => cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0)

/** Begins to measure this process and its children of the names given; the function that ends it answers lines to print. */
export function measureLoad(children: Readonly<Record<string, number>>): () => string[] {
  const loop = monitorEventLoopDelay({ resolution: 1 })
  const pauses: number[] = []
  const collections = new PerformanceObserver((list) => pauses.push(...list.getEntries().map(({ duration }) => duration)))
  collections.observe({ entryTypes: ['gc'] })
  loop.enable()
  const pids = { 'this process': process.pid, ...children }
  const before = new Map(Object.entries(pids).map(([name, pid]) => [name, threadsOf(pid)]))
  const [began, busy] = [performance.now(), busyMs()]
  return () => {
    const ms = performance.now() - began
    const everybody = busyMs() - busy
    loop.disable()
    collections.disconnect()
    const ran = Object.entries(pids).map(([name, pid]) => ({ name, threads: since(before.get(name) ?? new Map(), threadsOf(pid)) }))
    const ours = ran.reduce((sum, { threads }) => sum + total(threads).cpuMs, 0)
    const own = ran[0]?.threads ?? new Map<string, Ran>()
    const main = own.get(String(process.pid)) ?? never
    const part = (of: number): string => `${((100 * of) / ms).toFixed(0)} %`
    return [
      `  event loop: late by ${at(loop, 50)} ms (median), ${at(loop, 99)} ms (99th percentile), ${(loop.max / 1e6).toFixed(1)} ms (most); garbage collected ${pauses.length} times, ${sum(pauses).toFixed(0)} ms together, ${Math.max(0, ...pauses).toFixed(1)} ms at most`,
      `  CPU, of ${availableParallelism()} times 100 %: ${ran.map(({ name, threads }) => `${name} ${part(total(threads).cpuMs)}`).join(', ')}, everybody else ${part(Math.max(0, everybody - ours))}`,
      `  ready to run and waiting for a CPU: the main thread ${main.waitedMs.toFixed(0)} ms of ${ms.toFixed(0)}, all threads of this process ${total(own).waitedMs.toFixed(0)} ms`,
    ]
  }
}

const at = (loop: ReturnType<typeof monitorEventLoopDelay>, percentile: number): string => (loop.percentile(percentile) / 1e6).toFixed(1)
const sum = (all: readonly number[]): number => all.reduce((so, one) => so + one, 0)
