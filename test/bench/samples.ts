// What share of labelling the station's choice of parts saves on the reference job, and what it loses.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Capture, ResultRecord } from '@kerf/edge-runtime';
import { encodePng, type OpenedStation, openStation, readStationFile } from '@kerf/edge-runtime/node';
import { datasetParts, modelFile, videoFrames } from '@kerf/models';
import type { RgbImage } from '@kerf/protocol';
import type { Bench, BenchRow } from './bench.ts';

interface Seen {
  /** The piece; several pictures may be of one. */
  readonly part: number;
  readonly isDefective: boolean;
  readonly record: ResultRecord;
  readonly isKept: boolean;
}

export const samples: Bench = {
  name: 'samples',
  summary: 'parts kept for labelling by the default policy, on surface-v1 and generated parts',
  async *run({ full }) {
    const count = full ? 1_000 : 200;
    yield* once(await watch(reference(count)));
    yield* repeated(await watch(fixture(full ? 300 : 60)));
  },
};

interface Shown {
  readonly image: RgbImage;
  readonly part: number;
  readonly isDefective: boolean;
}

async function* reference(count: number): AsyncGenerator<Shown> {
  let part = 0;
  for await (const { picture, defect } of datasetParts({ split: 'test', count, goodShare: 0.9 })) {
    yield { image: picture.image, part: part++, isDefective: defect !== null };
  }
}

/** Three or four pictures of each part while it lies in a fixture. */
async function* fixture(seconds: number): AsyncGenerator<Shown> {
  for await (const { image, parts } of videoFrames({
    station: 'fixture',
    seconds,
    framesPerSecond: 3,
    split: 'test',
  })) {
    const [part] = parts;
    if (part !== undefined) yield { image, part: part.part, isDefective: part.defect !== null };
  }
}

/** Each part was there once: what the policy chooses, and whether it chooses what matters. */
function* once(seen: readonly Seen[]): Generator<BenchRow> {
  const kept = seen.filter(({ isKept }) => isKept);
  const wrong = seen.filter(({ isDefective, record }) => record.verdict === (isDefective ? 'PASS' : 'NG'));
  yield row('labels to give, each part once', kept.length / seen.length, 'labelling every part');
  yield row('labelling saved, each part once', 1 - kept.length / seen.length, 'labelling every part');
  yield row(
    'of parts judged wrong, those that are kept',
    share(wrong.filter(({ isKept }) => isKept).length, wrong.length),
    `all ${wrong.length} judged wrong`,
  );
}

/** Each part was there several times: what is left out as alike, and whether a defect is lost by it. */
function* repeated(seen: readonly Seen[]): Generator<BenchRow> {
  const worth = seen.filter(({ record }) => record.verdict === 'REVIEW');
  const parts = new Set(worth.filter(({ isDefective }) => isDefective).map(({ part }) => part));
  const found = new Set(seen.filter(({ isKept }) => isKept).map(({ part }) => part));
  const kept = worth.filter(({ isKept }) => isKept).length;
  yield row(
    'labelling saved, a part three or four times',
    1 - share(seen.filter(({ isKept }) => isKept).length, seen.length),
    'labelling every picture',
  );
  yield row(
    'left out as alike, a part three or four times',
    1 - share(kept, worth.length),
    `${worth.length} REVIEW pictures`,
  );
  yield row(
    'defective REVIEW parts of which a picture is kept',
    share([...parts].filter((part) => found.has(part)).length, parts.size),
    `all ${parts.size}`,
    '>= 1',
  );
}

function share(count: number, of: number): number {
  return of === 0 ? 1 : count / of;
}

function row(name: string, value: number, against: string, goal: string | null = null): BenchRow {
  const met = goal === null ? null : value >= 1;
  return { bench: 'samples', case: name, value: 100 * value, unit: '%', against, ratio: value, goal, met };
}

/** Runs a real station on the pictures, one after the other, so that none is missed. */
async function watch(pictures: AsyncIterable<Shown>): Promise<Seen[]> {
  const folder = await mkdtemp(join(tmpdir(), 'kerf-bench-samples-'));
  const station = {
    format: 'kerf-station/1',
    station: 'bench',
    source: { kind: 'folder', path: folder },
    model: { path: modelFile('surface-v1') },
    task: { kind: 'anomaly' },
    deadline: '60 s',
    samples: { path: 'kept' },
    sinks: [{ kind: 'json-lines', path: 'records.jsonl' }],
  };
  await writeFile(join(folder, 'line.json'), JSON.stringify(station));
  const opened = await openStation(await readStationFile(join(folder, 'line.json')));
  const seen: Seen[] = [];
  try {
    let sequence = 0;
    for await (const { image, part, isDefective } of pictures) {
      const record = await judged(opened, image, sequence++);
      seen.push({ part, isDefective, record, isKept: await wasKept(opened, record) });
    }
  } finally {
    await opened.close();
    await rm(folder, { recursive: true, force: true });
  }
  return seen;
}

async function judged(opened: OpenedStation, image: RgbImage, sequence: number): Promise<ResultRecord> {
  const bytes = await encodePng(image);
  return await new Promise((resolve) => {
    const capture: Capture = {
      source: 'bench',
      sequence,
      key: String(sequence),
      takenAt: Date.now(),
      partId: null,
      picture: { kind: 'encoded', format: 'png', bytes },
      fault: null,
      isRepeat: false,
      isSimulated: true,
      onResult: resolve,
    };
    void opened.station.take(capture);
  });
}

async function wasKept({ samples }: OpenedStation, record: ResultRecord): Promise<boolean> {
  await samples?.idle();
  return samples?.store.has(record) ?? false;
}
