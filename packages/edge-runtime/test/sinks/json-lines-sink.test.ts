// Real files: cut off at every byte, rotated, moved away under the sink, and written by a process that is killed.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jsonLinesShape, type ResultRecord, type Sink } from '@kerf/edge-runtime';
import { jsonLinesSink } from '@kerf/edge-runtime/node';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { describeSink } from '../../../../test/conformance/sink.ts';
import { deliveryOf } from '../../../../test/conformance/sink-records.ts';
import { sinkSetup } from './support.ts';

const never = new AbortController().signal;

function open(path: string, given: Record<string, unknown> = {}): Sink {
  return jsonLinesSink(jsonLinesShape.read({ path, ...given }, 'sink'), sinkSetup('lines'));
}

async function recordsIn(path: string): Promise<ResultRecord[]> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as ResultRecord);
}

describeSink('JSON lines', {}, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kerf-lines-'));
  const path = join(folder, 'deep', 'results.jsonl');
  return {
    open: () => open(path),
    received: async () => (await recordsIn(path)).map(({ resultId, revision }) => [resultId, revision] as const),
    dispose: () => rm(folder, { recursive: true }),
  };
});

describe('JSON-lines sink', () => {
  let folder: string;
  let path: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kerf-lines-'));
    path = join(folder, 'results.jsonl');
  });
  afterEach(() => rm(folder, { recursive: true }));

  test('a line cut off at any byte is healed, and its record written once', async () => {
    const sink = open(path);
    await sink.deliver(deliveryOf(0), never);
    const first = (await readFile(path)).length;
    await sink.deliver(deliveryOf(1), never);
    await sink.close();
    const whole = await readFile(path);
    const step = 37;
    for (let length = first; length <= whole.length; length += length + step > whole.length ? 1 : step) {
      await writeFile(path, whole);
      await truncate(path, length);
      const again = open(path);
      await again.deliver(deliveryOf(1), never);
      await again.deliver(deliveryOf(2), never);
      await again.close();
      expect((await recordsIn(path)).map(({ frame }) => frame)).toEqual([0, 1, 2]);
    }
  });

  test('rotates, keeps as many as it is told to, and knows the records of the file before', async () => {
    const size = JSON.stringify(deliveryOf(0).record).length + 1;
    const sink = open(path, { rotateAt: `${Math.max(4096, size * 8)} B`, keep: 2 });
    const count = Math.ceil(Math.max(4096, size * 8) / size) * 5;
    for (let frame = 0; frame < count; frame++) await sink.deliver(deliveryOf(frame), never);
    await sink.close();
    const rotated = (await readdir(folder)).filter((name) => name !== 'results.jsonl');
    expect(rotated).toHaveLength(2);
    const frames = [];
    for (const name of [...rotated.sort(), 'results.jsonl']) {
      frames.push(...(await recordsIn(join(folder, name))).map(({ frame }) => frame));
    }
    expect(frames).toEqual(Array.from({ length: frames.length }, (_, at) => count - frames.length + at));
    const last = (await recordsIn(join(folder, rotated.sort().at(-1)!))).at(-1)!.frame;
    const again = open(path);
    await again.deliver(deliveryOf(last), never);
    await again.close();
    expect((await recordsIn(path)).map(({ frame }) => frame)).not.toContain(last);
  });

  test('begins a new file when somebody moved the old one away', async () => {
    const sink = open(path);
    await sink.deliver(deliveryOf(0), never);
    await rename(path, join(folder, 'taken.jsonl'));
    await sink.deliver(deliveryOf(1), never);
    await sink.close();
    expect((await recordsIn(path)).map(({ frame }) => frame)).toEqual([1]);
    expect((await recordsIn(join(folder, 'taken.jsonl'))).map(({ frame }) => frame)).toEqual([0]);
  });

  test('does not cut a file that is something else', async () => {
    await writeFile(path, 'a picture, say');
    await expect(open(path).deliver(deliveryOf(0), never)).rejects.toMatchObject({ code: 'SINK_REFUSED' });
    expect(await readFile(path, 'utf8')).toBe('a picture, say');
  });

  test('a path that cannot be written is said to be so', async () => {
    await writeFile(join(folder, 'file'), '');
    const sink = open(join(folder, 'file', 'results.jsonl'));
    await expect(sink.deliver(deliveryOf(0), never)).rejects.toMatchObject({ code: 'SINK_UNREACHABLE' });
    await chmod(folder, 0o700);
  });

  test.skipIf(!existsSync('/dev/full'))('a full disk is said to be full, and can be tried again', async () => {
    // The kernel's own full disk.
    const sink = open('/dev/full');
    for (let turn = 0; turn < 2; turn++) {
      await expect(sink.deliver(deliveryOf(0), never)).rejects.toMatchObject({ code: 'DISK_FULL', retryable: true });
    }
    await sink.close();
  });

  test('a process killed while it writes loses no record that it had confirmed, and writes none twice', async () => {
    const confirmed = new Set<number>();
    for (let round = 0; round < 3; round++) {
      const child = spawn(process.execPath, ['--import', 'tsx', '--conditions', '@kerf/source', WRITER, path], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await readConfirmed(child, confirmed, confirmed.size + 15);
      child.kill('SIGKILL');
      await once(child, 'close');
      const healed = open(path);
      await healed.deliver(deliveryOf(1_000_000 + round), never);
      await healed.close();
      const frames = (await recordsIn(path)).map(({ frame }) => frame);
      expect(new Set(frames).size).toBe(frames.length);
      for (const frame of confirmed) expect(frames).toContain(frame);
    }
  });
});

const WRITER = new URL('./json-lines-writer.ts', import.meta.url).pathname;

async function readConfirmed(child: ChildProcess, confirmed: Set<number>, until: number): Promise<void> {
  let rest = '';
  for await (const chunk of child.stdout!) {
    const lines = (rest + String(chunk)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) confirmed.add(Number(line));
    if (confirmed.size >= until) return;
  }
}
