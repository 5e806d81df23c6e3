// The registry as a process: the commands of operators, a device that works without it, and kill -9 in the middle of everything.
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { REPOSITORY_PATHS } from '@kerf/delta-sync';
import { KerfError, seededRandom } from '@kerf/protocol';
import { type AuditEntry, ChainCheck, pushRepository, RegistryClient } from '@kerf/registry';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makePublisher, type Publisher } from '../../packages/delta-sync/test/support/publisher.ts';
import { startKerfRegistry } from '../support/kerf-registry.ts';
import { expectRefusal, jsonOf, type Ran, runKerf } from './support/run-kerf.ts';

let folder = '';
let publisher: Publisher;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kerf-registry-'));
  publisher = await makePublisher(['line']);
});

afterAll(async () => {
  await publisher.remove();
  await rm(folder, { recursive: true, force: true });
});

describe('the commands', () => {
  it('take a release from a folder to a device, by two people', async () => {
    const registry = await startKerfRegistry(join(folder, 'commands'));
    try {
      const { id } = await publisher.publish('line', '1', await publisher.write('one/line.txt', 'the first\n'));
      const kerf = async (subject: string, ...args: string[]) => {
        const env = { KERF_REGISTRY: registry.url, KERF_REGISTRY_TOKEN: await registry.token(subject) };
        return runKerf([...args, '--ca', registry.certificatePath, '--json'], { cwd: folder, env });
      };
      const pushed = await kerf('ann', 'registry', 'push', '--repository', publisher.repository);
      expect(jsonOf(pushed)).toMatchObject({ releases: [{ id, name: 'line', version: '1' }], sentBlobs: 1 });
      const invited = jsonOf<{ token: string }>(await kerf('ann', 'devices', 'invite', '--group', 'lab'));
      const enrol = ['devices', 'enrol', 'cam-1', '--invitation', invited.token, '--out', 'cam-1.credential'];
      // Cut off before the registry heard of it: the same command goes on with the same secret.
      expectRefusal(
        await runKerf([...enrol, '--registry', 'https://127.0.0.1:1'], { cwd: folder }),
        1,
        'REGISTRY_UNREACHABLE',
      );
      expect(jsonOf(await kerf('nobody', ...enrol))).toMatchObject({ device: 'cam-1' });
      expect(jsonOf(await kerf('nobody', ...enrol))).toMatchObject({ device: 'cam-1' });
      const started = await kerf('ann', 'rollout', 'start', '--release', 'line@1', '--stages', 'group:lab,rest');
      const { id: rollout } = jsonOf<{ id: string }>(started);
      expectRefusal(await kerf('ann', 'rollout', 'approve', rollout), 1, 'FORBIDDEN');
      const approved = jsonOf<{ state: { approvedBy: string } }>(await kerf('bob', 'rollout', 'approve', rollout));
      expect(approved.state.approvedBy).toBe('bob');
      const root = join(publisher.repository, 'metadata/1.root.json');
      const init = [
        'update',
        'init',
        '--device',
        'cam',
        '--name',
        'line',
        '--root',
        root,
        '--mirror',
        'no-stick',
        '--side',
        'all',
      ];
      jsonOf(await runKerf([...init, '--json'], { cwd: folder }));
      const follow = async (): Promise<Ran> => {
        const args = ['devices', 'follow', '--device', 'cam', '--once', '--json'];
        const reach = ['--registry', registry.url, '--token', '@cam-1.credential', '--ca', registry.certificatePath];
        return runKerf([...args, ...reach], { cwd: folder });
      };
      // The rollout begins at the registry's next look at the clock.
      let followed = { outcome: 'kept', wish: null as { release: string } | null };
      while (followed.wish === null) followed = jsonOf<typeof followed>(await follow());
      expect(followed).toMatchObject({ outcome: 'switched', wish: { release: id, because: 'rollout' } });
      expect(jsonOf(await follow())).toMatchObject({ outcome: 'kept' });
      const parts = jsonOf<{ state: string }[]>(await kerf('ann', 'rollout', 'devices', rollout));
      expect(parts.map(({ state }) => state)).toEqual(['succeeded']);
      const listed = jsonOf<{ id: string }[]>(await kerf('ann', 'devices', 'list'));
      expect(listed.map((one) => one.id)).toEqual(['cam-1']);
      expect(jsonOf(await kerf('ann', 'devices', 'show', 'cam-1'))).toMatchObject({
        agent: expect.stringMatching(/^kerf\//),
        provider: 'onnxruntime-node/cpu',
        health: { state: 'confirmed', rejected: 0, golden: null },
      });
      expect(jsonOf(await kerf('ann', 'audit', 'verify'))).toMatchObject({ checkpoints: 0 });
      expect(await registry.stop()).toBe(0);
      // Gone: said in one line; the device keeps what it has.
      expectRefusal(await kerf('ann', 'devices', 'list'), 1, 'REGISTRY_UNREACHABLE');
      expectRefusal(await follow(), 1, 'REGISTRY_UNREACHABLE');
      const status = await runKerf(['update', 'status', '--device', 'cam', '--json'], { cwd: folder });
      expect(jsonOf(status)).toMatchObject({ active: { id, version: '1' } });
    } finally {
      await registry.kill();
    }
  });

  it('find a log that was changed, and one that was cut', async () => {
    const registry = await startKerfRegistry(join(folder, 'audit'));
    try {
      const token = await registry.token('ann');
      const client = new RegistryClient({ url: registry.url, credential: token, ca: registry.ca });
      for (let at = 0; at < 5; at++) await invite(client);
      const env = { KERF_REGISTRY: registry.url, KERF_REGISTRY_TOKEN: token };
      const audit = (...args: string[]) =>
        runKerf(['audit', ...args, '--ca', registry.certificatePath], { cwd: folder, env });
      const passphrase = { KERF_PASSPHRASE: 'a passphrase' };
      const added = jsonOf<{ keys: { file: string }[] }>(
        await runKerf(['keys', 'add', 'auditor', '--keys', 'auditor', '--json'], { cwd: folder, env: passphrase }),
      );
      const key = (added.keys[0] as { file: string }).file;
      Object.assign(env, passphrase);
      expect((await audit('checkpoint', '--out', 'mark.json', '--sign', key)).status).toBe(0);
      expect((await audit('export', '--out', 'log.jsonl')).status).toBe(0);
      const lines = (await readFile(join(folder, 'log.jsonl'), 'utf8')).trim().split('\n');
      const verify = async (kept: readonly string[]) => {
        await writeFile(join(folder, 'changed.jsonl'), `${kept.join('\n')}\n`);
        return audit('verify', '--file', 'changed.jsonl', '--checkpoint', 'mark.json', '--signer', key);
      };
      expect((await verify(lines)).status).toBe(0);
      expectRefusal(await verify(lines.slice(0, -1)), 1, 'AUDIT_BROKEN');
      expectRefusal(await verify(lines.with(2, (lines[2] as string).replace('ann', 'eve'))), 1, 'AUDIT_BROKEN');
    } finally {
      await registry.kill();
    }
  });
});

async function invite(client: RegistryClient): Promise<string> {
  const body = { groups: [], labels: {}, deviceId: null, expiresInSeconds: 600 };
  const { token } = await client.json<{ token: string }>('POST', '/v1/enrolments', body);
  return token.split('.')[1] as string;
}

describe('killed in the middle', () => {
  it('has what it acknowledged, whole, and nothing by halves', async () => {
    const data = join(folder, 'killed');
    const random = seededRandom(20_261_126);
    const invited = new Set<string>();
    const stored = new Map<string, Buffer>();
    let pushed = 0;
    for (let round = 0; round < 6; round++) {
      const registry = await startKerfRegistry(data);
      const client = new RegistryClient({
        url: registry.url,
        credential: await registry.token('ann'),
        ca: registry.ca,
      });
      await checkAll(client, invited, stored);
      await publisher.publish('line', `9.${round}`, await publisher.write(`r${round}/line.txt`, randomBytes(500_000)));
      const stop = { now: false };
      const work = [
        until(stop, async () => void invited.add(await invite(client))),
        until(stop, async () => {
          const blob = randomBytes(2_000_000);
          const sha256 = createHash('sha256').update(blob).digest('hex');
          await client.upload(`/v1/blobs/${sha256}`, [blob] as unknown as AsyncIterable<Uint8Array>, blob.byteLength);
          stored.set(sha256, blob);
        }),
        until(stop, async () => {
          await pushRepository({ client, repository: publisher.repository });
          pushed += 1;
          stop.now = true;
        }),
      ];
      await new Promise((resolve) => setTimeout(resolve, 30 + random() * 500));
      await registry.kill();
      stop.now = true;
      await Promise.all(work);
    }
    const registry = await startKerfRegistry(data);
    try {
      const client = new RegistryClient({
        url: registry.url,
        credential: await registry.token('ann'),
        ca: registry.ca,
      });
      await checkAll(client, invited, stored);
      // Whatever the kills left undone is done by sending again.
      await pushRepository({ client, repository: publisher.repository });
      const { releases } = await client.json<{ releases: { version: string }[] }>('GET', '/v1/releases?name=line');
      expect(releases.map(({ version }) => version)).toEqual(expect.arrayContaining(['9.0', '9.5']));
      expect(invited.size + stored.size + pushed).toBeGreaterThan(0);
    } finally {
      await registry.stop();
    }
  });
});

/** Works until told to stop; a registry that has gone ends it. */
async function until(stop: { now: boolean }, work: () => Promise<void>): Promise<void> {
  while (!stop.now) {
    try {
      await work();
    } catch (error) {
      if (KerfError.is(error) && error.code === 'REGISTRY_UNREACHABLE') return;
      throw error;
    }
  }
}

/** The log is whole and holds every invitation that was answered; every blob that was answered has its bytes. */
async function checkAll(
  client: RegistryClient,
  invited: ReadonlySet<string>,
  stored: ReadonlyMap<string, Buffer>,
): Promise<void> {
  const chain = new ChainCheck();
  const seen = new Set<string>();
  for (let after: string | null = '0'; after !== null; ) {
    const page: { entries: AuditEntry[]; after: string | null } = await client.json(
      'GET',
      `/v1/audit?limit=1000&after=${after}`,
    );
    for (const entry of page.entries) {
      chain.take(entry);
      seen.add(entry.subject);
    }
    after = page.after;
  }
  expect([...invited].filter((id) => !seen.has(id))).toEqual([]);
  for (const [sha256, blob] of stored) {
    const body = await client.download(REPOSITORY_PATHS.blob(sha256));
    const chunks: Buffer[] = [];
    for await (const chunk of body ?? []) chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks).equals(blob)).toBe(true);
  }
}
