// Releases that crash, hang and are killed while they are tried: real processes, a real runtime, and a line that goes on.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import {
  type HealthVerdict,
  type ReleaseCause,
  type ReleaseManifest,
  releaseReason,
  writeGoldenFile,
} from '@kerf/delta-sync';
import type { DeliveredPicture } from '@kerf/edge-runtime';
import { readStationFile, type StationFile } from '@kerf/edge-runtime/node';
import { float32Tensor } from '@kerf/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodePng } from '../src/picture.ts';
import { runCanary } from '../src/update/canary.ts';
import { ShadowRun } from '../src/update/shadow-run.ts';
import { askGolden } from '../src/update/trial/ask-golden.ts';
import { openTrialJudge } from '../src/update/trial/trial-judge.ts';
import { childrenOf } from './support/children-of.ts';
import { FOREVER, meanModel, SHAPE, SIDE } from './support/mean-model.ts';

let folder: string;
let picture: Uint8Array;
/** A slot with a release whose golden sample expects the mean of ones. */
async function slotOf(name: string, model: Uint8Array): Promise<{ folder: string; manifest: ReleaseManifest }> {
  const place = join(folder, name);
  await mkdir(place);
  await writeFile(join(place, 'model.onnx'), model);
  const x = float32Tensor(SHAPE, new Float32Array(3 * SIDE * SIDE).fill(1));
  const sample = { inputs: new Map([['x', x]]), outputs: new Map([['score', float32Tensor([], Float32Array.of(1))]]) };
  await writeFile(join(place, 'golden.kgs'), writeGoldenFile([sample]));
  const golden = { file: 'golden.kgs', samples: 1, madeBy: 'the test', absolute: 1e-4, relative: 1e-4 };
  const manifest = { kind: 'model', golden, files: [{ name: 'model.onnx', role: 'model' }] };
  return { folder: place, manifest: manifest as unknown as ReleaseManifest };
}

async function stationOf(name: string): Promise<StationFile> {
  const path = join(folder, `${name}.yaml`);
  const file = {
    format: 'kerf-station/1',
    station: 'line-1',
    source: { kind: 'folder', path: 'in' },
    model: { path: `${name}/model.onnx` },
    task: { kind: 'anomaly' },
    thresholds: { passBelow: 0.5, ngAbove: 0.6 },
    deadline: '5 s',
    sinks: [{ kind: 'json-lines', path: 'out.jsonl' }],
  };
  await writeFile(path, JSON.stringify(file));
  return await readStationFile(path);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kerf-trial-'));
  await slotOf('good', meanModel(null));
  await slotOf('endless', meanModel(FOREVER));
  picture = await encodePng({
    width: SIDE,
    height: SIDE,
    data: Uint8Array.from({ length: 3 * SIDE * SIDE }, (_, at) => (at * 37) % 150),
  });
  await mkdir(join(folder, 'known'));
  await writeFile(join(folder, 'known', '1.png'), picture);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('golden samples', () => {
  test('run in a process of their own, which is gone afterwards', async () => {
    const before = childrenOf(process.pid);
    const report = await askGolden(await slotOf('good-2', meanModel(null)));
    expect(report).toMatchObject({ samples: 1, values: 1, worst: 0 });
    await expect.poll(() => childrenOf(process.pid).filter((pid) => !before.includes(pid))).toEqual([]);
  });

  test('of a model that never comes back are given up, and this process answers all the while', async () => {
    let ticks = 0;
    const ticking = setInterval(() => ticks++, 20);
    const trial = askGolden({ ...(await slotOf('endless-2', meanModel(FOREVER))), patienceMs: 4_000 });
    await expect(trial).rejects.toMatchObject({
      code: 'GOLDEN_FAILED',
      message: expect.stringMatching(/said nothing for 4 s: it is not used on this device/) as string,
    });
    clearInterval(ticking);
    expect(ticks).toBeGreaterThan(50);
  });

  test('are stopped by who asked, which says nothing of the release', async () => {
    const abort = new AbortController();
    const trial = askGolden({ ...(await slotOf('endless-3', meanModel(FOREVER))), signal: abort.signal });
    setTimeout(() => abort.abort(), 1_000);
    await expect(trial).rejects.toMatchObject({ code: 'CANCELLED' });
    const already = askGolden({ ...(await slotOf('good-3', meanModel(null))), signal: abort.signal });
    await expect(already).rejects.toMatchObject({ code: 'CANCELLED' });
  });

  test.skipIf(process.platform !== 'linux').each([
    ['SIGSEGV', 'GOLDEN_FAILED'],
    ['SIGKILL', 'GOLDEN_FAILED'],
    // The system is shut down: the release has done nothing wrong.
    ['SIGTERM', 'CANCELLED'],
  ] as const)('whose process ends by %s: %s', async (signal, code) => {
    const others = childrenOf(process.pid);
    const trial = askGolden(await slotOf(`ends-${signal}`, meanModel(FOREVER)));
    trial.catch(() => {});
    await expect.poll(() => childrenOf(process.pid).filter((pid) => !others.includes(pid)).length).toBe(1);
    process.kill(childrenOf(process.pid).find((pid) => !others.includes(pid)) as number, signal);
    await expect(trial).rejects.toMatchObject({ code });
  });
});

describe('a shadow run', () => {
  test('compares releases in processes of their own until its gate has decided', async () => {
    const others = childrenOf(process.pid);
    const verdicts: HealthVerdict[] = [];
    const shadow = new ShadowRun({
      before: await stationOf('good'),
      fresh: await stationOf('good'),
      every: 1,
      frames: 20,
      onVerdict: (verdict) => void verdicts.push(verdict),
      onFault: (error) => {
        throw error;
      },
    });
    const original = { kind: 'encoded' as const, format: 'png' as const, bytes: picture };
    const delivered = { original, image: null } as unknown as DeliveredPicture;
    await expect
      .poll(
        () => {
          shadow.offer(delivered);
          return verdicts.map(({ decision }) => decision);
        },
        { timeout: 60_000, interval: 10 },
      )
      .toEqual(['keep']);
    await shadow.close();
    await expect.poll(() => childrenOf(process.pid).filter((pid) => !others.includes(pid))).toEqual([]);
  });
});

describe('known parts', () => {
  const canaryOf = async (after: string, lost: ReleaseCause[], signal: AbortSignal) =>
    runCanary({
      parts: join(folder, 'known'),
      before: { version: '1.0', file: await stationOf('good') },
      after: { version: '1.1', file: await stationOf(after) },
      signal,
      judgeMs: 4_000,
      onProgress: () => {},
      onLost: async (why) => void lost.push(why),
    });

  test('are judged by both releases', async () => {
    const lost: ReleaseCause[] = [];
    const view = await canaryOf('good', lost, new AbortController().signal);
    expect(view).toMatchObject({ parts: 1, changedCount: 0, before: { verdicts: { PASS: 1 } } });
    expect(lost).toEqual([]);
  });

  test('a release that never comes back from one is told apart from one that judges it', async () => {
    const lost: ReleaseCause[] = [];
    await expect(canaryOf('endless', lost, new AbortController().signal)).rejects.toMatchObject({
      code: 'WORKER_LOST',
    });
    expect(lost).toEqual([
      { kind: 'trial-part-crashed', ending: 'the process that tried the release said nothing for 4 s', part: '1.png' },
    ]);
    expect(lost.map(releaseReason)).toEqual([
      "the trial on known parts: the process that tried the release said nothing for 4 s, on '1.png'",
    ]);
  });

  test('a trial that hangs is stopped at once by who asked', async () => {
    const abort = new AbortController();
    const lost: ReleaseCause[] = [];
    const canary = canaryOf('endless', lost, abort.signal);
    setTimeout(() => abort.abort(), 2_000);
    await expect(canary).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(lost).toEqual([]);
  });

  test('a picture that is none is an answer, not an end', async () => {
    const judge = await openTrialJudge(await stationOf('good'));
    try {
      expect(await judge.judge(new Uint8Array(9))).toMatchObject({ verdict: 'NO_READ' });
      expect(await judge.judge(picture)).toMatchObject({ verdict: 'PASS' });
    } finally {
      await judge.close();
    }
  });
});
