// `kerf station` as a process: real pictures through the real model, here and over a socket whose cloud dies.
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ResultRecord } from '@kerf/edge-runtime';
import { datasetParts, encodePng, modelFile } from '@kerf/models';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { type KerfServe, startServe } from '../support/kerf-serve.ts';
import { expectRefusal, jsonLines, runKerf } from './support/run-kerf.ts';
import { startStation } from './support/running-station.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kerf-station-'));
  await mkdir(join(folder, 'in'));
  let number = 0;
  for await (const { defect, picture } of datasetParts({ split: 'demo', count: 4 })) {
    const { width, height, data } = picture.image;
    await writeFile(join(folder, 'in', `P-${number++}-${defect ?? 'good'}.png`), encodePng(width, height, 3, data));
  }
  await writeFile(join(folder, 'in', 'P-8-broken.png'), 'not a picture');
});

afterAll(() => rm(folder, { recursive: true, force: true }));

async function stationFile(name: string, more: object): Promise<string> {
  const file = {
    format: 'kerf-station/1',
    station: name,
    source: { ...folderSource(name), atEnd: 'end' },
    model: { path: modelFile('surface-v1') },
    task: { kind: 'anomaly' },
    deadline: '20 s',
    sinks: [{ kind: 'json-lines', path: `${name}.jsonl` }],
    ...more,
  };
  const path = join(folder, `${name}.json`);
  await writeFile(path, JSON.stringify(file));
  return path;
}

const folderSource = (name: string) => ({
  kind: 'folder',
  path: 'in',
  partId: '^[^.]+',
  whenRead: 'remember',
  state: `.${name}`,
  settle: '0 ms',
});
const watching = (name: string) => ({ ...folderSource(name), atEnd: 'watch' });

async function recordsOf(name: string): Promise<ResultRecord[]> {
  return jsonLines(await readFile(join(folder, `${name}.jsonl`), 'utf8')) as unknown as ResultRecord[];
}

const sumOf = ({ spans }: ResultRecord): number => spans.reduce((sum, { durationMs }) => sum + durationMs, 0);

describe('kerf station', () => {
  it('judges a folder of parts with the whole model here', async () => {
    const path = await stationFile('here', {});
    const ran = await runKerf(['station', path, '--json'], { cwd: folder });
    expect(ran.status).toBe(0);
    const records = await recordsOf('here');
    expect(records.every(({ partId, file }) => file?.startsWith(`${partId}.`))).toBe(true);
    expect(records.map(({ partId, verdict }) => [partId?.slice(0, 3), verdict === 'NO_READ'])).toEqual([
      ['P-0', false],
      ['P-1', false],
      ['P-2', false],
      ['P-3', false],
      ['P-8', true],
    ]);
    for (const record of records) expect(sumOf(record)).toBeCloseTo(record.totalMs, 3);
    const judged = records.filter(({ verdict }) => verdict !== 'NO_READ');
    expect(judged.every(({ placement, score }) => placement === 'edge' && score !== null)).toBe(true);
    expect(judged.some(({ mask }) => mask !== null)).toBe(true);
    expect(judged.some(({ verdict }) => verdict === 'NG')).toBe(true);
    const events = jsonLines(ran.stdout);
    expect(events.at(-1)).toMatchObject({ kind: 'summary', frames: 5, state: 'stopped', verdicts: { NO_READ: 1 } });
    expect(events.filter(({ kind }) => kind === 'record')).toHaveLength(5);
  });

  it('refuses a file with a wrong key, and says what a right one would run', async () => {
    const wrong = await stationFile('wrong', { deadlin: '1 s', sinks: [{ kind: 'json-lines', pth: 'x' }] });
    const said = expectRefusal(await runKerf(['station', wrong], { cwd: folder }), 1, 'CONFIG_INVALID');
    expect(said).toContain("deadlin is not a key; did you mean 'deadline'?");
    expect(said).toContain("sinks[0].pth is not a key; did you mean 'path'?");
    const lacking = await stationFile('lacking', { fallback: { path: 'lite.onnx' } });
    const lacks = expectRefusal(await runKerf(['station', '--check', lacking], { cwd: folder }), 1, 'FILE_NOT_FOUND');
    expect(lacks).toContain('fallback.path lite.onnx is not there');
    const right = await stationFile('right', { fallback: { path: modelFile('surface-lite') } });
    const checked = await runKerf(['station', '--check', right], { cwd: folder });
    expect(checked).toMatchObject({ status: 0, stderr: '' });
    expect(checked.stdout).toMatch(/deadline +20000 ms, then the small model, else REVIEW/);
  });
});

describe('a signal', () => {
  it('ends the station when every part that was taken has its record', async () => {
    const station = startStation(await stationFile('signal', {}), folder);
    await station.event('record');
    expect(await station.stop()).toBe(0);
    const { frames, undelivered, source } = await station.event('summary');
    expect(undelivered).toBe(0);
    expect(await recordsOf('signal')).toHaveLength(Number(frames));
    expect((source as { captured: number }).captured).toBe(frames);
  });

  it('ends it at once when it comes twice, and what the outbox holds comes after the next start', async () => {
    const keys: unknown[] = [];
    let answers = false;
    const receiver = createServer((request, response) => {
      if (!answers) return;
      keys.push(request.headers['idempotency-key']);
      request.resume().once('end', () => response.end());
    });
    onTestFinished(() => {
      receiver.closeAllConnections();
      receiver.close();
    });
    await once(receiver.listen(0, '127.0.0.1'), 'listening');
    const { port } = receiver.address() as AddressInfo;
    const path = await stationFile('twice', {
      source: watching('twice'),
      outbox: { path: 'twice-outbox' },
      sinks: [{ kind: 'webhook', url: `http://127.0.0.1:${port}/` }],
    });
    const station = startStation(path, folder);
    for (let part = 0; part < 3; part++) await station.event('record');
    station.signal('SIGTERM');
    station.signal('SIGINT');
    expect(['SIGTERM', 'SIGINT']).toContain(await station.ended);
    expect(await station.event('summary')).toMatchObject({ undelivered: null });

    answers = true;
    const next = startStation(path, folder);
    await vi.waitFor(() => expect(new Set(keys).size).toBe(5), { timeout: 30_000 });
    expect(await next.stop()).toBe(0);
    expect(keys).toHaveLength(5);
  });
});

describe('a station with a cloud', () => {
  let cloud: KerfServe;
  let more: object;

  beforeAll(async () => {
    const models = join(folder, 'models');
    await runKerf(
      [
        'split',
        modelFile('surface-v1'),
        '--at',
        '/stem/stem.1/stem.1.2/Relu_output_0',
        '--out',
        join(models, 'surface'),
      ],
      {
        cwd: folder,
      },
    );
    cloud = await startServe({ models, state: join(folder, 'state') });
    await writeFile(join(folder, 'token'), cloud.token('--models', '*'));
    await writeFile(join(folder, 'ca.pem'), cloud.ca);
    more = {
      model: { path: 'models/surface', resident: false },
      cloud: { url: cloud.url, tokenFile: 'token', ca: 'ca.pem' },
      fallback: { path: modelFile('surface-lite') },
    };
  });

  afterAll(() => cloud.stop());

  it('gives the verdicts that the whole model gives here', async () => {
    const ran = await runKerf(['station', await stationFile('split', more), '--json'], { cwd: folder });
    expect(ran.status).toBe(0);
    const [here, split] = [await recordsOf('here'), await recordsOf('split')];
    expect(split.map(({ partId, verdict }) => [partId, verdict])).toEqual(
      here.map(({ partId, verdict }) => [partId, verdict]),
    );
    expect(split.slice(0, 4).map(({ placement, isPartial }) => [placement, isPartial])).toEqual(
      Array.from({ length: 4 }, () => ['split', false]),
    );
    for (const record of split) expect(sumOf(record)).toBeCloseTo(record.totalMs, 3);
    expect(split[1]?.spans.map(({ stage }) => stage)).toEqual(
      expect.arrayContaining(['head', 'encode', 'send', 'tail', 'wait', 'postprocess']),
    );
    // The clock of the gateway is known to within the shortest exchange.
    const borders = split.flatMap(({ spans }) => spans.filter(({ stage }) => stage === 'send' || stage === 'wait'));
    expect(borders.length).toBeGreaterThan(0);
    for (const { errorMs } of borders) expect(errorMs).toBeLessThan(1000);
  });

  it('lets the small model answer when the cloud is gone, and judges again after a restart', async () => {
    await cloud.kill();
    const alone = { ...more, deadline: '3 s', outbox: { path: 'alone-outbox' } };
    const ran = await runKerf(['station', await stationFile('alone', alone), '--json'], { cwd: folder });
    expect(ran.status).toBe(0);
    const provisional = (await recordsOf('alone')).filter(({ verdict }) => verdict !== 'NO_READ');
    expect(provisional.map(({ placement, isPartial, revision }) => [placement, isPartial, revision])).toEqual(
      Array.from({ length: 4 }, () => ['small', true, 0]),
    );
    expect(provisional.every(({ totalMs }) => totalMs <= 3100)).toBe(true);

    cloud = await startServe({ models: join(folder, 'models'), state: join(folder, 'state'), port: cloud.port });
    const path = await stationFile('alone', { ...alone, status: { port: 0 }, source: watching('alone') });
    const station = startStation(path, folder);
    const { status } = await station.event('started');
    for (let count = 0; count < 4; count++) {
      const { record } = await station.event('record');
      expect(record).toMatchObject({ revision: 1, isPartial: false, placement: 'split', station: 'alone' });
    }
    const health = await fetch(`${String(status)}/station`);
    expect(await health.json()).toMatchObject({ state: 'running', link: 'connected', unsettled: 0, reconciled: 4 });
    expect(await (await fetch(`${String(status)}/metrics`)).text()).toContain(
      'kerf_station_unsettled{station="alone"} 0',
    );

    await writeFile(path, 'format: [');
    expect(await station.event('not-reloaded')).toMatchObject({ code: 'CONFIG_INVALID' });
    const lenient = { thresholds: { passBelow: 1.5, ngAbove: 2 }, status: { port: 0 }, source: watching('alone') };
    await stationFile('alone', { ...alone, ...lenient });
    expect(await station.event('reloaded')).toMatchObject({ changed: ['thresholds'] });
    expect(await station.stop()).toBe(0);

    const records = (await recordsOf('alone')).filter(({ verdict }) => verdict !== 'NO_READ');
    const finals = records.filter(({ isPartial }) => !isPartial).map(({ resultId }) => resultId);
    expect(finals.sort()).toEqual(provisional.map(({ resultId }) => resultId).sort());
    const here = new Map((await recordsOf('here')).map(({ partId, verdict }) => [partId, verdict]));
    for (const { partId, verdict, isPartial } of records) if (!isPartial) expect(verdict).toBe(here.get(partId));
  });
});
