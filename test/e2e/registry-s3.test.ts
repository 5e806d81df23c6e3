// `kerf registry` on PostgreSQL and a real S3 server, and devices some releases behind: deltas one behind the other, a store that dies,
// and the cut that a device tells of itself.
import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { issueToken } from '@kerf/access';
import { Device, MirrorSet, sha256Hex } from '@kerf/delta-sync';
import { folderStorage, nodeHasher } from '@kerf/delta-sync/node';
import { buildModel } from '@kerf/onnx';
import { float32Tensor, systemClock } from '@kerf/protocol';
import { followRegistry, pushRepository, RegistryClient, registryMirror } from '@kerf/registry';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makePublisher, type Publisher } from '../../packages/delta-sync/test/support/publisher.ts';
import { normal } from '../../packages/delta-sync/test/support/sources.ts';
import { POSTGRESQL_URL, TEST_ENGINES, type TestEngine } from '../../packages/registry/test/databases.ts';
import { type S3Server, startS3Server } from '../../packages/registry/test/s3-server.ts';
import { type KerfRegistry, startKerfRegistry } from '../support/kerf-registry.ts';
import { jsonOf, runKerf } from './support/run-kerf.ts';

const { missing } = TEST_ENGINES.find(({ name }) => name === 'postgresql') as TestEngine;
const schema = `kerf_test_${randomUUID().replaceAll('-', '').slice(0, 16)}`;
const SIDE = 256;
const VERSIONS = ['1.0', '1.1', '1.2', '1.3'] as const;
/** A machine that is busy with other tests takes its time. */
const PATIENCE = { timeout: 400_000 };

let folder: string;
let publisher: Publisher;
let s3: S3Server;
let registry: KerfRegistry;
let client: RegistryClient;

/** Two layers; each version moves some rows of the first. */
function model(version: number): Uint8Array {
  const first = normal(SIDE * SIDE, 0.05, 1);
  for (let at = 1; at <= version; at++) first.set(normal(4 * SIDE, 0.05, 10 + at), 8 * at * SIDE);
  return buildModel({
    nodes: [
      { op: 'MatMul', inputs: ['x', 'w1'], outputs: ['h1'] },
      { op: 'Relu', inputs: ['h1'], outputs: ['r1'] },
      { op: 'MatMul', inputs: ['r1', 'w2'], outputs: ['h2'] },
      { op: 'Relu', inputs: ['h2'], outputs: ['r2'] },
      { op: 'ReduceMean', inputs: ['r2'], outputs: ['y'], attributes: { keepdims: 0 } },
    ],
    inputs: [{ name: 'x', dtype: 'float32', shape: [1, SIDE] }],
    outputs: [{ name: 'y', dtype: 'float32', shape: [] }],
    initializers: [
      { name: 'w1', tensor: float32Tensor([SIDE, SIDE], first) },
      { name: 'w2', tensor: float32Tensor([SIDE, SIDE], normal(SIDE * SIDE, 0.05, 2)) },
    ],
  });
}

const kerf = async <T>(...args: string[]): Promise<T> => {
  const env = { KERF_REGISTRY: registry.url, KERF_REGISTRY_TOKEN: await token() };
  const reach = args[0] === 'devices' ? ['--ca', registry.certificatePath] : [];
  return jsonOf<T>(await runKerf([...args, ...reach, '--json'], { cwd: folder, env, timeoutMs: 200_000 }));
};

const token = async (): Promise<string> =>
  issueToken({
    privateKeyPem: await readFile(registry.keyPath, 'utf8'),
    subject: 'ann',
    models: [],
    registry: ['*'],
    expiresInSeconds: 3600,
    audience: 'kerf-registry',
  });

async function enrolled(id: string): Promise<RegistryClient> {
  const { token: invitation } = await kerf<{ token: string }>('devices', 'invite');
  await kerf('devices', 'enrol', id, '--invitation', invitation, '--out', `${id}.credential`);
  const credential = (await readFile(join(folder, `${id}.credential`), 'utf8')).trim();
  return new RegistryClient({ url: registry.url, credential, ca: registry.ca });
}

interface Fetched {
  readonly way: string;
  readonly bytes: number;
}

/** A device of the library's, on real files, that fetches from the registry alone. */
async function deviceOf(
  id: string,
  name: string,
  reached: RegistryClient,
): Promise<(version: string) => Promise<Fetched>> {
  const storage = await folderStorage(join(folder, id));
  await storage.state.append(
    'trust-root.json',
    new Uint8Array(await readFile(join(publisher.repository, 'metadata/1.root.json'))),
  );
  const told = { read: async () => [], write: async () => {} };
  return async (version) => {
    let fetched: Fetched = { way: '', bytes: 0 };
    const device = await Device.open({
      storage,
      name,
      mirrors: new MirrorSet({ mirrors: [registryMirror(reached, 'the registry')], clock: systemClock }),
      side: null,
      versions: { kerf: '0.1.0', onnxruntime: '1.30.0' },
      makeHasher: nodeHasher,
      clock: systemClock,
      wallClockMs: () => Date.now(),
      limits: { attempts: 2 },
      onEvent(event) {
        if (event.kind === 'fetched') fetched = { way: event.file.way, bytes: event.file.fetchedBytes };
      },
    });
    await kerf('devices', 'assign', id, '--release', `${name}@${version}`);
    const facts = { agent: 'test', provider: null, cut: null, health: null };
    const { outcome, reason } = await followRegistry({ client: reached, device, name, facts, told });
    expect([outcome, reason]).toEqual(['switched', null]);
    await device.confirm();
    expect((await device.verifyActive())?.version).toBe(version);
    return fetched;
  };
}

describe.skipIf(missing !== null)(`on PostgreSQL and S3${missing === null ? '' : ` (${missing})`}`, () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kerf-s3-'));
    s3 = await startS3Server();
    const { endpoint, bucket, credentials } = s3.options;
    registry = await startKerfRegistry(join(folder, 'registry'), {
      args: ['--database', POSTGRESQL_URL, '--schema', schema, '--s3', endpoint, '--s3-bucket', bucket],
      env: {
        KERF_S3_ACCESS_KEY_ID: credentials.accessKeyId,
        KERF_S3_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      },
    });
    client = new RegistryClient({ url: registry.url, credential: await token(), ca: registry.ca });
    publisher = await makePublisher(['line', 'parts']);
    for (const [at, version] of VERSIONS.entries()) {
      // Each lists the delta from the one before, and no other.
      await publisher.publish('line', version, await publisher.write(`${version}/line.onnx`, model(at)), 1);
    }
    await pushRepository({ client, repository: publisher.repository });
  }, 400_000);
  afterAll(async () => {
    await registry?.kill();
    await s3?.remove();
    await publisher?.remove();
    await rm(folder, { recursive: true, force: true });
    const database = new pg.Client(POSTGRESQL_URL);
    await database.connect();
    await database.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
    await database.end();
  }, 60_000);

  test(
    'a device three releases behind takes three deltas; the next one gets one that was made meanwhile',
    PATIENCE,
    async () => {
      const [from, to] = await Promise.all([model(0), model(3)].map((bytes) => sha256Hex(bytes)));
      const install = await deviceOf('cam-1', 'line', await enrolled('cam-1'));
      // All of it, compressed where that is smaller.
      expect((await install('1.0')).bytes).toBeGreaterThan(400_000);
      expect(await client.json('GET', `/v1/routes/${from}/${to}`)).toMatchObject({
        steps: [{ from }, {}, { to }],
      });
      const { way, bytes } = await install('1.3');
      expect(way).toBe('route');
      expect(bytes).toBeLessThan(60_000);
      // Asked for by the first one, and made by the registry in a process of its own, out of the bucket and into it.
      const made = async (): Promise<string> =>
        (await client.json<{ state: string }>('GET', `/v1/deltas/${from}/${to}`)).state;
      await expect.poll(made, { timeout: 120_000 }).toBe('ready');
      const next = await deviceOf('cam-2', 'line', await enrolled('cam-2'));
      await next('1.0');
      const single = await next('1.3');
      expect(single.way).toBe('delta');
      expect(single.bytes).toBeLessThan(bytes);
    },
  );

  test(
    'a store that dies is said by its code; the device keeps what it has, and goes on when the store is back',
    PATIENCE,
    async () => {
      const install = await deviceOf('cam-3', 'line', await enrolled('cam-3'));
      await install('1.0');
      await s3.kill();
      await expect(install('1.1')).rejects.toMatchObject({ code: 'MIRROR_UNAVAILABLE', retryable: true });
      await s3.start();
      const after = await install('1.1');
      expect(after.way).toBe('delta');
      expect(after.bytes).toBeLessThan(60_000);
    },
  );

  test(
    'kerf devices follow tells where the release that runs is cut, and tells it again when that changes',
    PATIENCE,
    async () => {
      for (const [at, cut] of ['r1', 'r2'].entries()) {
        await writeFile(join(folder, 'parts.onnx'), model(at));
        await kerf('split', 'parts.onnx', '--at', cut, '--out', `split-${at}`);
        await publisher.publish('parts', `1.${at}`, join(folder, `split-${at}`), 1);
      }
      await pushRepository({ client, repository: publisher.repository });
      await enrolled('cam-4');
      const root = join(publisher.repository, 'metadata/1.root.json');
      const init = ['--device', 'cam-4', '--name', 'parts', '--root', root, '--mirror', 'no-stick'];
      await kerf('update', 'init', ...init);
      const follow = (): Promise<{ outcome: string }> =>
        kerf('devices', 'follow', '--device', 'cam-4', '--once', '--token', '@cam-4.credential');
      const told = async (): Promise<string | null> =>
        (await kerf<{ cut: string | null }>('devices', 'show', 'cam-4')).cut;
      for (const [at, cut] of ['r1', 'r2'].entries()) {
        await kerf('devices', 'assign', 'cam-4', '--release', `parts@1.${at}`);
        expect(await follow()).toMatchObject({ outcome: 'switched' });
        await kerf('update', 'confirm', '--device', 'cam-4');
        expect(await follow()).toMatchObject({ outcome: 'kept' });
        expect(await told()).toBe(cut);
      }
      await kerf('update', 'status', '--device', 'cam-4');
    },
  );
});
