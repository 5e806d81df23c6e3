// The API over HTTP: what each route does, and that every route and every status of the description has been seen, on both
// databases.
import { createHash, randomBytes } from 'node:crypto';
import { copyFile, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { REPOSITORY_PATHS } from '@kerf/delta-sync';
import { folderStore } from '@kerf/delta-sync/node';
import { ChainCheck, pullRepository, pushRepository, RegistryClient } from '@kerf/registry';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { colleagueOf, makePublisher, type Publisher } from '../../delta-sync/test/support/publisher.ts';
import { type Api, startApi } from './api-harness.ts';
import { TEST_ENGINES } from './databases.ts';

const hashOf = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');
const NOBODY = 'f'.repeat(64);
/** Compresses to a tenth; two of them differ a little. */
const text = (version: number): string =>
  Array.from(
    { length: 4000 },
    (_, at) => `line ${at} of version ${at % 400 === 0 ? version : 0}: ${hashOf(String(at))}\n`,
  ).join('');

describe.each(TEST_ENGINES)('$name', (engine) => {
  const it = test.skipIf(engine.missing !== null);
  let api: Api;
  let publisher: Publisher;
  let admin: string;
  let first: string;
  let second: string;
  const secret = 'a-secret-of-the-device';
  let deviceCredential: string;

  beforeAll(async () => {
    if (engine.missing !== null) return;
    // Small, so that they are reached.
    api = await startApi(engine, { maxOpenEnrolments: 2, maxActiveRollouts: 1 });
    publisher = await makePublisher(['line', 'other']);
    admin = await api.token(['*'], 'admin');
  });

  afterAll(async () => {
    if (engine.missing !== null) return;
    await publisher.remove();
    await api.close();
  });

  const client = (credential: string | null = admin): RegistryClient =>
    new RegistryClient({ url: api.registry.url, credential });
  const push = (from: Publisher) => pushRepository({ client: client(), repository: from.repository });

  it('has a description that is OpenAPI 3.1 in shape', async () => {
    expect(api.openApi.openapi).toBe('3.1.0');
    const operations = Object.values(api.openApi.paths).flatMap((one) => Object.values(one));
    expect(operations.length).toBeGreaterThan(30);
    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length);
    for (const [template, one] of Object.entries(api.openApi.paths)) {
      for (const operation of Object.values(one)) {
        const named = (operation.parameters ?? [])
          .filter((parameter) => parameter.in === 'path')
          .map(({ name }) => name);
        expect(named).toEqual([...template.matchAll(/\{(\w+)\}/g)].map((match) => match[1]));
      }
    }
    for (const target of ['/v1/health/live', '/v1/health/ready', '/openapi.json']) {
      expect((await api.call('GET', target)).status).toBe(200);
    }
    expect((await api.call('GET', '/nowhere')).status).toBe(404);
  });

  it('takes what a publisher has signed, and serves it', async () => {
    first = (await publisher.publish('line', '1', await publisher.write('one/line.txt', text(1)))).id;
    const files = [REPOSITORY_PATHS.metadata('timestamp', 1)];
    const sent = await Promise.all(
      files.map(async (file) => ({
        path: file,
        base64: (await readFile(path.join(publisher.repository, file))).toString('base64'),
      })),
    );
    const early = await api.call('POST', '/v1/publications', { as: admin, json: { files: sent } });
    expect(early.json.error.message).toContain('metadata/1.root.json');
    const report = await push(publisher);
    expect(report.releases).toEqual([{ id: first, name: 'line', version: '1' }]);
    expect(report.sentBlobs).toBe(1);
    // Again: nothing is new, and nothing is wrong.
    expect(await push(publisher)).toMatchObject({ releases: [], sentBlobs: 0, sentDeltas: 0 });
    second = (await publisher.publish('line', '2', await publisher.write('two/line.txt', text(2)), 1)).id;
    const next = await push(publisher);
    expect(next.releases).toEqual([{ id: second, name: 'line', version: '2' }]);
    expect(next.sentDeltas).toBeGreaterThan(0);
    const shown = await api.call('GET', `/v1/releases/${second}`, { as: admin });
    expect(shown.json.manifest.version).toBe('2');
    const listed = await api.call('GET', '/v1/releases?name=line&limit=1', { as: admin });
    const rest = await api.call('GET', `/v1/releases?name=line&after=${listed.json.after}`, { as: admin });
    expect([...listed.json.releases, ...rest.json.releases].map(({ version }) => version)).toEqual(
      expect.arrayContaining(['1', '2']),
    );
  });

  it('serves files with ranges and entity tags', async () => {
    const sha256 = hashOf(text(1));
    const target = `/repository/${REPOSITORY_PATHS.blob(sha256)}`;
    const whole = await api.call('GET', target, { as: admin });
    expect(hashOf(whole.bytes)).toBe(sha256);
    const etag = whole.headers.get('etag') as string;
    const get = (headers: Record<string, string>) => api.call('GET', target, { as: admin, headers });
    const part = await get({ range: 'bytes=10-19' });
    expect(part.status).toBe(206);
    expect(part.headers.get('content-range')).toBe(`bytes 10-19/${whole.bytes.byteLength}`);
    expect(part.bytes).toEqual(whole.bytes.slice(10, 20));
    expect((await get({ range: 'bytes=-5' })).bytes).toEqual(whole.bytes.slice(-5));
    expect((await get({ range: `bytes=${whole.bytes.byteLength - 3}-` })).bytes).toEqual(whole.bytes.slice(-3));
    expect((await get({ range: 'bytes=5-5,9-9' })).status).toBe(200);
    expect((await get({ range: 'bytes=99999999-' })).status).toBe(416);
    expect((await get({ range: 'bytes=0-4', 'if-range': '"other"' })).status).toBe(200);
    expect((await get({ range: 'bytes=0-4', 'if-range': etag })).status).toBe(206);
    expect((await get({ 'if-none-match': etag })).status).toBe(304);
    const head = await api.call('HEAD', target, { as: admin });
    expect([head.status, head.bytes.byteLength]).toEqual([200, 0]);
    expect(head.headers.get('content-length')).toBe(String(whole.bytes.byteLength));
    expect(whole.headers.get('cache-control')).toContain('immutable');
    const timestamp = await api.call('GET', '/repository/metadata/timestamp.json', { as: admin });
    expect(timestamp.headers.get('cache-control')).toContain('no-cache');
    for (const path of [
      'trusted/root.json',
      'blobs/../registry.db',
      'blobs/%2e%2e/x',
      'metadata/../trusted/root.json',
    ]) {
      expect((await api.call('GET', `/repository/${path}`, { as: admin })).status).toBe(404);
    }
  });

  it('makes a delta when one is asked for, and finds the way over several', async () => {
    const [one, two] = [hashOf(text(1)), hashOf(text(2))];
    const third = (await publisher.publish('line', '3', await publisher.write('three/line.txt', text(3)))).id;
    await push(publisher);
    const three = hashOf(text(3));
    const asked = await api.call('GET', `/repository/${REPOSITORY_PATHS.delta(two, three)}`, { as: admin });
    expect(asked.status).toBe(404);
    const wait = async (from: string, to: string): Promise<{ state: string; bytes: number }> => {
      for (;;) {
        const { json } = await api.call('GET', `/v1/deltas/${from}/${to}`, { as: admin });
        if (json.state !== 'queued' && json.state !== 'making') return json;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    };
    const made = await wait(two, three);
    expect(made.state).toBe('ready');
    expect(made.bytes).toBeLessThan(5000);
    const delta = await api.call('GET', `/repository/${REPOSITORY_PATHS.delta(two, three)}`, { as: admin });
    expect(delta.bytes.byteLength).toBe(made.bytes);
    const way = await api.call('GET', `/v1/routes/${one}/${three}`, { as: admin });
    expect(way.json.steps.map(({ from, to }: { from: string; to: string }) => [from, to])).toEqual([
      [one, two],
      [two, three],
    ]);
    const { status, json } = await api.call('POST', '/v1/deltas', { as: admin, json: { from: one, to: three } });
    expect([status, json.from]).toEqual([202, one]);
    expect((await wait(one, three)).state).toBe('ready');
    const noise = await publisher.publish('line', '4', await publisher.write('four/line.txt', randomBytes(200_000)));
    await push(publisher);
    const random = noise.manifest.files[0]!.sha256;
    await api.call('POST', '/v1/deltas', { as: admin, json: { from: three, to: random } });
    expect((await wait(three, random)).state).toBe('useless');
    expect((await api.call('GET', `/v1/routes/${three}/${random}`, { as: admin })).json).toMatchObject({
      steps: [],
      bytes: 200_000,
    });
    expect((await api.call('GET', `/repository/${REPOSITORY_PATHS.delta(three, random)}`, { as: admin })).status).toBe(
      404,
    );
    expect((await api.call('GET', `/v1/deltas/${one}/${NOBODY}`, { as: admin })).status).toBe(404);
    expect((await api.call('POST', '/v1/deltas', { as: admin, json: { from: one, to: NOBODY } })).status).toBe(404);
    expect((await api.call('GET', `/v1/routes/${one}/${NOBODY}`, { as: admin })).status).toBe(404);
    expect(third).toHaveLength(64);
  });

  it('refuses a second publisher without losing anything of either', async () => {
    const colleague = await colleagueOf(publisher);
    const [store, ownStore] = [folderStore(colleague.trusted), folderStore(publisher.trusted)];
    await pullRepository({ client: client(), repository: colleague.repository, store, nowMs: Date.now() });
    const mine = await publisher.publish('line', '5', await publisher.write('five/line.txt', text(5)));
    const theirs = await colleague.publish('other', '1', await colleague.write('x/other.txt', 'another model\n'));
    await push(publisher);
    await expect(push(colleague)).rejects.toMatchObject({ code: 'CONFLICT' });
    // Pulls, publishes the same again on top of it, and gets through.
    await pullRepository({ client: client(), repository: colleague.repository, store, nowMs: Date.now() });
    await colleague.publish('other', '1', path.join(colleague.folder, 'files/x/other.txt'));
    // Too late once more, and by more than one.
    for (const version of ['5.1', '5.2']) {
      await pullRepository({ client: client(), repository: publisher.repository, store: ownStore, nowMs: Date.now() });
      await publisher.publish('line', version, await publisher.write(`${version}/line.txt`, text(5)));
      await push(publisher);
    }
    await expect(push(colleague)).rejects.toMatchObject({ code: 'CONFLICT' });
    await pullRepository({ client: client(), repository: colleague.repository, store, nowMs: Date.now() });
    const repeated = await colleague.publish('other', '1', path.join(colleague.folder, 'files/x/other.txt'));
    await expect(
      pullRepository({ client: client(), repository: colleague.repository, store, nowMs: Date.now() }),
    ).rejects.toMatchObject({ code: 'ROLLBACK_REFUSED', message: expect.stringContaining('registry push') });
    expect((await push(colleague)).releases.map(({ name }) => name)).toEqual(['other']);
    for (const id of [mine.id, repeated.id]) {
      expect((await api.call('GET', `/v1/releases/${id}`, { as: admin })).status).toBe(200);
    }
    expect(theirs.manifest.files[0]!.sha256).toBe(repeated.manifest.files[0]!.sha256);
    // What is pulled over an older folder brings it up to date.
    await pullRepository({
      client: client(),
      repository: publisher.repository,
      store: folderStore(publisher.trusted),
      nowMs: Date.now(),
    });
    await publisher.publish('line', '6', await publisher.write('six/line.txt', text(6)));
    expect((await push(publisher)).releases).toHaveLength(1);
    await colleague.remove();
  });

  it('refuses metadata that does not verify, manifests that are not signed for, and files that are not here', async () => {
    const stranger = await makePublisher(['line']);
    await stranger.publish('line', '9', await stranger.write('line.txt', 'foreign\n'));
    await expect(push(stranger)).rejects.toMatchObject({ code: 'CONFLICT' });
    await rm(path.join(stranger.repository, 'metadata/1.root.json'));
    await copyFile(
      path.join(publisher.repository, 'metadata/1.root.json'),
      path.join(stranger.repository, 'metadata/1.root.json'),
    );
    const timestamp = await readFile(path.join(stranger.repository, 'metadata/timestamp.json'));
    const send = (files: { path: string; bytes: Uint8Array }[]) =>
      api.call('POST', '/v1/publications', {
        as: admin,
        json: {
          files: files.map(({ path: at, bytes }) => ({ path: at, base64: Buffer.from(bytes).toString('base64') })),
        },
      });
    const forged = await send([{ path: 'metadata/timestamp.json', bytes: timestamp }]);
    expect([forged.status, forged.json.error.code]).toEqual([400, 'TRUST_FAILED']);
    for (const place of ['../x', 'metadata/x.json', 'blobs/aa/bb', 'trusted/root.json']) {
      expect((await send([{ path: place, bytes: timestamp }])).json.error.code).toBe('INVALID_ARGUMENT');
    }
    const { id } = await publisher.publish('line', '7', await publisher.write('seven/line.txt', 'never sent\n'));
    const manifest = await readFile(path.join(publisher.repository, REPOSITORY_PATHS.target('line/7.json', id)));
    const missing = await send([{ path: REPOSITORY_PATHS.target('line/7.json', id), bytes: manifest }]);
    expect([missing.status, missing.json.error.details.blobs]).toEqual([409, [hashOf('never sent\n')]]);
    await client().upload(`/v1/blobs/${hashOf('never sent\n')}`, asStream(Buffer.from('never sent\n')), 11);
    const unsigned = await send([{ path: REPOSITORY_PATHS.target('line/7.json', id), bytes: manifest }]);
    expect([unsigned.status, unsigned.json.error.message]).toEqual([400, expect.stringContaining('not signed for')]);
    await push(publisher);
    expect((await send([])).status).toBe(201);
    expect((await api.call('GET', `/v1/releases/${NOBODY}`, { as: admin })).status).toBe(404);
    await stranger.remove();
  });

  it('takes blobs and deltas only as they were announced', async () => {
    const put = (target: string, body: Uint8Array | string, headers = {}) =>
      api.call('PUT', target, { as: admin, body, headers });
    const sha256 = hashOf('hello');
    expect((await put(`/v1/blobs/${sha256}`, 'jello')).status).toBe(400);
    expect((await put(`/v1/blobs/${sha256}`, 'hello')).status).toBe(204);
    expect((await put(`/v1/blobs/${sha256}`, 'hello')).status).toBe(204);
    const [one, two] = [hashOf(text(1)), hashOf(text(2))];
    const known = await readFile(path.join(publisher.repository, REPOSITORY_PATHS.delta(one, two)));
    const headers = { 'x-kerf-sha256': hashOf(known) };
    expect((await put(`/v1/deltas/${one}/${two}`, known, headers)).status).toBe(204);
    // The same bytes for other files.
    expect((await put(`/v1/deltas/${two}/${NOBODY}`, known, headers)).json.error.code).toBe('DELTA_MALFORMED');
    expect((await put(`/v1/deltas/${two}/${NOBODY}`, known)).json.error.message).toContain('x-kerf-sha256');
    const three = hashOf(text(3));
    const random = (await api.call('GET', '/v1/releases?name=line', { as: admin })).json.releases;
    expect(random.length).toBeGreaterThan(3);
    const useless = await uselessPair(api, admin, three);
    expect((await put(`/v1/deltas/${three}/${useless}`, known, headers)).status).toBe(409);
    const asked = {
      blobs: [sha256, NOBODY],
      deltas: [
        { from: one, to: two },
        { from: two, to: NOBODY },
      ],
    };
    expect((await api.call('POST', '/v1/blobs/missing', { as: admin, json: asked })).json).toEqual({
      blobs: [NOBODY],
      deltas: [{ from: two, to: NOBODY }],
    });
  });

  it('enrols a device once, and again only with the same secret', async () => {
    const enrolment = { groups: ['lab'], labels: { plant: 'north' }, deviceId: null, expiresInSeconds: 600 };
    const made = await api.call('POST', '/v1/enrolments', { as: admin, json: enrolment });
    expect(made.status).toBe(201);
    const enrol = (device: string, with_: string, as = made.json.token as string) =>
      api.call('POST', '/v1/device/enrol', { as, json: { device, credentialSha256: hashOf(with_) } });
    expect((await enrol('cam-1', secret)).status).toBe(201);
    expect((await enrol('cam-1', secret)).status).toBe(200);
    expect((await enrol('cam-1', 'another')).status).toBe(401);
    expect((await enrol('cam-2', secret)).status).toBe(401);
    const other = await api.call('POST', '/v1/enrolments', { as: admin, json: enrolment });
    expect((await enrol('cam-1', secret, other.json.token)).status).toBe(409);
    expect((await enrol('cam.2', 'two', other.json.token)).status).toBe(201);
    await api.call('POST', '/v1/enrolments', { as: admin, json: enrolment });
    await api.call('POST', '/v1/enrolments', { as: admin, json: enrolment });
    expect((await api.call('POST', '/v1/enrolments', { as: admin, json: enrolment })).status).toBe(409);
    deviceCredential = `kd1.cam-1.${secret}`;
    expect((await api.call('GET', '/repository/metadata/timestamp.json', { as: deviceCredential })).status).toBe(200);
    expect((await api.call('GET', '/repository/metadata/timestamp.json', { as: 'kd1.cam.2.two' })).status).toBe(200);
    expect((await api.call('GET', '/repository/metadata/timestamp.json', { as: `${deviceCredential}x` })).status).toBe(
      401,
    );
  });

  const check = (installed: string | null) =>
    api.call('POST', '/v1/device/check', {
      as: deviceCredential,
      json: {
        agent: 'kerf/0.1.0',
        provider: 'cpu',
        cut: 'stem',
        health: { temperature: 40 },
        models: [{ name: 'line', installed }],
      },
    });

  it('brings a release to a device by a rollout, approved by somebody else', async () => {
    const plan = {
      release: second,
      stages: [{ members: { kind: 'devices', devices: ['cam-1'] } }, { members: { kind: 'rest' } }],
    };
    const author = await api.token(['rollouts', 'approve'], 'ann');
    const made = await api.call('POST', '/v1/rollouts', { as: author, json: plan });
    expect(made.json).toMatchObject({ name: 'line', state: { status: 'awaiting-approval' }, createdBy: 'ann' });
    const { id } = made.json;
    expect((await check(first)).json.wishes).toEqual([]);
    expect((await api.call('POST', '/v1/rollouts', { as: author, json: plan })).status).toBe(409);
    const decide = (as: string, action: string) =>
      api.call('POST', `/v1/rollouts/${id}/approval`, { as, json: { action } });
    expect((await decide(author, 'approve')).status).toBe(403);
    expect((await decide(admin, 'approve')).status).toBe(200);
    expect((await decide(admin, 'approve')).status).toBe(409);
    const wish = await until(async () => {
      const { json } = await check(first);
      return json.wishes[0];
    });
    expect(wish).toMatchObject({ name: 'line', release: second, version: '2', because: 'rollout', rollout: id });
    expect((await api.call('GET', `/repository/${wish.manifestPath}`, { as: deviceCredential })).status).toBe(200);
    const report = { release: second, outcome: 'failed', reason: 'golden samples differ' };
    expect((await api.call('POST', '/v1/device/reports', { as: deviceCredential, json: report })).status).toBe(204);
    const parts = await api.call('GET', `/v1/rollouts/${id}/devices?state=failed`, { as: admin });
    expect(parts.json.devices).toMatchObject([{ deviceId: 'cam-1', reason: 'golden samples differ', previous: first }]);
    const retry = (device: string) => api.call('POST', `/v1/rollouts/${id}/devices/${device}/retry`, { as: admin });
    expect((await retry('cam-1')).status).toBe(204);
    expect((await retry('cam-9')).status).toBe(404);
    expect((await check(first)).json.wishes[0].release).toBe(second);
    expect((await retry('cam-1')).status).toBe(409);
    const act = (action: string) =>
      api.call('POST', `/v1/rollouts/${id}/actions`, { as: admin, json: { action, reason: 'a test' } });
    expect((await act('pause')).json.state.status).toBe('paused');
    expect((await act('pause')).status).toBe(409);
    expect((await act('resume')).json.state.status).toBe('running');
    expect((await act('stop')).json.state).toMatchObject({ status: 'stopped', reason: 'a test' });
    expect((await act('roll-back')).json.state.status).toBe('rolling-back');
    const shown = await api.call('GET', `/v1/rollouts/${id}`, { as: admin });
    expect(shown.json.totals.reduce((sum: number, n: number) => sum + n, 0)).toBe(2);
    expect((await api.call('GET', '/v1/rollouts?name=line', { as: admin })).json.rollouts).toHaveLength(1);
    for (const [method, target, json] of [
      ['GET', '/v1/rollouts/none', undefined],
      ['GET', '/v1/rollouts/none/devices', undefined],
      ['POST', '/v1/rollouts/none/approval', { action: 'approve' }],
      ['POST', '/v1/rollouts/none/actions', { action: 'stop' }],
      ['POST', '/v1/rollouts', { ...plan, release: NOBODY }],
    ] as const) {
      expect((await api.call(method, target, { as: admin, json })).status).toBe(404);
    }
  });

  it('lists, tags, sets and retires devices', async () => {
    const list = async (query: string): Promise<string[]> =>
      (await api.call('GET', `/v1/devices?${query}`, { as: admin })).json.devices.map(({ id }: { id: string }) => id);
    expect(await list('group=lab')).toEqual(['cam-1', 'cam.2']);
    expect(await list('label=plant%3Dnorth&limit=1')).toEqual(['cam-1']);
    expect(await list('after=cam-1')).toEqual(['cam.2']);
    expect(await list(`installed=${first}`)).toEqual(['cam-1']);
    const fleet = async (seenSince: number) =>
      (await api.call('GET', `/v1/fleet?seenSince=${seenSince}`, { as: admin })).json;
    const installed = [{ name: 'line', release: first, devices: 1 }];
    // Sightings are written together, every few seconds.
    await expect.poll(() => fleet(0), { timeout: 10_000, interval: 500 }).toEqual({ devices: 2, seen: 1, installed });
    expect(await fleet(4e12)).toMatchObject({ devices: 2, seen: 0 });
    const shown = await api.call('GET', '/v1/devices/cam-1', { as: admin });
    expect(shown.json).toMatchObject({ provider: 'cpu', cut: 'stem', health: { temperature: 40 } });
    const tagged = await api.call('PATCH', '/v1/devices/cam-1', { as: admin, json: { groups: ['line 4', '一车间'] } });
    expect(tagged.json).toMatchObject({ groups: ['line 4', '一车间'], labels: { plant: 'north' } });
    const set = (device: string, model: string, json: object) =>
      api.call('PUT', `/v1/devices/${device}/models/${model}`, { as: admin, json });
    expect((await set('cam-1', 'line', { pinned: first })).json.models[0].pinned).toBe(first);
    expect((await check(second)).json.wishes[0]).toMatchObject({ release: first, because: 'pinned' });
    expect((await set('cam-1', 'other', { pinned: first })).status).toBe(400);
    expect((await set('cam-1', 'line', { pinned: NOBODY })).status).toBe(404);
    expect((await set('cam-9', 'line', { pinned: null })).status).toBe(404);
    const replaced = { credentialSha256: hashOf('newer') };
    expect((await api.call('PUT', '/v1/device/credential', { as: deviceCredential, json: replaced })).status).toBe(204);
    expect((await check(first)).status).toBe(401);
    deviceCredential = 'kd1.cam-1.newer';
    expect((await check(first)).status).toBe(200);
    expect((await api.call('DELETE', '/v1/devices/cam.2', { as: admin })).status).toBe(204);
    expect((await api.call('DELETE', '/v1/devices/cam.2', { as: admin })).status).toBe(409);
    for (const [method, json] of [
      ['GET', undefined],
      ['PATCH', { groups: [] }],
      ['DELETE', undefined],
    ] as const) {
      expect((await api.call(method, '/v1/devices/cam-9', { as: admin, json })).status).toBe(404);
    }
    for (const [method, target, json] of [
      ['PATCH', '/v1/devices/cam.2', { groups: [] }],
      ['PUT', '/v1/devices/cam.2/models/line', { pinned: null }],
    ] as const) {
      expect((await api.call(method, target, { as: admin, json })).status).toBe(409);
    }
  });

  it('wrote everything down', async () => {
    const chain = new ChainCheck();
    let after = '0';
    for (;;) {
      const { json } = await api.call('GET', `/v1/audit?after=${after}&limit=7`, { as: admin });
      for (const entry of json.entries) chain.take(entry);
      if (json.after === null) break;
      after = json.after;
    }
    const { json } = await api.call('GET', '/v1/audit/checkpoint', { as: admin });
    expect(json.checkpoint).toMatchObject({ number: chain.last?.number, hash: chain.last?.hash });
  });

  it('has shown every status of every route, but those that every route shares', async () => {
    const shared = new Set(['400', '401', '403', '413', '429', '503']);
    const expected = Object.values(api.openApi.paths)
      .flatMap((operations) => Object.values(operations))
      .flatMap(({ operationId, responses }) => Object.keys(responses).map((status) => `${operationId} ${status}`))
      .filter((what) => !shared.has(what.split(' ')[1] as string));
    expect(expected.filter((what) => !api.seen.has(what))).toEqual([]);
  });
});

function asStream(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  return (async function* () {
    yield bytes;
  })();
}

/** The target of the delta that was not worth it. */
async function uselessPair(api: Api, as: string, from: string): Promise<string> {
  const { json } = await api.call('GET', '/v1/releases?name=line', { as });
  for (const { id } of json.releases as { id: string }[]) {
    const to = (await api.call('GET', `/v1/releases/${id}`, { as })).json.manifest.files[0].sha256 as string;
    const delta = await api.call('GET', `/v1/deltas/${from}/${to}`, { as });
    if (delta.status === 200 && delta.json.state === 'useless') return to;
  }
  throw new Error('no delta was useless');
}

async function until<T>(ask: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
