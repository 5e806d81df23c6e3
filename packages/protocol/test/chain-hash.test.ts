// The hashes that name a division of a chain, held against values that were computed elsewhere.
import { expect, test } from 'vitest';
import { chainPair } from '../src/index.ts';

const manifest = { chain: 'ab'.repeat(32), segments: [{}, {}, {}] } as never;

test('the pair of a division is the SHA-256 of its JSON text', async () => {
  // printf '["kerf-chain-pair/1","abab...",1]' | sha256sum
  expect(await chainPair(manifest, 1)).toBe('01e0cab6fa566ebca107e2e2bd5fe81cc04bb0d2cd2c08525c923fb18b55b70d');
  expect(await chainPair(manifest, 0)).toBe('05ba8f5311b2761a38f660529f9a710f3a2b56b8da1b9392ded099bfa5469ecb');
});

test('there is none where the cloud has no work', async () => {
  for (const at of [3, -1, 0.5])
    await expect(chainPair(manifest, at)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
});
