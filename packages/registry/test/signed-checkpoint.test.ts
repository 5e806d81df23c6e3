// Checkpoints that an auditor signed: taken as they are, refused when anything in them is another.
import { generateKeyPairSync } from 'node:crypto';
import { signerOf } from '@kerf/delta-sync/node';
import { describe, expect, test } from 'vitest';
import { AUDIT_START, CHECKPOINT_FORMAT, chainEntry } from '../src/audit/chain.ts';
import { readCheckpoint, signCheckpoint } from '../src/audit/signed-checkpoint.ts';

const signer = () => signerOf(generateKeyPairSync('ed25519').privateKey);
const [ann, bob] = [signer(), signer()];
const entry = chainEntry(null, { actor: 'ann', action: 'device.enrolled', subject: 'cam-1', detail: {} }, 1000);
const checkpoint = { format: CHECKPOINT_FORMAT, number: entry.number, hash: entry.hash, at: entry.at } as const;

describe('a signed checkpoint', () => {
  test('is taken by whoever trusts its signer, over a file and back', async () => {
    const signed = JSON.parse(JSON.stringify(await signCheckpoint(checkpoint, [ann, bob]))) as unknown;
    expect(readCheckpoint(signed, 'mark', [bob.key])).toMatchObject(checkpoint);
    expect(readCheckpoint(signed, 'mark', [])).toMatchObject(checkpoint);
  });

  test.each([
    ['another hash', { hash: AUDIT_START }],
    ['another number', { number: 2 }],
    ['another moment', { at: 1001 }],
    ['no signature', { signatures: [] }],
  ])('with %s is refused', async (_name, change) => {
    const signed = { ...(await signCheckpoint(checkpoint, [ann])), ...change };
    expect(() => readCheckpoint(signed, 'mark', [ann.key])).toThrow(expect.objectContaining({ code: 'AUDIT_BROKEN' }));
  });

  test('of somebody else is refused, also under the id of the right key', async () => {
    const signed = await signCheckpoint(checkpoint, [bob]);
    expect(() => readCheckpoint(signed, 'mark', [ann.key])).toThrow(/not signed by any/);
    const [right, wrong] = [await signCheckpoint(checkpoint, [ann]), signed];
    const mixed = { ...wrong, signatures: [{ keyid: right.signatures[0]?.keyid, sig: wrong.signatures[0]?.sig }] };
    expect(() => readCheckpoint(mixed, 'mark', [ann.key])).toThrow(/not signed by any/);
  });

  test('what is no checkpoint is said to be none', () => {
    for (const value of [null, 3, {}, { ...checkpoint, hash: 'x' }, { ...checkpoint, signatures: [{}] }]) {
      expect(() => readCheckpoint(value, 'mark', [])).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    }
  });
});
