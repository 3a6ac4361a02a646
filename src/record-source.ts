import { resolve } from 'node:path'
import { connect } from '#cli/connect.ts'
import type { Where } from '#cli/connect.ts'
import type { Surroundings } from '#cli/surroundings.ts'
import { Failure } from '#lib/failure.ts'
import type { ChainFrame } from '#record/chain.ts'
import type { Envelope } from '#record/dsse.ts'

/** Where records come from: a control plane that runs, page by page. */
export type RecordSource = {
  readonly publicKey: string
  /** `signatures`: of the records that were read so far, where they were asked for. */
  readonly chains: readonly { readonly frame: ChainFrame; readonly pages: AsyncIterable<readonly string[]>; readonly signatures: readonly Signature[] }[]
}

type Signature = Envelope['signatures'][number]

/** The chains as they stand now; what is appended while they are read is left out, for the checkpoints say nothing of it. `sign`: with a signature of each record. */
export async function recordsOfServer(where: Where, around: Surroundings, environment?: string, sign?: 'each'): Promise<RecordSource> {
  const { client } = connect(where, around)
  const first = await client.exportRecords({ environment, sign })
  return {
    publicKey: first.publicKey,
    chains: first.chains.map(({ records, signatures: signed, size, ...frame }) => {
      const signatures: Signature[] = []
      return {
        frame,
        signatures,
        pages: (async function* () {
          let from = frame.start?.size ?? 0
          for (let page: Page | undefined = { records, signatures: signed }; page !== undefined && page.records.length > 0; ) {
            const kept = page.records.slice(0, size - from)
            for (const one of page.signatures?.slice(0, kept.length) ?? []) signatures.push(one)
            yield kept
            from += kept.length
            if (from >= size) return
            page = (await client.exportRecords({ environment: frame.environment, from, sign })).chains[0]
          }
        })(),
      }
    }),
  }
}

type Page = { readonly records: readonly string[]; readonly signatures?: readonly Signature[] | undefined }

/** A public key's PEM. Failure `record-key-invalid`. */
export function readKeyFile(file: string, around: Surroundings): string {
  const key = around.readFile(resolve(around.cwd, file))
  if (key !== undefined) return key
  throw new Failure({ code: 'record-key-invalid', subject: file, message: 'the file cannot be read', hint: 'It is `keys/record.pub.pem` in the control plane’s folder.' })
}
