// What a station says to a person: the live line, and what a file would run.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StationSnapshot } from '@kerf/edge-runtime';
import { readStationFile } from '@kerf/edge-runtime/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkLines } from '../src/station/check-text.ts';
import { figuresText, liveLine } from '../src/station/live-line.ts';

const stage = { in: 0, out: 0, dropped: 0, waiting: 0, working: 0 };
const SNAPSHOT: StationSnapshot = {
  state: 'running',
  frames: 16,
  verdicts: { PASS: 12, REVIEW: 3, NG: 1, NO_READ: 0, ERROR: 0 },
  placements: { edge: 2, cloud: 0, split: 14, small: 0, none: 0 },
  spans: {},
  provisional: 2,
  reconciled: 1,
  unsettled: 1,
  framesPerSecond: 4.25,
  p50Ms: 80.4,
  p99Ms: 120.6,
  bytesUp: 0,
  bytesDown: 0,
  source: {
    state: 'running',
    seen: 16,
    captured: 16,
    dropped: 2,
    skipped: 0,
    missed: 0,
    late: 0,
    repeated: 0,
    unreadable: 0,
    recoveries: 0,
  },
  trigger: null,
  stages: {
    capture: { ...stage, waiting: 1, dropped: 3 },
    preprocess: stage,
    infer: { ...stage, waiting: 2 },
    postprocess: stage,
    decide: stage,
    sink: stage,
  },
  models: { main: 16, small: 0, escalated: 0, unanswered: 0 },
  link: 'connected',
  linkCode: null,
  linkCause: null,
  release: 'r',
  thresholdsVersion: 't',
};

describe('the live line', () => {
  test('shows verdicts, rate, quantiles, link, placements, queues and what was dropped', () => {
    expect(figuresText(SNAPSHOT)).toBe(
      'PASS 12  REVIEW 3  NG 1 | 4.3/s | p50 80 ms p99 121 ms | link connected | edge 2 split 14 | waiting 3, 1 provisional | dropped 5',
    );
  });

  test('shows a link and a source that are lost, and a line that stands', () => {
    const lost = {
      ...SNAPSHOT,
      state: 'paused' as const,
      link: 'reconnecting: LINK_LOST',
      linkCode: 'LINK_LOST' as const,
      frames: 0,
      p50Ms: null,
      p99Ms: null,
    };
    const text = figuresText({ ...lost, source: { ...SNAPSHOT.source, state: 'lost' } });
    expect(text).toContain('link reconnecting: LINK_LOST');
    expect(text).toContain('p50 - p99 -');
    expect(text).toMatch(/paused \| source lost$/);
  });

  test('replaces itself', () => {
    expect(liveLine(SNAPSHOT)).toBe(`\r\u001B[2K${figuresText(SNAPSHOT)}`);
  });
});

describe('a checked file', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kerf-check-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  async function linesOf(yaml: string): Promise<string> {
    const path = join(folder, 'station.yaml');
    await writeFile(path, yaml);
    return checkLines(await readStationFile(path)).join('\n');
  }

  test('says in words what would run', async () => {
    const text = await linesOf(`
format: kerf-station/1
station: line-3
source: { kind: folder, path: in }
trigger: { kind: modbus, listen: "127.0.0.1:1600" }
model: { path: chain, threads: 2 }
cloud: { url: "wss://cloud.example:8443" }
fallback: { path: small.onnx, cascade: { sureBelow: 0.1, sureAbove: 0.9 } }
task: { kind: anomaly }
thresholds: { passBelow: 0.3, ngAbove: 0.7 }
deadline: 500 ms
partId: { pattern: "P-[0-9]+", required: true }
outbox: { path: keep }
status: { port: 9100 }
sinks:
  - { kind: json-lines, path: out.jsonl }
  - { kind: modbus, listen: "127.0.0.1:1600" }
`);
    for (const part of [
      /trigger +modbus/,
      /part id +must match P-\[0-9\]\+, needed/,
      /model +chain, 2 threads, cpu/,
      /cloud +wss:\/\/cloud\.example:8443/,
      /fallback +small\.onnx, first; scores from 0\.1 to 0\.9 go to the model/,
      /thresholds +PASS below 0\.3, NG from 0\.7 on, REVIEW between/,
      /deadline +500 ms, then the rest of the model here, else the small model, else REVIEW/,
      /outbox +keep/,
      /status +http:\/\/127\.0\.0\.1:9100\/station/,
      /sink 2 +modbus/,
    ]) {
      expect(text).toMatch(part);
    }
  });

  test.each([
    ['a: [', /is not YAML or JSON at line 1/],
    ['- a', /the file must be a group of keys, is a list/],
    ['format: kerf-station/1\nformat: kerf-station/1', /is not YAML or JSON at line 2: Map keys must be unique$/],
    [`a: &a [x]\nb: &b [${'*a,'.repeat(99)}*a]\nc: [${'*b,'.repeat(99)}*b]`, /cannot be used: Excessive alias count/],
  ])('refuses %j', async (yaml, said) => {
    await expect(linesOf(yaml)).rejects.toThrow(said);
  });
});
