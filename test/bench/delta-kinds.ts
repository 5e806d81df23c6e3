// Is a delta ever larger than what another tool makes? Small files of every kind that was thought of, changed in every way.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bsdiffPatcher, diffFiles } from '@kerf/delta-sync/node';
import type { Bench, BenchOptions, BenchRow } from './bench.ts';
import { filePairs } from './delta/kinds/files.ts';
import type { MadePair } from './delta/kinds/made-model.ts';
import { modelPairs } from './delta/kinds/models.ts';
import { peerSizes } from './delta/peers.ts';

/** What a delta holds besides: sizes and SHA-256 of both files and of each segment. */
const FIXED_BYTES = 400;

export const deltaKinds: Bench = {
  name: 'delta-kinds',
  summary: 'bytes of deltas between made-up files of many kinds, none larger than the smallest peer',
  async *run({ only, out }: BenchOptions) {
    const folder = mkdtempSync(join(tmpdir(), 'kerf-bench-'));
    try {
      for (const pair of [...modelPairs(), ...filePairs()]) {
        if (only === null || pair.name.startsWith(only)) yield await measured(pair, folder, out);
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

async function measured(
  { name, extension, old, fresh }: MadePair,
  folder: string,
  out: string | null,
): Promise<BenchRow> {
  const [oldPath, newPath] = ['old', 'new'].map((side) => {
    mkdirSync(join(folder, side), { recursive: true });
    return join(folder, side, `file${extension}`);
  }) as [string, string];
  writeFileSync(oldPath, old);
  writeFileSync(newPath, fresh);
  const { patch } = bsdiffPatcher();
  const { deltaBytes } = await diffFiles({ oldPath, newPath, out: join(folder, 'delta'), patcher: patch });
  const [least] = [...peerSizes(oldPath, newPath, folder, out).sizes].sort((a, b) => a.bytes - b.bytes);
  return {
    bench: 'delta-kinds',
    case: name,
    value: deltaBytes,
    unit: 'bytes',
    against: least === undefined ? 'no peer is installed' : `${least.name}, ${least.bytes} bytes`,
    ratio: least === undefined ? null : deltaBytes / least.bytes,
    goal: least === undefined ? null : `<= ${least.bytes + FIXED_BYTES}`,
    met: least === undefined ? null : deltaBytes <= least.bytes + FIXED_BYTES,
  };
}
