// A checkpoint of the audit log <-> the same with signatures: whoever keeps it can then not exchange it either.
import { canonicalJson, keyIdOf, type Signer, type TufKey, verifySignature } from '@kerf/delta-sync';
import { KerfError } from '@kerf/protocol';
import { type AuditCheckpoint, CHECKPOINT_FORMAT } from './chain.ts';

export interface CheckpointSignature {
  readonly keyid: string;
  /** 64 bytes in hex, over the canonical JSON of the checkpoint without its signatures. */
  readonly sig: string;
}

export interface SignedCheckpoint extends AuditCheckpoint {
  /** Empty for one that nobody has signed. */
  readonly signatures: readonly CheckpointSignature[];
}

const MAX_SIGNATURES = 16;
const HASH = /^[0-9a-f]{64}$/;

/** By a person who has verified the log up to it: the registry itself holds no key. */
export async function signCheckpoint(
  checkpoint: AuditCheckpoint,
  signers: readonly Signer[],
): Promise<SignedCheckpoint> {
  const message = messageOf(checkpoint);
  const signatures: CheckpointSignature[] = [];
  for (const signer of signers) {
    const sig = Buffer.from(await signer.sign(message)).toString('hex');
    signatures.push({ keyid: keyIdOf(signer.key), sig });
  }
  return { ...checkpoint, signatures };
}

/**
 * @param signers keys of which one must have signed; empty: none need have
 * @throws {KerfError} INVALID_ARGUMENT for what is no checkpoint, AUDIT_BROKEN for one that none of them has signed.
 */
export function readCheckpoint(value: unknown, name: string, signers: readonly TufKey[]): SignedCheckpoint {
  const checkpoint = shapeOf(value);
  if (checkpoint === null) throw new KerfError('INVALID_ARGUMENT', `${name} is no checkpoint of an audit log`);
  const message = messageOf(checkpoint);
  const isSigned = signers.some((key) =>
    checkpoint.signatures.some(({ keyid, sig }) => keyid === keyIdOf(key) && verifySignature(key, sig, message)),
  );
  if (signers.length > 0 && !isSigned) {
    throw new KerfError('AUDIT_BROKEN', `the checkpoint ${name} is not signed by any of the ${signers.length} signers`);
  }
  return checkpoint;
}

function shapeOf(value: unknown): SignedCheckpoint | null {
  if (typeof value !== 'object' || value === null) return null;
  const { format, number, hash, at, signatures = [] } = value as Record<string, unknown>;
  if (format !== CHECKPOINT_FORMAT || typeof hash !== 'string' || !HASH.test(hash)) return null;
  if (!isCount(number) || !isCount(at) || !Array.isArray(signatures) || signatures.length > MAX_SIGNATURES) return null;
  if (!signatures.every(isSignature)) return null;
  return { format, number, hash, at, signatures };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isSignature(value: unknown): value is CheckpointSignature {
  const { keyid, sig } = (value ?? {}) as Partial<CheckpointSignature>;
  return typeof keyid === 'string' && typeof sig === 'string';
}

function messageOf({ format, number, hash, at }: AuditCheckpoint): Uint8Array {
  return canonicalJson({ format, number, hash, at });
}
