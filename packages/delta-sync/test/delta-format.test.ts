// What devices that read only the first format of deltas are given.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type FormatVersion, REPOSITORY_PATHS } from '@kerf/delta-sync';
import {
  addKey,
  createRepository,
  draftRelease,
  folderStore,
  KeyRing,
  type PublishReport,
  publishRelease,
} from '@kerf/delta-sync/node';
import { afterAll, beforeAll, expect, test } from 'vitest';

const PASSPHRASE = 'correct horse';
const SCRYPT_N = 2 ** 14;
const NUMBERS = Int32Array.from({ length: 6000 }, (_, at) => Math.imul(at, 0x9e37_79b1) >> 4);
let root = '';
let repository = '';
let ring: KeyRing;

beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'kerf-delta-format-'));
  repository = path.join(root, 'repository');
  const keys = path.join(root, 'keys');
  await createRepository({
    repository,
    keys,
    rootKeys: path.join(root, 'safe'),
    passphrase: PASSPHRASE,
    rootCount: 1,
    rootThreshold: 1,
    scryptN: SCRYPT_N,
    store: folderStore(path.join(root, 'trusted')),
    nowMs: Date.now(),
  });
  await addKey(keys, 'table', PASSPHRASE, SCRYPT_N);
  ring = await KeyRing.open([keys], PASSPHRASE, repository);
}, 60_000);

afterAll(() => rm(root, { recursive: true, force: true }));

/** A table of numbers, all moved by so much; with a delta from the release before. */
async function publish(by: number, version: string, deltaFormat?: FormatVersion): Promise<PublishReport> {
  const place = path.join(root, 'table.bin');
  await writeFile(
    place,
    NUMBERS.map((value) => value + by),
  );
  const draft = await draftRelease({ place });
  try {
    return await publishRelease({
      repository,
      ring,
      store: folderStore(path.join(root, 'trusted')),
      nowMs: Date.now(),
      draft,
      deltasFrom: 1,
      ...(deltaFormat === undefined ? {} : { deltaFormat }),
      words: {
        name: 'table',
        version,
        tails: [],
        runtime: { kerf: null, onnxruntime: null },
        station: {},
        golden: null,
        snapped: null,
        notes: '',
        createdBy: 'test',
      },
    });
  } finally {
    await draft.close();
  }
}

/** Of the deltas between two releases that the manifest lists. */
async function formatsIn({ manifest }: PublishReport): Promise<(number | undefined)[]> {
  const [file] = manifest.files;
  const bases = (file?.deltas ?? []).flatMap(({ base }) => (base === null ? [] : [base]));
  const place = (base: string): string => path.join(repository, REPOSITORY_PATHS.delta(base, file?.sha256 ?? ''));
  return await Promise.all(bases.map(async (base) => (await readFile(place(base)))[7]));
}

test('deltas are of the first format where that is asked for; one of a newer format that is there is kept and not listed', async () => {
  await publish(0, '1');
  expect(await formatsIn(await publish(4321, '2', 1))).toEqual([1]);
  await publish(0, '3');
  expect(await formatsIn(await publish(77, '4'))).toEqual([2]);
  await publish(0, '5');
  expect(await formatsIn(await publish(77, '6', 1))).toEqual([]);
}, 60_000);
