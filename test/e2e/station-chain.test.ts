// A station whose model is a chain, behind a network that goes wrong: the cut moves, no part is lost, verdicts stay.
import { copyFile, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ResultRecord } from '@kerf/edge-runtime';
import { datasetParts, encodePng, modelFile } from '@kerf/models';
import { seededRandom } from '@kerf/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FaultProxy, GOOD_MOOD, type NetworkMood } from '../chaos/fault-proxy.ts';
import { type KerfServe, startServe } from '../support/kerf-serve.ts';
import { jsonLines, runKerf } from './support/run-kerf.ts';
import { type RunningStation, startStation } from './support/running-station.ts';
import { pause } from './support/workshop.ts';

const PICTURES = 4;
/** Of one phase. */
const MOST_PARTS = 100;
const CUTS = [
  '/stem/stem.0/stem.0.2/Relu_output_0',
  '/stem/stem.1/stem.1.2/Relu_output_0',
  '/quarter/quarter.3/Relu_output_0',
];

let folder: string;
let cloud: KerfServe;
let proxy: FaultProxy;
let truth: ReadonlyMap<string, string>;

const inFolder = (...parts: string[]): string => join(folder, ...parts);

async function recordsOf(name: string): Promise<ResultRecord[]> {
  const text = await readFile(inFolder(`${name}.jsonl`), 'utf8').catch(() => '');
  return jsonLines(text.slice(0, text.lastIndexOf('\n') + 1)) as unknown as ResultRecord[];
}

const sourceOf = (name: string): object => ({
  kind: 'folder',
  path: name,
  partId: '^[^.]+',
  whenRead: 'remember',
  state: `.${name}`,
  settle: '0 ms',
});

async function stationFile(name: string, more: object): Promise<string> {
  const file = {
    format: 'kerf-station/1',
    station: name,
    source: { ...sourceOf(name), atEnd: 'end' },
    model: { path: modelFile('surface-v1') },
    task: { kind: 'anomaly' },
    deadline: '20 s',
    sinks: [{ kind: 'json-lines', path: `${name}.jsonl` }],
    ...more,
  };
  await writeFile(inFolder(`${name}.json`), JSON.stringify(file));
  return inFolder(`${name}.json`);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kerf-station-chain-'));
  for (const name of ['here', 'line', 'new']) await mkdir(inFolder(name));
  let number = 0;
  for await (const { picture } of datasetParts({ split: 'demo', count: PICTURES })) {
    const { width, height, data } = picture.image;
    await writeFile(inFolder('here', `${number++}.png`), encodePng(width, height, 3, data));
  }
  const cuts = CUTS.flatMap((name) => ['--at', name]);
  const made = await runKerf(['chain', modelFile('surface-v1'), ...cuts, '--out', 'models/surface'], { cwd: folder });
  expect(made.status, made.stderr).toBe(0);
  cloud = await startServe({ models: inFolder('models'), state: inFolder('state') });
  await writeFile(inFolder('token'), cloud.token('--models', '*'));
  await writeFile(inFolder('ca.pem'), cloud.ca);
  proxy = await FaultProxy.start(cloud.port, seededRandom(4));
  const ran = await runKerf(['station', await stationFile('here', {}), '--json'], { cwd: folder });
  expect(ran.status, ran.stderr).toBe(0);
  truth = new Map((await recordsOf('here')).map(({ partId, verdict }) => [partId ?? '', verdict]));
  expect([truth.size, new Set(truth.values()).size > 1]).toEqual([PICTURES, true]);
}, 120_000);
afterAll(async () => {
  await proxy?.close();
  await cloud?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Routes of the newest records. */
let newest: readonly string[] = [];
let fed = 0;

/** Puts parts before the camera, one after the other, each when the one before has its record, until `isEnough`. */
async function feed(phase: string, isEnough: (count: number) => boolean): Promise<void> {
  for (let at = 0; at < MOST_PARTS && !isEnough(at); at++) {
    const name = `${phase}-${String(at).padStart(3, '0')}-${fed % PICTURES}.png`;
    await copyFile(inFolder('here', `${fed % PICTURES}.png`), inFolder('new', name));
    await rename(inFolder('new', name), inFolder('line', name));
    fed++;
    const id = name.slice(0, -'.png'.length);
    await untilRecords((all) => all.some(({ partId }) => partId === id), `a record of ${id}`);
  }
}

/** Looks into the sink's file until it is as wanted. */
async function untilRecords(isWanted: (all: readonly ResultRecord[]) => boolean, what: string): Promise<void> {
  const endMs = performance.now() + 60_000;
  for (;;) {
    const all = await recordsOf('line');
    newest = all.slice(-4).map(({ route }) => route);
    if (isWanted(all)) return;
    if (performance.now() > endMs) throw new Error(`${what}: not within a minute`);
    await pause(20);
  }
}

/** A network of so many Mbit/s. */
const rate = (megabits: number): Partial<NetworkMood> => ({ ...GOOD_MOOD, bytesPerMs: megabits * 125 });

test('the cut moves with the network, no part is lost, and every verdict is the whole model’s', async () => {
  const write = (route: string | null): Promise<string> =>
    stationFile('line', {
      source: { ...sourceOf('line'), atEnd: 'watch' },
      model: { path: 'models/surface', ...(route === null ? {} : { route }) },
      cloud: { url: `wss://127.0.0.1:${proxy.port}`, tokenFile: 'token', ca: 'ca.pem' },
      outbox: { path: 'outbox' },
      deadline: '4 s',
    });
  const station: RunningStation = startStation(await write('cut-2'), folder);
  await station.event('started');
  /** A person moves the cut while the station runs. */
  const move = async (route: string | null): Promise<void> => {
    await write(route);
    expect(await station.event('reloaded')).toMatchObject({ changed: ['route'] });
  };
  const reach = (route: string) => (count: number) => count > 0 && newest.at(-1) === route;
  await feed('start', reach('cut-2'));
  await move('cut-1');
  await feed('moved', reach('cut-1'));
  proxy.reset();
  await feed('reset', (count) => count === 4);
  proxy.change({ holdsUp: true, holdsDown: true });
  // Answers that do not come in time end on the device, and then frames stay there.
  await feed('silent', reach('edge'));
  proxy.change(rate(1));
  await move(null);
  await feed('slow', (count) => count === 4);
  proxy.change(GOOD_MOOD);
  await move('cut-3');
  await feed('again', reach('cut-3'));
  await untilRecords((all) => all.filter(({ isPartial }) => !isPartial).length >= fed, 'a final record of each part');
  expect(await station.stop()).toBe(0);

  const records = await recordsOf('line');
  const settled = records.filter(({ isPartial }) => !isPartial);
  // Exactly one final record of each part, and it says what the whole model says here.
  expect(new Set(settled.map(({ partId }) => partId)).size).toBe(fed);
  expect(settled).toHaveLength(fed);
  for (const { partId, verdict } of settled) {
    expect([partId, verdict]).toEqual([partId, truth.get(partId?.split('-').at(-1) ?? '')]);
  }
  // No provisional verdict passes a part, and nobody waited longer than the deadline.
  for (const { isPartial, verdict } of records) if (isPartial) expect(verdict).toBe('REVIEW');
  for (const { revision, totalMs } of records) if (revision === 0) expect(totalMs).toBeLessThan(4_500);
  const routes = new Set(settled.map(({ route }) => route));
  expect([...routes]).toEqual(expect.arrayContaining(['cut-1', 'cut-2', 'cut-3', 'edge']));
  for (const { spans, totalMs } of records) {
    expect(spans.reduce((sum, { durationMs }) => sum + durationMs, 0)).toBeCloseTo(totalMs, 3);
  }
}, 240_000);
