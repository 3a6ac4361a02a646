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
  'yaml-invalid': { http: 422, exit: 2, about: 'A file is not valid YAML, or holds what JSON cannot: the subject names file, line and column.' },
  'yaml-too-large': { http: 413, exit: 2, about: 'A file has more bytes or documents than are read.' },
  'yaml-too-deep': { http: 422, exit: 2, about: 'A file nests collections deeper than is read.' },
  'yaml-aliases': { http: 422, exit: 2, about: 'A file has more aliases, or they copy more, than is allowed.' },
  // source
  'repository-url-refused': { http: 422, exit: 2, about: 'The URL of a repository is of a form that is not fetched from, or holds credentials.' },
  'branch-name-invalid': { http: 422, exit: 2, about: 'A branch is named as Git names none.' },
  'git-credentials-unfit': { http: 422, exit: 2, about: 'The credentials of a repository do not suit the transport of its URL.' },
  'repository-unreachable': { http: 502, exit: 4, about: 'A repository did not answer, or refused the credentials; its last head stands.' },
  'repository-fetch-failed': { http: 502, exit: 4, about: 'A repository answers but could not be fetched; its last head stands.' },
  'branch-missing': { http: 404, exit: 2, about: 'A repository has no such branch; what was fetched last stands.' },
  'mirror-corrupt': { http: 500, exit: 4, about: 'The local mirror of a repository cannot be read; the next fetch makes it anew.' },
  'mirror-closed': { http: 503, exit: 4, about: 'A mirror was closed while it was being read.' },
  'commit-unknown': { http: 404, exit: 1, about: 'The mirror of a repository has no such commit, or it is no full commit id.' },
  'path-outside-repository': { http: 422, exit: 2, about: 'A path, or an entry of a tree, leaves its repository.' },
  'not-a-file': { http: 422, exit: 2, about: 'A folder or a submodule stands where a file is read.' },
  'file-too-large': { http: 413, exit: 2, about: 'A file is larger than what is read from a repository.' },
  'tree-too-large': { http: 413, exit: 2, about: 'A folder holds more than what is read from a repository.' },
  'git-failed': { http: 500, exit: 1, about: 'A git command failed, with the words that git had for it.' },
  'ref-refused': { http: 422, exit: 2, about: 'A ref that Plumbline does not write.' },
  'ref-moved': { http: 409, exit: 1, about: 'A ref on a remote is not what it was when Plumbline wrote it last; nothing was overwritten.' },
  'push-refused': { http: 502, exit: 1, about: 'A repository did not take a push.' },
  'webhook-signature': { http: 401, exit: 1, about: 'A webhook bears no signature, or one that does not hold.' },
  'webhook-invalid': { http: 400, exit: 1, about: 'A webhook is signed, but is not of a form that is known.' },
  'webhook-unknown-repository': { http: 404, exit: 1, about: 'A webhook names a repository that is not followed.' },
  // configuration and rendering
  'configuration-invalid': { http: 422, exit: 2, about: 'A configuration document is wrong: `subject` has file, line and column, `fields` the path of the field. `fields.problems` holds them all where the whole configuration is refused.' },
  'workspace-missing': { http: 404, exit: 2, about: 'There is no plumbline.yaml at the root of the workspace’s repository, or that was not read yet.' },
  'module-duplicate': { http: 409, exit: 2, about: 'Two modules have one name; neither is delivered, and nothing of them is deleted, until one is renamed.' },
  'variable-unknown': { http: 422, exit: 2, about: 'A `${name}` in `source.path` or in a probe names no variable of the environment.' },
  // plan and gate
  'field-path-invalid': { http: 400, exit: 2, about: 'A text is not a field path, or an object holds something else where it leads.' },
  'managed-fields-invalid': { http: 502, exit: 4, about: 'What a server says of who owns which fields is not in the format FieldsV1.' },
  'object-declared-twice': { http: 422, exit: 2, about: 'Two manifests declare the same object.' },
  'dependency-circle': { http: 422, exit: 2, about: 'Modules depend on each other in a circle.' },
  'dependency-unknown': { http: 422, exit: 2, about: 'A module depends on one that does not exist.' },
  'object-exists': { http: 409, exit: 1, about: 'An object exists already and is not ours; the module does not say that it may be taken over.' },
  'object-recreated': { http: 409, exit: 1, about: 'An object that we made was deleted and made again by somebody else.' },
  'object-held-elsewhere': { http: 409, exit: 1, about: 'An object is held for a module that still declares it, or that is delivered elsewhere.' },
  'object-not-observed': { http: 500, exit: 4, about: 'A driver did not say what it saw of an object that a plan is about.' },
  'object-terminating': { http: 409, exit: 1, about: 'An object is being deleted, so that nothing can be applied to it now.' },
  // drivers, probes and clients
  'kubeconfig-invalid': { http: 422, exit: 2, about: 'A kubeconfig cannot be read, or lacks the context that a target names.' },
  'kubernetes-sign-in-failed': { http: 502, exit: 4, about: 'The credentials that a kubeconfig names cannot be had (a plugin failed, a file is missing).' },
  'kubernetes-unreachable': { http: 502, exit: 4, about: 'A Kubernetes API server cannot be reached, or the connection was lost under a request.' },
  'kubernetes-unauthorized': { http: 502, exit: 4, about: 'A Kubernetes API server does not take our credentials.' },
  'kubernetes-failing': { http: 502, exit: 4, about: 'A Kubernetes API server answers with an error of its own, or with what makes no sense.' },
  'kubernetes-answer-too-large': { http: 502, exit: 4, about: 'An answer of a Kubernetes API server is larger than what is read.' },
  'kubernetes-expired': { http: 502, exit: 4, about: 'A list expired again and again while its pages were read.' },
  'kubernetes-refused': { http: 422, exit: 1, about: 'A Kubernetes API server refuses what was asked: it is invalid, or not allowed.' },
  'kubernetes-not-found': { http: 404, exit: 1, about: 'A Kubernetes API server does not know what was asked for: a namespace, a kind, a path.' },
  'kubernetes-conflict': { http: 409, exit: 1, about: 'An object in Kubernetes changed meanwhile, or another manager owns fields that Git changes.' },
  // secrets
  'secret-reference-invalid': { http: 422, exit: 2, about: 'A reference to a secret is not of the form <provider>:<path>#<key>, or its path leaves where it starts.' },
  'secret-provider-unknown': { http: 422, exit: 2, about: 'A reference names a provider of secrets that there is none of.' },
  'secret-not-found': { http: 404, exit: 2, about: 'There is no secret where a reference points, or it is empty.' },
  'secret-refused': { http: 403, exit: 2, about: 'A provider does not read what a reference points to.' },
  'secret-unavailable': { http: 503, exit: 4, about: 'A provider could not be asked for a secret.' },
  // record
  'record-key-invalid': { http: 400, exit: 2, about: 'A key is not an Ed25519 key in PEM.' },
  'record-export-invalid': { http: 400, exit: 2, about: 'A folder is not an export of records, or is incomplete.' },
  // store
  'store-unavailable': { http: 503, exit: 4, about: 'The store cannot be reached, or its disk is full or failing. Nothing that was acknowledged is lost; try again later.' },
  'store-timeout': { http: 504, exit: 4, about: 'The store ended a statement that took too long.' },
  'store-conflict': { http: 503, exit: 4, about: 'Two transactions were in each other\'s way, and this one was undone: try it again.' },
  'store-constraint': { http: 409, exit: 1, about: 'The store refused a row that breaks one of its rules.' },
  'store-denied': { http: 503, exit: 2, about: 'The server refused the user, the password or the database of DATABASE_URL.' },
  'store-statement': { http: 500, exit: 1, about: 'A defect: the store cannot carry out a statement.' },
  'store-misuse': { http: 500, exit: 1, about: 'A defect: a statement was sent past the transaction that it is in, or after its end.' },
  'store-locked': { http: 409, exit: 2, about: 'Another process uses the folder of the store.' },
  'store-broken': { http: 503, exit: 2, about: 'The folder of the store cannot be used, or holds no store of this version.' },
  'store-lock-taken': { http: 409, exit: 4, about: 'Another session holds a lock in the store.' },
  'store-newer': { http: 503, exit: 2, about: 'The store was used by a newer Plumbline.' },
  'migration-changed': { http: 503, exit: 2, about: 'A migration that was applied to the store has another text now.' },
  'lease-lost': { http: 409, exit: 4, about: 'Another worker has taken over this piece of work.' },
  'worker-stopping': { http: 503, exit: 4, about: 'The worker is stopping; what was not finished is taken up again.' },
  // run
  // api and command
  // playground
  'playground-locked': { http: 409, exit: 2, about: 'Another process runs a playground in this folder.' },
  'playground-state': { http: 503, exit: 2, about: 'The playground’s own file of ports cannot be read.' },
  'playground-addresses': { http: 503, exit: 1, about: 'The playground finds no free loopback addresses or ports.' },
  'playground-ingress-port': { http: 409, exit: 2, about: 'The port of an environment’s ingress, which Git names, is in use by another program.' },
  'playground-repository': { http: 500, exit: 1, about: 'An example repository cannot be made.' },
} as const satisfies Readonly<Record<string, ErrorEntry>>

export type ErrorCode = keyof typeof errors
