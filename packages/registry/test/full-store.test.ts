// A blob store that fails in the middle of an upload: the sender is told why, and the registry goes on.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { anyoneMay } from '@kerf/access';
import { KerfError } from '@kerf/protocol';
import { openEmbedded, openFolderBlobs, startRegistry } from '@kerf/registry';
import { expect, test } from 'vitest';

test.each([
  ['ENOSPC', "the registry's disk is full: nothing was changed; make room there, and try again"],
  ['EIO', 'the database or the blob store of the registry failed'],
])('%s while a blob comes in is answered, and so is what comes next', async (code, message) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'kerf-full-'));
  const blobs = await openFolderBlobs(path.join(folder, 'blobs'));
  const registry = await startRegistry({
    database: await openEmbedded({ file: path.join(folder, 'registry.db') }),
    blobs: {
      ...blobs,
      async write(_, source) {
        for await (const chunk of source) {
          const cause = Object.assign(new Error(`write failed after ${chunk.byteLength} bytes`), { code });
          throw new KerfError('STORE_FAILED', `the folder of blobs failed (${code})`, { cause });
        }
      },
    },
    workFolder: path.join(folder, 'work'),
    verify: anyoneMay,
    port: 0,
    certificate: null,
  });
  try {
    for (let turn = 0; turn < 3; turn++) {
      const answer = await fetch(`${registry.url}/v1/blobs/${'ab'.repeat(32)}`, {
        method: 'PUT',
        headers: { authorization: 'Bearer anyone', 'content-type': 'application/octet-stream' },
        body: new Uint8Array(4_000_000),
      });
      expect(answer.status).toBe(503);
      expect(await answer.json()).toMatchObject({ error: { code: 'STORE_FAILED', message } });
    }
    expect((await fetch(`${registry.url}/openapi.json`)).status).toBe(200);
  } finally {
    await registry.close();
    await rm(folder, { recursive: true, force: true });
  }
});
