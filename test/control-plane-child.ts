import { flushCompileCache } from 'node:module'
import { systemClock } from '#lib/clock.ts'
import { startControlPlane, type ControlPlaneOptions } from '../src/control-plane.ts'

// A control plane to be killed, or stopped for a while, by a test. Its argument: the options as JSON. Each line that it prints is a fact.
const options = JSON.parse(process.argv[2] ?? '{}') as Pick<ControlPlaneOptions, 'dir' | 'databaseUrl' | 'workspace' | 'kubeconfig' | 'leaseMs'>
await startControlPlane({ ...options, host: '127.0.0.1', port: 0, clock: systemClock, env: { PATH: process.env['PATH'] }, log: (line) => console.log(line) })
flushCompileCache() // who is killed writes nothing at its end: the next one starts at a third of the cost
console.log('ready')
