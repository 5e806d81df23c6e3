// How small are deltas, and how fast are they applied? `kerf diff` in this process, against the smallest of bsdiff, xdelta3
// and zstd --patch-from, where they are installed.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bsdiffPatcher, diffFiles } from '@kerf/delta-sync/node';
import type { Bench, BenchOptions, BenchRow } from './bench.ts';
import { applySpeed } from './delta/apply-speed.ts';
import { PAIRS, type Pair } from './delta/pairs.ts';
import { peerSizes } from './delta/peers.ts';

export const delta: Bench = {
  name: 'delta',
  summary: 'bytes of a delta, against the smallest of bsdiff, xdelta3 -9 and zstd -19 --long --patch-from',
  async *run({ only, out }: BenchOptions) {
    for (const pair of PAIRS) {
      if (only !== null && !pair.name.startsWith(only)) continue;
      const kept = out === null ? null : join(out, `delta-${pair.name.replace(/ .*$/, '')}.json`);
      if (kept !== null && existsSync(kept)) {
        yield* JSON.parse(readFileSync(kept, 'utf8')) as BenchRow[];
        continue;
      }
      const rows: BenchRow[] = [];
      for await (const row of rowsOf(pair, out)) {
        rows.push(row);
        yield row;
      }
      // What a run that is broken off had done, the next one does not do again.
      if (kept === null || rows.length === 0) continue;
      mkdirSync(out as string, { recursive: true });
      writeFileSync(kept, `${JSON.stringify(rows, null, 1)}\n`);
    }
  },
};

async function* rowsOf(pair: Pair, out: string | null): AsyncIterable<BenchRow> {
  const folder = await mkdtemp(join(tmpdir(), 'kerf-bench-'));
  try {
    const files = pair.files(folder);
    if (typeof files === 'string') console.log(`  ${pair.name}: left out, ${files}`);
    else yield* measured(pair, files, folder, out);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function* measured(
  pair: Pair,
  [old, fresh, peersFresh = fresh]: readonly [string, string, string?],
  folder: string,
  out: string | null,
): AsyncIterable<BenchRow> {
  const { name, goal, goalOfRaw, goalBytes } = pair;
  const file = join(folder, 'delta');
  const bsdiff = bsdiffPatcher();
  const startedMs = performance.now();
  const report = await diffFiles({ oldPath: old, newPath: fresh, out: file, patcher: bsdiff.patch });
  const encodeSeconds = (performance.now() - startedMs) / 1000;
  for (const reason of bsdiff.skipped) console.log(`  ${name}: ${reason}`);
  const base = { bench: 'delta', against: null, ratio: null, goal: null, met: null };
  const { sizes, missing } = peerSizes(old, peersFresh, folder, out);
  if (missing.length > 0) console.log(`  ${name}: not installed: ${missing.join(', ')}`);
  const [least] = [...sizes].sort((a, b) => a.bytes - b.bytes);
  const { deltaBytes, targetBytes, valueBytes, entropyBytes } = report;
  const ratio = least === undefined ? null : deltaBytes / least.bytes;
  yield {
    ...base,
    case: name,
    value: deltaBytes / 1e6,
    unit: 'MB',
    against: least === undefined ? 'no peer is installed' : `${least.name}, ${(least.bytes / 1e6).toFixed(3)} MB`,
    ratio,
    goal: `<= ${goal}`,
    met: ratio === null ? null : ratio <= goal,
  };
  yield {
    ...base,
    case: `${name}: of the whole file`,
    value: (100 * deltaBytes) / targetBytes,
    unit: '%',
    ...(goalOfRaw === undefined ? {} : { goal: `<= ${100 * goalOfRaw}`, met: deltaBytes <= goalOfRaw * targetBytes }),
  };
  if (goalBytes !== undefined) {
    const bytesRow = { value: deltaBytes, unit: 'bytes', goal: `<= ${goalBytes}`, met: deltaBytes <= goalBytes };
    yield { ...base, case: `${name}: bytes`, ...bytesRow };
  }
  if (entropyBytes > 0) {
    yield {
      ...base,
      case: `${name}: values`,
      value: valueBytes / 1e6,
      unit: 'MB',
      against: `the entropy of its contexts, ${(entropyBytes / 1e6).toFixed(3)} MB`,
      ratio: valueBytes / entropyBytes,
      goal: '<= 1.02',
      met: valueBytes <= 1.02 * entropyBytes,
    };
  }
  for (const { name: tool, bytes } of sizes)
    yield { ...base, case: `${name}: ${tool}`, value: bytes / 1e6, unit: 'MB' };
  yield { ...base, case: `${name}: made`, value: targetBytes / 1e6 / encodeSeconds, unit: 'MB/s' };
  const speed = await applySpeed(old, file);
  yield { ...base, case: `${name}: applied`, value: speed, unit: 'MB/s', goal: '>= 20', met: speed >= 20 };
}
