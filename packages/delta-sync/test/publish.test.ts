// A repository on disk: made, published to, rotated and refreshed; read by our client and by tuf-js over HTTP.

import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { REPOSITORY_PATHS, type TrustedRepository, updateTrust } from '@kerf/delta-sync';
import {
  addKey,
  createRepository,
  draftRelease,
  folderSource,
  folderStore,
  KeyRing,
  keysToReplace,
  listKeys,
  makeFoldersTo,
  type PublishOptions,
  type PublishReport,
  publishRelease,
  readManifestOf,
  refreshRepository,
  rotateKeys,
} from '@kerf/delta-sync/node';
import { KerfError } from '@kerf/protocol';
import { Updater } from 'tuf-js';
import { afterAll, beforeAll, expect, test } from 'vitest';

const PASSPHRASE = 'correct horse';
/** Cheap, so that the test does not wait for what makes guessing slow. */
const SCRYPT_N = 2 ** 14;
const NOW_MS = Date.now();
const models = new URL('../../../models/files/', import.meta.url).pathname;
let root = '';
let repository = '';
let keys = '';
let rootKeys = '';
let ring: KeyRing;

beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'kerf-publish-'));
  [repository, keys, rootKeys] = ['repository', 'keys', 'safe'].map((name) => path.join(root, name)) as [
    string,
    string,
    string,
  ];
  await createRepository({
    repository,
    keys,
    rootKeys,
    passphrase: PASSPHRASE,
    rootCount: 2,
    rootThreshold: 2,
    scryptN: SCRYPT_N,
    store: folderStore(path.join(keys, 'trusted')),
    nowMs: NOW_MS,
  });
  await addKey(keys, 'surface', PASSPHRASE, SCRYPT_N);
  ring = await KeyRing.open([keys], PASSPHRASE, repository);
}, 60_000);

afterAll(() => rm(root, { recursive: true, force: true }));

async function publish(
  file: string,
  version: string,
  use: Partial<
    Pick<PublishOptions, 'ring' | 'deltasFrom' | 'nowMs' | 'onStep' | 'signal'> &
      Pick<PublishOptions['words'], 'runtime'>
  > & {
    readonly store?: string;
  } = {},
): Promise<PublishReport> {
  const draft = await draftRelease({ place: file });
  try {
    return await publishRelease({
      repository,
      ring: use.ring ?? ring,
      store: folderStore(use.store ?? path.join(keys, 'trusted')),
      nowMs: use.nowMs ?? NOW_MS,
      draft,
      deltasFrom: use.deltasFrom ?? 0,
      ...(use.onStep === undefined ? {} : { onStep: use.onStep }),
      ...(use.signal === undefined ? {} : { signal: use.signal }),
      words: {
        name: 'surface',
        version,
        tails: [],
        runtime: use.runtime ?? { kerf: null, onnxruntime: null },
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

/** As a new device that was shipped with the first root. */
async function freshDevice(nowMs: number | null = NOW_MS): Promise<TrustedRepository> {
  const kept = new Map<string, Uint8Array>([
    ['root.json', new Uint8Array(await readFile(path.join(repository, 'metadata/1.root.json')))],
  ]);
  return await updateTrust({
    source: folderSource(repository),
    store: { read: async (name) => kept.get(name) ?? null, write: async (name, bytes) => void kept.set(name, bytes) },
    nowMs,
  });
}

test('a release is stored, signed for, and found by a device', async () => {
  const lite = path.join(models, 'surface-lite.onnx');
  const { id, manifest, isNew } = await publish(lite, '1.0');
  expect(isNew).toBe(true);
  const [release] = await (await freshDevice()).releases('surface');
  expect(release).toMatchObject({ version: '1.0', sha256: id, sequence: 1 });
  expect(await readManifestOf(repository, release as never)).toEqual(manifest);
  const [file] = manifest.files;
  expect(file).toMatchObject({ name: 'surface-lite.onnx', role: 'model', bytes: 159_711 });
  expect(file?.groups.length).toBeGreaterThan(1);
  const blob = await readFile(path.join(repository, REPOSITORY_PATHS.blob(file?.sha256 ?? '')));
  expect(blob.equals(await readFile(lite))).toBe(true);
  // Published once more, it is the same release.
  expect(await publish(lite, '1.0')).toMatchObject({ id, isNew: false });
});

test.each(['storing', 'compressing'])(
  'one that is interrupted while it is %s is not there; the next one is',
  async (at) => {
    const stop = new AbortController();
    const onStep = (step: string): void => {
      if (step.startsWith(at)) stop.abort();
    };
    const lite = path.join(models, 'surface-lite.onnx');
    await expect(publish(lite, '1.1', { onStep, signal: stop.signal })).rejects.toMatchObject({ code: 'CANCELLED' });
    expect((await (await freshDevice()).releases('surface')).map(({ version }) => version)).toEqual(['1.0']);
  },
);

test('a version is published once', async () => {
  const steps: string[] = [];
  const onStep = (step: string): void => void steps.push(step);
  await expect(publish(path.join(models, 'surface-lite.md'), '1.0', { onStep })).rejects.toMatchObject({
    code: 'RELEASE_CONFLICT',
  });
  // Said before anything is stored, and before deltas take their time; so is what no manifest may hold.
  const runtime = { kerf: null, onnxruntime: '99' };
  await expect(publish(path.join(models, 'surface-lite.md'), '9.0', { onStep, runtime })).rejects.toMatchObject({
    code: 'RELEASE_INVALID',
    message: expect.stringMatching(/'runtime.onnxruntime' must be a version such as 1\.30\.0/) as string,
  });
  expect(steps).toEqual([]);
});

test('a clock that is behind or far ahead is said before anything is stored', async () => {
  const steps: string[] = [];
  const late = (nowMs: number): Promise<PublishReport> =>
    publish(path.join(models, 'surface-lite.md'), '9.0', { nowMs, onStep: (step) => void steps.push(step) });
  await expect(late(0)).rejects.toMatchObject({ code: 'CLOCK_WRONG' });
  await expect(late(NOW_MS + 3 * 365 * 24 * 3_600_000)).rejects.toMatchObject({
    code: 'METADATA_EXPIRED',
    message: expect.stringMatching(/^root\.json expired/) as string,
  });
  expect(steps).toEqual([]);
});

test('a delta from the release before, the model renamed, is listed with the hash of its index', async () => {
  const place = path.join(root, 'surface-lite-of-march.onnx');
  const bytes = await readFile(path.join(models, 'surface-lite.onnx'));
  // Another bias or two.
  bytes.writeFloatLE(0.125, 120_000);
  await writeFile(place, bytes);
  const { manifest } = await publish(place, '1.1', { deltasFrom: 2 });
  const [file] = manifest.files;
  const [before] = (await freshDevice()).metadata.targets('targets')?.roles ?? [];
  expect(before?.name).toBe('surface');
  const delta = file?.deltas.find(({ base }) => base !== null);
  expect(delta?.bytes).toBeLessThan(2000);
  const stats = await stat(path.join(repository, REPOSITORY_PATHS.delta(delta?.base ?? null, file?.sha256 ?? '')));
  expect(stats.size).toBe(delta?.bytes);
}, 60_000);

test('two publishers at once: one wins, the other is told and loses nothing', async () => {
  const other = path.join(root, 'other-trusted');
  const files = await Promise.all(
    ['a', 'b'].map(async (name) => {
      const file = path.join(root, `${name}.txt`);
      await writeFile(file, name.repeat(100));
      return file;
    }),
  );
  const results = await Promise.allSettled([
    publish(files[0] as string, '1.2'),
    publish(files[1] as string, '1.2', { store: other }),
  ]);
  const won = results.filter(({ status }) => status === 'fulfilled');
  const lost = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
  expect(won).toHaveLength(1);
  expect(lost.every((error) => KerfError.is(error) && error.code === 'RELEASE_CONFLICT')).toBe(true);
  const again = await publish(files[results[0]?.status === 'fulfilled' ? 1 : 0] as string, '1.3', { store: other });
  expect(again.isNew).toBe(true);
  const versions = (await (await freshDevice()).releases('surface')).map(({ version }) => version);
  expect(versions).toEqual(['1.0', '1.1', '1.2', '1.3']);
});

test('the lock of a process that is gone is taken over, one that lives is not', async () => {
  const file = path.join(repository, '.lock');
  const { hostname } = await import('node:os');
  const note = path.join(root, 'note.txt');
  await writeFile(note, 'note');
  await writeFile(file, JSON.stringify({ pid: process.ppid, host: hostname(), since: 'now' }));
  await expect(publish(note, '1.4')).rejects.toMatchObject({
    code: 'RELEASE_CONFLICT',
    message: expect.stringContaining(String(process.ppid)) as string,
  });
  await writeFile(file, JSON.stringify({ pid: 2 ** 22 + 1, host: hostname(), since: 'now' }));
  expect((await publish(note, '1.4')).isNew).toBe(true);
  await expect(stat(file)).rejects.toThrow();
});

test('keys: a wrong passphrase, missing keys, keys in the repository', async () => {
  const wrong = await KeyRing.open([keys], 'wrong', repository);
  await expect(
    refreshRepository({ repository, ring: wrong, store: folderStore(path.join(keys, 'trusted')), nowMs: NOW_MS }),
  ).rejects.toMatchObject({ code: 'KEY_UNUSABLE' });
  // Before a blob is stored or a delta made.
  const steps: string[] = [];
  await expect(
    publish(path.join(models, 'surface-lite.onnx'), '7.0', { ring: wrong, onStep: (step) => void steps.push(step) }),
  ).rejects.toMatchObject({ code: 'KEY_UNUSABLE' });
  expect(steps).toEqual([]);
  const none = await KeyRing.open([rootKeys], PASSPHRASE, repository);
  await expect(
    refreshRepository({ repository, ring: none, store: folderStore(path.join(keys, 'trusted')), nowMs: NOW_MS }),
  ).rejects.toMatchObject({ code: 'KEY_UNUSABLE' });
  await expect(KeyRing.open([path.join(repository, 'keys')], PASSPHRASE, repository)).rejects.toMatchObject({
    code: 'KEY_UNUSABLE',
  });
  for (const { path: file } of await listKeys(keys)) {
    expect((await stat(file)).mode & 0o077).toBe(0);
    expect(await readFile(file, 'utf8')).not.toContain('PRIVATE');
  }
});

test('every key can be exchanged; old devices follow, the old keys are worth nothing', async () => {
  const all = [keys, rootKeys];
  const store = folderStore(path.join(keys, 'trusted'));
  for (const role of ['root', 'timestamp', 'snapshot', 'targets', 'surface']) {
    const fresh = await addKey(role === 'root' ? rootKeys : keys, role, PASSPHRASE, SCRYPT_N);
    const full = await KeyRing.open(all, PASSPHRASE, repository);
    await rotateKeys({ repository, ring: full, store, nowMs: NOW_MS }, [{ role, keys: [fresh.key], threshold: 1 }]);
    await rm(
      (await listKeys(role === 'root' ? rootKeys : keys)).find((one) => one.role === role && one.keyid !== fresh.keyid)
        ?.path ?? '',
    );
  }
  const trusted = await freshDevice();
  expect((await trusted.releases('surface')).length).toBe(5);
  expect(trusted.metadata.root.version).toBe(5);
  ring = await KeyRing.open([keys], PASSPHRASE, repository);
  const note = path.join(root, 'note5.txt');
  await writeFile(note, 'five');
  expect((await publish(note, '1.5')).isNew).toBe(true);
}, 60_000);

test('a disk with all keys but those of root is lost: all roles get new keys at once, and devices follow', async () => {
  const lost = path.join(root, 'lost');
  await cp(repository, lost, { recursive: true });
  const copy = { repository: lost, store: folderStore(path.join(root, 'lost-trusted')), nowMs: NOW_MS };
  const roles = ['timestamp', 'snapshot', 'targets', 'surface'];
  const stick = await KeyRing.open([rootKeys], PASSPHRASE, lost);
  await expect(keysToReplace({ ...copy, ring: stick }, ['timestamp'])).rejects.toThrow(/kerf keys rotate snapshot/);
  await expect(keysToReplace({ ...copy, ring: stick }, ['surface'])).rejects.toMatchObject({ code: 'KEY_UNUSABLE' });
  const before = await keysToReplace({ ...copy, ring: stick }, roles);
  expect(before.map(({ keyids, threshold }) => [keyids.length, threshold])).toEqual(roles.map(() => [1, 1]));
  const made = path.join(root, 'new-keys');
  const fresh = [];
  for (const role of roles) {
    const { key } = await addKey(made, role, PASSPHRASE, SCRYPT_N);
    fresh.push({ role, keys: [key], threshold: 1 });
  }
  await rotateKeys({ ...copy, ring: await KeyRing.open([made, rootKeys], PASSPHRASE, lost) }, fresh);
  const device = folderStore(path.join(root, 'device-of-the-lost'));
  await device.write('root.json', await readFile(path.join(repository, REPOSITORY_PATHS.metadata('root', 1))));
  const trusted = await updateTrust({ source: folderSource(lost), store: device, nowMs: NOW_MS });
  expect((await trusted.releases('surface')).length).toBe(6);
});

test('a repository that was set back is refused by its own publisher', async () => {
  const copy = path.join(root, 'copy');
  await cp(repository, copy, { recursive: true });
  await refreshRepository({ repository, ring, store: folderStore(path.join(keys, 'trusted')), nowMs: NOW_MS });
  await expect(
    refreshRepository({ repository: copy, ring, store: folderStore(path.join(keys, 'trusted')), nowMs: NOW_MS }),
  ).rejects.toMatchObject({ code: 'ROLLBACK_REFUSED' });
});

test('tuf-js, the reference client in JavaScript, reads the repository over HTTP and downloads a manifest', async () => {
  const server: Server = createServer((request, response) => {
    readFile(path.join(repository, request.url ?? '')).then(
      (bytes) => response.end(bytes),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const base = `http://127.0.0.1:${address.port}`;
  const dir = await mkdtemp(path.join(root, 'tuf-'));
  await cp(path.join(repository, 'metadata/1.root.json'), path.join(dir, 'root.json'));
  try {
    const updater = new Updater({
      metadataDir: dir,
      metadataBaseUrl: `${base}/metadata`,
      targetDir: dir,
      targetBaseUrl: `${base}/targets`,
    });
    await updater.refresh();
    const target = await updater.getTargetInfo('surface/1.0.json');
    if (target === undefined) throw new Error('not found');
    const file = await updater.downloadTarget(target);
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ format: 'kerf-release/1', version: '1.0' });
    expect(await updater.getTargetInfo('surface/9.9.json')).toBeUndefined();
    expect((await readdir(dir)).sort()).toContain('timestamp.json');
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
});

test('folders are made in a repository that is there; one that is gone is said, and not made anew', async () => {
  const place = path.join(root, 'with-folders');
  await mkdir(place);
  const file = path.join(place, 'blobs', 'ab', 'file');
  await makeFoldersTo(place, file);
  await makeFoldersTo(place, file);
  expect((await stat(path.dirname(file))).isDirectory()).toBe(true);
  await rm(place, { recursive: true });
  await expect(makeFoldersTo(place, file)).rejects.toMatchObject({
    code: 'FILE_NOT_FOUND',
    message: expect.stringMatching(/ is gone$/) as string,
  });
  await expect(stat(place)).rejects.toThrow('ENOENT');
});

test('refresh makes an abandoned repository trustworthy again, role by role as their keys are here', async () => {
  const day = 24 * 3600 * 1000;
  const store = folderStore(path.join(keys, 'trusted'));
  const later = NOW_MS + 40 * day;
  await expect(freshDevice(later)).rejects.toMatchObject({ code: 'METADATA_EXPIRED' });
  const soon = await refreshRepository({ repository, ring, store, nowMs: later });
  expect(soon.filter(({ isRefreshed }) => isRefreshed).map(({ role }) => role)).toEqual(['timestamp', 'snapshot']);
  expect((await (await freshDevice(later)).releases('surface')).length).toBe(6);
  const year = NOW_MS + 300 * day;
  const most = await refreshRepository({ repository, ring, store, nowMs: year });
  expect(
    most
      .filter(({ isRefreshed }) => isRefreshed)
      .map(({ role }) => role)
      .sort(),
  ).toEqual(['snapshot', 'surface', 'targets', 'timestamp']);
  expect(most.some(({ isDue }) => isDue)).toBe(false);
  const late = await refreshRepository({ repository, ring, store, nowMs: NOW_MS + 490 * day });
  expect(late.filter(({ isDue }) => isDue).map(({ role }) => role)).toEqual(['root']);
  const old = NOW_MS + 590 * day;
  const full = await KeyRing.open([keys, rootKeys], PASSPHRASE, repository);
  const all = await refreshRepository({ repository, ring: full, store, nowMs: old });
  expect(all.every(({ isRefreshed }) => isRefreshed)).toBe(true);
  const trusted = await freshDevice(old + 29 * day);
  expect((await trusted.releases('surface')).length).toBe(6);
  expect(trusted.metadata.root.version).toBe(6);
});
