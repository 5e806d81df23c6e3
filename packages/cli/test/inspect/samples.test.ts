// A real station on the reference model that keeps parts; labels through the Inspector's service; the data set, read again.
import { copyFile, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Caller } from '@kerf/bridge';
import { encodePng, type SampleCounters } from '@kerf/edge-runtime/node';
import { videoFrames } from '@kerf/models';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openInspected } from '../../src/inspect/open-inspected.ts';
import type { StationService } from '../../src/inspect/station-service.ts';
import { kerf } from '../support/inspection.ts';

const MODEL = fileURLToPath(new URL('../../../../models/files/surface-v1.onnx', import.meta.url));
const CALLER: Caller = { name: 'ann', role: 'engineer' };

let folder = '';
const sum = (counters?: SampleCounters): number =>
  counters === undefined ? 0 : counters.kept + counters.alike + counters.missed;
/** By the name of its file. */
const pictures = new Map<string, { readonly part: number; readonly isDefective: boolean }>();

/** Parts in a fixture, three pictures of each with the camera's noise: what a line sees that triggers too often. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kerf-kept-'));
  await mkdir(join(folder, 'in'));
  for await (const { image, frame, parts } of videoFrames({
    station: 'fixture',
    seconds: 18,
    framesPerSecond: 2,
    split: 'test',
  })) {
    const [part] = parts;
    if (part === undefined) continue;
    const name = `P-${String(part.part).padStart(2, '0')}-${frame}`;
    pictures.set(name, { part: part.part, isDefective: part.defect !== null });
    await writeFile(join(folder, `${name}.png`), await encodePng(image));
  }
  const lines = [
    'format: kerf-station/1',
    'station: line-9',
    'source: { kind: folder, path: in, partId: "^[^.]+", whenRead: delete, settle: 0 ms }',
    `model: { path: ${JSON.stringify(MODEL)} }`,
    'task: { kind: anomaly }',
    'deadline: 60 s',
    // Every part is worth keeping, so that only likeness decides.
    'samples: { path: kept, verdicts: [PASS, REVIEW, NG], random: 0 }',
    'sinks: [{ kind: json-lines, path: results.jsonl }]',
  ];
  await writeFile(join(folder, 'line.yaml'), `${lines.join('\n')}\n`);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('repeated parts are left out; what is labelled in the service is what kerf evaluate reads', async () => {
  const inspected = await openInspected(join(folder, 'line.yaml'), { onOutbox: () => {}, onFault: () => {} });
  const { opened, service } = inspected;
  const call = <N extends Parameters<StationService['call']>[0]>(
    name: N,
    params: Parameters<StationService['call']>[1],
  ) => service.call(name, params as never, CALLER);
  let told = 0;
  service.subscribe('samples', () => told++);
  try {
    await opened.station.start();
    // One after the other: what comes faster than it can be kept is missed.
    for (const part of pictures.keys()) {
      const done = opened.samples?.counters ?? expect.unreachable();
      await copyFile(join(folder, `${part}.png`), join(folder, `in/.${part}`));
      await rename(join(folder, `in/.${part}`), join(folder, `in/${part}.png`));
      const settled = (): boolean => sum(opened.samples?.counters) > sum(done);
      await expect.poll(settled, { timeout: 30_000, interval: 10 }).toBe(true);
    }
    const counters = opened.samples?.counters ?? expect.unreachable();
    expect(counters).toMatchObject({ seen: pictures.size, missed: 0, fault: null });
    expect(told).toBe(counters.kept);

    const { samples } = await call('samples.list', { before: null, limit: 200, show: 'unlabelled' });
    const found = samples.map(({ record }) => pictures.get(record.partId ?? '') ?? expect.unreachable());
    // Every part with a defect once and only once; of the good ones, which look the same in a fixture, at least one.
    const defective = [...new Set([...pictures.values()].filter((one) => one.isDefective).map(({ part }) => part))];
    expect(
      found
        .filter(({ isDefective }) => isDefective)
        .map(({ part }) => part)
        .toSorted((a, b) => a - b),
    ).toEqual(defective);
    expect(found.length).toBeGreaterThan(defective.length);
    expect(found.length).toBeLessThanOrEqual(12);
    const older = await call('samples.list', { before: samples[1]?.id ?? '', limit: 2, show: 'all' });
    expect(older.samples.map(({ id }) => id)).toEqual(samples.slice(2, 4).map(({ id }) => id));
    expect(older.hasMore).toBe(samples.length > 4);

    for (const { id, record } of samples.slice(1)) {
      const label = pictures.get(record.partId ?? '')?.isDefective === true ? 'defect' : 'good';
      await call('samples.label', { id, label });
    }
    await expect(call('samples.label', { id: samples[0]?.id ?? '', label: 'dent' })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    await call('samples.label', { id: samples[0]?.id ?? '', label: 'good' });
    expect(await call('samples.undo', {})).toMatchObject({ id: samples[0]?.id, label: null });
    const labelled = samples.length - 1;
    const view = await call('samples.view', {});
    expect(view).toMatchObject({ isOn: true, kept: samples.length, labelled, canUndo: true });
    const whole = await call('samples.picture', { id: samples[0]?.id ?? '', full: true });
    expect(whole).toMatchObject({ format: 'png', width: 384, height: 384 });
    const source = await readFile(join(folder, `${samples[0]?.record.partId}.png`));
    expect(Buffer.from(whole?.bytes ?? []).equals(source)).toBe(true);
  } finally {
    await inspected.close();
  }

  const all = opened.samples?.store.all.length ?? 0;
  const set = join(folder, 'set');
  const report = JSON.parse(
    await kerf('samples', join(folder, 'line.yaml'), '--export', 'mvtec', '--out', set, '--json'),
  ) as Record<string, unknown>;
  expect(report).toMatchObject({
    kept: all,
    labelled: all - 1,
    exported: { format: 'mvtec', folder: set, samples: all - 1 },
  });
  const { task } = JSON.parse(await kerf('evaluate', MODEL, '--samples', join(set, 'test'), '--json')) as {
    task: { samples: number; kind: string };
  };
  expect(task).toMatchObject({ kind: 'defect', samples: all - 1 });
  await expect(kerf('samples', join(folder, 'line.yaml'), '--export', 'coco', '--out', set)).rejects.toThrow(
    /not empty/,
  );
});

test('a station file without samples says so', async () => {
  const text = await readFile(join(folder, 'line.yaml'), 'utf8');
  const plain = join(folder, 'plain.yaml');
  await writeFile(plain, text.replace(/^samples:.*\n/m, ''));
  await expect(kerf('samples', plain)).rejects.toMatchObject({ code: 'SAMPLES_UNUSABLE' });
});
