// bsdiff-node as a rival of kerf's own segments: kept where it is smaller, and without harm where it fails.

import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BytePatcher, deltaBytesOf, encodeDelta, type SourceFile } from '@kerf/delta-sync';
import { bsdiffPatcher, patchFiles } from '@kerf/delta-sync/node';
import { seededRandom } from '@kerf/protocol';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { applyInMemory, bytesOfArray, model, modelWith, normal, plainFile, type Weight } from './support/sources.ts';

const isBuilt = ((): boolean => {
  try {
    createRequire(import.meta.url)('bsdiff-node');
    return true;
  } catch {
    return false;
  }
})();
const needsBsdiff = isBuilt ? test : test.skip;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kerf-test-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/**
 * A program: code, and addresses all over it that move when something is put in. bsdiff was made for this: old and new differ in a
 * few bytes of each stretch, by the same amount.
 */
function program(shift: number): Uint8Array {
  const random = seededRandom(5);
  const words = Uint32Array.from({ length: 30_000 }, (_, at) =>
    at % 6 === 0 ? 0x0040_0000 + Math.floor(random() * 60_000) + shift : Math.floor(random() * 2 ** 32),
  );
  const bytes = bytesOfArray(words);
  if (shift === 0) return bytes;
  return Uint8Array.from([...bytes.subarray(0, 40_000), ...new Uint8Array(shift).fill(144), ...bytes.subarray(40_000)]);
}

async function made(base: SourceFile, target: SourceFile, patcher?: BytePatcher) {
  const { chunks, report } = await encodeDelta({
    base: [base],
    target: [target],
    ...(patcher === undefined ? {} : { patcher }),
  });
  const delta = deltaBytesOf(chunks);
  const [out] = await applyInMemory(delta, [base]);
  const wanted = await target.reader.read(0, target.reader.byteLength);
  expect(Buffer.compare(out as Uint8Array, wanted)).toBe(0);
  return { bytes: delta.byteLength, report };
}

describe('a program whose addresses moved', () => {
  const files = async (): Promise<[SourceFile, SourceFile]> => [
    await plainFile('tool', program(0)),
    await plainFile('tool', program(24)),
  ];

  needsBsdiff('the smaller one is kept, and kerf applies it', async () => {
    const [base, target] = await files();
    const without = await made(base, target);
    const bsdiff = bsdiffPatcher({ temporaryFolder: folder });
    const { bytes, report } = await made(base, target, bsdiff.patch);
    expect(bsdiff.skipped).toEqual([]);
    expect(report.rival).toEqual({ tried: 1, kept: 1 });
    expect(new Set(report.parts.map(({ strategy }) => strategy))).toEqual(new Set(['bsdiff']));
    expect(bytes).toBeLessThan(without.bytes * 0.9);
    expect(await readdir(folder)).toEqual([]);
  });

  needsBsdiff('a process that takes too long is killed, and nothing is left of it', async () => {
    const [base, target] = await files();
    const bsdiff = bsdiffPatcher({ temporaryFolder: folder, timeoutMs: 1 });
    const { report } = await made(base, target, bsdiff.patch);
    expect(report.rival).toEqual({ tried: 1, kept: 0 });
    expect(bsdiff.skipped).toEqual(['bsdiff took longer than 1 ms']);
    expect(await readdir(folder)).toEqual([]);
  });

  test('more memory than it may have is refused before anything is started', async () => {
    const [base, target] = await files();
    const bsdiff = bsdiffPatcher({ temporaryFolder: join(folder, 'not there'), maxMemoryMib: 64 });
    const { report } = await made(base, target, bsdiff.patch);
    expect(report.rival?.kept).toBe(0);
    expect(bsdiff.skipped[0]).toMatch(/^bsdiff would need \d+ MiB, more than its 64 MiB$/);
  });

  test('a folder that cannot be written costs the rival, not the delta', async () => {
    const [base, target] = await files();
    const bsdiff = bsdiffPatcher({ temporaryFolder: join(folder, 'not there') });
    const { report } = await made(base, target, bsdiff.patch);
    expect(report.rival?.kept).toBe(0);
    expect(bsdiff.skipped[0]).toMatch(/^bsdiff could not be run: ENOENT/);
  });

  test('a patch that is wrong, or no patch at all, is not kept', async () => {
    const [base, target] = await files();
    const wrong = new Uint8Array(64).fill(66);
    const { report } = await made(base, target, () => Promise.resolve(wrong));
    expect(report.rival).toEqual({ tried: 1, kept: 0 });
  });

  needsBsdiff('a right patch of other bytes is not kept either', async () => {
    const [base, target] = await files();
    const { patch } = bsdiffPatcher({ temporaryFolder: folder });
    const { report } = await made(base, target, (old, fresh, most) =>
      patch(
        old,
        fresh.map((byte) => byte ^ 1),
        most,
      ),
    );
    expect(report.rival?.kept).toBe(0);
  });
});

test('where a segment takes names from the scratch, a patch has the old ones to start from', async () => {
  const old = normal(4096, 1, 1);
  // Columns in another order: many short copies.
  const fresh = old.map((_, at) => old[at - (at % 64) + ((at * 37) % 64)] as number);
  const named = (name: string, data: Float32Array): Weight => ({
    name,
    dtype: 'float32',
    shape: [64, 64],
    data: bytesOfArray(data),
  });
  const base = await model('old.onnx', modelWith([named('a', old)]));
  const target = await model('new.onnx', modelWith([named('a', fresh)]));
  const asked: number[] = [];
  await made(base, target, (old) => {
    asked.push(old.byteLength);
    return Promise.resolve(null);
  });
  expect(asked).toEqual([base.reader.byteLength]);
});

test('weights that moved are not even tried: no patch of bytes can beat their differences', async () => {
  const weight = (data: Float32Array): Weight => ({
    name: 'w',
    dtype: 'float32',
    shape: [96, 160],
    data: bytesOfArray(data),
  });
  const old = normal(96 * 160, 0.05, 1);
  const noise = normal(96 * 160, 5e-5, 3);
  const fresh = old.map((value, at) => value + (noise[at] as number));
  const { report } = await made(
    await model('old.onnx', modelWith([weight(old)])),
    await model('new.onnx', modelWith([weight(fresh)])),
    () => Promise.reject(new Error('it was asked')),
  );
  expect(report.rival).toEqual({ tried: 0, kept: 0 });
});

describe('a patch file that bsdiff made', () => {
  const at = (name: string): string => join(folder, name);
  const prepare = async (): Promise<Buffer> => {
    await writeFile(at('old'), program(0));
    await writeFile(at('new'), program(24));
    const { diff } = createRequire(import.meta.url)('bsdiff-node') as {
      diff: (old: string, fresh: string, patch: string) => Promise<void>;
    };
    await diff(at('old'), at('new'), at('patch'));
    return readFile(at('patch'));
  };
  const patched = (force = false) => patchFiles({ oldPath: at('old'), deltaPath: at('patch'), out: at('made'), force });

  needsBsdiff('makes the new file, and is said to be checked by nobody', async () => {
    await prepare();
    expect(await patched()).toMatchObject({ isVerified: false, files: [{ path: at('made'), bytes: 120_024 }] });
    expect((await readFile(at('made'))).equals(await readFile(at('new')))).toBe(true);
    await expect(patched()).rejects.toMatchObject({ code: 'FILE_EXISTS' });
    await expect(patched(true)).resolves.toMatchObject({ writtenBytes: 120_024 });
  });

  needsBsdiff('that is damaged or asks for too much writes nothing', async () => {
    const patch = await prepare();
    const huge = Buffer.from(patch);
    huge.writeBigUInt64LE(2n ** 40n, 24);
    const negative = Buffer.from(patch);
    negative[31] = 128;
    const cases: [Buffer, string][] = [
      [patch.subarray(0, 20), 'DELTA_MALFORMED'],
      [patch.subarray(0, patch.length - 100), 'DELTA_MALFORMED'],
      [Buffer.from('BSDIFF40'), 'DELTA_MALFORMED'],
      [negative, 'DELTA_MALFORMED'],
      [huge, 'DELTA_TOO_LARGE'],
    ];
    for (const [bytes, code] of cases) {
      await writeFile(at('patch'), bytes);
      await expect(patched()).rejects.toMatchObject({ code });
    }
    expect((await readdir(folder)).sort()).toEqual(['new', 'old', 'patch']);
  });
});
