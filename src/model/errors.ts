/** One line of the catalogue. `http`: the status of an API answer. `exit`: the exit code of `plumb` (1 failed or refused, 2 usage or configuration, 3 waits for a person, 4 unknown). */
export type ErrorEntry = { readonly http: 400 | 401 | 403 | 404 | 409 | 410 | 413 | 422 | 429 | 500 | 502 | 503 | 504; readonly exit: 1 | 2 | 3 | 4; readonly about: string }

/** Every code that a `Failure` can bear. A test holds it against the code; `docs/reference/errors.md` is generated from it. */
export const errors = {
  // lib
  internal: { http: 500, exit: 1, about: 'A defect in Plumbline.' },
  'process-missing': { http: 503, exit: 2, about: 'A program that is needed is not installed, or not on the PATH.' },
  'process-timeout': { http: 504, exit: 4, about: 'A program did not end within its time limit, and was stopped.' },
  'process-output-too-large': { http: 422, exit: 1, about: 'A program wrote more than its limit, and was stopped.' },
  'process-killed': { http: 500, exit: 4, about: 'A program was ended by a signal.' },
  // source
  // configuration and rendering
  // plan and gate
  // drivers, probes and clients
  // secrets
  // record
  'record-key-invalid': { http: 400, exit: 2, about: 'A key is not an Ed25519 key in PEM.' },
  'record-export-invalid': { http: 400, exit: 2, about: 'A folder is not an export of records, or is incomplete.' },
  // store
  // run
  // api and command
  // playground
} as const satisfies Readonly<Record<string, ErrorEntry>>

export type ErrorCode = keyof typeof errors
