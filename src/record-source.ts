import { resolve } from 'node:path'
import { connect } from '#cli/connect.ts'
import type { Where } from '#cli/connect.ts'
import type { Surroundings } from '#cli/surroundings.ts'
import { Failure } from '#lib/failure.ts'
import type { ChainFrame } from '#record/chain.ts'

/** Where records come from: a control plane that runs, page by page. */
export type RecordSource = { readonly publicKey: string; readonly chains: readonly { readonly frame: ChainFrame; readonly pages: AsyncIterable<readonly string[]> }[] }

/** The chains as they stand now; what is appended while they are read is left out, for the checkpoints say nothing of it. */
export async function recordsOfServer(where: Where, around: Surroundings, environment?: string): Promise<RecordSource> {
  const { client } = connect(where, around)
  const first = await client.exportRecords({ environment })
  return {
    publicKey: first.publicKey,
    chains: first.chains.map(({ records, size, ...frame }) => ({
      frame,
      pages: (async function* () {
        let from = frame.start?.size ?? 0
        for (let page: readonly string[] = records; page.length > 0; ) {
          const kept = page.slice(0, size - from)
          yield kept
          from += kept.length
          if (from >= size) return
          page = (await client.exportRecords({ environment: frame.environment, from })).chains[0]?.records ?? []
        }
      })(),
    })),
  }
}

/** A public key's PEM. Failure `record-key-invalid`. */
export function readKeyFile(file: string, around: Surroundings): string {
  const key = around.readFile(resolve(around.cwd, file))
  if (key !== undefined) return key
  throw new Failure({ code: 'record-key-invalid', subject: file, message: 'the file cannot be read', hint: 'It is `keys/record.pub.pem` in the control plane’s folder.' })
}
