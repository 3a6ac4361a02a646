import { createSocket, type Socket } from 'node:dgram'
import type { ControllerContext } from '#playground/controllers/controller.ts'
import { answerFor } from './cluster-names.ts'
import { readQuestion, writeAnswer } from './dns-message.ts'

export type NameServer = {
  /** `127.0.0.1:40123`, by UDP. */
  readonly address: string
  readonly isOpen: boolean
  /** Answers no longer: who asks hears nothing, or that nobody is there. */
  close(): Promise<void>
  /** Answers again, at the same address. */
  open(): Promise<void>
  stop(): Promise<void>
}

const host = '127.0.0.1'

/**
 * The name server of a cluster, for whoever is told its address: neither this machine's resolver nor the programs in pods ask it. `port` is the Ingress's own, whose number UDP
 * has to itself: so it is in Git, and the same after a restart. Where somebody has it, the log says so, and there is no name server until `open` can have it.
 */
export async function startNameServer({ objects, log }: ControllerContext, port: number): Promise<NameServer> {
  let socket: Socket | undefined
  const open = async (): Promise<void> => {
    if (socket === undefined) socket = await bound(port, (message) => {
      const question = readQuestion(message)
      return question === undefined ? undefined : writeAnswer(question, answerFor(question.name, objects, host))
    })
  }
  const close = async (): Promise<void> => {
    const open = socket
    socket = undefined
    if (open !== undefined) await new Promise<void>((resolve) => open.close(resolve))
  }
  await open().catch((error: unknown) => log(`there is no name server: ${error instanceof Error ? error.message : String(error)}`))
  return {
    address: `${host}:${port}`,
    get isOpen() {
      return socket !== undefined
    },
    open,
    close,
    stop: close,
  }
}

function bound(port: number, reply: (message: Buffer) => Buffer | undefined): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4')
    socket.once('error', reject)
    socket.bind({ address: host, port, exclusive: true }, () => {
      socket.off('error', reject).on('error', () => {}) // an answer that nobody waits for any more
      socket.on('message', (message, { address, port: from }) => {
        const answer = reply(message)
        if (answer !== undefined) socket.send(answer, from, address)
      })
      resolve(socket)
    })
  })
}
