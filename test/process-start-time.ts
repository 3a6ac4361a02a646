import { readFileSync } from 'node:fs'

/** When a process started, in the kernel's ticks: with the id, it names one process for ever. Nothing where there is no /proc, or no such process. */
export function startTimeOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] // proc(5): field 22; the name before it may hold spaces
  } catch {
    return undefined
  }
}
