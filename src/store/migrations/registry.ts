import { work } from './0001-work.ts'
import { path } from './0002-path.ts'
import { chains } from './0003-chains.ts'
import { before } from './0004-before.ts'
import { begun } from './0005-begun.ts'
import { fingerprints } from './0006-fingerprints.ts'
import { keysAndPruning } from './0007-keys-and-pruning.ts'
import { since } from './0008-since.ts'
import { proof } from './0009-proof.ts'
import { place } from './0010-place.ts'
import { verification } from './0011-verification.ts'
import { findings } from './0012-findings.ts'
import { adoptions } from './0013-adoptions.ts'
import { tallies } from './0014-tallies.ts'
import { rollback } from './0015-rollback.ts'
import type { Migration } from './migration.ts'

/** In order; a test holds it against the folder. */
export const migrations: readonly Migration[] = [work, path, chains, before, begun, fingerprints, keysAndPruning, since, proof, place, verification, findings, adoptions, tallies, rollback]
