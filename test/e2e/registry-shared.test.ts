// Two registries as processes on one PostgreSQL: what one is told the other knows, and what one dies over the other finishes.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { makeTarget, memoryReader, REPOSITORY_PATHS, readDeltaIndex, sha256Hex } from '@kerf/delta-sync';
import { type AuditEntry, ChainCheck, pushRepository, RegistryClient } from '@kerf/registry';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makePublisher, type Publisher } from '../../packages/delta-sync/test/support/publisher.ts';
import { normal } from '../../packages/delta-sync/test/support/sources.ts';
import { POSTGRESQL_URL, TEST_ENGINES, type TestEngine } from '../../packages/registry/test/databases.ts';

const { missing } = TEST_ENGINES.find(({ name }) => name === 'postgresql') as TestEngine;
/** Of 8 MB, so that making its delta takes long enough to die over. */
const COUNT = 2_000_000;
const schema = `kerf_test_${randomUUID().replaceAll('-', '').slice(0, 16)}`;
const script = fileURLToPath(new URL('../support/shared-registry.mjs', import.meta.url));

interface RegistryProcess {
  readonly child: ChildProcess;
  readonly client: RegistryClient;
}

interface DeltaState {
  readonly state: string;
  readonly attempts: number;
}

let folder: string;
let publisher: Publisher;
const running: ChildProcess[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kerf-shared-'));
  publisher = await makePublisher(['line']);
});

afterAll(async () => {
  for (const child of running) child.kill('SIGKILL');
  await publisher.remove();
  await rm(folder, { recursive: true, force: true });
  if (missing !== null) return;
  const client = new pg.Client(POSTGRESQL_URL);
  await client.connect();
  await client.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
  await client.end();
});

async function start(name: string): Promise<RegistryProcess> {
  const args = [script, POSTGRESQL_URL, schema, join(folder, 'blobs'), join(folder, `work-${name}`)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  running.push(child);
  for await (const line of createInterface({ input: child.stdout! })) {
    const event = JSON.parse(line) as { event: string; url: string };
    if (event.event !== 'listening') continue;
    child.stdout?.resume();
    return { child, client: new RegistryClient({ url: event.url, credential: 'anyone' }) };
  }
  throw new Error('the registry ended before it listened');
}

async function until<T>(ask: () => Promise<T>, isThere: (value: T) => boolean): Promise<T> {
  for (;;) {
    const value = await ask();
    if (isThere(value)) return value;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function bytesOf(client: RegistryClient, path: string): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for await (const chunk of (await client.download(path)) ?? []) chunks.push(chunk as Buffer);
  return new Uint8Array(Buffer.concat(chunks));
}

describe.skipIf(missing !== null)(`two registries on one PostgreSQL${missing === null ? '' : ` (${missing})`}`, () => {
  test('one dies in the middle of a delta, and the other makes it', { timeout: 120_000 }, async () => {
    const old = normal(COUNT, 0.05, 1);
    const noise = normal(COUNT, 5e-5, 2);
    const fresh = old.map((value, at) => value + (noise[at] as number));
    const files = [old, fresh].map((values) => new Uint8Array(values.buffer)) as [Uint8Array, Uint8Array];
    for (const [at, bytes] of files.entries()) {
      await publisher.publish('line', String(at + 1), await publisher.write(`${at}/weights.bin`, bytes), 0);
    }
    const [from, to] = [await sha256Hex(files[0]), await sha256Hex(files[1])];
    const [first, second] = [await start('first'), await start('second')];
    await pushRepository({ client: first.client, repository: publisher.repository });
    const { releases } = await second.client.json<{ releases: object[] }>('GET', '/v1/releases?name=line');
    expect(releases).toHaveLength(2);

    const state = (client: RegistryClient): Promise<DeltaState> =>
      client.json<DeltaState>('GET', `/v1/deltas/${from}/${to}`);
    expect(await first.client.download(REPOSITORY_PATHS.delta(from, to))).toBeNull();
    // Whoever was faster makes it: the one that was asked, in all likelihood; the test wants the maker dead.
    await until(
      () => state(second.client),
      (one) => one.state === 'making',
    );
    const maker = await makerOf(first, second);
    const survivor = maker === first ? second : first;
    const gone = once(maker.child, 'exit');
    maker.child.kill('SIGKILL');
    await gone;
    const after = await state(survivor.client);
    expect(after).toMatchObject({ state: 'making', attempts: 1 });

    const made = await until(
      () => state(survivor.client),
      (one) => one.state !== 'making' && one.state !== 'queued',
    );
    expect(made).toMatchObject({ state: 'ready', attempts: 2 });
    const delta = memoryReader(await bytesOf(survivor.client, REPOSITORY_PATHS.delta(from, to)));
    const index = await readDeltaIndex(delta);
    const out = new Uint8Array(files[1].byteLength);
    for await (const part of makeTarget({ index, delta, base: [memoryReader(files[0])] })) {
      out.set(part.bytes, part.offset);
    }
    expect(await sha256Hex(out)).toBe(to);
    const chain = new ChainCheck();
    const { entries } = await survivor.client.json<{ entries: AuditEntry[] }>('GET', '/v1/audit?limit=1000&after=0');
    for (const entry of entries) chain.take(entry);
    expect(chain.last?.number).toBeGreaterThan(0);
  });
});

/** The one whose work folder has something in it. */
async function makerOf(first: RegistryProcess, second: RegistryProcess): Promise<RegistryProcess> {
  const isBusy = async (name: string): Promise<boolean> =>
    (await readdir(join(folder, `work-${name}`), { recursive: true }).catch(() => [])).some((entry) =>
      entry.includes('target'),
    );
  return (await until(
    async () => ((await isBusy('first')) ? first : (await isBusy('second')) ? second : null),
    (one): one is RegistryProcess => one !== null,
  )) as RegistryProcess;
}
